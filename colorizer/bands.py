"""Bands of rows: what touches every pixel of a photo works in these, so that memory stays
bounded.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.float32]
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


def enlarge(copy: Plane, rows: slice, size: tuple[int, int]) -> Plane:
    """Rows of (h, w) or (h, w, C) enlarged to `size` (H, W), linearly interpolated."""
    if copy.shape[:2] == size:
        return copy[rows]
    above, below, share = neighbors(np.arange(rows.start, rows.stop), size[0], copy.shape[0])
    share = share.reshape(-1, *(1,) * (copy.ndim - 1))
    lines = copy[above] * (1 - share) + copy[below] * share
    return np.asarray(cv2.resize(lines, (size[1], len(lines)), interpolation=cv2.INTER_LINEAR))


def enlarge_planes(planes: Plane, rows: slice, size: tuple[int, int]) -> Plane:
    """Rows of each of (C, h, w) planes enlarged to `size`, as `enlarge` does: (C, rows, W)."""
    above, below, share = neighbors(np.arange(rows.start, rows.stop), size[0], planes.shape[1])
    lines = planes[:, above] * (1 - share[:, None]) + planes[:, below] * share[:, None]
    lines = lines.reshape(-1, planes.shape[2])
    wide = cv2.resize(lines, (size[1], len(lines)), interpolation=cv2.INTER_LINEAR)
    return np.asarray(wide, np.float32).reshape(len(planes), -1, size[1])


def neighbors(
    positions: NDArray[np.intp], length: int, count: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], Plane]:
    """Between which of `count` equal cells' centers pixels lie, of a side of `length` pixels.

    Returns:
        The cell before each pixel, the cell after, and the latter's share, 0 to 1.
    """
    centers = ((positions + 0.5) * count / length - 0.5).clip(0, count - 1)
    before = centers.astype(np.intp)
    return before, np.minimum(before + 1, count - 1), (centers - before).astype(np.float32)


def resize(plane: Plane, size: tuple[int, int]) -> Plane:
    """Resize (H, W) to `size`, by area when it shrinks and linearly when it grows."""
    shrinks = size[0] * size[1] < plane.size
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, size[::-1], interpolation=interpolation), np.float32)
