"""What other sites may do, and the security headers."""

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.middleware.cors import CORSMiddleware
from starlette.testclient import TestClient

from colorizer.web.server.origins import Origins

OWN, OTHER = "http://testserver", "https://evil.example"


def client_for(*allowed: str, host: str = "testserver") -> TestClient:
    """Routes like Gradio's, within a middleware that permits every origin, like Gradio's."""
    app = FastAPI()

    @app.api_route("/", methods=["GET", "POST"])
    @app.api_route("/gradio_api/mcp/", methods=["GET", "POST"])
    def answer(response: Response, request: Request) -> str:
        response.headers.append("set-cookie", "access-token-7=a; SameSite=none; Secure")
        return "answer"

    everyone = CORSMiddleware(app, allow_origins=["*"], allow_credentials=True)
    return TestClient(Origins(everyone, allowed), base_url=f"http://{host}")


def test_the_page_itself_and_programs_may_do_all() -> None:
    client = client_for()
    assert client.post("/").status_code == 200
    assert client.post("/", headers={"origin": OWN}).status_code == 200
    proxied = {"origin": "https://photos.example", "x-forwarded-host": "photos.example"}
    assert client.post("/", headers=proxied).status_code == 200


@pytest.mark.parametrize(
    ("variable", "value"),
    [("SPACE_HOST", "photos.example"), ("GRADIO_ROOT_PATH", "https://photos.example/color")],
)
def test_behind_a_proxy_that_hides_the_host(
    variable: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, value)
    assert client_for().post("/", headers={"origin": "https://photos.example"}).status_code == 200


@pytest.mark.parametrize("origin", [OTHER, "null", "http://testserver:81"])
def test_other_sites_may_neither_send_nor_read(origin: str) -> None:
    client = client_for()
    preflight = {"origin": origin, "access-control-request-method": "POST"}
    for answer in (
        client.post("/", headers={"origin": origin}),
        client.options("/", headers=preflight),
    ):
        assert answer.status_code == 403
        assert "access-control-allow-origin" not in answer.headers
    answer = client.get("/", headers={"origin": origin})
    assert answer.status_code == 200
    assert "access-control-allow-origin" not in answer.headers


def test_sites_on_the_list_may() -> None:
    client = client_for("https://museum.example")
    answer = client.post("/", headers={"origin": "https://museum.example"})
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"]
    policy = answer.headers["content-security-policy"]
    assert policy.endswith("frame-ancestors 'self' https://museum.example")
    assert "SameSite=none" in answer.headers["set-cookie"]


def test_headers() -> None:
    headers = client_for().get("/").headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["content-security-policy"].startswith("default-src 'self'")
    assert headers["content-security-policy"].endswith("; frame-ancestors 'self'")
    assert "SameSite=lax" in headers["set-cookie"]


def test_a_space_may_be_embedded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPACE_ID", "user/space")
    headers = client_for().get("/").headers
    assert headers["content-security-policy"] == "frame-ancestors 'self' https://huggingface.co"
    assert "SameSite=none" in headers["set-cookie"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:7860", 200),
        ("127.0.0.1:7860", 200),
        ("[::1]:7860", 200),
        ("museum.example", 200),
        ("evil.example", 403),
    ],
)
def test_mcp_answers_to_its_own_names_only(host: str, status: int) -> None:
    client = client_for("https://museum.example")
    path = "/gradio_api/mcp/"
    assert client.post(path, headers={"host": host}).status_code == status


def test_mcp_refuses_other_sites() -> None:
    client = client_for(host="127.0.0.1")
    assert client.get("/gradio_api/mcp/", headers={"origin": OTHER}).status_code == 403
