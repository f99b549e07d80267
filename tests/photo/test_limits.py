"""Hostile files: what would take minutes or gigabytes is refused before it is decoded."""

import io
import os
import struct
import time
import zlib
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from colorizer import Photo, PhotoError
from colorizer.photo.jpeg import check_jpeg
from colorizer.photo.jpeg2000 import Header, read_jpeg2000
from tests.helpers.photos import color_pixels

SECONDS = 5.0  # for files that took minutes; refusals take a fraction of it


def jpeg(**options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(color_pixels(48, 64)).save(file, "JPEG", **options)
    return file.getvalue()


def segments() -> bytes:
    data = jpeg()
    return data[:2] + b"\xff\xe5\0\2" * 1_000_000 + data[2:]


def fill_bytes() -> bytes:
    data = jpeg()
    return data[:2] + b"\xff" * 4_000_000 + data[2:]


def scans() -> bytes:
    data = jpeg(progressive=True)
    start = data.rindex(b"\xff\xda")
    return data[:-2] + data[start:-2] * 1000 + b"\xff\xd9"


def directories() -> bytes:
    chain = bytearray(b"II*\0" + struct.pack("<I", 8))
    for _ in range(500_000):
        chain += struct.pack("<HI", 0, len(chain) + 6)
    return bytes(chain)


def strips() -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(file, np.zeros((200_000, 1), np.uint8), rowsperstrip=1)
    return file.getvalue()


def tiff_numbers() -> bytes:
    """One block of numbers that many tags share."""
    count, tags = 200_000, 100
    size = 8 + 2 + 12 * tags + 4
    entries = [struct.pack("<HHII", 40_000 + tag, 4, count, size) for tag in range(tags)]
    return b"II*\0" + struct.pack("<IH", 8, tags) + b"".join(entries) + bytes(4 + 4 * count)


def png_chunks() -> bytes:
    file = io.BytesIO()
    Image.fromarray(color_pixels(4, 5)).save(file, "PNG")
    empty = b"\0\0\0\0tEsT" + struct.pack(">I", zlib.crc32(b"tEsT"))
    return file.getvalue()[:33] + empty * 1_000_000 + file.getvalue()[33:]


def gif_comments() -> bytes:
    file = io.BytesIO()
    Image.fromarray(color_pixels(4, 5)).save(file, "GIF")
    data = file.getvalue()
    table = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)
    return data[:table] + b"\x21\xfe" + (b"\xff" + bytes(255)) * 40_000 + b"\0" + data[table:]


def gif_blocks_of_one_byte() -> bytes:
    file = io.BytesIO()
    Image.fromarray(color_pixels(4, 5)).save(file, "GIF")
    return file.getvalue()[:-2] + b"\1\0" * 2_000_000 + b"\0\x3b"


def pnm_header() -> bytes:
    return b"P5\n" + b"#\n" * 2_000_000 + b"2 2 255\n" + bytes(4)


def jp2_boxes() -> bytes:
    file = io.BytesIO()
    Image.fromarray(color_pixels(20, 30)).save(file, "JPEG2000")
    return file.getvalue()[:12] + b"\0\0\0\x08free" * 1_000_000 + file.getvalue()[12:]


HOSTILE = {
    segments: "has more than 10,000 segments",
    fill_bytes: "has more than 10,000 segments",
    scans: "has more than 100 scans",
    directories: "is damaged",
    strips: "has more than 100,000 strips or tiles",
    tiff_numbers: "has more than 500,000 numbers in a directory",
    png_chunks: r"has more than [\d,]+ chunks",
    gif_comments: "has more than 4,000 blocks",
    gif_blocks_of_one_byte: r"has more than [\d,]+ blocks",
    pnm_header: "has a header without a size",
    jp2_boxes: "has more than 10,000 boxes",
}


@pytest.mark.parametrize("make", HOSTILE, ids=lambda make: make.__name__)
def test_kilobytes_do_not_take_minutes(make) -> None:
    data = make()
    start = time.process_time()
    with pytest.raises(PhotoError, match=HOSTILE[make]):
        Photo.open(io.BytesIO(data))
    assert time.process_time() - start < SECONDS


def test_comments_in_plain_pixels_take_linear_time() -> None:
    data = b"P2\n64 64 255\n" + b"#c\n7 " * 4096 + b"#c\n" * 500_000
    start = time.process_time()
    assert (Photo.open(io.BytesIO(data)).pixels == 7).all()
    assert time.process_time() - start < SECONDS


