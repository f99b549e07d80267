"""From a photo's file to its pixels: upright, in sRGB, as deep as they are stored.

Pillow opens every format. Where it would cut pixels to 8 bits, tifffile and imagecodecs read them;
and TIFF files that Pillow refuses, and whole JPEG files, in less time and memory.
"""

import logging
import math
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from colorizer.errors import PhotoError
from colorizer.imaging.arrays import Pixels
from colorizer.imaging.bands import bands
from colorizer.photo.formats import MAX_PIXELS, READABLE, SAVED_AS, register_heif
from colorizer.photo.icc import CHANNELS, to_srgb
from colorizer.photo.jpeg import read_jpeg
from colorizer.photo.jpeg2000 import read_header
from colorizer.photo.metadata import Metadata
from colorizer.photo.notices import Notice
from colorizer.photo.read_metadata import MetadataReading, read_metadata, read_tiff_metadata

ORIENTATION = 0x0112  # EXIF tag, and TIFF's
BITS, ICC_PROFILE = 258, 34675  # TIFF tags
TIFF_COLORS = (0, 1, 2, 5)  # white or black is zero, RGB, CMYK
MAX_SAMPLES = 16  # per pixel: CMYK, transparency, and some spot colors
TIFF_STARTS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
MISREAD = b"MM\0+"  # big-endian BigTIFF, whose directory Pillow takes for a small one
HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
GIGABYTE = 10**9
MAX_BYTES = 8  # of memory per pixel of the limit: 4 of Pillow's and 4 of ours
# Bytes per pixel that a decoder takes at most, Pillow's 4 among them; measured at 25 megapixels
DECODER_BYTES = {"WEBP": 16, "AVIF": 12}
STORED = {"MPO": "JPEG"}  # a JPEG with further pictures in it


@dataclass(frozen=True)
class Decoded:
    """What a file holds.

    Attributes:
        pixels: uint8 or uint16 (H, W, 1 or 3) sRGB, upright.
        alpha: (H, W) of the same type, 0 where the photo is transparent; None where it nowhere is.
        format: in which the photo is to be saved, as Pillow names it.
        metadata: what is known about it.
        notices: what a person should know about the file.
    """

    pixels: Pixels
    alpha: Pixels | None
    format: str
    metadata: Metadata = field(default_factory=Metadata)
    notices: tuple[Notice, ...] = ()


@dataclass
class Stored:
    """Pixels as a file stores them, (H, W, C) of gray, RGB or CMYK, and (H, W) of alpha."""

    pixels: Pixels
    alpha: Pixels | None = None
    orientation: int = 1
    profile: bytes = b""
    pages: int = 1


class RefusedError(ValueError):
    """A photo is of a kind that is not read; says what it has, and what to do."""


def decode(source: BinaryIO | Image.Image, name: str, max_pixels: int) -> Decoded:
    """Read a photo.

    Args:
        source: a file, or an image that Pillow has opened.
        name: for the errors.
        max_pixels: beyond which it is refused.

    Raises:
        PhotoError: it can't be read as a photo.
    """
    _raise_limit(max_pixels)
    register_heif()
    try:
        if isinstance(source, Image.Image):
            return _decode_image(source, None, max_pixels)
        try:
            if source.read(4) == MISREAD:
                raise UnidentifiedImageError
            image = Image.open(source, formats=READABLE)
        except UnidentifiedImageError:
            return _decode_other(source, max_pixels)
        with image:
            return _decode_image(image, source, max_pixels)
    except RefusedError as error:
        raise PhotoError(f"{name} {error}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotoError(
            f"{name} has more than {max_pixels / 1e6:g} megapixels; "
            "make it smaller first, or raise the limit."
        ) from None
    except MemoryError:
        raise PhotoError(
            f"{name} needs more memory than there is; make it smaller first."
        ) from None
    except Exception as error:  # what decoders raise about damaged files has no common class
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PhotoError(f"{name} is damaged ({reason}); get an intact copy of it.") from error


