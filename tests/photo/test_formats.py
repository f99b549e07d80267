"""Every kind of file that is said to be read, as real files; and no bytes bring the loader down."""

import io
import json
import shutil
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from colorizer import Colorizer, Photo, PhotoError
from colorizer.photo.formats import (
    FORMAT_SUFFIXES,
    FORMATS_WITH_16_BITS,
    FORMATS_WITHOUT_ALPHA,
    LOSSY_FORMATS,
)
from colorizer.photo.xmp import COMPOSITE
from tests.helpers.photo_files import ALPHA, EIGHT_BIT, GRAY, sample_files
from tests.helpers.photo_files import DEEP as DEEP_PIXELS
from tests.helpers.photos import UPRIGHT

INEXACT = {  # largest mean difference, in levels of 8 bits
    "JPEG gray": 2, "JPEG CMYK": 2, "JPEG": 5, "JPEG progressive": 5, "TIFF RGB 8, JPEG": 5,
    "WebP": 5, "AVIF": 5, "HEIC": 2, "GIF": 8, "PNG palette": 8, "PNG transparent palette": 8,
    "PNG palette 2": 40, "PNG palette 4": 30, "PNG gray 2": 32, "PNG gray 4": 6,
}  # fmt: skip
BLACK_AND_WHITE = ("PNG 1", "TIFF fax")
TRANSPARENT = ("PNG RGBA", "PNG gray with alpha", "WebP lossless")
REPLACED = ("GIF", "BMP")  # as PNG
ENCODABLE = ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")  # by Pillow, as PNG
quickly = settings(max_examples=100, deadline=None, database=None)
every_kind = pytest.mark.parametrize("kind", sample_files())


@every_kind
def test_every_kind_opens(kind: str) -> None:
    photo = Photo.open(io.BytesIO(sample_files()[kind]))
    deep = " 16" in kind
    assert photo.pixels.dtype == (np.uint16 if deep else np.uint8)
    gray = "gray" in kind or kind in BLACK_AND_WHITE
    expected = DEEP_PIXELS if deep else EIGHT_BIT
    if gray:
        expected = DEEP_PIXELS[:, :, 1:2] if deep else GRAY[:, :, None]
    assert photo.pixels.shape == expected.shape
    if kind in BLACK_AND_WHITE:
        assert set(np.unique(photo.pixels)) == {0, 255}
        assert np.corrcoef(photo.pixels.ravel(), expected.ravel())[0, 1] > 0.4
    else:
        difference = np.abs(photo.pixels.astype(int) - expected)
        assert difference.mean() <= INEXACT.get(kind, 0)
    if kind in TRANSPARENT:
        assert photo.alpha is not None
        assert np.array_equal(photo.alpha, ALPHA)
    assert (photo.alpha is not None) is (kind in TRANSPARENT or "transparent" in kind)
    assert ("cmyk" in photo.notices) is ("CMYK" in kind)
    assert ("other_format" in photo.notices) is (kind in REPLACED)
    assert ("first_page" in photo.notices) is ("two pages" in kind)


@every_kind
@pytest.mark.slow
def test_every_kind_comes_back_colored_as_good_as_it_went_in(
    kind: str, tiny_colorizer: Colorizer
) -> None:
    photo = Photo.open(io.BytesIO(sample_files()[kind]))
    made = reopened(tiny_colorizer.colorize(photo).colorized, photo.format)
    assert made.size == photo.size
    assert made.pixels.shape[2] == (1 if kind in BLACK_AND_WHITE else 3)  # they have no color
    assert made.pixels.dtype == photo.pixels.dtype
    assert COMPOSITE.encode() in made.metadata.xmp
    assert (made.alpha is None) is (photo.alpha is None)
    if photo.alpha is not None and made.alpha is not None:
        assert np.abs(made.alpha.astype(int) - photo.alpha).max() <= 2
    if photo.format not in LOSSY_FORMATS:
        error = np.abs(made.lightness - photo.lightness)
        deep = photo.pixels.dtype == np.uint16
        assert error.mean() <= (0.01 if deep else 0.3)
        assert not deep or error.max() <= 0.1


@pytest.mark.skipif(not shutil.which("exiftool"), reason="ExifTool is not installed")
def test_exiftool_reads_the_mark_in_every_result(tiny_colorizer: Colorizer, tmp_path: Path) -> None:
    for number, data in enumerate(sample_files().values()):
        photo = Photo.open(io.BytesIO(data))
        result = tiny_colorizer.colorize(photo).colorized
        result.save(tmp_path / f"{number}{FORMAT_SUFFIXES[photo.format]}")
    command = ["exiftool", "-j", "-G1", "-n", "-struct", tmp_path]
    found = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert len(found) == len(sample_files())
    for tags in found:
        assert not [tag for tag in tags if "Warning" in tag or "Error" in tag], tags
        assert tags["XMP-iptcExt:DigitalSourceType"] == COMPOSITE
        (event,) = tags["XMP-xmpMM:History"]
        assert event["SoftwareAgent"].startswith("colorizer ")
        assert tiny_colorizer.checkpoint.sha256 in event["Parameters"]
        if tags["File:FileType"] != "JP2":  # it says sRGB by a number
            assert "sRGB" in tags["ICC_Profile:ProfileDescription"]


