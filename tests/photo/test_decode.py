"""Decoding: every kind of file upright, in sRGB and as deep as it is stored."""

import io
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pillow_heif
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image, ImageCms
from skimage.color import rgb2lab

from colorizer import Photo, PhotoError
from colorizer.photo.decode import saved_format
from colorizer.photo.raster import expand_levels
from tests.helpers.photos import UPRIGHT, SaveImage, color_pixels


@pytest.fixture
def deep() -> NDArray[np.uint16]:
    """16-bit RGB whose low bytes matter."""
    random = np.random.default_rng(0)
    coarse = color_pixels(20, 30).astype(np.uint16) * 257
    return np.asarray(coarse ^ random.integers(0, 256, coarse.shape).astype(np.uint16))


def save_tiff(path: Path, pixels: NDArray[np.generic], **options: object) -> Path:
    tifffile.imwrite(path, pixels, **options)
    return path


def test_16_bits_stay(tmp_path: Path, deep: NDArray[np.uint16]) -> None:
    """Of files that another library has written."""
    for name in ("a.png", "a.tif"):
        assert cv2.imwrite(str(tmp_path / name), deep[:, :, ::-1])
        photo = Photo.open(tmp_path / name)
        assert photo.pixels.dtype == np.uint16
        assert np.array_equal(photo.pixels, deep)
        assert cv2.imwrite(str(tmp_path / name), deep[:, :, 0])
        assert np.array_equal(Photo.open(tmp_path / name).pixels, deep[:, :, :1])


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jp2"])
def test_16_bits_with_transparency(
    tmp_path: Path, deep: NDArray[np.uint16], name: str, channels: int
) -> None:
    planes = np.dstack((deep, deep[::-1, :, 0]))[:, :, -channels:]
    if name == "a.png":
        (tmp_path / name).write_bytes(imagecodecs.png_encode(np.ascontiguousarray(planes)))
    elif name == "a.jp2":
        data = imagecodecs.jpeg2k_encode(planes, level=0, codecformat="jp2")
        (tmp_path / name).write_bytes(data)
    else:
        kind = "rgb" if channels == 4 else "minisblack"
        save_tiff(
            tmp_path / name,
            planes,
            photometric=kind,
            planarconfig="contig",
            extrasamples=["unassalpha"],
        )
    photo = Photo.open(tmp_path / name)
    assert photo.alpha is not None
    assert np.array_equal(np.dstack((photo.pixels, photo.alpha)), planes)


@pytest.mark.parametrize("byteorder", ["<", ">"])
@pytest.mark.parametrize("compression", [None, "lzw", "adobe_deflate", "packbits"])
@pytest.mark.parametrize("planes", ["contig", "separate"])
@pytest.mark.parametrize("bigtiff", [False, True])
def test_kinds_of_16_bit_tiff(
    tmp_path: Path,
    deep: NDArray[np.uint16],
    byteorder: str,
    compression: str | None,
    planes: str,
    bigtiff: bool,
) -> None:
    stored = deep if planes == "contig" else np.moveaxis(deep, 2, 0)
    path = save_tiff(
        tmp_path / "a.tif",
        stored,
        photometric="rgb",
        planarconfig=planes,
        byteorder=byteorder,
        compression=compression,
        predictor=compression in ("lzw", "adobe_deflate"),
        bigtiff=bigtiff,
    )
    assert np.array_equal(Photo.open(path).pixels, deep)


@pytest.mark.parametrize("compression", [None, "lzw", "adobe_deflate", "jpeg"])
@pytest.mark.parametrize("channels", [1, 3])
def test_kinds_of_8_bit_tiff(tmp_path: Path, compression: str | None, channels: int) -> None:
    pixels = color_pixels(32, 48)[:, :, :channels]
    path = save_tiff(
        tmp_path / "a.tif",
        pixels if channels == 3 else pixels[:, :, 0],
        photometric="rgb" if channels == 3 else "minisblack",
        compression=compression,
    )
    photo = Photo.open(path)
    assert photo.pixels.dtype == np.uint8
    difference = np.abs(photo.pixels.astype(int) - pixels)
    assert difference.mean() <= (0 if compression != "jpeg" else 8)


