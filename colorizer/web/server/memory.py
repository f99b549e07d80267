"""Free memory that visitors no longer need."""

import ctypes
import sys
import time
from threading import Thread

import gradio as gr

from colorizer.web.server.settings import settings


def start_sweeping(page: gr.Blocks) -> None:
    """In the background, regularly delete the state of closed tabs, and return freed memory to the
    system.

    Gradio keeps the state of a closed tab for an hour, whatever its own time to live. And glibc
    keeps the freed memory of many photos: half a gigabyte after twenty visitors.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None

    def sweep() -> None:
        while True:
            time.sleep(settings().sweep_seconds)
            for session in list(page.app.state_holder.session_data.values()):
                session.STATE_TTL_WHEN_CLOSED = settings().kept_seconds
            if trim is not None:
                trim(0)

    Thread(target=sweep, name="memory", daemon=True).start()
