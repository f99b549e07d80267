"""The state of visitors in memory, bounded in bytes instead of in a number of sessions."""

import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np
import torch
from gradio.state_holder import SessionState, StateHolder

MAX_IDLE_SESSIONS = 50  # sessions without work, for example of API calls
MEASURE_SECONDS = 1.0  # least time between two measurements of all work


class Sessions(StateHolder):
    """The visitors' sessions. Those without work are short-lived; work stays while memory allows.

    Every API call without a session of its own opens one. It never pushes a visitor's work out.
    When the work of all visitors takes more than the budget, the work of closed tabs goes first,
    then the least recently used. The most recently used session always stays.

    Args:
        budget: bytes of memory for the work of all visitors.
        closed_seconds: how long the work of a closed tab is kept.
    """

    def __init__(self, budget: int, closed_seconds: int) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._budget = budget
        self._closed_seconds = closed_seconds
        self._measured = -MEASURE_SECONDS

    def __getitem__(self, session_id: str) -> SessionState:
        """Return a session, and create it if necessary."""
        session = super().__getitem__(session_id)
        session.STATE_TTL_WHEN_CLOSED = self._closed_seconds
        return session

    def update(self, session_id: str) -> None:
        """Mark a session as the most recently used, and drop others if there are too many."""
        with self.lock:
            if session_id in self.session_data:
                self.session_data.move_to_end(session_id)
            sessions = list(self.session_data.items())
            idle = [name for name, session in sessions if not has_work(session)]
            for name in idle[:-MAX_IDLE_SESSIONS]:
                self._drop(name)
            if time.monotonic() - self._measured >= MEASURE_SECONDS:
                self._measured = time.monotonic()
                self._keep_budget()

    def _keep_budget(self) -> None:
        """Drop work until the rest fits into the budget."""
        sizes = {
            name: memory_of(session.state_data) for name, session in list(self.session_data.items())
        }
        total = sum(sizes.values())
        oldest_first = list(sizes)[:-1]
        oldest_first.sort(key=lambda name: not self.session_data[name].is_closed)
        for name in oldest_first:
            if total <= self._budget:
                return
            total -= sizes[name]
            if sizes[name]:
                self._drop(name)

    def _drop(self, name: str) -> None:
        self.session_data.pop(name, None)
        self.time_last_used.pop(name, None)


def has_work(session: SessionState) -> bool:
    """Whether a session has a state that a visitor would miss."""
    return any(
        bool(value) if isinstance(value, (str, int, float)) else value is not None
        for value in list(session.state_data.values())
    )


def memory_of(value: Any, seen: set[int] | None = None) -> int:
    """Bytes of all arrays and tensors in a value, each counted once."""
    seen = set() if seen is None else seen
    if id(value) in seen:
        return 0
    seen.add(id(value))
    if isinstance(value, (np.ndarray, torch.Tensor)):
        return int(value.nbytes)
    parts: list[Any] = []
    if isinstance(value, (Mapping, OrderedDict)):
        parts = list(value.values())
    elif isinstance(value, (list, tuple, set, frozenset)):
        parts = list(value)
    elif is_dataclass(value) and not isinstance(value, type):
        names = {field.name for field in fields(value)} | set(getattr(value, "__dict__", {}))
        parts = [getattr(value, name, None) for name in names]  # cached properties are in __dict__
    elif type(value).__module__.startswith("colorizer."):
        parts = list(getattr(value, "__dict__", {}).values())
    return sum(memory_of(part, seen) for part in parts)
