"""JPEG 2000: what its header tells, and how much memory that is found to need."""

import io

import imagecodecs
import numpy as np
import pytest
from PIL import Image

from colorizer import Photo, PhotoCostError, PhotoError
from colorizer.photo.decode import TimeLimit, decode
from colorizer.photo.jpeg2000 import Header, Jpeg2000, read_jpeg2000
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


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
@pytest.mark.parametrize("irreversible", [False, True])
def test_whole_files_open_as_with_pillow(mode: str, irreversible: bool) -> None:
    file = io.BytesIO()
    Image.fromarray(color_pixels(40, 60)).convert(mode).save(
        file, "JPEG2000", irreversible=irreversible
    )
    header = read_jpeg2000(file.getvalue()).header
    assert header is not None
    assert header.plain
    photo = Photo.open(file)
    with Image.open(file) as image:
        expected = np.asarray(image.convert("RGB") if mode == "RGBA" else image)
    np.testing.assert_array_equal(photo.pixels.reshape(expected.shape), expected)


@pytest.mark.parametrize("container", ["jp2", "j2k"])
def test_signed_levels_are_called_signed(container: str) -> None:
    encoded = imagecodecs.jpeg2k_encode(np.zeros((20, 30, 3), np.int16), codecformat=container)
    with pytest.raises(PhotoError, match="has signed pixels; convert it to unsigned"):
        Photo.open(io.BytesIO(encoded))


def test_channels_of_several_sizes_are_named() -> None:
    encoded = imagecodecs.jpeg2k_encode(
        np.zeros((20, 30, 3), np.uint16), codecformat="j2k", bitspersample=12
    )
    blue = encoded.index(bytes((11, 1, 1)) * 3) + 6  # depth and distances of each channel's samples
    halved = encoded[:blue] + bytes((11, 2, 2)) + encoded[blue + 3 :]
    with pytest.raises(PhotoError, match="has channels of several sizes; convert it to TIFF"):
        Photo.open(io.BytesIO(halved))


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


def lossless(size: tuple[int, int], grain: float) -> bytes:
    random = np.random.default_rng(0)
    pixels = np.linspace(60, 190, size[1]) + random.normal(0, grain, size)
    data: bytes = imagecodecs.jpeg2k_encode(
        pixels.clip(0, 255).astype(np.uint8), reversible=True, codecformat="jp2"
    )
    return data


def test_grain_takes_longer_than_a_smooth_photo() -> None:
    smooth, grainy = (read_jpeg2000(lossless((500, 600), grain)) for grain in (0.2, 12))
    assert smooth.decoder_seconds < 0.05 < grainy.decoder_seconds


def test_what_takes_too_long_is_refused_before_decoding(monkeypatch: pytest.MonkeyPatch) -> None:
    data, limit = lossless((500, 600), 12), TimeLimit(0.05, 0.2)
    with monkeypatch.context() as patch:
        patch.setattr("colorizer.photo.jpeg2000.open_codestream", None)
        with pytest.raises(
            PhotoCostError, match=r"^a\.jp2 takes about .* to decode, .* to TIFF\.$"
        ):
            decode(io.BytesIO(data), "a.jp2", 10**6, limit)
    smooth = decode(io.BytesIO(lossless((500, 600), 0.2)), "b.jp2", 10**6, limit)
    assert smooth.pixels.shape == (500, 600, 1)
    assert Photo.open(io.BytesIO(data)).size == (500, 600)  # without a limit


def test_a_larger_photo_may_take_longer() -> None:
    limit = TimeLimit(10, 0.2)
    assert limit.of((5000, 10_000)) == 10
    assert limit.of((10_000, 10_000)) == 20


@pytest.mark.parametrize(
    ("megabytes", "fits"),
    [(2, True), (20, True), (42, False)],  # lossy; lossless and smooth; lossless and grainy
)
def test_gray_of_50_megapixels(megabytes: int, fits: bool) -> None:
    header = Header((5000, 10_000), (5000, 10_000), 1, 8)
    found = Jpeg2000(header, bytes(megabytes * 10**6))
    assert (found.decoder_seconds <= 10) == fits
