"""Requests that are refused before Gradio reads them."""

import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fastapi import FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from colorizer.web.server import admission
from colorizer.web.server.admission import MAX_JSON, Admission
from colorizer.web.server.settings import Settings

COOKIE = {"access-token-unsecure-7": "token"}
COLORIZE = "/gradio_api/call/colorize"
JOIN = "/gradio_api/queue/join"


class Queue:
    """A queue like Gradio's, with four places."""

    max_size = 4

    def __init__(self) -> None:
        self.waiting: list[str] = []  # addresses of clients

    @property
    def event_queue_per_concurrency_id(self) -> dict[str, Any]:
        events = [
            SimpleNamespace(request=SimpleNamespace(client=SimpleNamespace(host=host)))
            for host in self.waiting
        ]
        return {"network": SimpleNamespace(queue=events)}

    @property
    def process_time_per_fn(self) -> dict[str, Any]:
        return {"colorize": SimpleNamespace(avg_time=3.1)}


class Client(TestClient):
    """Knows the app that it talks to."""

    app: Any


def client_for(queue: Queue | None = None, **settings: object) -> Client:
    """Routes like Gradio's behind the middleware; `app.state.bodies` collects what they get."""
    functions = {0: SimpleNamespace(api_name="colorize", concurrency_id="network", name="colorize")}
    page = SimpleNamespace(fns=functions, _queue=queue or Queue())
    app: Any = FastAPI(middleware=[Middleware(Admission, page, Settings(**settings))])
    app.cookie_id, app.tokens, app.api_info = "7", {"token": "anna"}, "cached"
    app.state.bodies, app.state.uploaded = [], []

    @app.post("/gradio_api/upload")
    @app.post("/gradio_api/queue/join")
    @app.post("/gradio_api/call/{name}")
    @app.post("/gradio_api/process_recording")
    async def take(request: Request) -> Any:
        app.state.bodies.append(await request.body())
        return app.state.uploaded if request.url.path.endswith("upload") else "taken"

    @app.post("/login")
    def login() -> Response:
        return JSONResponse({"detail": "Incorrect credentials."}, 400)

    @app.get("/gradio_api/call/colorize/{event}")
    def events(event: str) -> StreamingResponse:
        return StreamingResponse(iter([f"event: error\ndata: {event}\n\n"]))

    @app.get("/")
    @app.get("/gradio_api/file={path:path}")
    @app.get("/gradio_api/login_check")
    def page_itself() -> str:
        return "page"

    @app.post("/gradio_api/cancel")
    def fails() -> None:
        raise KeyError("anything")

    @app.get("/html")
    def html() -> Response:
        description = '<script>window.gradio_api_info = {"colorize":\n{}};</script>'
        return HTMLResponse(f"<head>{description}<script>start()</script></head>")

    @app.get("/gradio_api/info")
    def info(request: Request) -> str:
        app.api_info = app.api_info or request.headers["host"]
        return app.api_info

    return Client(app)


@pytest.fixture
def client() -> Client:
    return client_for()


