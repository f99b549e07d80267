"""Limits on how often a client may start work."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from fastapi import HTTPException

from colorizer.web.page import build_page
from colorizer.web.server.limits import (
    FOLLOW_UPS,
    LOGINS_PER_MINUTE,
    STOPPING,
    WorkLimit,
    is_costly,
)
from colorizer.web.server.models import Models

FUNCTIONS = {
    0: SimpleNamespace(api_name="colorize", concurrency_id="network", name="colorize"),
    1: SimpleNamespace(api_name="adjust", concurrency_id="quick", name="adjust"),
}


def refusals(limit: WorkLimit, route: str, body: object, times: int) -> list[int]:
    """The status of each refusal of so many requests."""
    found = []
    for _ in range(times):
        try:
            limit.check("1.2.3.4", route, body)
        except HTTPException as error:
            found.append(error.status_code)
    return found


@pytest.fixture
def stopping() -> Iterator[None]:
    STOPPING.set()
    yield
    STOPPING.clear()


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("/gradio_api/upload", None),
        ("/login", None),
        ("/gradio_api/call/colorize", {"data": []}),
        ("/gradio_api/call/v2/colorize", {"data": []}),
        ("/gradio_api/run/adjust", {"data": [], "fn_index": 0}),
        ("/gradio_api/queue/join", {"fn_index": 0}),
        ("/gradio_api/queue/join", {"fn_index": "0"}),
        ("/gradio_api/queue/join", {"fn_index": "+0"}),
        ("/gradio_api/queue/join", {"fn_index": " 0"}),
        ("/gradio_api/queue/join", {"fn_index": False}),
        ("/gradio_api/queue/join", {"fn_index": 0.0}),
        ("/gradio_api/queue/join", {"fn_index": 7}),
        ("/gradio_api/queue/join", {}),
        ("/gradio_api/queue/join", None),
    ],
)
def test_work_is_limited(route: str, body: object) -> None:
    limit = WorkLimit(FUNCTIONS, 2)
    assert refusals(limit, route, body, 3) == [429]
    with pytest.raises(HTTPException, match="This server takes 2 requests a minute") as refused:
        limit.check("1.2.3.4", "/gradio_api/upload", None)
    assert 58 <= int((refused.value.headers or {})["Retry-After"]) <= 60
    limit.check("5.6.7.8", route, body)


@pytest.mark.parametrize(
    ("route", "body"),
    [
        ("/gradio_api/call/adjust", {"data": []}),
        ("/gradio_api/call/unknown", {"data": []}),
        ("/gradio_api/queue/join", {"fn_index": 1}),
        ("/gradio_api/cancel", {"session_hash": "a"}),
    ],
)
def test_the_rest_is_not(route: str, body: object) -> None:
    assert refusals(WorkLimit(FUNCTIONS, 1), route, body, 3) == []


def test_thumbnails_wait_in_line_but_do_not_count(tiny_checkpoint: Path) -> None:
    functions = build_page(Models(str(tiny_checkpoint), "cpu")).fns.values()
    found = [function for function in functions if function.name in FOLLOW_UPS]
    assert {function.name for function in found} == set(FOLLOW_UPS)
    assert {function.concurrency_id for function in found} == {"network"}
    assert not any(map(is_costly, found))
    assert any(is_costly(function) for function in functions if function.name == "colorize")


def test_without_a_limit_everything_but_logins_passes() -> None:
    limit = WorkLimit(FUNCTIONS, 0)
    assert refusals(limit, "/gradio_api/upload", None, 50) == []
    assert refusals(limit, "/login", None, LOGINS_PER_MINUTE + 2) == [429, 429]


def test_the_limit_is_over_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = WorkLimit(FUNCTIONS, 1)
    assert refusals(limit, "/login", None, 2) == [429]
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    assert refusals(limit, "/login", None, 1) == []


def test_a_stopping_server_refuses_work(stopping: None) -> None:
    limit = WorkLimit(FUNCTIONS, 0)
    assert refusals(limit, "/gradio_api/queue/join", {"fn_index": 0}, 1) == [503]
    assert refusals(limit, "/gradio_api/queue/join", {"fn_index": 1}, 1) == []
