"""Resize planes, at once or band by band."""

import cv2
import numpy as np
from numpy.typing import NDArray

from colorizer.imaging.arrays import Plane


def enlarge(copy: Plane, rows: slice, size: tuple[int, int]) -> Plane:
    """Enlarge (h, w) or (h, w, C) linearly to `size` (H, W); returns some rows of the result."""
    if copy.shape[:2] == size:
        return copy[rows]
    above, below, share = neighbors(np.arange(rows.start, rows.stop), size[0], copy.shape[0])
    share = share.reshape(-1, *(1,) * (copy.ndim - 1))
    lines = copy[above] * (1 - share) + copy[below] * share
    return np.asarray(cv2.resize(lines, (size[1], len(lines)), interpolation=cv2.INTER_LINEAR))


def enlarge_planes(planes: Plane, rows: slice, size: tuple[int, int]) -> Plane:
    """Enlarge (C, h, w) planes to `size` (H, W) as `enlarge` does; returns (C, rows, W)."""
    above, below, share = neighbors(np.arange(rows.start, rows.stop), size[0], planes.shape[1])
    lines = planes[:, above] * (1 - share[:, None]) + planes[:, below] * share[:, None]
    lines = lines.reshape(-1, planes.shape[2])
    wide = cv2.resize(lines, (size[1], len(lines)), interpolation=cv2.INTER_LINEAR)
    return np.asarray(wide, np.float32).reshape(len(planes), -1, size[1])


def neighbors(
    positions: NDArray[np.intp], length: int, count: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], Plane]:
    """Find the two grid cells between which each pixel is interpolated.

    Args:
        positions: indices of pixels on a side of the picture.
        length: of the side, in pixels.
        count: equal cells that cover the side.

    Returns:
        The index of the cell before each pixel, of the cell after, and the weight of the latter,
        0 to 1.
    """
    centers = ((positions + 0.5) * count / length - 0.5).clip(0, count - 1)
    before = centers.astype(np.intp)
    return before, np.minimum(before + 1, count - 1), (centers - before).astype(np.float32)


def resize(plane: Plane, size: tuple[int, int]) -> Plane:
    """Resize (H, W) to `size`, by area when it shrinks and linearly when it grows."""
    shrinks = size[0] * size[1] < plane.size
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, size[::-1], interpolation=interpolation), np.float32)
