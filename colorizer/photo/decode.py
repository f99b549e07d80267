"""From a photo's file to its pixels: upright, in sRGB, with the file's bit depth.

Pillow opens most formats. TIFF files, JPEG files, and pixels of more than 8 bits are decoded by
tifffile and imagecodecs.
"""

import io
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, UnidentifiedImageError

from colorizer.errors import PhotoCostError, PhotoError
from colorizer.files import LFS_POINTER
from colorizer.imaging.arrays import Pixels
from colorizer.imaging.bands import bands
from colorizer.photo import gif, jpeg, jpeg2000, png, pnm, tiff
from colorizer.photo.bmp import read_bmp
from colorizer.photo.formats import FORMAT_SUFFIXES, MAX_PIXELS, READABLE_FORMATS, register_heif
from colorizer.photo.icc import CHANNELS, color_space, to_srgb
from colorizer.photo.limits import (
    DECODER_BYTES,
    MEGA,
    PNG_TEXT_BYTES,
    CostError,
    check_memory,
    check_seconds,
)
from colorizer.photo.metadata import Metadata
from colorizer.photo.notices import Notice
from colorizer.photo.raster import Raster, UnsupportedError, expand_levels
from colorizer.photo.read_metadata import MetadataReading, read_metadata, read_tiff_metadata
from colorizer.photo.silence import silence_decoders

HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")
SIGNATURES: dict[str, bytes | tuple[bytes, ...]] = {
    "TIFF": tiff.SIGNATURES,
    "JPEG": jpeg.SIGNATURE,
    "PNG": png.SIGNATURE,
    "GIF": gif.SIGNATURES,
    "PPM": pnm.SIGNATURES,
}
SAME_FORMAT = {"MPO": "JPEG"}  # an MPO is a JPEG that further pictures follow


@dataclass(frozen=True)
class Decoded:
    """What a file holds.

    Attributes:
        pixels: uint8 or uint16 (H, W, 1 or 3) sRGB, upright.
        alpha: (H, W) of the same dtype, 0 where the photo is transparent; None if it is opaque.
        format: the format to save results in, as Pillow names it.
        metadata: EXIF, XMP, IPTC and resolution.
        notices: what a person should know about the file.
    """

    pixels: Pixels
    alpha: Pixels | None
    format: str
    metadata: Metadata = field(default_factory=Metadata)
    notices: tuple[Notice, ...] = ()


@dataclass(frozen=True)
class TimeLimit:
    """How long decoding may take, in seconds of one processor.

    Attributes:
        seconds: for any photo.
        seconds_per_megapixel: for a photo that needs more by its size.
    """

    seconds: float
    seconds_per_megapixel: float

    def of(self, size: tuple[int, int]) -> float:
        """The limit for a photo of this (height, width)."""
        return max(self.seconds, self.seconds_per_megapixel * size[0] * size[1] / MEGA)


def decode(
    source: BinaryIO | Image.Image, name: str, max_pixels: int, time_limit: TimeLimit | None = None
) -> Decoded:
    """Read a photo.

    Args:
        source: a file, or an image that Pillow has opened.
        name: the photo's name in error messages.
        max_pixels: larger photos are refused.
        time_limit: refuses JPEG 2000 files that are expected to take longer; None refuses none.

    Raises:
        PhotoCostError: it would take longer.
        PhotoError: it can't be read as a photo.
    """
    _configure_decoders(max_pixels)
    try:
        if isinstance(source, Image.Image):
            return _decode_image(source, None, max_pixels)
        return _decode_file(source, max_pixels, time_limit)
    except CostError as error:
        raise PhotoCostError(f"{name} {error}") from None
    except UnsupportedError as error:
        raise PhotoError(f"{name} {error}") from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise PhotoError(
            f"{name} has more than {max_pixels / 1e6:g} megapixels; "
            "make it smaller first, or raise the limit."
        ) from None
    except MemoryError:
        raise PhotoError(f"{name} needs more memory than is free; make it smaller first.") from None
    except Exception as error:  # decoders have no common class for damage
        reason = " ".join(str(error).split()) or type(error).__name__
        raise PhotoError(f"{name} is damaged ({reason}); get an intact copy of it.") from error


