"""Decoders print nothing: the loader has its own sentences."""

import io
import logging
import struct
import threading
import zlib

import cv2
import numpy as np
import pytest
import tifffile

from colorizer import Photo, PhotoError
from colorizer.photo.silence import silent_opencv


def interlaced_png() -> bytes:
    """2 x 2 pixels of 16 bits, in the two passes of Adam7 that they need besides the first."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = b"\0\0\1" + b"\0\0\2" + b"\0\0\3\0\4"
    header = struct.pack(">IIBBBBB", 2, 2, 16, 0, 0, 0, 1)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def cut_off_bmp() -> bytes:
    header = struct.pack("<I2i2H6I", 40, 8, 2, 1, 4, 2, 4, 0, 0, 16, 0)
    return b"BM" + struct.pack("<I2HI", 120, 0, 0, 118) + header + bytes(64) + b"\4\x12"


def odd_tiff() -> bytes:
    """A tag has a type that doesn't exist."""
    file = io.BytesIO()
    tifffile.imwrite(file, np.array([[1, 2], [3, 4]], np.uint8), extratags=[(65000, 3, 1, 5, True)])
    return file.getvalue().replace(
        struct.pack("<HHI", 65000, 3, 1), struct.pack("<HHI", 65000, 99, 1)
    )


@pytest.mark.parametrize("make", [interlaced_png, cut_off_bmp, odd_tiff])
def test_nothing_is_printed(
    make, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger(), "handlers", [])  # as in a program without logging
    for name in ("PIL", "imagecodecs", "tifffile"):
        monkeypatch.setattr(logging.getLogger(name), "handlers", [])
    if make is cut_off_bmp:
        with pytest.raises(PhotoError):
            Photo.open(io.BytesIO(make()))
    else:
        pixels = Photo.open(io.BytesIO(make())).pixels
        assert pixels[:, :, 0].tolist() == [[1, 2], [3, 4]]
    assert capfd.readouterr() == ("", "")


def test_opencv_speaks_again() -> None:
    level = cv2.utils.logging.getLogLevel()
    inside = threading.Barrier(2)

    def quiet() -> None:
        inside.wait()
        for _ in range(100):
            with silent_opencv():
                assert cv2.utils.logging.getLogLevel() == cv2.utils.logging.LOG_LEVEL_SILENT

    threads = [threading.Thread(target=quiet) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert cv2.utils.logging.getLogLevel() == level
