"""Which other sites may use or embed the page, and the security headers of every answer."""

import os
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HUB = "https://huggingface.co"  # embeds Spaces
MCP = "/gradio_api/mcp"
CONTENT = (  # Gradio needs inline scripts and styles, and compiles the templates of `gr.HTML`
    "default-src 'self' data: blob:",
    "script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:",
    "style-src 'self' 'unsafe-inline'",
    "object-src 'none'",
    "base-uri 'self'",
    "form-action 'self'",
)


class Origins:
    """Outermost ASGI middleware: other sites may neither send requests nor embed the page.

    Args:
        app: the application.
        allowed: origins such as "https://example.org" that may do both.
    """

    def __init__(self, app: ASGIApp, allowed: tuple[str, ...]) -> None:
        self._app = app
        self._allowed = allowed
        on_space = "SPACE_ID" in os.environ
        embedding = (*allowed, HUB) if on_space else allowed
        ancestors = " ".join(("frame-ancestors 'self'", *embedding))
        content = () if on_space else CONTENT  # Gradio loads a script for embedded Spaces
        self._policy = "; ".join((*content, ancestors))
        self._same_site = not embedding  # an embedded page needs its cookies on the other site
        root = urlsplit(os.environ.get("GRADIO_ROOT_PATH", "")).netloc
        self._own = {root, os.environ.get("SPACE_HOST", "")} - {""}  # behind a proxy
        self._hosts = {urlsplit(origin).netloc for origin in allowed} | self._own | {"localhost"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it if another site sends it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        foreign = self._is_foreign(headers)
        mcp = MCP in scope["path"]
        answer = self._with_headers(send)
        if (foreign and (mcp or scope["method"] not in ("GET", "HEAD"))) or (
            mcp and not self._is_own_host(headers.get("host", ""))
        ):
            refusal = JSONResponse(
                {"detail": "Other sites may not use this server; COLORIZER_ORIGINS allows some."},
                403,
            )
            await refusal(scope, receive, answer)
            return
        if foreign:  # no permission to read the answer, which Gradio gives to every origin
            kept = [(name, value) for name, value in scope["headers"] if name != b"origin"]
            scope = {**scope, "headers": kept}
        await self._app(scope, receive, answer)

    def _is_foreign(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None or origin in self._allowed:
            return False
        hosts = {headers.get("host"), headers.get("x-forwarded-host"), *self._own}
        return urlsplit(origin).netloc not in hosts

    def _is_own_host(self, host: str) -> bool:
        """Whether a name can't have been made up by a site that resolves it to this server."""
        name = urlsplit(f"//{host}").hostname or ""
        try:
            ip_address(name)
        except ValueError:
            return name in self._hosts or host in self._hosts
        return True

    def _with_headers(self, send: Send) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["X-Content-Type-Options"] = "nosniff"
                headers["Referrer-Policy"] = "same-origin"
                headers["Content-Security-Policy"] = self._policy
                if self._same_site:
                    message["headers"] = [
                        (name, value.replace(b"SameSite=none", b"SameSite=lax"))
                        if name == b"set-cookie"
                        else (name, value)
                        for name, value in message["headers"]
                    ]
            await send(message)

        return answer
