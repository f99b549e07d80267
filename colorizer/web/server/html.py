"""Edit pages of HTML on their way to the browser."""

from collections.abc import Callable

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import Message, Send


class EditedHtml:
    """Sends an answer; a page of HTML waits until it is complete, and is edited.

    Args:
        send: where the answer goes.
        edit: changes the page's bytes.
        cookie: value of a Set-Cookie header for the page; empty for none.
    """

    def __init__(self, send: Send, edit: Callable[[bytes], bytes], cookie: str = "") -> None:
        self._send, self._edit, self._cookie = send, edit, cookie
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        """Pass a part of the answer on."""
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
        body = self._edit(self._body)
        changed = MutableHeaders(scope=self._start)
        changed["Content-Length"] = str(len(body))
        if self._cookie:
            changed.append("Set-Cookie", self._cookie)
        await self._send(self._start)
        await self._send({"type": "http.response.body", "body": body})
