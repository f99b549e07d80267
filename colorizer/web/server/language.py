"""The language that a visitor chose, for everything that the server and the browser say."""

import json
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from colorizer.web.server.html import EditedHtml
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
        kept = [(name, value) for name, value in scope["headers"] if name != b"accept-language"]
        scope = {**scope, "headers": [*kept, (b"accept-language", code.encode())]}
        script = SPEAK.replace("CODE", json.dumps(code)).encode()
        cookie = f"{COOKIE}={code}; Path=/; Max-Age={YEAR}; SameSite=lax"
        spoken = EditedHtml(send, lambda page: page.replace(HEAD, HEAD + script, 1), cookie)
        await self._app(scope, receive, spoken)


def chosen(scope: Scope) -> str | None:
    """The language in a request's ?lang=, else in its cookie; None if neither is one of ours."""
    query = parse_qs(scope.get("query_string", b"").decode("latin-1"))
    try:
        cookie = SimpleCookie(Headers(scope=scope).get("cookie", ""))
    except CookieError:
        cookie = SimpleCookie()
    wanted = [*query.get("lang", []), *([cookie[COOKIE].value] if COOKIE in cookie else [])]
    return next((code for code in wanted if code in LANGUAGES), None)
