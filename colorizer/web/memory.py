"""Memory that visitors leave behind."""

import ctypes
import sys
import time
from threading import Thread

from colorizer.web.files import SWEEP_SECONDS


def start_sweeping() -> None:
    """Give freed memory back to the system now and then, in the background.

    The C library of Linux keeps what many photos at once have freed, in pieces: half a gigabyte
    after twenty visitors. Elsewhere this does nothing.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is None:  # another system, or another C library
        return

    def sweep() -> None:
        while True:
            time.sleep(SWEEP_SECONDS)
            trim(0)

    Thread(target=sweep, name="memory", daemon=True).start()
