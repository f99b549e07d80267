"""The language that a visitor chose, for everything that the server and the browser say."""

import json
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from colorizer.web.texts import LANGUAGES

COOKIE = "colorizer_language"
YEAR = 365 * 24 * 3600  # seconds
HEAD = b"<head>"
SPEAK = (  # Gradio takes its language from the browser's
    "<script>{const code = CODE; Object.defineProperties(navigator, {language: {get: () => code}, "
    "languages: {get: () => [code]}});}</script>"
)


class Language:
    """ASGI middleware: ?lang=de, or the cookie that remembers it, replaces Accept-Language.

    Args:
        app: the application.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request in the language that its visitor chose, if one did."""
        code = chosen(scope) if scope["type"] == "http" else None
        if code is None:
            await self._app(scope, receive, send)
            return
        dropped = {b"accept-language"}
        if scope["method"] == "GET" and scope["path"].endswith("/"):
            dropped.add(b"accept-encoding")  # the page is changed on its way
        kept = [(name, value) for name, value in scope["headers"] if name not in dropped]
        scope = {**scope, "headers": [*kept, (b"accept-language", code.encode())]}
        await self._app(scope, receive, Spoken(code, send))


class Spoken:
    """Sends an answer; a page of HTML tells the browser the language and remembers it."""

    def __init__(self, code: str, send: Send) -> None:
        self._code, self._send = code, send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        """Pass a part of the answer on; HTML waits until it is complete."""
        if message["type"] == "http.response.start":
            headers = Headers(scope=message)
            html = headers.get("content-type", "").startswith("text/html")
            if html and "content-encoding" not in headers:
                self._start = message
                return
        if self._start is None or message["type"] != "http.response.body":
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if message.get("more_body"):
            return
        script = SPEAK.replace("CODE", json.dumps(self._code)).encode()
        body = self._body.replace(HEAD, HEAD + script, 1)
        headers = MutableHeaders(scope=self._start)
        headers["Content-Length"] = str(len(body))
        cookie = f"{COOKIE}={self._code}; Path=/; Max-Age={YEAR}; SameSite=lax"
        headers.append("Set-Cookie", cookie)
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body})


def chosen(scope: Scope) -> str | None:
    """The language in a request's ?lang=, else in its cookie; None if neither is one of ours."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    try:
        cookie = SimpleCookie(Headers(scope=scope).get("cookie", ""))
    except CookieError:
        cookie = SimpleCookie()
    wanted = [*query.get("lang", []), *([cookie[COOKIE].value] if COOKIE in cookie else [])]
    return next((code for code in wanted if code in LANGUAGES), None)