def reopened(photo: Photo, format: str) -> Photo:
    with TemporaryDirectory() as folder:
        photo.save(Path(folder) / "a", format)
        return Photo.open(Path(folder) / "a")


@st.composite
def photos(draw: st.DrawFn) -> Photo:
    """Any photo of up to 24 x 24 pixels: of noise, which finds more than smooth planes."""
    height, width = draw(st.integers(1, 24)), draw(st.integers(1, 24))
    dtype, channels = draw(st.sampled_from((np.uint8, np.uint16))), draw(st.sampled_from((1, 3)))
    random = np.random.default_rng(draw(st.integers(0, 99)))
    planes = random.integers(0, np.iinfo(dtype).max + 1, (height, width, channels + 1), dtype)
    alpha = planes[:, :, -1].copy() if draw(st.booleans()) else None
    return Photo(planes[:, :, :channels].copy(), alpha=alpha)


@quickly
@given(
    photos(), st.sampled_from([format for format in FORMAT_SUFFIXES if format not in LOSSY_FORMATS])
)
@pytest.mark.slow
def test_any_photo_survives_a_lossless_file(photo: Photo, format: str) -> None:
    again = reopened(photo, format)
    assert again.pixels.dtype == photo.pixels.dtype
    assert again.pixels.shape == photo.pixels.shape or photo.size == (1, 1)  # equal channels
    assert (again.pixels == photo.pixels).all()
    highest = np.iinfo(photo.pixels.dtype).max
    opaque = np.full(photo.size, highest) if photo.alpha is None else photo.alpha
    assert np.array_equal(opaque if again.alpha is None else again.alpha, opaque)


@quickly
@given(photos(), st.sampled_from([format for format in FORMAT_SUFFIXES if format in LOSSY_FORMATS]))
@pytest.mark.slow
def test_any_photo_keeps_its_size_in_a_lossy_file(photo: Photo, format: str) -> None:
    again = reopened(photo, format)
    assert again.size == photo.size
    assert again.format == format
    assert again.alpha is None or format not in FORMATS_WITHOUT_ALPHA
    assert format not in FORMATS_WITH_16_BITS


@quickly
@given(photos(), st.sampled_from(ENCODABLE), st.integers(0, 9))
@pytest.mark.slow
def test_any_mode_of_pillow_in_any_orientation(photo: Photo, mode: str, orientation: int) -> None:
    image = photo.to_image()
    if mode == "I;16":
        levels = np.asarray(image.convert("L")).astype(np.uint16) * 257
        image = Image.fromarray(levels)
    else:
        image = image.convert("RGB").convert(mode)
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    image.save(file, "PNG", exif=exif)
    shown = image if mode == "I;16" else image.convert("RGB")
    stored = np.asarray(shown).reshape(*photo.size, -1)
    expected = UPRIGHT.get(orientation, lambda stored: stored)(stored)
    found = Photo.open(file).pixels
    assert found.shape[:2] == expected.shape[:2]
    assert (found == expected).all()


@pytest.mark.filterwarnings("ignore")  # of the libraries, about the damage
@quickly
@given(st.sampled_from(list(sample_files().values())), st.integers(0, 64), st.binary(max_size=300))
def test_any_bytes_open_or_are_an_error_of_ours(start: bytes, kept: int, rest: bytes) -> None:
    opens_or_says_why(start[:kept] + rest)


@pytest.mark.filterwarnings("ignore")
@settings(quickly, max_examples=300)
@given(
    st.sampled_from(list(sample_files().values())),
    st.lists(st.tuples(st.integers(0, 600), st.integers(0, 255)), max_size=8),
    st.integers(0, 200),
)
@pytest.mark.slow
def test_any_damage_opens_or_is_an_error_of_ours(
    data: bytes, changes: list[tuple[int, int]], lost: int
) -> None:
    damaged = bytearray(data)
    for position, value in changes:
        damaged[position % len(data)] = value
    opens_or_says_why(bytes(damaged[: len(data) - lost]))


def opens_or_says_why(data: bytes) -> None:
    problem = "The photo ."
    try:
        assert min(Photo.open(io.BytesIO(data), max_pixels=1_000_000).size) > 0
    except PhotoError as error:
        problem = str(error)
    assert problem.startswith("The photo ")
    assert problem.endswith(".")