def saved_format(path: Path) -> str:
    """In which format a photo is to be saved, by its header alone; PNG where that is damaged."""
    _raise_limit(MAX_PIXELS)
    register_heif()
    with suppress(Exception), open(path, "rb") as file:
        if file.read(4).startswith(TIFF_STARTS):
            return "TIFF"
        with Image.open(file, formats=READABLE) as image:
            return _saved_as(image.format or "PNG")
    return "PNG"


def _saved_as(format: str) -> str:
    """The format of the result, for one that is read."""
    format = STORED.get(format, format)
    if format in SAVED_AS:
        return format
    return "JPEG" if format == "HEIF" else "PNG"


def _decode_image(image: Image.Image, file: BinaryIO | None, max_pixels: int) -> Decoded:
    _check_size(image.size, max_pixels)
    _check_memory(image, file, max_pixels)
    format = image.format or "PNG"
    pages = 1 if format == "MPO" else getattr(image, "n_frames", 1)
    deep = file is not None and _is_deep(image, file)
    reading = read_metadata(image)
    if file is not None and deep and format == "TIFF":
        return _finish(_read_tiff(file, max_pixels), format, reading)
    if file is not None and deep:
        stored = _deep_pixels(image, file)
    else:
        pixels = _jpeg_pixels(image, file) if file is not None else None
        stored = _pillow_pixels(image) if pixels is None else Stored(pixels)
    if format != "TIFF":  # there Pillow has applied it
        stored.orientation = reading.orientation
    stored.profile = image.info.get("icc_profile") or b""
    stored.pages = pages
    if file is not None:
        image.close()  # for its pixels take as much memory as ours
    return _finish(stored, format, reading)


def _decode_other(file: BinaryIO, max_pixels: int) -> Decoded:
    """A file that Pillow doesn't know."""
    file.seek(0)
    start = file.read(12)
    if start[4:8] == b"ftyp" and start[8:] in HEIF_BRANDS:
        raise RefusedError("is a HEIC photo; pip install pillow-heif, or convert it to JPEG.")
    if not start.startswith(TIFF_STARTS):
        raise RefusedError("is not a photo in a known format; convert it to JPEG, PNG or TIFF.")
    return _finish(_read_tiff(file, max_pixels), "TIFF", read_tiff_metadata(file))


def _finish(stored: Stored, format: str, reading: MetadataReading) -> Decoded:
    """Convert to sRGB, turn upright, keep no channel that says nothing."""
    notices: list[Notice] = []
    pixels, alpha = stored.pixels, stored.alpha
    if alpha is not None and alpha.min() == np.iinfo(alpha.dtype).max:
        alpha = None
    converted = to_srgb(pixels, stored.profile) if stored.profile else None
    if stored.profile and converted is None:
        notices.append("profile")
    if pixels.shape[2] == CHANNELS["cmyk"]:
        notices.append("cmyk")
        converted = _unprofiled_rgb(pixels) if converted is None else converted
    pixels = _without_equal_channels(pixels if converted is None else converted)
    if alpha is not None:
        alpha = np.ascontiguousarray(_upright(alpha, stored.orientation))
    if _saved_as(format) != STORED.get(format, format):
        notices.append("other_format")
    if stored.pages > 1:
        notices.append("first_page")
    if reading.damaged:
        notices.append("metadata")
    pixels = np.ascontiguousarray(_upright(pixels, stored.orientation))
    return Decoded(pixels, alpha, _saved_as(format), reading.metadata, tuple(notices))


def _raise_limit(max_pixels: int) -> None:
    """Let Pillow open photos of so many pixels; its limit, 89 megapixels at first, is that of the
    whole process, and so never lowered.
    """
    Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or 0, max_pixels)


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise Image.DecompressionBombError


def _jpeg_pixels(image: Image.Image, file: BinaryIO) -> Pixels | None:
    """Pixels of a JPEG; None of other files, and of those that are left to Pillow."""
    if image.format not in ("JPEG", "MPO") or image.mode not in ("L", "RGB"):
        return None
    file.seek(0)
    pixels = read_jpeg(file.read())
    return pixels if pixels is not None and pixels.shape[1::-1] == image.size else None


