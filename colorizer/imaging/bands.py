"""Bands of rows: full-size photos are processed band by band, so that memory stays bounded."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Result = TypeVar("Result")

BAND_PIXELS = 1 << 17  # small enough for a processor's cache


def bands(size: tuple[int, int]) -> Iterator[slice]:
    """Slices of rows that cover a picture of (height, width).

    Each has about `BAND_PIXELS` pixels and at least one row.
    """
    height, width = size
    rows = max(1, BAND_PIXELS // width)
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))


def map_bands(work: Callable[[slice], Result], size: tuple[int, int]) -> list[Result]:
    """Call `work` for each band of a picture of (height, width), in one thread per processor.

    Returns:
        The results, from the top band to the bottom one.
    """
    slices, threads = list(bands(size)), os.cpu_count() or 1

    def work_from(first: int) -> list[Result]:
        return [work(rows) for rows in slices[first::threads]]

    with ThreadPoolExecutor(threads) as pool:
        others = pool.map(work_from, range(1, threads))
        shares = [work_from(0), *others]  # the calling thread can reuse its memory
    return [shares[index % threads][index // threads] for index in range(len(slices))]