@pytest.mark.parametrize(
    ("kind", "highest"), [("P1", 1), ("P2", 100), ("P2", 255), ("P2", 1000), ("P3", 255)]
)
def test_plain_pixels_are_those_of_pillow(kind: str, highest: int) -> None:
    levels = np.arange(24 if kind == "P3" else 8) % (highest + 1)
    more = "" if kind == "P1" else f" {highest}"
    data = f"{kind} # a comment\n4 2{more}\n{' '.join(map(str, levels))}\n".encode()
    found = Photo.open(io.BytesIO(data)).pixels
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(image.convert("I" if highest == 1000 else image.mode)).astype(int)
    scale = 255 if kind == "P1" and expected.max() == 1 else 1
    assert np.abs(found.reshape(2, 4, -1) - scale * expected.reshape(2, 4, -1)).max() <= 1


def frame(size: int, factors: tuple[int, ...], kind: int, scan: int = 0) -> bytes:
    """The header of a JPEG of size x size pixels."""
    channels = b"".join(bytes((number, factor, 0)) for number, factor in enumerate(factors))
    content = struct.pack(">BHHB", 8, size, size, len(factors)) + channels
    start = bytes((scan or len(factors),)) + bytes(6)
    return b"".join(
        (b"\xff\xd8", bytes((0xFF, kind)), struct.pack(">H", len(content) + 2), content,
         b"\xff\xda", struct.pack(">H", len(start) + 2), start, b"\xff\xd9")
    )  # fmt: skip


@pytest.mark.parametrize(
    ("factors", "kind", "scan", "per_pixel"),
    [
        ((0x11,), 0xC0, 0, 1),
        ((0x22, 0x11, 0x11), 0xC0, 0, 3),
        ((0x11, 0x11, 0x11), 0xC2, 0, 9),
        ((0x22, 0x11, 0x11), 0xC2, 0, 6),
        ((0x11, 0x11, 0x11), 0xC0, 1, 9),  # a baseline JPEG of three scans
        ((0x11,) * 4, 0xC0, 0, 8),
        ((0x11,) * 4, 0xC2, 0, 16),
    ],
)
def test_memory_of_jpeg(factors: tuple[int, ...], kind: int, scan: int, per_pixel: int) -> None:
    assert check_jpeg(frame(100, factors, kind, scan)).decoder_bytes == per_pixel * 10_000


def test_progressive_jpeg_that_takes_too_much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the limit were the photo's size: 9 bytes per pixel are needed and 8 allowed."""
    monkeypatch.setattr("colorizer.photo.limits.MAX_PIXELS", 48 * 64)
    monkeypatch.setattr("colorizer.photo.limits.GIGABYTE", 1000)
    data = jpeg(progressive=True, subsampling="4:4:4")
    with pytest.raises(PhotoError, match=r"takes 27\.6 GB of memory to decode; convert it to TIFF"):
        Photo.open(io.BytesIO(data), max_pixels=48 * 64)
    assert Photo.open(io.BytesIO(jpeg()), max_pixels=48 * 64).size == (48, 64)


def test_memory_of_small_code_blocks() -> None:
    """A file of 206 bytes took 1.9 GB at 64 megapixels."""
    size = (8000, 8000)
    assert Header(size, size, 1, 8, blocks_per_pixel=1 / 16).decoder_bytes > 1.9e9
    assert Header(size, size, 1, 8).decoder_bytes == 9 * 64_000_000


def test_code_blocks_are_read_from_the_header() -> None:
    for side in (4, 32):
        file = io.BytesIO()
        image = Image.fromarray(color_pixels(64, 64))
        image.save(file, "JPEG2000", codeblock_size=(side, side))
        header = read_jpeg2000(file.getvalue()).header
        assert header is not None
        assert header.blocks_per_pixel == pytest.approx(1 / side**2)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_pipes_and_devices_are_refused_at_once(tmp_path: Path) -> None:
    """Opening a pipe waits for a writer."""
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(PhotoError, match=r"a\.jpg is a pipe, socket or device; save the photo as"):
        Photo.open(tmp_path / "a.jpg")
    with pytest.raises(PhotoError, match="is a pipe, socket or device"):
        Photo.open("/dev/zero")
