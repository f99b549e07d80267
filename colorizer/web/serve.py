"""Serve the page: launch it, report its health, and stop it without losing work."""

import json
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from threading import Event

import gradio as gr
from gradio.routes import App
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from colorizer.adjust.adjustments import Adjustments
from colorizer.version import __version__
from colorizer.web.page import theme
from colorizer.web.server.admission import Admission
from colorizer.web.server.language import COOKIE, Language
from colorizer.web.server.limits import STOPPING
from colorizer.web.server.log import WORK, start_json
from colorizer.web.server.models import Models
from colorizer.web.server.origins import Origins
from colorizer.web.server.sessions import Sessions
from colorizer.web.server.settings import settings
from colorizer.web.server.sweeping import start_sweeping
from colorizer.web.server.traffic import HEALTH_PATH, OpenRequests, RequestMonitor
from colorizer.web.server.uploads import start_decoding
from colorizer.web.texts import FALLBACK, I18N, LANGUAGES

ASSETS = Path(__file__).parent / "assets"
# Each script may use those before it
SCRIPTS = (
    *("queue", "texts", "files", "zoom", "brush", "crop", "stage", "history", "store"),
    *("page", "kiosk"),
)


def serve(
    page: gr.Blocks, models: Models, host: str | None = None, port: int | None = None
) -> None:
    """Serve the page until the process is told to stop.

    Args:
        page: what to serve.
        models: whose default `/healthz` describes.
        host: address to listen on; None: as GRADIO_SERVER_NAME says.
        port: None: as GRADIO_SERVER_PORT says, or the first free one from 7860.

    Raises:
        SystemExit: the process was told to stop, and some jobs did not finish in time.
    """
    stop, requests, chosen = Event(), OpenRequests(), settings()
    if chosen.log == "json":
        start_json()
    start_sweeping()
    start_decoding()
    launch(page, models, requests, host, port)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    WORK.info("start", extra={"facts": {"version": __version__}})
    stop.wait()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)  # a second signal ends the process at once
    unfinished = finish_jobs(page, requests, chosen.stop_seconds)
    page.close(verbose=False)
    if unfinished:
        raise SystemExit(
            f"colorizer: {unfinished} jobs did not finish; raise COLORIZER_STOP_SECONDS to give "
            "them more time."
        )


def launch(
    page: gr.Blocks,
    models: Models,
    requests: OpenRequests,
    host: str | None = None,
    port: int | None = None,
) -> None:
    """Start the server and return; see `serve` for the arguments."""
    chosen = settings()
    page.launch(
        server_name=host,
        server_port=port,
        theme=theme(),
        css_paths=ASSETS / "page.css",
        js=script(),
        i18n=I18N,
        auth=list(chosen.users) or None,
        max_file_size=int(chosen.max_upload),
        mcp_server=chosen.mcp,
        enable_monitoring=False,
        run_history=False,
        footer_links=[] if chosen.kiosk else ["api"],
        quiet=chosen.log == "json",
        prevent_thread_lock=True,
        app_kwargs={
            "routes": [health_route(models)],
            "middleware": [
                Middleware(RequestMonitor, requests),
                Middleware(Language),
                Middleware(Admission, page, chosen),
            ],
            "lifespan": prepare_app,
        },
    )


def script() -> str:
    """The page's JavaScript: one function around the files, with their texts and settings."""
    texts = {
        code: {
            key.removeprefix("script."): message
            for key, message in LANGUAGES[code].items()
            if key.startswith("script.")
        }
        for code in sorted(LANGUAGES, key=lambda code: code != FALLBACK)
    }
    files = "\n".join((ASSETS / f"{name}.js").read_text("utf-8") for name in SCRIPTS)
    style = (ASSETS / "stage.css").read_text("utf-8")  # Gradio would prefix its selectors
    kiosk_seconds = settings().kiosk_seconds if settings().kiosk else 0
    values = {
        "texts": texts,
        "neutral": asdict(Adjustments()),
        "style": style,
        "kioskSeconds": kiosk_seconds,
        "languageCookie": COOKIE,
    }
    constants = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in values.items())
    return f"() => {{\n{constants}{files}\n}}"


@asynccontextmanager
async def prepare_app(app: App) -> AsyncIterator[None]:
    """Before the first request: bound the visitors' memory, and check where requests come from."""
    chosen = settings()
    sessions = Sessions(int(chosen.work_memory), chosen.kept_seconds)
    sessions.set_blocks(app.get_blocks())
    app.state_holder = sessions
    # Gradio adds its middleware for other origins last, so this one has to be around them all.
    app.middleware_stack = Origins(app.build_middleware_stack(), chosen.origins)
    yield


def health_route(models: Models) -> Route:
    """The route that reports status, version and what colorizes; 503 while the server stops."""

    def health(request: Request) -> JSONResponse:
        stopping = STOPPING.is_set()
        default = models.get("")  # may change after the start
        facts = {
            "status": "stopping" if stopping else "ok",
            "version": __version__,
            "checkpoint": default.checkpoint.sha256,
            "engine": default.engine.name,
            "precision": default.precision,
        }
        return JSONResponse(facts, 503 if stopping else 200)

    return Route(HEALTH_PATH, health)


def finish_jobs(page: gr.Blocks, requests: OpenRequests, seconds: float) -> int:
    """Refuse new work, and wait until all jobs are done and their results are fetched.

    Args:
        page: the page that is served.
        requests: the requests in progress.
        seconds: longest time to wait.

    Returns:
        How many jobs are unfinished.
    """
    queue = page._queue  # the number of jobs is in no public attribute

    def jobs() -> int:
        return int(queue.get_active_worker_count()) + len(queue)

    STOPPING.set()
    deadline = time.monotonic() + seconds
    while (jobs() or not requests.idle()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return jobs()
