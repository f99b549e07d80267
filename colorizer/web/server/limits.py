"""Limits on how often a client may start work, and the refusal of work while the server stops."""

import math
import time
from collections.abc import Mapping
from threading import Event
from typing import Any

from fastapi import HTTPException
from limits import RateLimitItem, RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

STOPPING = Event()  # set once the server has been told to stop
COSTLY_QUEUES = ("network", "batch", "model")  # concurrency IDs of the events that start work
FOLLOW_UPS = ("preset_sheet", "thumbnails")  # functions that the page calls after such an event
LOGINS_PER_MINUTE = 20  # of one client, right and wrong ones
LOGIN, UPLOAD, JOIN = "/login", "/gradio_api/upload", "/gradio_api/queue/join"
CALLS = ("/gradio_api/call/", "/gradio_api/run/", "/gradio_api/api/")  # a function's name follows


class WorkLimit:
    """Refuses work: too much of it, or while the server stops.

    Uploads, logins, and events that run the network or load a model count; moving a slider doesn't.

    Args:
        functions: Gradio's functions by their index.
        per_minute: how much work a client may start per minute; 0 is no limit.
    """

    def __init__(self, functions: Mapping[int, Any], per_minute: int) -> None:
        self._functions = functions
        self._limit = RateLimitItemPerMinute(per_minute) if per_minute else None
        self._logins = RateLimitItemPerMinute(LOGINS_PER_MINUTE, namespace="logins")
        self._limiter = FixedWindowRateLimiter(MemoryStorage())

    def check(self, client: str, route: str, body: Any) -> None:
        """Count a POST request, and refuse it if necessary.

        Args:
            client: the client's address.
            route: the path without prefix and without a slash at the end.
            body: the JSON value that was sent; None if there is none.

        Raises:
            HTTPException: 503 while the server stops, 429 if the client sends too many requests.
        """
        if not self.starts_work(route, body):
            return
        if STOPPING.is_set():
            raise HTTPException(503, "This server is being stopped. Try again in a minute.")
        if self._limit:
            self._hit(self._limit, client, "requests")
        if route == LOGIN:
            self._hit(self._logins, client, "logins")

    def starts_work(self, route: str, body: Any) -> bool:
        """Whether a POST request counts. One that Gradio may read in two ways counts."""
        if route in (LOGIN, UPLOAD):
            return True
        index = body.get("fn_index") if isinstance(body, dict) else None
        if index is not None or route == JOIN:
            function = self._functions.get(index) if type(index) is int else None
            return function is None or is_costly(function)
        for prefix in CALLS:
            if route.startswith(prefix):
                name = route.removeprefix(prefix).removeprefix("v2/")
                return any(fn.api_name == name and is_costly(fn) for fn in self._functions.values())
        return False

    def _hit(self, limit: RateLimitItem, client: str, what: str) -> None:
        if self._limiter.hit(limit, client):
            return
        reset_time = self._limiter.get_window_stats(limit, client).reset_time
        seconds = max(1, math.ceil(reset_time - time.time()))
        raise HTTPException(
            429,
            f"This server takes {limit.amount} {what} a minute from each client. "
            f"Try again in {seconds} seconds.",
            {"Retry-After": str(seconds)},
        )


def is_costly(function: Any) -> bool:
    """Whether a function of Gradio's starts work that counts."""
    return function.concurrency_id in COSTLY_QUEUES and function.name not in FOLLOW_UPS
