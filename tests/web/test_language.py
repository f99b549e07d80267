"""The language that a visitor chose reaches the server's sentences and the browser."""

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from colorizer.web.server.language import COOKIE, Language
from colorizer.web.texts import say


@pytest.fixture
def client() -> TestClient:
    def page(request: Request) -> Response:
        return HTMLResponse("<html><head><title>Ü</title></head></html>")

    def sentence(request: Request) -> Response:
        return JSONResponse(say("photo.gray", request))  # type: ignore[arg-type]

    routes = [Route("/", page), Route("/say", sentence)]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(Language)]))


def test_a_choice_is_remembered(client: TestClient) -> None:
    headers = {"accept-language": "es"}
    spanish = client.get("/say", headers=headers).json()
    english = client.get("/say?lang=en", headers=headers).json()
    german = client.get("/say?lang=de", headers=headers).json()
    assert len({spanish, english, german}) == 3
    page = client.get("/?lang=de", headers=headers)
    assert 'const code = "de"' in page.text
    assert page.text.index("<script>") < page.text.index("<title>Ü")
    assert page.cookies[COOKIE] == "de"
    assert client.get("/say", headers=headers).json() == german
    assert 'const code = "de"' in client.get("/", headers=headers).text
    client.get("/?lang=en", headers=headers)
    assert client.get("/say", headers=headers).json() == english


@pytest.mark.parametrize("query", ["", "?lang=fr", "?lang=", '?lang="</script>'])
def test_without_a_choice_the_browser_decides(client: TestClient, query: str) -> None:
    headers = {"accept-language": "es", "cookie": f"{COOKIE}=fr; broken"}
    page = client.get(f"/{query}", headers=headers)
    assert "<script>" not in page.text
    assert COOKIE not in page.cookies
    expected = client.get("/say?lang=es").json()
    assert client.get(f"/say{query}", headers={"accept-language": "es"}).json() == expected