@pytest.mark.parametrize("declared", [True, False])
def test_large_json_is_refused(client: Client, declared: bool) -> None:
    body = b"[" + b"[],[]," * (MAX_JSON // 6 + 1)
    content = body if declared else iter([body[: MAX_JSON // 2], body[MAX_JSON // 2 :]])
    refused = client.post(JOIN, content=content)
    assert refused.status_code == 413
    assert refused.json()["detail"] == "The request is larger than 1 MB. Send less at once."
    assert client.app.state.bodies == []


def test_uploads_may_be_larger(client: Client) -> None:
    assert client.post("/gradio_api/upload", content=bytes(2 * MAX_JSON)).status_code == 200
    assert [len(body) for body in client.app.state.bodies] == [2 * MAX_JSON]


def test_a_body_still_arrives(client: Client) -> None:
    assert client.post(JOIN, json={"fn_index": 0}).json() == "taken"
    assert client.app.state.bodies == [b'{"fn_index":0}']


def test_the_login_comes_before_the_body() -> None:
    client = client_for(users=(("anna", "a"),))
    for path in (JOIN, "/gradio_api/upload", COLORIZE, "/gradio_api/cancel", "/anything"):
        refused = client.post(path, content=bytes(2 * MAX_JSON))
        assert (refused.status_code, refused.json()) == (401, {"detail": "Log in first."}), path
    assert client.get("/gradio_api/info").status_code == 401
    assert client.get("/openapi.json").status_code == 401
    for path in ("/", "/gradio_api/login_check"):
        assert client.get(path).status_code == 200
    assert client.app.state.bodies == []
    client.cookies.update(COOKIE)
    assert client.post(JOIN, json={"fn_index": 0}).status_code == 200


def test_a_user_gets_no_file_of_another(tmp_path: Path) -> None:
    client = client_for(users=(("anna", "a"), ("bert", "b")))
    client.app.tokens["other"] = "bert"
    photo = tmp_path / "grandma.jpg"
    photo.touch()
    client.app.state.uploaded = [str(photo)]
    client.cookies.update(COOKIE)
    assert client.post("/gradio_api/upload", content=b"photo").json() == [str(photo)]
    assert client.get(f"/gradio_api/file={photo}").status_code == 200
    client.cookies.update(dict.fromkeys(COOKIE, "other"))
    refused = client.get(f"/gradio_api/file={photo}")
    assert (refused.status_code, refused.json()["detail"]) == (403, "Another user sent this file.")


@pytest.mark.slow
def test_a_wrong_login_takes_a_while(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(admission, "LOGIN_DELAY", 0.3)
    start = time.monotonic()
    assert client.post("/login", data={"username": "anna"}).status_code == 400
    assert time.monotonic() - start >= 0.3


def test_work_is_counted() -> None:
    client = client_for(requests_per_minute=1)
    answers = [client.post(JOIN, json={"fn_index": " 0"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 429]
    assert 0 < int(answers[1].headers["retry-after"]) <= 60


def test_unused_routes_are_closed(client: Client) -> None:
    assert client.post("/gradio_api/process_recording", content=b"video").status_code == 404
    assert client.app.state.bodies == []


@pytest.mark.parametrize("path", ["https://example.org/a.jpg", " HTTP://example.org/a.jpg"])
def test_urls_are_downloaded_only_if_asked_for(path: str) -> None:
    body = {"data": [{"path": path, "meta": {"_type": "gradio.FileData"}}]}
    nested = {"data": [[{"image": body["data"][0]}]]}
    client = client_for()
    for value in (body, nested):
        refused = client.post(COLORIZE, json=value)
        assert refused.status_code == 403
        assert refused.json()["detail"].startswith("This server downloads no URLs. Upload the")
    assert client.get(f"/gradio_api/file={path.strip()}").status_code == 403
    assert client.get("/gradio_api/file=/tmp/a.jpg").status_code == 200
    client = client_for(fetch_urls=True)
    assert client.post(COLORIZE, json=body).status_code == 200
    assert client.get(f"/gradio_api/file={path.strip()}").status_code == 200


def test_the_address_of_a_file_is_no_path(client: Client) -> None:
    file = {"path": "/tmp/a.jpg", "url": "http://testserver/gradio_api/file=/tmp/a.jpg"}
    assert client.post(COLORIZE, json={"data": [file]}).status_code == 200


def test_a_full_queue_is_a_sentence_in_the_visitors_language() -> None:
    queue = Queue()
    client = client_for(queue)
    queue.waiting = ["1.1.1.1", "2.2.2.2", "3.3.3.3"]
    assert client.post(COLORIZE, json={}).status_code == 200
    queue.waiting.append("4.4.4.4")
    refused = client.post(COLORIZE, json={}, headers={"accept-language": "de"})
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "13")
    assert refused.json()["detail"].startswith("Gerade warten zu viele Fotos. Bitte versuch es in")
    browser = client.post(JOIN, json={"fn_index": 0}, headers={"sec-fetch-mode": "cors"})
    assert browser.status_code == 429  # the page shows the sentence of any other status than 503


def test_one_client_can_not_fill_the_queue() -> None:
    queue = Queue()
    client = client_for(queue)
    queue.waiting = ["testclient", "1.1.1.1"]
    assert client.post(COLORIZE, json={}).status_code == 200
    queue.waiting = ["testclient", "testclient"]
    assert client.post(COLORIZE, json={}).status_code == 503


@pytest.mark.parametrize("data", ['{"error": null, "visible": true}', "null"])
def test_an_unexpected_error_is_a_sentence(client: Client, data: str) -> None:
    answer = client.get(f"{COLORIZE}/{data}", headers={"accept-language": "de"})
    assert "null" not in answer.text
    assert '"error": "Auf dem Server ist etwas schiefgegangen.' in answer.text


def test_a_request_that_gradio_can_not_answer_gets_a_sentence() -> None:
    client = TestClient(client_for().app, raise_server_exceptions=False)
    answer = client.post("/gradio_api/cancel", json={}, headers={"accept-language": "de"})
    assert answer.status_code == 500
    assert answer.json()["detail"].startswith("Auf dem Server ist etwas schiefgegangen.")


def test_the_description_names_each_callers_own_address(client: Client) -> None:
    client.app.api_info = None
    hosts = ("evil.example", "good.example")
    answers = [client.get("/gradio_api/info", headers={"host": host}).json() for host in hosts]
    assert answers == list(hosts)


def test_only_users_see_the_description_in_the_page() -> None:
    client = client_for(users=(("anna", "a"),))
    page = client.get("/html").text
    assert "colorize" not in page
    assert 'gradio_api_info = {"named_endpoints": {}, "unnamed_endpoints": {}};</script>' in page
    assert "<script>start()</script></head>" in page
    client.cookies.update(COOKIE)
    assert "colorize" in client.get("/html").text
    assert "colorize" in client_for().get("/html").text
