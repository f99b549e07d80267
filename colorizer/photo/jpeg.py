"""JPEG files without Pillow: encoded in several threads, decoded without a copy.

After a restart marker a decoder begins anew, so that what lies between two of them can be encoded
on its own (ITU-T T.81, B.2.1): each slab of rows is a small JPEG, and the file consists of their
entropy-coded parts behind one header. Pillow would take one thread, and 6 bytes per pixel besides;
4 to decode one.
"""

import io
import os
import struct
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image

from colorizer.imaging.arrays import Pixels

BLOCK = 8  # pixels a side, of what is encoded as one; all channels have the same, at 4:4:4
SLAB_PIXELS = 1 << 18  # about; a restart interval has at most 65,535 blocks
LONGEST_SIDE = 65_500  # pixels, of what libjpeg reads and writes
SOI, EOI = b"\xff\xd8", b"\xff\xd9"
SOF0, RST0, SOS, DRI, COM = 0xC0, 0xD0, 0xDA, 0xDD, 0xFE  # T.81, table B.1
APPLICATION = range(0xE0, 0xF0)


def read_jpeg(data: bytes) -> Pixels | None:
    """Decode a whole JPEG of 8 bits.

    Args:
        data: of gray or YCbCr; there may be more behind it, as in an MPO.

    Returns:
        uint8 (H, W, 1 or 3); None of one that is cut off, which the decoder would silently fill up.
        Inside of a scan there is neither of the markers that tell.

    Raises:
        RuntimeError: it can't be decoded.
    """
    if data.rfind(EOI) < data.rfind(bytes((0xFF, SOS))):
        return None
    pixels: Pixels = imagecodecs.jpeg8_decode(data)
    return pixels.reshape(*pixels.shape[:2], -1)


def write_jpeg(path: Path, planes: Pixels, quality: int, options: Mapping[str, Any]) -> None:
    """Write a baseline JPEG without chroma subsampling.

    Args:
        path: where to.
        planes: uint8 (H, W) of gray or (H, W, 3) of sRGB.
        quality: 1 to 100.
        options: of Pillow's `Image.save`, for the metadata.

    Raises:
        ValueError: a side is longer than a JPEG can be.
        OSError: the file can't be written.
    """
    height, width = planes.shape[:2]
    if max(height, width) > LONGEST_SIDE:
        raise ValueError(f"a JPEG has at most {LONGEST_SIDE} pixels a side")
    rows = BLOCK * max(1, SLAB_PIXELS // (BLOCK * width))
    interval = rows // BLOCK * -(-width // BLOCK)

    def encode(top: int) -> bytes:
        slab = np.ascontiguousarray(planes[top : top + rows])
        return bytes(imagecodecs.jpeg8_encode(slab, level=quality, subsampling="444"))

    with ThreadPoolExecutor(os.cpu_count()) as pool, path.open("wb") as file:
        slabs = pool.map(encode, range(0, height, rows))
        first = next(slabs)
        tables = _tables(first, height, interval)
        file.write(SOI + _metadata(planes, options) + tables + _scan(first))
        for number, slab in enumerate(slabs):
            assert _tables(slab, height, interval) == tables
            file.write(bytes((0xFF, RST0 + number % 8)) + _scan(slab))
        file.write(EOI)


def _metadata(planes: Pixels, options: Mapping[str, Any]) -> bytes:
    """The segments in which Pillow writes what is known about the photo."""
    buffer = io.BytesIO()
    Image.fromarray(planes[:1, :1]).save(buffer, "JPEG", **options)
    segments = _segments(buffer.getvalue())
    return b"".join(data for kind, data in segments if kind in APPLICATION or kind == COM)


def _tables(slab: bytes, height: int, interval: int) -> bytes:
    """What a decoder needs: the segments of a slab, for a photo of slabs.

    Args:
        slab: a JPEG.
        height: of the photo, in pixels.
        interval: blocks of a channel from one restart marker to the next.
    """
    tables = b""
    for kind, data in _segments(slab):
        if kind == SOF0:  # length and precision, then the height
            data = data[:5] + struct.pack(">H", height) + data[7:]
        elif kind == SOS:
            tables += struct.pack(">BBHH", 0xFF, DRI, 4, interval)
        if kind not in APPLICATION:
            tables += data
    return tables


def _scan(slab: bytes) -> bytes:
    """What comes after a JPEG's segments."""
    return slab[len(SOI) + sum(len(data) for _, data in _segments(slab)) : -len(EOI)]


def _segments(jpeg: bytes) -> Iterator[tuple[int, bytes]]:
    """The kind of each segment up to the scan's header, and its bytes, marker included."""
    position, kind = len(SOI), 0
    while kind != SOS:
        _, kind, length = struct.unpack_from(">BBH", jpeg, position)
        yield kind, jpeg[position : position + 2 + length]
        position += 2 + length
