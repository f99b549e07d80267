"""Which requests reach Gradio: only with a login, of bounded size, and not too many of them.

Gradio reads and parses a body before it checks the login, so this is a middleware.
"""

import asyncio
import json
import math
import re
from types import SimpleNamespace
from typing import Any

import gradio as gr
from fastapi import HTTPException, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from colorizer.web.server.forms import checked_upload
from colorizer.web.server.html import EditedHtml
from colorizer.web.server.limits import CALLS, JOIN, LOGIN, UPLOAD, WorkLimit
from colorizer.web.server.owners import upload_owners
from colorizer.web.server.settings import Settings
from colorizer.web.texts import say

MAX_JSON = 1_000_000  # bytes; 500 hints have 40,000
MAX_BATCH = 600_000_000  # bytes of one upload: a batch of 500 MB and its multipart headers
LOGIN_DELAY = 1.0  # seconds before a wrong login is answered
MAX_SHARE = 0.5  # of the queue, for one client
MAX_WAIT = 120.0  # seconds after which a client may try again at the latest
WITHOUT_LOGIN = (  # what the login page asks for
    "/gradio_api/app_id",
    "/gradio_api/login_check",
    "/gradio_api/startup-events",
    "/gradio_api/theme.css",
    "/gradio_api/token",
    "/gradio_api/user",
)
UNUSED = ("/gradio_api/process_recording",)  # routes of components that the page doesn't have
FILE_ROUTES = ("/gradio_api/file=", "/gradio_api/file/")
MCP = "/gradio_api/mcp"
DESCRIPTION = re.compile(rb"(?<=<script>window\.gradio_api_info = ).*?(?=;?</script>)", re.DOTALL)
NO_DESCRIPTION = b'{"named_endpoints": {}, "unnamed_endpoints": {}}'  # or the page asks for one
BODIES = ("POST", "PUT", "PATCH", "DELETE")


