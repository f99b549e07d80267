"""BMP files of the kinds that Pillow misreads or refuses: run lengths and bit fields."""

import struct

import cv2
import numpy as np
from PIL import Image

from colorizer.imaging.arrays import Pixels
from colorizer.photo.raster import Raster
from colorizer.photo.silence import silent_opencv

SIGNATURE = b"BM"
RLE8, RLE4, BIT_FIELDS, ALPHA_BIT_FIELDS = 1, 2, 3, 6


def read_bmp(data: bytes, max_pixels: int) -> Raster | None:
    """Decode a BMP with run lengths or bit fields; None for all other files.

    Raises:
        Image.DecompressionBombError: there are more pixels than `max_pixels`.
        ValueError: the file is damaged.
    """
    if not data.startswith(SIGNATURE) or len(data) < 54:
        return None
    start, header, width, height, _, bits, compression = struct.unpack_from("<2I2i2HI", data, 10)
    if header < 40 or compression not in (RLE8, RLE4, BIT_FIELDS, ALPHA_BIT_FIELDS):
        return None
    if width * abs(height) > max_pixels:
        raise Image.DecompressionBombError
    if compression in (RLE8, RLE4):
        with silent_opencv():
            pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR_RGB)
        if pixels is None:
            raise ValueError("its runs can't be decoded")
        return Raster(np.asarray(pixels))
    if bits not in (16, 32) or width <= 0 or height == 0:
        raise ValueError("its bit fields have no size")
    masks = struct.unpack_from("<4I", data.ljust(70, b"\0"), 54)
    transparent = header >= 56 or compression == ALPHA_BIT_FIELDS
    row = -(-width * bits // 32) * 4
    stored = np.frombuffer(data, np.uint8, row * abs(height), start).reshape(abs(height), row)
    words = stored[:, : width * bits // 8].copy().view(f"<u{bits // 8}")
    words = words[::-1] if height > 0 else words
    pixels = np.dstack([_field(words, mask) for mask in masks[:3]])
    return Raster(pixels, _field(words, masks[3]) if transparent and masks[3] else None)


def _field(words: Pixels, mask: int) -> Pixels:
    """The bits of a mask as levels of 8 bits."""
    if mask == 0:
        return np.zeros(words.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    highest = mask >> shift
    levels = (words & words.dtype.type(mask)) >> words.dtype.type(shift)
    return np.asarray(np.rint(levels * (255 / highest)), np.uint8)