def is_heic(start: bytes) -> bool:
    """Whether a file is a HEIC photo, from its first 12 bytes."""
    return start[4:8] == b"ftyp" and start[8:12] in HEIF_BRANDS


def saved_format(path: Path) -> str:
    """The format to save a photo's result in, from its header; PNG if that is damaged."""
    _configure_decoders(MAX_PIXELS)
    if not path.is_file():
        return "PNG"
    with suppress(Exception), open(path, "rb") as file:
        start = file.read(len(png.SIGNATURE))
        for format, starts in SIGNATURES.items():  # Pillow would read the whole header
            if start.startswith(starts):
                return _result_format(format)
        file.seek(0)
        with Image.open(file, formats=READABLE_FORMATS) as image:
            return _result_format(image.format or "PNG")
    return "PNG"


def _result_format(format: str) -> str:
    format = SAME_FORMAT.get(format, format)
    if format in FORMAT_SUFFIXES:
        return format
    return "JPEG" if format == "HEIF" else "PNG"


def _configure_decoders(max_pixels: int) -> None:
    """Let Pillow read HEIC and large photos, and keep decoders quiet.

    Pillow's limit (89 megapixels) belongs to the whole process, so it is only ever raised.
    """
    register_heif()
    Image.MAX_IMAGE_PIXELS = max(Image.MAX_IMAGE_PIXELS or 0, max_pixels)
    PngImagePlugin.MAX_TEXT_CHUNK = PNG_TEXT_BYTES  # Pillow refuses a file with a longer one
    silence_decoders()


def _decode_file(file: BinaryIO, max_pixels: int, time_limit: TimeLimit | None) -> Decoded:
    file.seek(0)
    if file.read(4).startswith(tiff.SIGNATURES):
        raster = tiff.read_tiff(file, max_pixels)
        return _finish(raster, "TIFF", read_tiff_metadata(file))
    file.seek(0)
    data, oversized = file.read(), False
    if data.startswith(jpeg.SIGNATURE):
        checked = jpeg.check_jpeg(data)
        data, oversized = checked.data, checked.oversized
    elif data.startswith(png.SIGNATURE):
        checked_png = png.check_png(data)
        data, oversized = checked_png.data, checked_png.oversized
    elif data.startswith(gif.SIGNATURES):
        gif.check_gif(data)
    pnm.check_pnm(data)
    if (text := pnm.read_plain(data, max_pixels)) is not None:
        return _finish(text, "PPM", MetadataReading(Metadata()))
    if (bitmap := read_bmp(data, max_pixels)) is not None:
        return _finish(bitmap, "BMP", _pillow_metadata(data))
    if data.startswith((jpeg2000.SIGNATURE, jpeg2000.CODESTREAM)):
        return _decode_jpeg2000(data, max_pixels, time_limit)
    try:
        image = Image.open(io.BytesIO(data), formats=READABLE_FORMATS)
    except UnidentifiedImageError:
        raise _unknown(data[:64]) from None
    with image:
        if data.startswith(jpeg.SIGNATURE):
            _check_size(image.size, max_pixels)
            check_memory(checked.decoder_bytes, max_pixels)
        decoded = _decode_image(image, data, max_pixels)
    if not oversized or "large_metadata" in decoded.notices:
        return decoded
    return replace(decoded, notices=(*decoded.notices, "large_metadata"))


def _unknown(start: bytes) -> Exception:
    """The error of a file that Pillow doesn't recognize."""
    if is_heic(start):
        if "HEIF" in READABLE_FORMATS:
            return ValueError("its HEIC boxes can't be read")
        return UnsupportedError("is a HEIC photo; pip install pillow-heif, or convert it to JPEG.")
    if start.startswith(LFS_POINTER):
        return UnsupportedError("is a Git LFS pointer, not the photo itself; run git lfs pull.")
    return UnsupportedError("is not a photo in a known format; convert it to JPEG, PNG or TIFF.")


