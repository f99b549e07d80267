"""Around training: signals, data workers, precision, memory."""

import ctypes
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from train.run.folder import RunError

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4  # malloc.h of glibc
TOP_PAD = 256 << 20  # bytes


class StopSignal:
    """Whether Ctrl-C or SIGTERM arrived while they were caught."""

    number: int | None = None

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Record signals inside the block; a second one ends the program at once."""

        def note(number: int, frame: FrameType | None) -> None:
            self.number = number
            signal.signal(number, before[signal.Signals(number)])

        before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


@contextmanager
def explain_dead_workers() -> Iterator[None]:
    """Turn the error that PyTorch raises when a data worker dies into a `RunError`."""
    try:
        yield
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise RunError(
            f"A process that decodes photos died, maybe because memory ran out ({error}). The last "
            "save is intact; continue with --resume --workers 0."
        ) from error


def start_worker(number: int) -> None:
    """Move a data worker out of the process group: its parent handles Ctrl-C."""
    if hasattr(os, "setpgid"):  # not on Windows
        os.setpgid(0, 0)


def keep_freed_memory() -> None:
    """Make glibc keep freed memory instead of returning it to the system.

    A step frees and allocates gigabytes; train/README.md has the cost. Does nothing but on Linux
    with glibc.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, -1)  # never trimmed
        mallopt(M_TOP_PAD, TOP_PAD)
