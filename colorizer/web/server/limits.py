"""Limits on how often a client may start work, and the refusal of work while the server stops."""

import math
import time
from collections.abc import Mapping
from threading import Event
from typing import Any

from fastapi import HTTPException, Request
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

STOPPING = Event()  # set once the server has been told to stop
COSTLY_QUEUES = ("network", "batch", "model")  # concurrency IDs of the events that start work
COUNTED_ROUTES = ("/gradio_api/upload", "/login")  # count like an event that starts work


class WorkLimit:
    """A dependency of every route that refuses work: too much of it, or while the server stops.

    Uploads, logins, and events that run the network or load a model count; moving a slider doesn't.

    Args:
        functions: Gradio's functions by their index.
        per_minute: how much work a client may start per minute; 0 is no limit.
    """

    def __init__(self, functions: Mapping[int, Any], per_minute: int) -> None:
        self._functions = functions
        self._limit = RateLimitItemPerMinute(per_minute) if per_minute else None
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    async def __call__(self, request: Request) -> None:
        """Accept or refuse a request.

        Raises:
            HTTPException: 503 while the server stops, 429 if the client sends too many requests.
        """
        if request.method != "POST" or not await self._starts_work(request):
            return
        if STOPPING.is_set():
            raise HTTPException(503, "This server is being stopped. Try again in a minute.")
        client = request.client.host if request.client else ""
        if self._limit and not self._limiter.hit(self._limit, client):
            reset_time = self._limiter.get_window_stats(self._limit, client).reset_time
            seconds = max(1, math.ceil(reset_time - time.time()))
            raise HTTPException(
                429,
                f"This server takes {self._limit.amount} requests a minute from each client. "
                f"Try again in {seconds} seconds.",
                {"Retry-After": str(seconds)},
            )

    async def _starts_work(self, request: Request) -> bool:
        path = request.url.path.rstrip("/")
        if path.endswith(COUNTED_ROUTES):
            return True
        if "api_name" in request.path_params:
            name = request.path_params["api_name"]
            found = [fn for fn in self._functions.values() if fn.api_name == name]
        elif path.endswith("/gradio_api/queue/join"):
            body = await request.json()
            index = body.get("fn_index") if isinstance(body, dict) else None
            found = [fn for key, fn in self._functions.items() if key == index]
        else:
            return False
        return any(fn.concurrency_id in COSTLY_QUEUES for fn in found)
