"""Bands of rows: what touches every pixel of a photo works in these, so that memory stays
bounded.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

BAND_PIXELS = 1 << 17  # so few fit into a processor's cache


def bands(size: tuple[int, int]) -> Iterator[slice]:
    """Slices of rows that cover a picture of (height, width), each of about `BAND_PIXELS` and at
    least one row.
    """
    height, width = size
    rows = max(1, BAND_PIXELS // width)
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def map_bands(work: Callable[[slice], Result], size: tuple[int, int]) -> list[Result]:
    """What some work gives for each band of a picture of (height, width), from above; done in as
    many threads as there are processors, which deal the bands out among them.
    """
    slices, threads = list(bands(size)), os.cpu_count() or 1

    def work_from(first: int) -> list[Result]:
        return [work(rows) for rows in slices[first::threads]]

    with ThreadPoolExecutor(threads) as pool:
        others = pool.map(work_from, range(1, threads))
        shares = [work_from(0), *others]  # this thread has memory to use again
    return [shares[index % threads][index // threads] for index in range(len(slices))]
