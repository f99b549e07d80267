"""How the page is served: its health, its log of requests, and how it stops."""

import json
import signal
import time
from pathlib import Path
from threading import Event

import gradio as gr
from fastapi import Depends
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from colorizer.version import __version__
from colorizer.web.page import theme
from colorizer.web.server.limits import STOPPING, WorkLimit
from colorizer.web.server.log import WORK, start_json
from colorizer.web.server.memory import start_sweeping
from colorizer.web.server.models import Models
from colorizer.web.server.settings import settings
from colorizer.web.texts import FALLBACK, I18N, LANGUAGES

HERE = Path(__file__).parent
VISITORS = 50  # whose photos are kept in memory at the same time, at most
QUIET_SECONDS = 3.0  # without a request, before a stopping server takes all results for fetched
ENDLESS = ("/gradio_api/heartbeat/", "/gradio_api/mcp")  # open as long as a client likes
HEALTH = "/healthz"


class Traffic:
    """Requests that are answered right now, and when the last one was.

    Attributes:
        open: how many are being answered.
        last: seconds of `time.monotonic` when the last one came or ended.
    """

    def __init__(self) -> None:
        self.open = 0
        self.last = -QUIET_SECONDS

    def quiet(self) -> bool:
        """Whether nobody has fetched anything for a while."""
        return not self.open and time.monotonic() - self.last >= QUIET_SECONDS


class Watch:
    """ASGI middleware that counts requests and logs those that send something, or fail.

    Args:
        app: what answers.
        traffic: what is counted.
    """

    def __init__(self, app: ASGIApp, traffic: Traffic) -> None:
        self._app = app
        self._traffic = traffic

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        path = scope.get("path", "")
        if scope["type"] != "http" or path == HEALTH or any(part in path for part in ENDLESS):
            await self._app(scope, receive, send)
            return
        status, started = 500, time.monotonic()

        async def watched(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        self._traffic.open += 1
        self._traffic.last = started
        try:
            await self._app(scope, receive, watched)
        finally:
            self._traffic.open -= 1
            self._traffic.last = time.monotonic()
            if scope["method"] == "POST" or status >= 400:
                log_request(scope, status, time.monotonic() - started)


def log_request(scope: Scope, status: int, seconds: float) -> None:
    """Log the route, which unlike the path names no file, and how much was sent."""
    size = dict(scope["headers"]).get(b"content-length", b"0")
    facts = {
        "endpoint": getattr(scope.get("route"), "path", "unknown"),
        "method": scope["method"],
        "status": status,
        "bytes": int(size) if size.isdigit() else 0,
        "seconds": round(seconds, 3),
    }
    WORK.info("request", extra={"facts": facts})


def serve(page: gr.Blocks, models: Models) -> None:
    """Serve the page until the process is told to stop; address and port are Gradio's settings.

    Raises:
        SystemExit: it was told to stop, and running jobs took too long to be finished.
    """
    stop, traffic, chosen = Event(), Traffic(), settings()
    if chosen.log == "json":
        start_json()
    start_sweeping(page)
    launch(page, models, traffic)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    WORK.info("start", extra={"facts": {"version": __version__}})
    stop.wait()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)  # a second one ends it at once
    left = finish(page, traffic, chosen.stop_seconds)
    page.close(verbose=False)
    if left:
        raise SystemExit(
            f"colorizer: stopped before {left} jobs were done; COLORIZER_STOP_SECONDS gives longer."
        )


def launch(page: gr.Blocks, models: Models, traffic: Traffic) -> None:
    """Start to serve, and return."""
    chosen = settings()
    languages = [FALLBACK, *(code for code in LANGUAGES if code != FALLBACK)]
    script = (HERE / "page.js").read_text("utf-8")

    def health(request: Request) -> JSONResponse:
        status = "stopping" if STOPPING.is_set() else "ok"
        sha256 = models.get("").checkpoint.sha256  # the Hub may bring another after the start
        facts = {"status": status, "version": __version__, "checkpoint": sha256}
        return JSONResponse(facts, 503 if STOPPING.is_set() else 200)

    page.launch(
        theme=theme(),
        css_paths=HERE / "page.css",
        js=script.replace("LANGUAGES", json.dumps(languages)),
        i18n=I18N,
        auth=list(chosen.users) or None,
        max_file_size=chosen.max_upload,
        mcp_server=chosen.mcp,
        enable_monitoring=False,
        run_history=False,
        state_session_capacity=VISITORS,
        footer_links=["api", "settings"],
        quiet=chosen.log == "json",
        prevent_thread_lock=True,
        app_kwargs={
            "routes": [Route(HEALTH, health)],
            "dependencies": [Depends(WorkLimit(page.fns, chosen.requests_per_minute))],
            "middleware": [Middleware(Watch, traffic)],
        },
    )


def finish(page: gr.Blocks, traffic: Traffic, seconds: float) -> int:
    """Take no more work, and wait until what was taken is done and its results are fetched.

    Args:
        page: which is being served.
        traffic: its requests.
        seconds: to wait at most.

    Returns:
        How many jobs are left.
    """

    def jobs() -> int:
        queue = page._queue  # Gradio tells it nowhere else
        return int(queue.get_active_worker_count()) + len(queue)

    STOPPING.set()
    deadline = time.monotonic() + seconds
    while (jobs() or not traffic.quiet()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return jobs()
