"""Who may come in, and how much a client may ask for."""

import hmac
import json
import math
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from threading import Event
from typing import Any

from fastapi import HTTPException, Request

STOPPING = Event()  # set once the server has been told to stop
WINDOW = 60.0  # seconds that a limit is about
WORK = ("network", "batch", "model")  # IDs of the lines in which costly jobs wait
SENDING = ("/gradio_api/upload", "/login")  # what counts beside jobs


class RateLimit:
    """Lets every client do something so many times in any minute.

    Args:
        most: how many times.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: dict[str, deque[float]] = {}  # of each client in the last minute
        self._swept = 0.0

    def wait(self, client: str, now: float) -> float:
        """Count one more, unless it is too many.

        Args:
            client: who asks.
            now: seconds on a clock that never goes back.

        Returns:
            Seconds until the client may ask again; 0 if this one is allowed.
        """
        if now - self._swept > WINDOW:
            self._times = {
                name: times for name, times in self._times.items() if now - times[-1] < WINDOW
            }
            self._swept = now
        times = self._times.setdefault(client, deque())
        while times and now - times[0] >= WINDOW:
            times.popleft()
        if len(times) >= self._most:
            return times[0] + WINDOW - now
        times.append(now)
        return 0.0


class Gate:
    """A dependency of every route, which refuses work that is too much, or comes too late.

    What counts is an upload, a login, and a job that runs the network or loads a model; moving a
    slider doesn't.

    Args:
        functions: Gradio's, by their numbers: what a job may ask for.
        per_minute: that a client may ask for; 0 sets no limit.
    """

    def __init__(self, functions: Mapping[int, Any], per_minute: int) -> None:
        self._functions = functions
        self._per_minute = per_minute
        self._limit = RateLimit(per_minute)

    async def __call__(self, request: Request) -> None:
        """Let a request pass.

        Raises:
            HTTPException: 503 when the server stops, 429 when the client asks too often.
        """
        if request.method != "POST" or not await self._is_work(request):
            return
        if STOPPING.is_set():
            raise HTTPException(503, "This server is being stopped. Try again in a minute.")
        client = request.client.host if request.client else ""
        if self._per_minute and (seconds := self._limit.wait(client, time.monotonic())):
            again = math.ceil(seconds)
            raise HTTPException(
                429,
                f"This server takes {self._per_minute} requests a minute from each client. "
                f"Try again in {again} seconds.",
                {"Retry-After": str(again)},
            )

    async def _is_work(self, request: Request) -> bool:
        path = request.url.path.rstrip("/")
        if path.endswith(SENDING):
            return True
        if "api_name" in request.path_params:
            name = request.path_params["api_name"]
            found = [fn for fn in self._functions.values() if fn.api_name == name]
        elif path.endswith("/gradio_api/queue/join"):
            body = await request.json()
            number = body.get("fn_index") if isinstance(body, dict) else None
            found = [fn for key, fn in self._functions.items() if key == number]
        else:
            return False
        return any(fn.concurrency_id in WORK for fn in found)


def checked_login(users: Iterable[tuple[str, str]]) -> Callable[[str, str], bool]:
    """Checks names and passwords in a time that doesn't tell how near a guess came.

    Args:
        users: names and passwords.
    """
    key = secrets.token_bytes(32)

    def digest(name: str, password: str) -> bytes:
        return hmac.digest(key, json.dumps((name, password)).encode(), sha256)

    known = [digest(*user) for user in users]

    def check(name: str, password: str) -> bool:
        given = digest(name, password)
        return sum(hmac.compare_digest(given, other) for other in known) > 0  # never stops early

    return check
