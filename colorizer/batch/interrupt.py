"""Stop at Ctrl+C, but only after the photos in progress are finished."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass
class Stop:
    """Whether the user asked to stop."""

    asked: bool = False


@contextmanager
def stopped_by_ctrl_c() -> Iterator[Stop]:
    """Make the first Ctrl+C set `Stop.asked`, and the second one end the process.

    Outside the main thread, where Python delivers no signals, nothing changes.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def ask(*_: object) -> None:
        stop.asked = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.write(2, b"\ncolorizer: Finishing photos in progress; press Ctrl+C again to quit now.\n")

    previous = signal.signal(signal.SIGINT, ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, previous)
