"""Pixels as a file stores them, and the errors of files that can't be read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from colorizer.imaging.arrays import Pixels
from colorizer.imaging.bands import bands

SIGNED_PIXELS = "has signed pixels; convert it to unsigned ones of 8 or 16 bits."


class UnsupportedError(ValueError):
    """A file that is intact but can't be read.

    The message continues a sentence that starts with the photo's name, and says what to do.
    """


@dataclass
class Raster:
    """Pixels before color conversion and rotation.

    Attributes:
        pixels: uint8 or uint16 (H, W, 1, 3 or 4): gray, RGB or CMYK.
        alpha: (H, W) of the same dtype; None if there is no transparency.
        orientation: as in EXIF, 1 to 8; other values are ignored.
        profile: the ICC profile of the pixels; empty for sRGB.
        several: whether the file holds further pages or frames.
    """

    pixels: Pixels
    alpha: Pixels | None = None
    orientation: int = 1
    profile: bytes = b""
    several: bool = False


def expand_levels(pixels: NDArray[Any], bits: int) -> Pixels:
    """Scale levels of `bits` bits to the full range of uint8 (up to 8 bits) or uint16."""
    if bits in (8, 16):
        return pixels
    dtype = np.uint8 if bits < 8 else np.uint16
    table = np.arange(1 << min(bits, 16)) * np.iinfo(dtype).max // ((1 << min(bits, 16)) - 1)
    levels = table.astype(dtype)
    result = np.empty(pixels.shape, dtype)
    for rows in bands(pixels.shape[:2]):
        result[rows] = pixels[rows] >> (bits - 16) if bits > 16 else levels.take(pixels[rows])
    return result


def unpremultiply(pixels: Pixels) -> Pixels:
    """Divide the colors of (H, W, C) by the transparency, which is the last channel."""
    highest, result = np.iinfo(pixels.dtype).max, pixels.copy()
    for rows in bands(pixels.shape[:2]):
        alpha = pixels[rows, :, -1:]
        colors = pixels[rows, :, :-1] * np.float32(highest) / np.maximum(alpha, 1)
        result[rows, :, :-1] = np.rint(colors).clip(0, highest)
    return result
