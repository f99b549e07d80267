"""What surrounds the training step: time per part of it, signals, memory."""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from types import FrameType

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from train.run.folder import RunError

M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX = -1, -2, -4  # malloc.h of glibc
TOP_PAD = 256 << 20  # bytes


class StepClock:
    """Seconds spent in the parts of a step since the last `read`.

    A GPU works on after a call has returned, so that its time shows up where the next result is
    waited for.
    """

    def __init__(self) -> None:
        self._seconds: dict[str, float] = {}
        self._start = time.perf_counter()

    @contextmanager
    def __call__(self, part: str) -> Iterator[None]:
        """Count what happens inside as `part`."""
        start = time.perf_counter()
        yield
        self._seconds[part] = self._seconds.get(part, 0.0) + time.perf_counter() - start

    def read(self) -> dict[str, float]:
        """Seconds by part, all of them under "all", and start anew."""
        now = time.perf_counter()
        seconds = self._seconds | {"all": now - self._start}
        self._seconds, self._start = {}, now
        return seconds


class StopSignal:
    """Whether Ctrl-C or SIGTERM came since the program asked to be told instead of stopped."""

    number: int | None = None

    @contextmanager
    def caught(self) -> Iterator[None]:
        """Note the signals inside; a second one ends the program at once."""

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
def dead_workers_explained() -> Iterator[None]:
    """Turn what PyTorch raises, anywhere in the program, when a data worker dies into a
    `RunError`.
    """
    try:
        yield
    except RuntimeError as error:
        if "DataLoader worker" not in str(error):
            raise
        raise RunError(
            f"A process that decodes photos died, maybe for want of memory ({error}). What was "
            "saved before is intact; continue with --resume --workers 0."
        ) from error


def start_worker(number: int) -> None:
    """Put a data worker out of reach of signals to the whole process group, such as Ctrl-C, which
    its parent sees to.
    """
    if hasattr(os, "setpgid"):  # not on Windows
        os.setpgid(0, 0)


def precision(wish: str) -> str:
    """What Accelerate calls it, "no" or "bf16"; "auto" is bf16 where the device is made for it."""
    if wish != "auto":
        return wish
    if torch.cuda.is_available():
        made_for_it = torch.cuda.is_bf16_supported(including_emulation=False)
    else:
        made_for_it = torch._C._has_mkldnn and torch.ops.mkldnn._is_mkldnn_bf16_supported()
    return "bf16" if made_for_it else "no"


def exact_attention(device: torch.device) -> AbstractContextManager[None]:
    """Attention whose gradient can be trusted, for all that is computed inside.

    The CPU's flash kernel loses the gradient in bfloat16 when the values share a large mean, and
    is the slower one at our sizes; train/EXPERIMENTS.md has the figures.
    """
    return sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext()


def keep_freed_memory() -> None:
    """Let glibc keep what tensors free, instead of giving it back and faulting it in again.

    A step frees and allocates gigabytes; see train/README.md for what that costs. Elsewhere than
    on Linux with glibc nothing happens.
    """
    if sys.platform != "linux":
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, -1)  # never trimmed
        mallopt(M_TOP_PAD, TOP_PAD)
