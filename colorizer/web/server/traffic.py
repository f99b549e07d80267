"""Count the HTTP requests in progress, for a server that stops, and log them."""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from colorizer.web.server.log import WORK

HEALTH_PATH = "/healthz"
IDLE_SECONDS = 3.0  # without requests; then a stopping server assumes that all results are fetched
LONG_LIVED = ("/gradio_api/heartbeat/", "/gradio_api/mcp")  # clients keep these connections open


class OpenRequests:
    """How many requests are in progress, and when the last one came or ended.

    Attributes:
        count: requests in progress.
        last: time of the last start or end, in seconds of `time.monotonic`.
    """

    def __init__(self) -> None:
        self.count = 0
        self.last = -IDLE_SECONDS

    def idle(self) -> bool:
        """Whether no request has been in progress for `IDLE_SECONDS`."""
        return not self.count and time.monotonic() - self.last >= IDLE_SECONDS


class RequestMonitor:
    """ASGI middleware that counts requests, and logs those that send data or fail.

    Args:
        app: the application.
        requests: updated with each request.
    """

    def __init__(self, app: ASGIApp, requests: OpenRequests) -> None:
        self._app = app
        self._requests = requests

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle a request."""
        path = scope.get("path", "")
        if (
            scope["type"] != "http"
            or path == HEALTH_PATH
            or any(part in path for part in LONG_LIVED)
        ):
            await self._app(scope, receive, send)
            return
        status, started = 500, time.monotonic()

        async def send_and_note_status(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        self._requests.count += 1
        self._requests.last = started
        try:
            await self._app(scope, receive, send_and_note_status)
        finally:
            self._requests.count -= 1
            self._requests.last = time.monotonic()
            if scope["method"] == "POST" or status >= 400:
                log_request(scope, status, time.monotonic() - started)


def log_request(scope: Scope, status: int, seconds: float) -> None:
    """Log a request by its route, because its path may contain the name of a file."""
    size = dict(scope["headers"]).get(b"content-length", b"0")
    facts = {
        "endpoint": getattr(scope.get("route"), "path", "unknown"),
        "method": scope["method"],
        "status": status,
        "bytes": int(size) if size.isdigit() else 0,
        "seconds": round(seconds, 3),
    }
    WORK.info("request", extra={"facts": facts})
