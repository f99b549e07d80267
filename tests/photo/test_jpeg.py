"""JPEG: what is decoded, and encoded in slabs, has the very pixels that it has with Pillow."""

import io
import shutil
import subprocess
from pathlib import Path

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from colorizer.imaging.arrays import Pixels
from colorizer.photo.embed import pillow_options
from colorizer.photo.icc import srgb_profile
from colorizer.photo.jpeg import LONGEST_SIDE, read_jpeg, write_jpeg
from colorizer.photo.metadata import Metadata
from tests.helpers.photos import color_pixels

SLAB_PIXELS = 40 * 16  # slabs of 16 rows of 40 pixels
# one block, less, and more; a slab and a row; twelve slabs, so that markers count beyond RST7
SIZES = [(8, 8), (1, 1), (1, 9), (9, 1), (17, 40), (16, 40), (183, 33), (5, 700)]


@pytest.fixture(autouse=True)
def small_slabs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("colorizer.photo.jpeg.SLAB_PIXELS", SLAB_PIXELS)


def noise(height: int, width: int, channels: int) -> Pixels:
    pixels = np.random.default_rng(0).integers(0, 256, (height, width, channels), np.uint8)
    return pixels if channels > 1 else pixels[:, :, 0]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("quality", [1, 95, 100])
def test_pixels_are_those_of_pillows_encoding(
    tmp_path: Path, size: tuple[int, int], channels: int, quality: int
) -> None:
    path, planes = tmp_path / "a.jpg", noise(*size, channels)
    write_jpeg(path, planes, quality, {})
    plain = io.BytesIO()
    Image.fromarray(planes).save(plain, "JPEG", quality=quality, subsampling="4:4:4")
    with Image.open(path) as ours, Image.open(plain) as theirs:
        assert ours.mode == theirs.mode
        assert ours.quantization == theirs.quantization  # type: ignore[attr-defined]
        assert np.array_equal(np.asarray(ours), np.asarray(theirs))
    decode = imagecodecs.jpeg8_decode
    assert np.array_equal(decode(path.read_bytes()), decode(plain.getvalue()))


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


def test_rows_need_not_lie_side_by_side_in_memory(tmp_path: Path) -> None:
    planes = color_pixels(90, 80)[::2, ::-2]
    write_jpeg(tmp_path / "a.jpg", planes, 100, {})
    with Image.open(tmp_path / "a.jpg") as image:
        assert np.abs(np.asarray(image).astype(int) - planes).mean() < 1


@pytest.mark.parametrize("channels", [1, 3])
def test_metadata_are_those_of_pillows_encoding(tmp_path: Path, channels: int) -> None:
    exif = Image.Exif()
    exif[0x010E] = "caption"
    tiff = exif.tobytes().removeprefix(b"Exif\0\0")
    metadata = Metadata(tiff, iptc=b"\x1c\x02\x05\0\x01a", dpi=(300, 200)).marked("test", "0")
    options = pillow_options(metadata, "JPEG", srgb_profile() * 40)  # several segments of profile
    options["comment"] = "a comment"
    planes, plain = noise(50, 40, channels), io.BytesIO()
    write_jpeg(tmp_path / "a.jpg", planes, 95, options)
    Image.fromarray(planes).save(plain, "JPEG", **options)
    with Image.open(tmp_path / "a.jpg") as ours, Image.open(plain) as theirs:
        assert {"exif", "xmp", "photoshop", "dpi", "icc_profile", "comment"} <= set(ours.info)
        assert ours.info == theirs.info


@pytest.mark.skipif(shutil.which("exiftool") is None, reason="ExifTool is not installed")
def test_exiftool_finds_nothing_wrong(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    write_jpeg(path, noise(183, 40, 3), 95, {"dpi": (300, 300)})
    command = ["exiftool", "-validate", "-warning", "-error", "-a", "-s3", path]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (run.stdout.strip(), run.stderr) == ("OK", "")


@pytest.mark.parametrize("size", [(1, LONGEST_SIDE), (LONGEST_SIDE, 1)])
def test_the_longest_sides(tmp_path: Path, size: tuple[int, int], monkeypatch) -> None:
    monkeypatch.undo()
    write_jpeg(tmp_path / "a.jpg", np.full(size, 128, np.uint8), 95, {})
    with Image.open(tmp_path / "a.jpg") as image:
        assert image.size == size[::-1]
        assert (np.asarray(image) == 128).all()
    longer = np.zeros(tuple(side + (side > 1) for side in size), np.uint8)
    with pytest.raises(ValueError, match="at most 65500 pixels a side"):
        write_jpeg(tmp_path / "b.jpg", longer, 95, {})
    assert [path.name for path in tmp_path.iterdir()] == ["a.jpg"]


def test_large_photos_are_cut_into_slabs_of_whole_blocks(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.undo()
    write_jpeg(tmp_path / "a.jpg", noise(1000, 700, 1), 95, {})
    data = (tmp_path / "a.jpg").read_bytes()
    interval = data.index(b"\xff\xdd\0\x04") + 4
    assert int.from_bytes(data[interval : interval + 2]) == 46 * 88  # rows and columns of blocks
    assert [data.count(bytes((0xFF, 0xD0 + number))) for number in range(3)] == [1, 1, 0]