def _decode_image(image: Image.Image, data: bytes | None, max_pixels: int) -> Decoded:
    """Decode an image that Pillow has opened, from a file's bytes if they are given."""
    _check_size(image.size, max_pixels)
    format = image.format or "PNG"
    check_memory(image.width * image.height * DECODER_BYTES.get(format, 0), max_pixels)
    header = png.check_png(data) if data is not None and format == "PNG" else None
    several = format != "MPO" and bool(getattr(image, "is_animated", False))
    reading = read_metadata(image)  # before `load`, which may close the file
    pixels = _jpeg_pixels(image, data) if data is not None else None
    if pixels is not None:
        raster = Raster(pixels)
    elif header is not None and data is not None and header.bits == 16:
        raster = png.read_deep_png(data, image.info.get("transparency"))
    else:
        if header is not None:
            png.scale_transparent_level(image, header)
        raster = _read_pillow(image)
    raster.orientation = reading.orientation
    raster.profile = image.info.get("icc_profile") or b""
    raster.several = several
    if header is not None and not raster.profile:
        raster.profile = png.color_profile(header, gray=raster.pixels.shape[2] == 1)
    if data is not None:
        image.close()  # its pixels take as much memory as ours
    return _finish(raster, format, reading)


def _decode_jpeg2000(data: bytes, max_pixels: int, time_limit: TimeLimit | None) -> Decoded:
    found = jpeg2000.read_jpeg2000(data)
    if found.header is None:
        raise ValueError("its codestream has no header")
    _check_size(found.header.size, max_pixels)
    check_memory(found.header.decoder_bytes, max_pixels)
    if time_limit is not None:
        check_seconds(found.decoder_seconds, time_limit.of(found.header.size))
    reading = _pillow_metadata(data)
    depth, channels = found.header.depth, found.header.channels
    if depth > 8 or channels > 4 or (found.header.plain and not found.mapped):
        pixels = expand_levels(jpeg2000.decode_whole(found, data), depth)
    elif found.mapped:
        with Image.open(io.BytesIO(data), formats=("JPEG2000",)) as image:
            raster = _read_pillow(image)
            raster.orientation = reading.orientation
            return _finish(raster, "JPEG2000", reading)
    else:
        with jpeg2000.open_codestream(found) as image:
            pixels = _levels(image, image.mode)
    space = color_space(found.profile) if found.profile else None
    known = {jpeg2000.GRAY: 1, jpeg2000.CMYK: 4, 16: 3, jpeg2000.SYCC: 3}
    colors = CHANNELS[space] if space else known.get(found.space, 0)
    order, opacity = found.order(pixels.shape[2], colors)
    alpha = None if opacity is None else pixels[:, :, opacity]
    raster = Raster(_channels(pixels, order), alpha, reading.orientation, found.profile)
    return _finish(raster, "JPEG2000", reading)


def _channels(pixels: Pixels, order: list[int]) -> Pixels:
    """Some channels of (H, W, C), without a copy if they are the first ones."""
    if order == list(range(len(order))):
        return pixels[:, :, : len(order)]
    return pixels[:, :, order]


def _pillow_metadata(data: bytes) -> MetadataReading:
    """Metadata of a file whose pixels Pillow doesn't decode."""
    with suppress(Exception), Image.open(io.BytesIO(data), formats=READABLE_FORMATS) as image:
        return read_metadata(image)
    return MetadataReading(Metadata())


