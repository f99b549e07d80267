"""Decode many photos in several processes."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import islice
from multiprocessing import get_context
from typing import TypeVar

from train.data.samples import Sample

IN_FLIGHT = 4  # photos per process that are decoded ahead

Result = TypeVar("Result")


def map_in_order(
    function: Callable[[Sample], Result], samples: Sequence[Sample], processes: int
) -> Iterator[Result]:
    """Yield what a function makes of each sample, in their order.

    Args:
        function: one that can be sent to another process.
        samples: its arguments.
        processes: that call it; 0 calls it in this one.
    """
    if processes == 0:
        yield from map(function, samples)
        return
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        waiting = iter(samples)
        jobs = [pool.submit(function, sample) for sample in islice(waiting, processes * IN_FLIGHT)]
        while jobs:
            yield jobs.pop(0).result()
            jobs += [pool.submit(function, sample) for sample in islice(waiting, 1)]
