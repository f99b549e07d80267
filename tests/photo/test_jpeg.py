"""JPEG: checked before decoding, and decoded to the same pixels as with Pillow."""

import io

import numpy as np
import pytest
from PIL import Image

from colorizer.imaging.arrays import Pixels
from colorizer.photo.jpeg import read_jpeg
from tests.helpers.photos import color_pixels


def noise(height: int, width: int, channels: int) -> Pixels:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)
    return pixels if channels > 1 else pixels[:, :, 0]


@pytest.mark.parametrize("size", [(1, 1), (9, 7), (50, 70)])
@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"subsampling": "4:4:4"},
        {"subsampling": "4:2:2"},
        {"progressive": True},
        {"quality": 20},
    ],
    ids=str,
)
def test_decoded_pixels_are_pillows(
    size: tuple[int, int], mode: str, options: dict[str, object]
) -> None:
    file = io.BytesIO()
    Image.fromarray(color_pixels(*size)).convert(mode).save(file, "JPEG", **options)
    for behind in (b"", b"more", file.getvalue()):
        pixels = read_jpeg(file.getvalue() + behind)
        assert pixels is not None
        with Image.open(file) as image:
            assert np.array_equal(pixels, np.asarray(image).reshape(*size, -1))


@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_that_is_cut_off_is_left_to_pillow(progressive: bool) -> None:
    """Also of one with a thumbnail, which has an end of its own."""
    thumbnail, file = io.BytesIO(), io.BytesIO()
    Image.fromarray(color_pixels(8, 8)).save(thumbnail, "JPEG")
    image = Image.fromarray(noise(60, 80, 3))
    image.save(file, "JPEG", exif=b"Exif\0\0" + thumbnail.getvalue(), progressive=progressive)
    data = file.getvalue()
    start = data.index(b"\xff\xda", data.index(b"\xff\xc2" if progressive else b"\xff\xc0", 700))
    for length in range(start + 2, len(data) - 1, 97):
        assert read_jpeg(data[:length]) is None
    assert read_jpeg(data[:-2]) is None
    assert read_jpeg(data) is not None
