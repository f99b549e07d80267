"""Memory that visitors leave behind."""

import ctypes
import sys
import time
from threading import Thread

import gradio as gr

from colorizer.web.server.settings import settings


def start_sweeping(page: gr.Blocks) -> None:
    """Forget visitors who have left, and give freed memory back to the system, now and then in the
    background.

    Gradio keeps the state of a closed tab for an hour, whatever the state's own time to live. And
    the C library of Linux keeps what many photos at once have freed, in pieces: half a gigabyte
    after twenty visitors.
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