def test_white_is_zero(tmp_path: Path, deep: NDArray[np.uint16]) -> None:
    path = save_tiff(tmp_path / "a.tif", deep[:, :, 0], photometric="miniswhite")
    assert np.array_equal(Photo.open(path).pixels, 65535 - deep[:, :, :1])


def test_12_bits_reach_white(tmp_path: Path) -> None:
    levels = np.linspace(0, 4095, 64).astype(np.uint16).reshape(8, 8)
    data = imagecodecs.jpeg2k_encode(levels, level=0, codecformat="jp2", bitspersample=12)
    (tmp_path / "a.jp2").write_bytes(data)
    pixels = Photo.open(tmp_path / "a.jp2").pixels[:, :, 0]
    assert (pixels.min(), pixels.max()) == (0, 65535)
    assert np.abs(pixels / 65535 - levels / 4095).max() < 1e-4


@pytest.mark.parametrize("bits", [1, 12, 32])
def test_converting_levels_takes_little_more_memory_than_they_do(bits: int) -> None:
    """As a whole it took nine times as much."""
    stored = np.ones((2000, 4000, 1), {1: np.bool_, 12: np.uint16, 32: np.uint32}[bits])
    tracemalloc.start()
    pixels = expand_levels(stored, bits)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < pixels.nbytes + 4e6


def test_32_bits_become_16(tmp_path: Path) -> None:
    levels = np.linspace(0, 2**32 - 1, 64).astype(np.uint32).reshape(8, 8)
    path = save_tiff(tmp_path / "a.tif", levels)
    assert np.array_equal(Photo.open(path).pixels[:, :, 0], (levels >> 16).astype(np.uint16))


def test_transparency_that_is_multiplied_in(tmp_path: Path) -> None:
    alpha = np.array([[65535, 32768], [1000, 0]], np.uint16)
    colors = np.full((2, 2, 3), (60000, 30000, 90), np.uint16)
    stored = np.rint(colors * (alpha / 65535)[:, :, None]).astype(np.uint16)
    planes = np.dstack((stored, alpha))
    path = save_tiff(tmp_path / "a.tif", planes, photometric="rgb", extrasamples=["assocalpha"])
    photo = Photo.open(path)
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha, alpha)
    assert np.abs(photo.pixels.astype(int) - colors)[alpha > 30000].max() <= 1
    assert np.abs(photo.pixels.astype(int) - colors)[1, 0].max() < 100


def test_16_bit_color_that_stands_for_nothing(tmp_path: Path, deep: NDArray[np.uint16]) -> None:
    """PNG's tRNS chunk."""
    key = deep[3, 4]
    data = imagecodecs.png_encode(deep)
    chunk = b"tRNS" + key.astype(">u2").tobytes()
    crc = imagecodecs.zlib_crc32(chunk)
    data = data[:33] + b"\0\0\0\6" + chunk + crc.to_bytes(4, "big") + data[33:]
    (tmp_path / "a.png").write_bytes(data)
    photo = Photo.open(tmp_path / "a.png")
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha == 0, (deep == key).all(2))
    assert np.array_equal(photo.pixels, deep)