def _check_memory(image: Image.Image, file: BinaryIO | None, max_pixels: int) -> None:
    """Refuse what takes more memory than the largest photo in a format that takes little."""
    needed = image.width * image.height * DECODER_BYTES.get(image.format or "", 0)
    if image.format == "JPEG2000" and file is not None and (header := read_header(file)):
        needed = header.decoder_bytes
    if needed > MAX_BYTES * max(max_pixels, MAX_PIXELS):
        raise RefusedError(
            f"takes {needed / GIGABYTE:.1f} GB of memory to decode; convert it to TIFF."
        )


def _pillow_pixels(image: Image.Image) -> Stored:
    """Pixels of 8 bits, or 16 of gray."""
    if image.mode == "F":
        raise RefusedError("has floating-point pixels; convert it to 8 or 16 bits.")
    if image.mode == "LAB":
        raise RefusedError("stores its colors as LAB; convert it to RGB.")
    if image.mode.startswith("I"):  # as wide as 32 bits, as deep as 16
        return _converted(image, image.mode)
    if image.has_transparency_data:
        return _converted(image, "LA" if image.mode in ("L", "LA", "La") else "RGBA")
    if image.mode in ("1", "L"):
        return _converted(image, "L")
    return _converted(image, "CMYK" if image.mode == "CMYK" else "RGB")


def _converted(image: Image.Image, mode: str) -> Stored:
    """Pixels of a mode of Pillow's, converted in bands: as a whole it would need several times the
    memory.
    """
    image.load()
    width, height = image.size
    deep = mode.startswith("I")
    channels, transparent = 1 if deep else len(mode.removesuffix("A")), mode.endswith("A")
    pixels = np.empty((height, width, channels), np.uint16 if deep else np.uint8)
    alpha = np.empty((height, width), np.uint8) if transparent else None
    for rows in bands((height, width)):
        band = image.crop((0, rows.start, width, rows.stop))
        levels = np.asarray(band if band.mode == mode else band.convert(mode))
        levels = levels.clip(0, 65535) if deep else levels
        levels = levels.reshape(-1, width, channels + transparent)
        pixels[rows] = levels[:, :, :channels]
        if alpha is not None:
            alpha[rows] = levels[:, :, -1]
    return Stored(pixels, alpha)


def _is_deep(image: Image.Image, file: BinaryIO) -> bool:
    """Whether a file that is not loaded yet has more than 8 bits per channel."""
    if image.format == "PNG":
        return any(";16" in str(tile.args) for tile in getattr(image, "tile", ()))
    if image.format == "TIFF":
        bits = getattr(image, "tag_v2", {}).get(BITS, 8)
        return (max(bits) if isinstance(bits, tuple) else int(bits)) > 8
    header = read_header(file) if image.format == "JPEG2000" else None
    return header is not None and header.depth > 8


def _deep_pixels(image: Image.Image, file: BinaryIO) -> Stored:
    """Pixels of a PNG or JPEG 2000 file."""
    header = read_header(file) if image.format == "JPEG2000" else None
    file.seek(0)
    data = file.read()
    pixels = imagecodecs.jpeg2k_decode(data) if header else imagecodecs.png_decode(data)
    pixels = _full_range(pixels.reshape(*pixels.shape[:2], -1), header.depth if header else 16)
    if pixels.shape[2] in (2, 4):
        return Stored(pixels[:, :, :-1], pixels[:, :, -1])
    key = image.info.get("transparency")  # the color that stands for no photo
    if key is None:
        return Stored(pixels)
    return Stored(pixels, (pixels != np.array(key, np.uint16)).any(2) * np.uint16(65535))


