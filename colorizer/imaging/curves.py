"""Curves as tables: for millions of pixels, a lookup is much faster than a power."""

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from colorizer.imaging.arrays import Plane

# Steps of a table of light or lightness, by the pixels' dtype. Near black, an 8-bit level spans 20
# of them and a 16-bit level 1.2; tables of up to 65,536 entries are twice as fast.
TABLE_STEPS = {np.dtype(np.uint8): (1 << 16) - 1, np.dtype(np.uint16): 1 << 20}


def tabulate(curve: Callable[[Tensor], Tensor], steps: int) -> Plane:
    """Sample a curve at steps + 1 points from 0 to 1."""
    return curve(torch.linspace(0, 1, steps + 1, dtype=torch.float64)).float().numpy()


def tabulate_levels(curve: Callable[[Tensor], Tensor], steps: int, dtype: Any) -> NDArray[Any]:
    """Sample a curve with values in 0 to 1, and scale them to levels of uint8 or uint16."""
    highest = np.iinfo(dtype).max
    return np.rint(tabulate(lambda share: curve(share) * highest, steps)).astype(dtype)


def look_up(table: NDArray[Any], positions: NDArray[Any]) -> NDArray[Any]:
    """Look up the nearest entries of a table.

    Args:
        table: 256, 65,536 or more entries.
        positions: (H, W) or (H, W, 3). uint8 or uint16 are indices into a table with an entry for
            each level; float32 goes from 0 (the first entry) to 1 (the last), clipped.

    Returns:
        The entries, in the shape of `positions`.
    """
    if positions.dtype == np.float32:
        last = len(table) - 1
        if last > np.iinfo(np.uint16).max:
            steps = np.asarray(
                cv2.addWeighted(positions, last, positions, 0, 0, dtype=cv2.CV_32S), np.int32
            )
            return table.take(steps, mode="clip")
        # OpenCV's fastest way to scale, round and clip
        positions = np.asarray(cv2.addWeighted(positions, last, positions, 0, 0, dtype=cv2.CV_16U))
    return np.asarray(cv2.LUT(positions, table))


def ramp(values: Plane, zero: float, one: float) -> Plane:
    """Rise linearly from 0 at `zero` to 1 at `one`, clipped; `one` may be below `zero`."""
    return np.asarray(((values - zero) / (one - zero)).clip(0, 1), np.float32)