@pytest.mark.parametrize("orientation", [*UPRIGHT, 0, 9])
@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jpg", "a.webp", "deep.png", "deep.tif"])
def test_orientation_is_applied_once(
    tmp_path: Path, deep: NDArray[np.uint16], name: str, orientation: int
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / name
    expected = UPRIGHT.get(orientation, lambda stored: stored)(deep)
    if name == "deep.tif":
        save_tiff(path, deep, extratags=[(0x0112, 3, 1, orientation, True)])
    elif name == "deep.png":
        data, block = imagecodecs.png_encode(deep), exif.tobytes()[6:]
        chunk = b"eXIf" + block
        crc = imagecodecs.zlib_crc32(chunk)
        path.write_bytes(
            data[:33] + len(block).to_bytes(4, "big") + chunk + crc.to_bytes(4, "big") + data[33:]
        )
    else:
        stored = Image.fromarray((deep >> 8).astype(np.uint8))
        stored.save(path, exif=exif, quality=100, **{"lossless": True} if "webp" in name else {})
        expected = expected >> 8
    photo = Photo.open(path)
    assert photo.size == expected.shape[:2]
    limit = 20 if name == "a.jpg" else 0
    assert np.abs(photo.pixels.astype(int) - expected).mean() <= limit
    assert not photo.metadata.exif or 0x0112 not in read_exif(photo.metadata.exif)


def read_exif(data: bytes) -> Image.Exif:
    exif = Image.Exif()
    exif.load(data)
    return exif


def test_transparency_of_8_bits(save_image: SaveImage) -> None:
    rgba = np.dstack((color_pixels(4, 5), np.arange(20, dtype=np.uint8).reshape(4, 5)))
    for name in ("a.png", "a.tif"):
        photo = Photo.open(save_image(Image.fromarray(rgba), name))
        assert photo.alpha is not None
        assert np.array_equal(np.dstack((photo.pixels, photo.alpha)), rgba)
    photo = Photo.open(save_image(Image.fromarray(rgba[:, :, 2:], "LA"), "b.png"))
    assert photo.pixels.shape == (4, 5, 1)
    assert np.array_equal(photo.alpha, rgba[:, :, 3])


def test_transparent_palette(save_image: SaveImage) -> None:
    image = Image.new("P", (2, 2), 1)
    image.putpalette([0, 0, 0, 200, 30, 60])
    photo = Photo.open(save_image(image, "b.png", transparency=1))
    assert (photo.alpha == 0).all()


def test_opaque_transparency_is_none(save_image: SaveImage) -> None:
    rgba = np.dstack((color_pixels(4, 5), np.full((4, 5), 255, np.uint8)))
    assert Photo.open(save_image(Image.fromarray(rgba), "a.png")).alpha is None


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_color_profile_is_converted(tmp_path: Path, depth: type) -> None:
    """Gray stays gray; other colors of Adobe RGB move as littleCMS says."""
    profile = imagecodecs.cms_profile("adobergb")
    colors = np.array([[[128, 128, 128], [200, 60, 40], [90, 140, 120]]], np.uint8)
    expected = ImageCms.profileToProfile(
        Image.fromarray(colors),
        io.BytesIO(profile),
        ImageCms.createProfile("sRGB"),
        ImageCms.Intent.RELATIVE_COLORIMETRIC,
        "RGB",
    )
    scale = np.iinfo(depth).max // 255
    path = save_tiff(
        tmp_path / "a.tif",
        colors.astype(depth) * depth(scale),
        photometric="rgb",
        iccprofile=profile,
    )
    pixels = Photo.open(path).pixels / scale
    assert np.abs(pixels - np.asarray(expected)).max() < 1.5
    assert np.abs(pixels - colors).max() > 20


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_gray_profile_is_converted(tmp_path: Path, depth: type) -> None:
    profile = imagecodecs.cms_profile("gray", gamma=1.0)  # linear light
    highest = np.iinfo(depth).max
    levels = np.linspace(0, highest, 64).astype(depth).reshape(8, 8)
    path = save_tiff(tmp_path / "a.tif", levels, iccprofile=profile)
    photo = Photo.open(path)
    assert photo.pixels.shape == (8, 8, 1)
    light = levels / highest
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert np.abs(photo.pixels[:, :, 0] / highest - srgb).max() < 0.01


def test_the_srgb_profile_changes_nothing(save_image: SaveImage) -> None:
    pixels = color_pixels(20, 30)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    photo = Photo.open(save_image(pixels, "a.png", icc_profile=profile))
    assert np.array_equal(photo.pixels, pixels)
    assert photo.notices == ()


@pytest.mark.parametrize("profile", [b"", b"no profile", "gray"])
def test_a_profile_that_does_not_fit_is_left_out(save_image: SaveImage, profile) -> None:
    pixels = color_pixels(20, 30)
    if profile == "gray":
        profile = imagecodecs.cms_profile("gray", gamma=1.8)
    photo = Photo.open(save_image(pixels, "a.png", icc_profile=profile))
    assert np.array_equal(photo.pixels, pixels)
    assert photo.notices == (("profile",) if profile else ())


def test_cmyk_becomes_rgb(save_image: SaveImage) -> None:
    image = Image.fromarray(np.full((8, 8, 3), (200, 30, 60), np.uint8)).convert("CMYK")
    for name in ("a.jpg", "a.tif"):
        photo = Photo.open(save_image(image, name, **{"quality": 100} if "jpg" in name else {}))
        assert np.abs(photo.pixels.astype(int) - (200, 30, 60)).max() <= 3
        assert photo.notices == ("cmyk",)


def cmyk_profile() -> bytes:
    """A profile of a press: magenta is of L* 59 and a* 60, and black takes the light. Between the
    corners inks are interpolated (ICC.1:2010, 10.9).
    """
    corners = np.indices((2, 2, 2, 2)).reshape(4, -1)
    lab = np.zeros((16, 3))
    lab[:, 0] = 5 + 90 * (1 - corners[3]) * (1 - 0.4 * corners[1])
    lab[:, 1:] = 128
    lab[:, 1] += 60 * corners[1] * (1 - corners[3])
    table = np.rint(lab * (2.55, 1, 1)).astype(np.uint8).tobytes()
    line = bytes(range(256))
    matrix = struct.pack(">9i", *(65536 * np.eye(3, dtype=int).ravel()))
    lut = b"mft1" + bytes(4) + bytes((4, 3, 2, 0)) + matrix + 4 * line + table + 3 * line
    lut += bytes(-len(lut) % 4)
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    tags, at = b"", 132 + 2 * 12
    for name, data in ((b"A2B0", lut), (b"wtpt", white)):
        tags += name + struct.pack(">2I", at, len(data))
        at += len(data)
    header = struct.pack(">I4sI4s4s4s", at, b"lcms", 0x02400000, b"prtr", b"CMYK", b"Lab ")
    header += bytes(12) + b"acsp" + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return header.ljust(128, b"\0") + struct.pack(">I", 2) + tags + lut + white


@pytest.mark.parametrize("name", ["a.jpg", "a.tif", "deep.tif"])
def test_cmyk_with_a_profile(tmp_path: Path, name: str) -> None:
    """Of 8 and 16 bits: paper, magenta and half black come out as the profile says."""
    inks = np.repeat([[0, 0, 0, 0], [0, 255, 0, 0], [0, 0, 0, 128]], 16, axis=0)
    inks = np.broadcast_to(inks.astype(np.uint8), (16, 48, 4))
    profile, path = cmyk_profile(), tmp_path / name
    if name == "deep.tif":
        deep = inks.astype(np.uint16) * 257
        save_tiff(path, deep, photometric="separated", iccprofile=profile)
    else:
        options = {"quality": 100} if name == "a.jpg" else {}
        Image.fromarray(inks.copy(), "CMYK").save(path, icc_profile=profile, **options)
    photo = Photo.open(path)
    assert photo.notices == ("cmyk",)
    lab = rgb2lab(photo.pixels[8, 8::16] / np.iinfo(photo.pixels.dtype).max)
    assert lab[:, 0] == pytest.approx([95, 59, 50], abs=6)  # black point compensation moves them
    assert lab[1, 1] == pytest.approx(60, abs=6)
    assert np.abs(lab[[0, 2], 1:]).max() < 4


def test_16_bit_cmyk(tmp_path: Path) -> None:
    inks = np.full((4, 4, 4), (0, 65535, 32768, 16384), np.uint16)
    photo = Photo.open(save_tiff(tmp_path / "a.tif", inks, photometric="separated"))
    assert np.abs(photo.pixels / 65535 - (0.75, 0, 0.375)).max() < 0.01
    assert photo.notices == ("cmyk",)


@pytest.mark.parametrize("name", ["a.tif", "a.gif", "a.webp", "deep.tif"])
def test_first_of_several_pages_is_taken_and_said(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "deep.tif":
        with tifffile.TiffWriter(path) as file:
            for level in (1000, 20000):
                file.write(np.full((3, 3), level, np.uint16))
    else:
        frames = [Image.new("L", (3, 3), level) for level in (10, 200)]
        frames[0].save(path, save_all=True, append_images=frames[1:])
    photo = Photo.open(path)
    assert photo.pixels.max() < 0.1 * np.iinfo(photo.pixels.dtype).max
    assert "first_page" in photo.notices


@pytest.mark.parametrize("name", ["a.gif", "a.bmp", "a.ppm"])
def test_what_cannot_be_written_becomes_png_and_says_so(save_image: SaveImage, name: str) -> None:
    photo = Photo.open(save_image(color_pixels(4, 5), name))
    assert photo.format == "PNG"
    assert photo.notices == ("other_format",)


def test_heic(tmp_path: Path) -> None:
    pixels = color_pixels(64, 48)
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(tmp_path / "a.heic", chroma=444)
    photo = Photo.open(tmp_path / "a.heic")
    assert photo.size == (64, 48)
    assert photo.format == "HEIF"
    assert np.abs(photo.pixels.astype(int) - pixels).mean() < 8


def test_heic_without_its_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.heic").write_bytes(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic")
    monkeypatch.setattr("colorizer.photo.decode.READABLE_FORMATS", ("JPEG",))
    with pytest.raises(PhotoError, match=r"a\.heic is a HEIC photo; pip install pillow-heif, or"):
        Photo.open(tmp_path / "a.heic")


@pytest.mark.parametrize("bad", [np.nan, 0.5])
def test_floating_point_is_refused(tmp_path: Path, bad: float) -> None:
    for shape, kind in (((4, 5), "minisblack"), ((4, 5, 3), "rgb")):
        path = save_tiff(tmp_path / "a.tif", np.full(shape, bad, np.float32), photometric=kind)
        with pytest.raises(PhotoError, match=r"a\.tif.*float.*; convert it to 8 or 16 bits\."):
            Photo.open(path)


@pytest.mark.parametrize("size", [(4, 5, 64000), (3, 4, 5, 1)])
def test_more_channels_than_a_photo_has_are_refused(tmp_path: Path, size: tuple[int, ...]) -> None:
    """A few bytes could claim so many that they take minutes to read."""
    volume = {"volumetric": True, "tile": (16, 16, 16)}
    options = volume if len(size) == 4 else {"planarconfig": "contig"}
    pixels = np.zeros(size, np.uint16)
    path = save_tiff(tmp_path / "a.tif", pixels, photometric="minisblack", **options)
    with pytest.raises(PhotoError, match=r"a\.tif has more channels than a photo; convert it to g"):
        Photo.open(path)


def test_tiles_that_are_a_bomb(tmp_path: Path) -> None:
    path = save_tiff(tmp_path / "a.tif", np.zeros((16, 16), np.uint16), tile=(64, 64))
    with pytest.raises(PhotoError, match=r"a\.tif has more than 0\.004 megapixels"):
        Photo.open(path, max_pixels=4000)


def test_tiles_that_are_not_there(tmp_path: Path) -> None:
    """300,000 of them: to look for each takes seconds."""
    path = save_tiff(tmp_path / "a.tif", np.zeros((32, 48), np.uint16), tile=(16, 16))
    with tifffile.TiffFile(path, mode="r+") as tiff:
        tiff.pages.first.tags["ImageLength"].overwrite(1_600_000)
    with pytest.raises(PhotoError, match="is damaged \\(strips or tiles are missing\\)"):
        Photo.open(path)


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"compression": "lzw"}, "all strips or tiles are empty"),
        ({"compression": "zlib", "rowsperstrip": 8}, "all strips or tiles are empty"),
        ({"tile": (16, 16)}, "all strips or tiles are empty"),
        ({"rowsperstrip": 8}, "all strips or tiles are empty"),
        ({}, None),  # the size of the pixels is known
    ],
)
@pytest.mark.parametrize("present", [True, False])
def test_missing_byte_counts_do_not_make_a_photo_black(
    tmp_path: Path, options: dict[str, object], problem: str | None, present: bool
) -> None:
    pixels = color_pixels(24, 40)
    path = save_tiff(tmp_path / "a.tif", pixels, photometric="rgb", **options)
    with tifffile.TiffFile(path) as tiff:
        tag = tiff.pages.first.tags["TileByteCounts" if "tile" in options else "StripByteCounts"]
    with path.open("r+b") as file:
        file.seek(tag.valueoffset if present else tag.offset)
        file.write(bytes(tag.valuebytecount) if present else struct.pack("<H", 65000))
    if problem is None:
        assert np.array_equal(Photo.open(path).pixels, pixels)
    else:
        with pytest.raises(PhotoError, match=problem if present else "is damaged"):
            Photo.open(path)


