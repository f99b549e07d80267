"""The log as lines of JSON: one for each job, each request and each failure.

No line contains a file name, a visitor's address, or anything of a photo but its size.
"""

import json
import logging
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

import gradio as gr

WORK = logging.getLogger("colorizer.web.work")
_FACTS: ContextVar[dict[str, Any] | None] = ContextVar("facts", default=None)


class JsonLines(logging.Formatter):
    """Formats a record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record with its `facts`, and the type and place of its exception."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "facts", {}),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = record.exc_info[0].__name__
            frames = traceback.extract_tb(record.exc_info[2])
            line["trace"] = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        return json.dumps(line)


def start_json() -> None:
    """Log as JSON from now on, with jobs and requests."""
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("colorizer")
    logger.handlers, logger.propagate = [handler], False
    logger.setLevel(logging.WARNING)
    WORK.setLevel(logging.INFO)


@contextmanager
def job(endpoint: str) -> Iterator[dict[str, Any]]:
    """Log a job when it ends: how long it took, and whether it is done, refused, failed or stopped.

    Args:
        endpoint: the name of the job.

    Yields:
        The logged facts; the job may add to them.
    """
    outer = _FACTS.get()
    if outer is not None:  # a part of another job
        yield outer
        return
    facts: dict[str, Any] = {"endpoint": endpoint, "status": "stopped"}
    _FACTS.set(facts)
    started = time.perf_counter()
    try:
        yield facts
        facts["status"] = "done"
    except gr.Error:
        facts["status"] = "refused"
        raise
    except Exception:
        facts["status"] = "failed"
        raise
    finally:
        _FACTS.set(None)
        facts["seconds"] = round(time.perf_counter() - started, 3)
        WORK.info("job", extra={"facts": facts})


def note(**facts: Any) -> None:
    """Add facts to the log line of the current job, if there is one."""
    current = _FACTS.get()
    if current is not None:
        current.update(facts)