class Admission:
    """ASGI middleware that refuses requests before anything of their body is read or parsed.

    Args:
        app: the application.
        page: the page, for its functions and its queue.
        settings: users and limits.
    """

    def __init__(self, app: ASGIApp, page: gr.Blocks, settings: Settings) -> None:
        self._app = app
        self._page = page
        self._settings = settings
        self._work = WorkLimit(page.fns, settings.requests_per_minute)
        self._description_lock = asyncio.Lock()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with a sentence."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request, route = Request(scope, receive), route_of(scope["path"])
        try:
            receive = await self._admit(request, route, receive)
        except HTTPException as refusal:
            scope.setdefault("route", SimpleNamespace(path=log_name(route)))
            answer = JSONResponse(
                {"detail": refusal.detail}, refusal.status_code, dict(refusal.headers or {})
            )
            await answer(scope, receive, send)
            return
        if route == LOGIN:
            send = delayed_refusal(send)
        if route == UPLOAD and self._settings.users:
            send = upload_owners.recorded(send, user_of(request) or "")
        if request.method == "GET" and self._settings.users and user_of(request) is None:
            send = EditedHtml(send, without_description)
        if route.startswith(CALLS) and request.method == "GET":
            send = with_error_text(send, say("page.failed", gr.Request(request)))
        if route in ("/gradio_api/info", "/gradio_api/openapi.json"):
            async with self._description_lock:
                scope["app"].api_info = None  # it contains the address that the last caller used
                await self._answer(scope, receive, send)
            return
        await self._answer(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let Gradio answer; an unexpected error becomes a sentence, and goes on to the log."""
        started = False

        async def note_start(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, note_start)
        except Exception:
            if not started:
                sentence = say("page.failed", gr.Request(Request(scope)))
                await JSONResponse({"detail": sentence}, 500)(scope, receive, send)
            raise

    async def _admit(self, request: Request, route: str, receive: Receive) -> Receive:
        """Check a request; return what its body is read from."""
        user = user_of(request) if self._settings.users else None
        if self._settings.users and needs_login(request, route) and user is None:
            raise HTTPException(401, "Log in first.")
        if route in UNUSED:
            raise HTTPException(404, "This server has no such route.")
        if route.startswith(FILE_ROUTES):
            self._check_file(route[len(FILE_ROUTES[0]) :], user)
        if request.method not in BODIES:
            return receive
        limit = self._max_bytes(route)
        length = request.headers.get("content-length", "0")
        if length.isdigit() and int(length) > limit:
            raise too_large(limit)
        bounded = bounded_receive(receive, limit)
        if route == UPLOAD or route.startswith(MCP):
            self._work.check(client_of(request), route, None)
            if route != UPLOAD:
                return bounded
            return checked_upload(bounded, request.headers.get("content-type", ""))
        content = await Request(request.scope, bounded).body()
        body = parse_json(content)
        self._work.check(client_of(request), route, body)
        if not self._settings.fetch_urls:
            refuse_urls(body)
        if route == JOIN or route.startswith(CALLS):
            self._refuse_if_busy(request)
        return replay_body(content, receive)

    def _check_file(self, path: str, user: str | None) -> None:
        """Refuse a file of another server, or one that another user sent."""
        if not self._settings.fetch_urls:
            refuse_url(path)
        if self._settings.users and not upload_owners.may_use(user, path):
            raise HTTPException(403, "Another user sent this file.")

    def _max_bytes(self, route: str) -> int:
        if route == UPLOAD:
            return max(int(self._settings.max_upload), MAX_BATCH)
        if route.startswith(MCP):  # photos in base64
            return int(self._settings.max_upload) * 4 // 3 + MAX_JSON
        return MAX_JSON

    def _refuse_if_busy(self, request: Request) -> None:
        """Refuse a job if the queue is full, or if this client's share of it is."""
        queue, client = self._page._queue, client_of(request)
        limit = queue.max_size or math.inf
        waiting = [
            event for line in queue.event_queue_per_concurrency_id.values() for event in line.queue
        ]
        own = sum(client_of(event.request) == client for event in waiting)
        if len(waiting) < limit and own < limit * MAX_SHARE:
            return
        times = [process.avg_time for process in queue.process_time_per_fn.values()]
        seconds = math.ceil(min(max(1.0, max(times, default=1.0) * len(waiting)), MAX_WAIT))
        # Of 503, browsers show a sentence of Gradio's in English instead of this one.
        status = 429 if "sec-fetch-mode" in request.headers else 503
        sentence = say("page.busy", gr.Request(request), seconds=seconds)
        raise HTTPException(status, sentence, {"Retry-After": str(seconds)})


def route_of(path: str) -> str:
    """A path without the prefix of a proxy and without a slash at the end."""
    start = path.find("/gradio_api/")
    route = path[start:] if start > 0 else path
    return LOGIN if route.rstrip("/").endswith(LOGIN) else route.rstrip("/")


def log_name(route: str) -> str:
    """A route for the log, without the name of a file."""
    if route in (LOGIN, UPLOAD, JOIN):
        return route
    return f"{CALLS[0]}{{api_name}}" if route.startswith(CALLS) else "unknown"


def client_of(request: Any) -> str:
    """The client's address."""
    return request.client.host if request.client else ""


def needs_login(request: Request, route: str) -> bool:
    """Whether only users may send this request."""
    if route == LOGIN or route in WITHOUT_LOGIN:
        return False
    return route.startswith("/gradio_api/") or request.method in BODIES or route == "/openapi.json"


def user_of(request: Request) -> str | None:
    """The user whose cookie a request has; None without a valid one."""
    app = request.scope["app"]
    names = (f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}")
    tokens = (request.cookies.get(name) for name in names)
    return next((app.tokens[token] for token in tokens if token in app.tokens), None)


def without_description(page: bytes) -> bytes:
    """The login page without the description of the API, which Gradio puts into every page."""
    return DESCRIPTION.sub(NO_DESCRIPTION, page)


def too_large(limit: int) -> HTTPException:
    """The refusal of a body."""
    return HTTPException(413, f"The request is larger than {limit / 1e6:g} MB. Send less at once.")


def bounded_receive(receive: Receive, limit: int) -> Receive:
    """Wrap `receive` so that more than `limit` bytes in all raise an error."""
    size = 0

    async def bounded() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise too_large(limit)
        return message

    return bounded


def replay_body(content: bytes, receive: Receive) -> Receive:
    """Receive a body again that was read already."""
    messages = [{"type": "http.request", "body": content, "more_body": False}]

    async def replay() -> Message:
        return messages.pop() if messages else await receive()

    return replay


def parse_json(content: bytes) -> Any:
    """The JSON value of a body; None if it is something else."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError):
        return None


def refuse_urls(value: Any) -> None:
    """Refuse files that Gradio would download from a URL."""
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            refuse_url(value.get("path"))
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value


def refuse_url(path: Any) -> None:
    """Refuse a path that is a URL."""
    if isinstance(path, str) and path.strip().lower().startswith(("http://", "https://")):
        raise HTTPException(403, "This server downloads no URLs. Upload the file instead.")


def delayed_refusal(send: Send) -> Send:
    """Wait before a wrong login is answered, so that passwords can't be guessed quickly."""

    async def delayed(message: Message) -> None:
        if message.get("status") == 400:
            await asyncio.sleep(LOGIN_DELAY)
        await send(message)

    return delayed


def with_error_text(send: Send, sentence: str) -> Send:
    """Replace the missing text of an unexpected error in a stream of events by a sentence."""
    text = f'"error": {json.dumps(sentence)}'.encode()

    async def explain(message: Message) -> None:
        if b"event: error" in message.get("body", b""):
            body = re.sub(rb'"error": null', lambda _: text, message["body"])
            body = re.sub(rb"^data: null$", lambda _: b"data: {" + text + b"}", body, flags=re.M)
            message = {**message, "body": body}
        await send(message)

    return explain