def test_some_tiles_may_be_left_out(tmp_path: Path) -> None:
    """GDAL does so with areas that show nothing."""
    pixels = color_pixels(32, 48)
    path = save_tiff(tmp_path / "a.tif", pixels, photometric="rgb", tile=(16, 16))
    with tifffile.TiffFile(path) as tiff:
        places = [tiff.pages.first.tags[f"Tile{name}"] for name in ("Offsets", "ByteCounts")]
    with path.open("r+b") as file:
        for tag in places:
            file.seek(tag.valueoffset)
            file.write(bytes(tag.valuebytecount // tag.count))
    pixels[:16, :16] = 0
    assert np.array_equal(Photo.open(path).pixels, pixels)


def test_lab_is_refused(tmp_path: Path) -> None:
    Image.new("LAB", (4, 5)).save(tmp_path / "a.tif")
    with pytest.raises(PhotoError, match=r"a\.tif.*LAB; convert it to RGB\."):
        Photo.open(tmp_path / "a.tif")


@pytest.mark.filterwarnings("ignore")  # of the libraries, about the damage
@pytest.mark.parametrize("name", ["a.png", "a.tif", "a.jp2"])
@pytest.mark.slow
def test_damaged_16_bit_files(tmp_path: Path, deep: NDArray[np.uint16], name: str) -> None:
    """Random bytes overwritten, the end cut off: it opens or it is a PhotoError."""
    path, random, failed = tmp_path / name, np.random.default_rng(0), 0
    Photo(deep).save(path)
    data = path.read_bytes()
    for _ in range(150):
        damaged = bytearray(data)
        for position in random.integers(0, min(len(data), 600), 3):
            damaged[position] = random.integers(256)
        path.write_bytes(damaged[: random.integers(8, len(data) + 1)])
        try:
            Photo.open(path)
        except PhotoError as error:
            failed += str(path) in str(error)
    assert failed > 10


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1)])
def test_the_smallest_and_narrowest_photos(tmp_path: Path, size: tuple[int, int]) -> None:
    for dtype in (np.uint8, np.uint16):
        for name in ("a.png", "a.tif", "a.jpg"):
            Photo(np.full((*size, 3), (9, 8, 7), dtype)).save(tmp_path / name)
            assert Photo.open(tmp_path / name).size == size


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.tif", "a.webp", "a.gif", "a.heic", "b.tif"])
def test_the_header_tells_the_format_of_the_result(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "b.tif":
        save_tiff(path, color_pixels(20, 30).astype(np.uint16), photometric="rgb", byteorder=">")
    else:
        pillow_heif.register_heif_opener()
        Image.fromarray(color_pixels(20, 30)).save(path)
    assert saved_format(path) == Photo.open(path).format


def test_the_header_of_what_is_no_photo(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("no photo")
    assert saved_format(tmp_path / "a.jpg") == saved_format(tmp_path / "none.jpg") == "PNG"


@pytest.mark.slow
def test_every_format_opens_in_a_fresh_process(tmp_path: Path) -> None:
    """Pillow imports most of its plugins late."""
    for name in ("a.webp", "a.tif", "a.jp2", "a.avif", "a.heic"):
        Photo(color_pixels(20, 30)).save(tmp_path / name)
        program = f"from colorizer import Photo; print(Photo.open({str(tmp_path / name)!r}).size)"
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        assert run.stdout == "(20, 30)\n", run.stderr