def _finish(raster: Raster, format: str, reading: MetadataReading) -> Decoded:
    """Convert to sRGB, turn upright, and drop channels without information."""
    notices: list[Notice] = []
    pixels, alpha = raster.pixels, raster.alpha
    if alpha is not None and alpha.min() == np.iinfo(alpha.dtype).max:
        alpha = None
    converted = to_srgb(pixels, raster.profile) if raster.profile else None
    if raster.profile and converted is None:
        notices.append("profile")
    if pixels.shape[2] == CHANNELS["cmyk"]:
        notices.append("cmyk")
        converted = _unprofiled_rgb(pixels) if converted is None else converted
    pixels = _without_equal_channels(pixels if converted is None else converted)
    if alpha is not None:
        alpha = np.ascontiguousarray(_upright(alpha, raster.orientation))
    if _result_format(format) != SAME_FORMAT.get(format, format):
        notices.append("other_format")
    if raster.several:
        notices.append("first_page")
    if reading.damaged:
        notices.append("metadata")
    if reading.oversized:
        notices.append("large_metadata")
    pixels = np.ascontiguousarray(_upright(pixels, raster.orientation))
    return Decoded(pixels, alpha, _result_format(format), reading.metadata, tuple(notices))


def _check_size(size: tuple[int, int], max_pixels: int) -> None:
    if size[0] * size[1] > max_pixels:
        raise Image.DecompressionBombError


def _jpeg_pixels(image: Image.Image, data: bytes) -> Pixels | None:
    """Pixels of a JPEG; None of other files, and of those that are left to Pillow."""
    if image.format not in ("JPEG", "MPO") or image.mode not in ("L", "RGB"):
        return None
    pixels = jpeg.read_jpeg(data)
    return pixels if pixels is not None and pixels.shape[1::-1] == image.size else None


def _read_pillow(image: Image.Image) -> Raster:
    """Pixels of 8 bits, or 16 of gray."""
    if image.mode == "F":
        raise UnsupportedError("has floating-point pixels; convert it to 8 or 16 bits.")
    if image.mode == "LAB":
        raise UnsupportedError("stores its colors as LAB; convert it to RGB.")
    if image.mode.startswith("I"):  # stored in up to 32 bits, but 16 are used
        return Raster(_levels(image, image.mode))
    if image.has_transparency_data:
        gray = image.mode in ("1", "L", "LA", "La")
        levels = _levels(image, "LA" if gray else "RGBA")
        return Raster(levels[:, :, :-1], levels[:, :, -1])
    if image.mode in ("1", "L"):
        return Raster(_levels(image, "L"))
    return Raster(_levels(image, "CMYK" if image.mode == "CMYK" else "RGB"))


def _levels(image: Image.Image, mode: str) -> Pixels:
    """The image in a mode of Pillow's, (H, W, C), converted in bands to save memory."""
    image.load()
    width, height = image.size
    deep = mode.startswith("I")
    channels = 1 if deep else len(mode)
    levels = np.empty((height, width, channels), np.uint16 if deep else np.uint8)
    for rows in bands((height, width)):
        band = image.crop((0, rows.start, width, rows.stop))
        converted = np.asarray(band if band.mode == mode else band.convert(mode))
        converted = converted.clip(0, 65535) if deep else converted
        levels[rows] = converted.reshape(-1, width, channels)
    return levels


def _unprofiled_rgb(cmyk: Pixels) -> Pixels:
    """Convert (H, W, 4) ink to RGB: each ink absorbs its share of the light."""
    highest = np.iinfo(cmyk.dtype).max
    rgb = np.empty((*cmyk.shape[:2], 3), cmyk.dtype)
    for rows in bands(cmyk.shape[:2]):
        light = highest - cmyk[rows].astype(np.float32)
        rgb[rows] = np.rint(light[:, :, :3] * light[:, :, 3:] / highest)
    return rgb


def _without_equal_channels(pixels: Pixels) -> Pixels:
    """Keep one channel if all three are equal."""
    if pixels.shape[2] == 1 or any(
        (pixels[rows, :, channel] != pixels[rows, :, 0]).any()
        for rows in bands(pixels.shape[:2])
        for channel in (1, 2)
    ):
        return pixels
    return pixels[:, :, :1]


def _upright(pixels: NDArray[Any], orientation: object) -> NDArray[Any]:
    """Apply an EXIF orientation; other values change nothing."""
    if orientation not in range(2, 9):
        return pixels
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels
