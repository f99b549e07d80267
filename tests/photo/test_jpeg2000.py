"""JPEG 2000: what its header tells, and how much memory that is found to need."""

import io

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from colorizer.photo.jpeg2000 import Header, read_jpeg2000
from tests.helpers.photos import color_pixels


@pytest.mark.parametrize(("mode", "channels"), [("L", 1), ("RGB", 3), ("RGBA", 4)])
@pytest.mark.parametrize(("options", "tile"), [({}, (20, 30)), ({"tile_size": (16, 8)}, (8, 16))])
def test_header_of_what_pillow_writes(
    mode: str, channels: int, options: dict[str, tuple[int, int]], tile: tuple[int, int]
) -> None:
    file = io.BytesIO()
    Image.fromarray(color_pixels(20, 30)).convert(mode).save(file, "JPEG2000", **options)
    assert read_jpeg2000(file.getvalue()).header == Header((20, 30), tile, channels, 8)


@pytest.mark.parametrize("container", ["jp2", "j2k"])
@pytest.mark.parametrize("bits", [12, 16])
def test_depth(container: str, bits: int) -> None:
    pixels = np.zeros((20, 30, 3), np.uint16)
    encoded = imagecodecs.jpeg2k_encode(pixels, codecformat=container, bitspersample=bits)
    header = read_jpeg2000(encoded).header
    assert header == Header((20, 30), (20, 30), 3, bits)


def test_no_header() -> None:
    file = io.BytesIO()
    Image.fromarray(color_pixels(20, 30)).save(file, "JPEG2000")
    whole = file.getvalue()
    end = whole.index(b"\xff\x4f\xff\x51")
    for data in (b"", whole[:end], whole[: end + 30]):
        assert read_jpeg2000(data).header is None


def test_small_tiles_and_gray_need_little() -> None:
    size, whole = (5000, 5000), (5000, 5000)
    assert Header(size, whole, 3, 8).decoder_bytes == 19 * 25_000_000
    assert Header(size, (2**31, 2**31), 3, 8).decoder_bytes == 19 * 25_000_000
    assert Header(size, (512, 512), 3, 8).decoder_bytes < 4.2 * 25_000_000
    assert Header(size, whole, 3, 16).decoder_bytes == 18 * 25_000_000