def _read_tiff(file: BinaryIO, max_pixels: int) -> Stored:
    """The first page of a TIFF file, 8 or 16 bits."""
    from tifffile import EXTRASAMPLE, PHOTOMETRIC, TiffFile

    logging.getLogger("tifffile").addHandler(logging.NullHandler())  # it would tell of any damage
    file.seek(0)
    with TiffFile(file) as tiff:
        page: Any = tiff.pages.first
        _check_size((page.imagewidth, page.imagelength), max_pixels)
        _check_size((page.tilewidth, page.tilelength), max_pixels)
        if page.samplesperpixel > MAX_SAMPLES or page.imagedepth > 1:
            raise RefusedError("has more channels than a photo; convert it to gray or RGB.")
        if page.dtype is None or page.dtype.kind not in "bu":
            raise RefusedError("has floating-point pixels; convert it to 8 or 16 bits.")
        if len(page.dataoffsets) < math.prod(page.chunked):  # would be looked for one by one
            raise ValueError("strips or tiles are missing")
        kind, extra = page.photometric, page.extrasamples
        if kind not in TIFF_COLORS:
            raise RefusedError(f"stores its colors as {kind.name}; convert it to RGB.")
        planes = page.asarray(maxworkers=os.cpu_count()).reshape(page.shaped)[:, 0]
        pixels = np.moveaxis(planes, 0, 2).reshape(*planes.shape[1:3], -1)  # separate or not
        pixels = _full_range(pixels, page.bitspersample)
        if kind == PHOTOMETRIC.MINISWHITE:
            pixels[:, :, 0] = np.iinfo(pixels.dtype).max - pixels[:, :, 0]
        colors = page.samplesperpixel - len(extra)
        transparent = bool(extra) and extra[0] in (EXTRASAMPLE.UNASSALPHA, EXTRASAMPLE.ASSOCALPHA)
        if transparent and extra[0] == EXTRASAMPLE.ASSOCALPHA:
            pixels = _unmultiplied(pixels[:, :, : colors + 1])
        return Stored(
            pixels[:, :, :colors],
            pixels[:, :, colors] if transparent else None,
            page.tags.valueof(ORIENTATION, 1),
            page.tags.valueof(ICC_PROFILE, b""),
            len(tiff.pages),
        )


def _full_range(pixels: NDArray[Any], bits: int) -> Pixels:
    """Levels of so many bits, as uint8 or uint16 from black 0 to the highest."""
    if bits in (8, 16):
        return pixels
    dtype = np.uint8 if bits < 8 else np.uint16
    table = np.arange(1 << min(bits, 16)) * np.iinfo(dtype).max // ((1 << min(bits, 16)) - 1)
    levels = table.astype(dtype)
    result = np.empty(pixels.shape, dtype)
    for rows in bands(pixels.shape[:2]):
        result[rows] = pixels[rows] >> (bits - 16) if bits > 16 else levels.take(pixels[rows])
    return result


def _unmultiplied(pixels: Pixels) -> Pixels:
    """Take the transparency, which comes last, out of the other channels."""
    highest, result = np.iinfo(pixels.dtype).max, pixels.copy()
    for rows in bands(pixels.shape[:2]):
        alpha = pixels[rows, :, -1:]
        colors = pixels[rows, :, :-1] * np.float32(highest) / np.maximum(alpha, 1)
        result[rows, :, :-1] = np.rint(colors).clip(0, highest)
    return result


def _unprofiled_rgb(cmyk: Pixels) -> Pixels:
    """(H, W, 4) shares of ink to RGB: each ink takes its share of the light."""
    highest = np.iinfo(cmyk.dtype).max
    rgb = np.empty((*cmyk.shape[:2], 3), cmyk.dtype)
    for rows in bands(cmyk.shape[:2]):
        light = highest - cmyk[rows].astype(np.float32)
        rgb[rows] = np.rint(light[:, :, :3] * light[:, :, 3:] / highest)
    return rgb


def _without_equal_channels(pixels: Pixels) -> Pixels:
    """(H, W, 1) where the three channels are equal."""
    if pixels.shape[2] == 1 or any(
        (pixels[rows, :, channel] != pixels[rows, :, 0]).any()
        for rows in bands(pixels.shape[:2])
        for channel in (1, 2)
    ):
        return pixels
    return pixels[:, :, :1]


def _upright(pixels: NDArray[Any], orientation: object) -> NDArray[Any]:
    """Apply an EXIF orientation; one that doesn't exist changes nothing."""
    if orientation not in range(2, 9):
        return pixels
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels
