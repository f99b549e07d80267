"""Files as scanners, editors and old software write them; the right values are known."""

import io
import struct
import warnings
import zlib
from pathlib import Path

import cv2
import imagecodecs
import numpy as np
import pytest
import tifffile
from numpy.typing import NDArray
from PIL import Image

from colorizer import Photo, PhotoError
from tests.helpers.photos import color_pixels

RAMP = np.tile(np.linspace(0, 1, 64), (48, 1))
PICTURE = np.stack([RAMP, np.linspace(0, 1, 48)[:, None] + 0 * RAMP, RAMP[:, ::-1]], -1)


def mean(photo: Photo) -> float:
    return float(photo.pixels.mean() / np.iinfo(photo.pixels.dtype).max)


def levels(values: NDArray[np.float64], bits: int) -> NDArray[np.generic]:
    return np.rint(values * ((1 << bits) - 1)).astype(np.uint8 if bits == 8 else np.uint16)


def without_extra_samples(data: bytes, count: int) -> bytes:
    """A little-endian TIFF whose ExtraSamples has become a tag that nobody knows."""
    known, unknown = (struct.pack("<HHI", tag, 3, count) for tag in (338, 337))
    assert data.count(known) == 1
    return data.replace(known, unknown)


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("planar", ["contig", "separate"])
@pytest.mark.parametrize(
    ("kind", "more", "extra", "expected"),
    [
        ("minisblack", 1, "unspecified", 0.5),
        ("rgb", 1, "unspecified", 0.5),
        ("rgb", 1, "unassalpha", 0.5),
        ("rgb", 1, "assocalpha", 0.598),
        ("separated", 1, "unspecified", 0.5),
        ("minisblack", 1, None, 0.5),
        ("rgb", 1, None, 0.5),
        ("rgb", 2, None, 0.5),
        ("separated", 1, None, 0.5),
    ],
)
def test_samples_more_than_the_colors_need(
    tmp_path: Path, kind: str, more: int, extra: str | None, expected: float, planar: str, bits: int
) -> None:
    """PhotometricInterpretation decides what the samples are; others may be infrared."""
    colors = {"minisblack": RAMP[:, :, None], "rgb": PICTURE}.get(
        kind, np.dstack((1 - PICTURE, 0 * RAMP))
    )
    samples = levels(np.dstack((colors, np.full((*RAMP.shape, more), 0.8))), bits)
    if planar == "separate":
        samples = np.ascontiguousarray(np.moveaxis(samples, 2, 0))
    path = tmp_path / "a.tif"
    extras = [extra or "unspecified"] * more
    tifffile.imwrite(path, samples, photometric=kind, planarconfig=planar, extrasamples=extras)
    if extra is None:
        path.write_bytes(without_extra_samples(path.read_bytes(), more))
    photo = Photo.open(path)
    assert mean(photo) == pytest.approx(expected, abs=0.003)
    assert (photo.alpha is not None) is (extra in ("unassalpha", "assocalpha"))


def test_opencvs_16_bits_with_a_fourth_channel(tmp_path: Path) -> None:
    bgra = levels(np.dstack((PICTURE[:, :, ::-1], np.ones(RAMP.shape))), 16)
    assert cv2.imwrite(str(tmp_path / "a.tif"), bgra)
    photo = Photo.open(tmp_path / "a.tif")
    assert np.array_equal(photo.pixels, bgra[:, :, 2::-1])
    assert "cmyk" not in photo.notices


@pytest.mark.parametrize("nested", [False, True])
def test_the_thumbnail_is_not_the_photo(tmp_path: Path, nested: bool) -> None:
    large = levels(PICTURE.repeat(8, 0).repeat(8, 1), 16)
    small = (large[::8, ::8] >> 8).astype(np.uint8)
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(small, photometric="rgb", subfiletype=1, subifds=int(nested), metadata=None)
        file.write(large, photometric="rgb", subfiletype=0, metadata=None)
    photo = Photo.open(tmp_path / "a.tif")
    assert np.array_equal(photo.pixels, large)
    assert photo.notices == ()


def test_a_raw_photo_is_refused(tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.dng") as file:
        small = color_pixels(8, 8)
        file.write(small, photometric="rgb", subfiletype=1, subifds=1, metadata=None)
        file.write(levels(PICTURE, 16), photometric=34892, subfiletype=0, metadata=None)
    with pytest.raises(PhotoError, match=r"a\.dng is a raw photo; develop it"):
        Photo.open(tmp_path / "a.dng")


@pytest.mark.parametrize("factor", [1, 257])
def test_a_palette_of_8_or_16_bits(tmp_path: Path, factor: int) -> None:
    colormap = (np.arange(256) * np.ones((3, 1))).astype(np.uint16) * factor
    pixels = levels(RAMP, 8)
    tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="palette", colormap=colormap)
    assert np.array_equal(Photo.open(tmp_path / "a.tif").pixels[:, :, 0], pixels)


def png(values: NDArray[np.float64], bits: int, *chunks: tuple[bytes, bytes]) -> io.BytesIO:
    encoded = imagecodecs.png_encode(levels(values, bits))
    more = b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    return io.BytesIO(encoded[:33] + more + encoded[33:])


def gamma(value: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(value * 100_000))


SRGB = (b"sRGB", b"\0")
CHRM_SRGB = (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000))
LINEAR = (b"cICP", bytes((1, 8, 0, 1)))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ((gamma(1),), 0.686),
        ((gamma(1 / 1.8),), 0.548),
        ((gamma(1 / 2.2),), 0.5),  # stands for sRGB
        ((gamma(1 / 2.2), CHRM_SRGB), 0.5),
        ((gamma(1), CHRM_SRGB), 0.686),
        ((SRGB, gamma(1)), 0.5),
        ((LINEAR,), 0.686),
        ((LINEAR, SRGB), 0.686),
        ((CHRM_SRGB,), 0.5),
    ],
)
def test_color_chunks_of_png(
    chunks: tuple[tuple[bytes, bytes], ...], expected: float, bits: int
) -> None:
    for values in (RAMP, np.dstack((RAMP, RAMP[:, ::-1], RAMP))):
        photo = Photo.open(png(values, bits, *chunks))
        assert mean(photo) == pytest.approx(expected, abs=0.002)
        assert "profile" not in photo.notices


def test_a_png_of_more_light_than_a_screen_shows_says_so() -> None:
    photo = Photo.open(png(RAMP, 16, (b"cICP", bytes((9, 16, 0, 1)))))
    assert "profile" in photo.notices


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_gray_png_of_few_bits_keeps_its_transparency(bits: int) -> None:
    rows = b"\0" + bytes(range(0, 256, 32)) + b"\0" + bytes(8)
    header = struct.pack(">2I5B", 64 // bits, 2, bits, 0, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"tRNS", b"\0\0"), (b"IDAT", zlib.compress(rows)), (b"IEND", b""))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )
    photo = Photo.open(io.BytesIO(data))
    assert photo.alpha is not None
    assert np.array_equal(photo.alpha == 0, photo.pixels[:, :, 0] == 0)


def box(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I4s", 8 + len(content), kind) + content


def jp2(
    pixels: NDArray[np.generic], colr: bytes, more: bytes = b"", brand: bytes = b"jp2 "
) -> bytes:
    height, width, *channels = pixels.shape
    count, bits = (channels or [1])[0], pixels.dtype.itemsize * 8
    header = struct.pack(">2IH4B", height, width, count, bits - 1, 7, 0, 0)
    code = imagecodecs.jpeg2k_encode(pixels, level=0, reversible=True, codecformat="j2k")
    boxes = box(b"ihdr", header) + box(b"colr", colr) + more
    start = box(b"jP  ", b"\r\n\x87\n") + box(b"ftyp", brand + bytes(4) + brand)
    return start + box(b"jp2h", boxes) + box(b"jp2c", bytes(code))


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("method", [2, 3])
@pytest.mark.parametrize("brand", [b"jp2 ", b"jpx "])  # Photoshop's
def test_gray_profile_of_jpeg_2000(bits: int, method: int, brand: bytes) -> None:
    profile = bytes(imagecodecs.cms_profile("gray", gamma=1.0))
    stored = levels(np.tile(np.linspace(0, 1, 64), (64, 1)), bits)
    photo = Photo.open(io.BytesIO(jp2(stored, bytes((method, 0, 0)) + profile, brand=brand)))
    light = stored / np.iinfo(stored.dtype).max
    srgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    assert photo.pixels.shape == (64, 64, 1)
    found = photo.pixels[:, :, 0] / np.iinfo(stored.dtype).max
    assert np.abs(found - srgb).max() < 0.005


@pytest.mark.parametrize("bits", [8, 16])
def test_order_of_the_channels_of_jpeg_2000(bits: int) -> None:
    stored = levels(PICTURE, bits)
    cdef = box(b"cdef", struct.pack(">10H", 3, 0, 0, 3, 1, 0, 2, 2, 0, 1))
    data = jp2(np.ascontiguousarray(stored[:, :, ::-1]), b"\1\0\0\0\0\0\x10", cdef)
    assert np.array_equal(Photo.open(io.BytesIO(data)).pixels, stored)


@pytest.mark.parametrize(
    ("kind", "content"),
    [(0xE0, b"JFIF\0\1"), (0xEE, b"Adobe\0d"), (0xE2, b"ICC_PROFILE\0\1")],
)
def test_short_segments_of_jpeg(kind: int, content: bytes) -> None:
    file = io.BytesIO()
    Image.fromarray(color_pixels(20, 30)).save(file, "JPEG")
    expected, data = Photo.open(file).pixels, file.getvalue()
    segment = bytes((0xFF, kind)) + struct.pack(">H", len(content) + 2) + content
    assert np.array_equal(Photo.open(io.BytesIO(data[:2] + segment + data[2:])).pixels, expected)


@pytest.mark.parametrize(("kind", "depth", "words"), [(0xC1, 12, "12 bits"), (0xC3, 8, "lossless")])
def test_kinds_of_jpeg_that_are_not_read(kind: int, depth: int, words: str) -> None:
    content = struct.pack(">B2HB3B", depth, 8, 8, 1, 1, 0x11, 0)
    data = b"\xff\xd8\xff" + bytes((kind,)) + struct.pack(">H", len(content) + 2) + content
    with pytest.raises(PhotoError, match=f"is a .*{words}"):
        Photo.open(io.BytesIO(data + b"\xff\xd9"))


def test_signed_levels_are_called_signed(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 5), np.int16))
    with pytest.raises(PhotoError, match="has signed pixels; convert it to unsigned"):
        Photo.open(tmp_path / "a.tif")


@pytest.mark.parametrize("planar", [1, 2])
def test_uncompressed_ycbcr(planar: int) -> None:
    """Y 128, Cb 96, Cr 192 are R 217.7, G 93.3, B 71.3 of 255 (BT.601)."""
    size, samples = 16, (128, 96, 192)
    planes = [bytes((value,)) * size * size for value in samples]
    strips = planes if planar == 2 else [bytes(samples) * size * size]
    tags: list[tuple[int, int, list[int]]] = [
        (256, 3, [size]), (257, 3, [size]), (258, 3, [8, 8, 8]), (259, 3, [1]), (262, 3, [6]),
        (273, 4, []), (274, 1, [3]), (277, 3, [3]), (278, 3, [size]),
        (279, 4, [len(strip) for strip in strips]), (284, 3, [planar]), (530, 3, [1, 1]),
    ]  # fmt: skip
    entries, outside = b"", b""
    start = 8 + 2 + 12 * len(tags) + 4
    sizes = sum(2 * len(values) for _, type, values in tags if type == 3 and len(values) > 2)
    sizes += sum(4 * len(values) for _, type, values in tags if type == 4 and len(values) > 1)
    pixels = start + sizes + (4 * len(strips) if len(strips) > 1 else 0)
    for tag, type, values in tags:
        values = values or [pixels + number * len(strips[0]) for number in range(len(strips))]
        data = struct.pack(
            f"<{len(values)}{ {1: 'B', 3: 'H', 4: 'I'}[type] }".replace(" ", ""), *values
        )
        if len(data) > 4:
            outside, data = outside + data, struct.pack("<I", start + len(outside))
        entries += struct.pack("<HHI", tag, type, len(values)) + data.ljust(4, b"\0")
    whole = b"II*\0" + struct.pack("<IH", 8, len(tags)) + entries + bytes(4) + outside
    photo = Photo.open(io.BytesIO(whole + b"".join(strips)))
    assert photo.pixels.mean((0, 1)) == pytest.approx([217.7, 93.3, 71.3], abs=1.5)


def test_bit_fields_of_bmp() -> None:
    """5, 6 and 5 bits, and masks in another order."""
    red, green, blue = (np.arange(8, dtype=np.uint32) * step for step in (4, 9, 3))
    for order in ((11, 5, 0), (0, 5, 11)):
        words = (red << order[0] | green << order[1] | blue << order[2]).astype("<u2")
        masks = [31 << order[0], 63 << 5, 31 << order[2]]
        header = struct.pack("<I2i2HI2I2iI", 40, 8, 1, 1, 16, 3, 16, 0, 0, 0, 0)[:40].ljust(
            40, b"\0"
        )
        body = header + struct.pack("<3I", *masks)
        start = b"BM" + struct.pack("<I2HI", 14 + len(body) + 16, 0, 0, 14 + len(body))
        pixels = Photo.open(io.BytesIO(start + body + words.tobytes())).pixels[0]
        expected = np.stack([red / 31, green / 63, blue / 31], -1) * 255
        assert np.abs(pixels - expected).max() <= 0.51


def test_run_lengths_of_4_bits_of_bmp() -> None:
    palette = b"".join(bytes((level * 17, level * 17, level * 17, 0)) for level in range(16))
    runs = bytes((4, 0x12, 4, 0x34, 0, 0, 0, 5, 0x56, 0x78, 0x90, 0, 3, 0xAA, 0, 1))
    header = struct.pack("<I2i2H6I", 40, 8, 2, 1, 4, 2, len(runs), 0, 0, 16, 0)
    start = b"BM" + struct.pack("<I2HI", 14 + 40 + 64 + len(runs), 0, 0, 14 + 40 + 64)
    pixels = Photo.open(io.BytesIO(start + header + palette + runs)).pixels[:, :, 0] // 17
    assert pixels[1].tolist() == [1, 2, 1, 2, 3, 4, 3, 4]
    assert pixels[0].tolist() == [5, 6, 7, 8, 9, 10, 10, 10]


def test_xmp_alone_does_not_turn_a_photo() -> None:
    xmp = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf='
        b'"http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        b'xmlns:tiff="http://ns.adobe.com/tiff/1.0/" tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
    )
    file = io.BytesIO()
    Image.fromarray(color_pixels(20, 30)).save(file, "JPEG", xmp=xmp)
    assert Photo.open(file).size == (20, 30)


def test_warnings_of_pillow_stay_off_the_error_stream() -> None:
    file = io.BytesIO()
    Image.fromarray(color_pixels(20, 30)).save(file, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\0\5")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Photo.open(file)
    assert not caught


@pytest.mark.parametrize("tile", [None, (16, 16)])
def test_webp_in_tiff(tmp_path: Path, tile: tuple[int, int] | None) -> None:
    path = tmp_path / "photo.tif"
    pixels = color_pixels(48, 64)
    tifffile.imwrite(path, pixels, photometric="rgb", compression="webp", tile=tile)
    assert np.array_equal(Photo.open(path).pixels, pixels)


def test_tiff_orientation_of_type_byte(tmp_path: Path) -> None:
    path = tmp_path / "photo.tif"
    pixels = color_pixels(48, 64)
    tifffile.imwrite(path, pixels, photometric="rgb", extratags=[(274, 1, 1, 6, True)])
    assert np.array_equal(Photo.open(path).pixels, np.rot90(pixels, -1))


def test_color_of_jpeg_2000_as_sycc(tmp_path: Path) -> None:
    path = tmp_path / "photo.jp2"
    pixels = color_pixels(48, 64)
    ycbcr = np.asarray(Image.fromarray(pixels).convert("YCbCr"))
    path.write_bytes(
        imagecodecs.jpeg2k_encode(ycbcr, level=0, codecformat="jp2", mct=False, colorspace="SYCC")
    )
    assert np.abs(Photo.open(path).pixels.astype(int) - pixels).max() <= 3


def test_a_git_lfs_pointer_is_named(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    with pytest.raises(PhotoError, match="run git lfs pull"):
        Photo.open(path)
