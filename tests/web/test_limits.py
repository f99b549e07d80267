"""Limits on requests, and logins."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from fastapi import Depends, FastAPI, Request
from starlette.testclient import TestClient

from colorizer.web.server.limits import STOPPING, WINDOW, Gate, RateLimit, checked_login


def test_so_many_in_any_minute() -> None:
    limit = RateLimit(2)
    assert [limit.wait("a", now) for now in (0, 10)] == [0, 0]
    assert limit.wait("a", 20) == 40
    assert limit.wait("b", 20) == 0
    assert limit.wait("a", 59) == 1
    assert limit.wait("a", 60) == 0
    assert limit.wait("a", 61) == 9  # refused ones don't count


def test_clients_who_have_left_are_forgotten() -> None:
    limit = RateLimit(1)
    for number in range(100):
        limit.wait(str(number), number / 100)
    limit.wait("later", 3 * WINDOW)
    assert len(limit._times) == 1


def app(per_minute: int) -> TestClient:
    """Routes as Gradio has them, of which job 0 is work and job 1 isn't."""
    functions = {
        0: SimpleNamespace(api_name="colorize", concurrency_id="network"),
        1: SimpleNamespace(api_name="adjust", concurrency_id="quick"),
    }
    app = FastAPI(dependencies=[Depends(Gate(functions, per_minute))])

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


def test_logins() -> None:
    check = checked_login([("anna", "open sesame"), ("ben", "ü:2")])
    assert check("anna", "open sesame")
    assert check("ben", "ü:2")
    for name, password in (
        ("anna", "ü:2"),
        ("ben", "open sesame"),
        ("anna", ""),
        ("", ""),
        ("anna", "open sesame "),
        ("nobody", "open sesame"),
        ("ben:ü", "2"),
    ):
        assert not check(name, password)
