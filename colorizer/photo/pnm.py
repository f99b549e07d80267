"""PBM, PGM and PPM files: their header, and pixels that are written as text (netpbm's formats)."""

import re

import numpy as np
from PIL import Image

from colorizer.photo.limits import PNM_HEADER
from colorizer.photo.raster import Raster, UnsupportedError, expand_levels

SIGNATURES = (b"P1", b"P2", b"P3", b"P4", b"P5", b"P6")
COMMENT = re.compile(rb"#[^\r\n]*")


def check_pnm(data: bytes) -> None:
    """Refuse a file with a long header, which Pillow reads byte by byte.

    Raises:
        UnsupportedError: comments fill the beginning of the file.
    """
    if data.startswith(SIGNATURES) and _header(data) is None:
        raise UnsupportedError("has a header without a size; save it again in an editor.")


def _header(data: bytes) -> tuple[list[int], int] | None:
    """Width, height and highest level, and where the pixels start; None if they aren't there."""
    numbers: list[int] = []
    position = 2
    start = data[:PNM_HEADER]
    wanted = 2 if data[:2] in (b"P1", b"P4") else 3
    while len(numbers) < wanted:
        found = re.compile(rb"(?:\s|#[^\r\n]*[\r\n])*(\d{1,10})").match(start, position)
        if found is None:
            return None
        numbers.append(int(found[1]))
        position = found.end()
    return numbers, position


def read_plain(data: bytes, max_pixels: int) -> Raster | None:
    """Decode pixels that are written as text; None for all other files.

    Pillow's decoder takes quadratic time where there are comments.

    Raises:
        Image.DecompressionBombError: there are more pixels than `max_pixels`.
        ValueError: pixels are missing or no numbers.
    """
    if not data.startswith(SIGNATURES[:3]):
        return None
    header = _header(data)
    if header is None:
        return None
    (width, height, *more), position = header
    channels = 3 if data.startswith(b"P3") else 1
    if width * height > max_pixels:
        raise Image.DecompressionBombError
    count, text = width * height * channels, data[position:]
    if b"#" in text:
        text = COMMENT.sub(b"", text)
    if not more:  # digits of 0 and 1, with or without spaces between
        digits = np.frombuffer(text, np.uint8)
        levels = 1 - (digits[(digits == ord("0")) | (digits == ord("1"))] - ord("0"))
        highest = 1
    else:
        levels, highest = np.fromstring(text, np.int64, count, sep=" "), more[0]
    if count == 0 or len(levels) < count:
        raise ValueError("pixels are missing")
    if not 0 < highest < 65536:
        raise ValueError("its highest level is out of range")
    levels = levels[:count].reshape(height, width, channels)
    if highest == 1 or highest in (255, 65535):
        dtype = np.uint8 if highest < 256 else np.uint16
        bits = {1: 1, 255: 8, 65535: 16}[highest]
        return Raster(expand_levels(levels.clip(0, highest).astype(dtype), bits))
    dtype = np.uint8 if highest < 256 else np.uint16
    scale = np.iinfo(dtype).max / highest
    return Raster(np.rint(levels.clip(0, highest) * scale).astype(dtype))
