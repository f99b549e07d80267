"""Limits on how often a client may start work."""

import time
from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from fastapi import Depends, FastAPI, Request
from starlette.testclient import TestClient

from colorizer.web.server.limits import STOPPING, WorkLimit


def app(per_minute: int) -> TestClient:
    """Routes like Gradio's: function 0 starts work, function 1 doesn't."""
    functions = {
        0: SimpleNamespace(api_name="colorize", concurrency_id="network"),
        1: SimpleNamespace(api_name="adjust", concurrency_id="quick"),
    }
    app = FastAPI(dependencies=[Depends(WorkLimit(functions, per_minute))])

    @app.post("/gradio_api/upload")
    @app.post("/gradio_api/call/{api_name}")
    @app.post("/login")
    @app.get("/gradio_api/info")
    def answer() -> str:
        return "done"

    @app.post("/gradio_api/queue/join")
    async def join(request: Request) -> object:
        return await request.json()  # still there to be read

    return TestClient(app)


@pytest.fixture
def stopping() -> Iterator[None]:
    STOPPING.set()
    yield
    STOPPING.clear()


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/gradio_api/upload", None),
        ("/login", None),
        ("/gradio_api/call/colorize", {"data": []}),
        ("/gradio_api/queue/join", {"fn_index": 0}),
    ],
)
def test_work_is_limited(path: str, body: object) -> None:
    client = app(2)
    assert [client.post(path, json=body).status_code for _ in range(3)] == [200, 200, 429]
    refused = client.post("/gradio_api/upload")
    assert 58 <= int(refused.headers["retry-after"]) <= 60
    assert refused.json()["detail"].startswith("This server takes 2 requests a minute from each")
    assert client.get("/gradio_api/info").status_code == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/gradio_api/call/adjust", {"data": []}),
        ("/gradio_api/call/unknown", {"data": []}),
        ("/gradio_api/queue/join", {"fn_index": 1}),
        ("/gradio_api/queue/join", {"fn_index": [7]}),
        ("/gradio_api/queue/join", {}),
        ("/gradio_api/queue/join", [1]),
    ],
)
def test_the_rest_is_not(path: str, body: object) -> None:
    client = app(1)
    answers = [client.post(path, json=body) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [200] * 3


def test_without_a_limit_everything_passes() -> None:
    client = app(0)
    assert {client.post("/gradio_api/upload").status_code for _ in range(50)} == {200}


def test_a_stopping_server_takes_no_more_work(stopping: None) -> None:
    client = app(0)
    refused = client.post("/gradio_api/queue/join", json={"fn_index": 0})
    assert refused.status_code == 503
    assert refused.json()["detail"] == "This server is being stopped. Try again in a minute."
    assert client.post("/gradio_api/queue/join", json={"fn_index": 1}).status_code == 200
    assert client.get("/gradio_api/info").status_code == 200


def test_the_limit_is_over_after_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    client = app(1)
    assert [client.post("/login").status_code for _ in range(2)] == [200, 429]
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    assert client.post("/login").status_code == 200
