"""What a training step runs under: a clock, and exact attention."""

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel


class StepClock:
    """Seconds spent in each part of a step since the last `read`.

    A GPU continues after a call has returned, so its time is counted where the next result is
    needed.
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
        """Seconds by part, with their total as "all"; resets the clock."""
        now = time.perf_counter()
        seconds = self._seconds | {"all": now - self._start}
        self._seconds, self._start = {}, now
        return seconds


def exact_attention(device: torch.device) -> AbstractContextManager[None]:
    """Use attention with an exact gradient inside the block.

    The CPU's flash kernel loses the gradient in bfloat16 when the values share a large mean, and
    is slower at our sizes; see train/EXPERIMENTS.md.
    """
    return sdpa_kernel(SDPBackend.MATH) if device.type == "cpu" else nullcontext()
