"""Encoding: what a format can hold comes back, what it can't is left out as said; nothing half
written.
"""

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from colorizer import Photo, PhotoError
from colorizer.photo.encode import on_white, to_8_bits
from colorizer.photo.formats import (
    FORMAT_SUFFIXES,
    FORMATS_WITH_16_BITS,
    FORMATS_WITHOUT_ALPHA,
    LOSSY_FORMATS,
)
from colorizer.photo.metadata import Metadata
from tests.helpers.photos import color_pixels

METADATA = Metadata(dpi=(300.0, 300.0)).marked("colorizer test", 64 * "0")
WITHOUT_RESOLUTION = ("WEBP", "AVIF", "HEIF", "JPEG2000")  # but for the EXIF, if there is some


def photo_of(dtype: type, channels: int, transparent: bool) -> Photo:
    scale = np.iinfo(dtype).max // 255
    pixels = color_pixels(33, 47).astype(dtype) * dtype(scale) + dtype(scale // 300)
    alpha = np.full((33, 47), 99 * scale, dtype) if transparent else None
    return Photo(np.ascontiguousarray(pixels[:, :, :channels]), alpha=alpha, metadata=METADATA)


@pytest.mark.parametrize("format", FORMAT_SUFFIXES)
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("transparent", [False, True])
@pytest.mark.slow
def test_what_a_format_holds_comes_back(
    tmp_path: Path, format: str, channels: int, dtype: type, transparent: bool
) -> None:
    photo = photo_of(dtype, channels, transparent)
    path = tmp_path / f"a{FORMAT_SUFFIXES[format]}"
    photo.save(path)
    again = Photo.open(path)
    expected = photo
    if "transparency" in photo.lost_in(format) and photo.alpha is not None:
        expected = Photo(on_white(photo.pixels, photo.alpha))
    deep = dtype == np.uint16 and format in FORMATS_WITH_16_BITS
    assert ("depth" in photo.lost_in(format)) is (dtype == np.uint16 and not deep)
    assert ("transparency" in photo.lost_in(format)) is (
        transparent and format in FORMATS_WITHOUT_ALPHA
    )
    assert again.pixels.dtype == (np.uint16 if deep else np.uint8)
    assert again.format == format
    wanted = expected.pixels if deep else to_8_bits(expected.pixels)
    difference = np.abs(again.pixels.astype(int) - wanted)
    assert difference.mean() < 3 if format in LOSSY_FORMATS else difference.max() == 0
    assert (again.alpha is not None) is (expected.alpha is not None)
    if expected.alpha is not None and again.alpha is not None:
        alpha = expected.alpha if deep else to_8_bits(expected.alpha)
        assert np.abs(again.alpha.astype(int) - alpha).max() <= (
            2 if format in LOSSY_FORMATS else 0
        )
    assert again.metadata.xmp == METADATA.xmp or b"compositeWithTrained" in again.metadata.xmp
    if format not in WITHOUT_RESOLUTION:
        assert again.metadata.dpi == pytest.approx((300, 300), abs=0.1)
    assert [path.name for path in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF"])
def test_colors_carry_the_srgb_profile_and_gray_none(tmp_path: Path, format: str) -> None:
    for channels in (1, 3):
        path = tmp_path / f"{channels}{FORMAT_SUFFIXES[format]}"
        photo_of(np.uint8, channels, False).save(path)
        with Image.open(path) as image:
            profile = image.info.get("icc_profile")
        if channels == 1:
            assert not profile
        else:
            name = ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))
            assert "sRGB" in name


@pytest.mark.parametrize("format", FORMAT_SUFFIXES)
def test_the_same_photo_gives_the_same_file(tmp_path: Path, format: str) -> None:
    photo = photo_of(np.uint16, 3, False)
    for name in ("a", "b"):
        photo.save(tmp_path / name, format)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_tiff_is_one_that_others_read(tmp_path: Path) -> None:
    photo = photo_of(np.uint16, 3, True)
    photo.save(tmp_path / "a.tif")
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        page: Any = file.pages.first
        assert page.compression.name == "ADOBE_DEFLATE"
        assert page.extrasamples[0].name == "UNASSALPHA"
        assert "Software" not in page.tags
    with Image.open(tmp_path / "a.tif") as image:
        assert image.size == (47, 33)
        assert image.mode == "RGBA"


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="needs limits of the system")
def test_a_full_disk_leaves_the_old_file_and_no_part(tmp_path: Path) -> None:
    """A limit on the size of files stands for it; one process tries each format."""
    program = f"""
import resource, signal
import numpy as np
from colorizer import Photo
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
pixels = np.random.default_rng(0).integers(0, 255, (200, 200, 3)).astype(np.uint8)
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
for format in {list(FORMAT_SUFFIXES)}:
    try:
        Photo(pixels).save({str(tmp_path)!r} + "/" + format, format)
    except Exception as error:
        print(type(error).__name__, error)
"""
    for format in FORMAT_SUFFIXES:
        (tmp_path / format).write_text("old")
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    for format in FORMAT_SUFFIXES:
        assert f"PhotoError {tmp_path / format} can't be written: " in run.stdout, run
        assert (tmp_path / format).read_text() == "old"
    assert len(list(tmp_path.iterdir())) == len(FORMAT_SUFFIXES)


def test_rounding_to_8_bits_is_to_the_nearest() -> None:
    levels = np.arange(65536, dtype=np.uint16).reshape(256, 256, 1)
    assert np.array_equal(to_8_bits(levels), np.rint(levels / 257))
    assert to_8_bits(levels[:, :, 0]).shape == (256, 256)


def test_on_white() -> None:
    pixels = np.array([[[200, 30, 60], [0, 0, 0]]], np.uint8)
    shown = on_white(pixels, np.array([[255, 0]], np.uint8))
    assert shown.tolist() == [[[200, 30, 60], [255, 255, 255]]]
    half = on_white(pixels.astype(np.uint16) * 257, np.full((1, 2), 32768, np.uint16))
    assert abs(int(half[0, 1, 0]) - 32767) <= 1


def test_a_format_that_is_unknown(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="use one of JPEG"):
        photo_of(np.uint8, 1, False).save(tmp_path / "a", "XYZ")
