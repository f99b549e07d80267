"""From pixels to a photo's file, with its metadata."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image

from colorizer.errors import PhotoError
from colorizer.files import atomic_write
from colorizer.imaging.arrays import Pixels
from colorizer.imaging.bands import bands
from colorizer.photo.embed import (
    append_exif,
    jp2_boxes,
    pillow_options,
    png_chunks,
    tiff_tags,
)
from colorizer.photo.formats import FORMATS_WITH_16_BITS, FORMATS_WITHOUT_ALPHA, register_heif
from colorizer.photo.icc import srgb_profile
from colorizer.photo.metadata import Metadata

PNG_LEVEL = TIFF_LEVEL = (
    1  # of deflate; level 6 takes several times as long and saves a few percent
)
PNG_HEADER = 33  # bytes: signature and IHDR
FULL_CHROMA: Mapping[str, dict[str, Any]] = {  # options of Pillow's; WebP has none
    "JPEG": {"subsampling": "4:4:4"},
    "AVIF": {"subsampling": "4:4:4"},
    "HEIF": {"chroma": 444},
}
STRIP_BYTES = 1 << 20  # of a TIFF file, before compression
THREADS = os.cpu_count()


def write(
    path: Path,
    pixels: Pixels,
    alpha: Pixels | None,
    format: str,
    quality: int,
    metadata: Metadata,
) -> None:
    """Write a photo; an existing file is replaced only once the new one is complete.

    Args:
        path: of the file.
        pixels: uint8 or uint16 (H, W, 1 or 3) sRGB.
        alpha: (H, W) of the same type, or None.
        format: as Pillow names it. Where it holds less, 16 bits are rounded to 8 and transparent
            pixels are put on white.
        quality: of the lossy formats, 1 to 100.
        metadata: EXIF, XMP, IPTC and resolution.

    Raises:
        PhotoError: the file can't be written.
    """
    if format in FORMATS_WITHOUT_ALPHA and alpha is not None:
        pixels, alpha = on_white(pixels, alpha), None
    if format not in FORMATS_WITH_16_BITS:
        pixels, alpha = to_8_bits(pixels), None if alpha is None else to_8_bits(alpha)
    planes = pixels if alpha is None else np.dstack((pixels, alpha))
    planes = planes[:, :, 0] if planes.shape[2] == 1 else planes
    profile = (
        srgb_profile() if pixels.shape[2] == 3 else None
    )  # gray without a profile has sRGB's curve
    try:
        with atomic_write(path) as part:
            _encode(part, planes, format, quality, metadata, profile)
    except (OSError, ValueError, RuntimeError, MemoryError) as error:  # too large for the format
        reason = getattr(error, "strerror", None) or str(error) or "too little memory"
        raise PhotoError(
            f"{path} can't be written: {reason}. Choose another folder or format."
        ) from error


def _encode(
    path: Path,
    planes: Pixels,
    format: str,
    quality: int,
    metadata: Metadata,
    profile: bytes | None,
) -> None:
    if format == "TIFF":
        _write_tiff(path, planes, metadata, profile)
    elif format == "PNG":
        _write_png(path, planes, metadata, profile)
    elif format == "JPEG2000":
        _write_jpeg2000(path, planes, metadata)
    else:
        register_heif()
        options = pillow_options(metadata, format, profile) | FULL_CHROMA.get(format, {})
        Image.fromarray(planes).save(path, format, quality=quality, **options)


def _write_png(path: Path, planes: Pixels, metadata: Metadata, profile: bytes | None) -> None:
    encoded = memoryview(imagecodecs.png_encode(planes, level=PNG_LEVEL))
    with path.open("wb") as file:
        file.write(encoded[:PNG_HEADER])
        file.write(png_chunks(metadata, profile))
        file.write(encoded[PNG_HEADER:])


def _write_jpeg2000(path: Path, planes: Pixels, metadata: Metadata) -> None:
    encoded = imagecodecs.jpeg2k_encode(planes, level=0, codecformat="jp2", numthreads=THREADS)
    path.write_bytes(encoded + jp2_boxes(metadata))


def _write_tiff(path: Path, planes: Pixels, metadata: Metadata, profile: bytes | None) -> None:
    import tifffile  # slow to import

    channels = 1 if planes.ndim == 2 else planes.shape[2]
    row = planes.shape[1] * channels * planes.itemsize
    tifffile.imwrite(
        path,
        planes,
        photometric="rgb" if channels > 2 else "minisblack",
        planarconfig="contig" if channels > 1 else None,
        extrasamples=["unassalpha"] if channels in (2, 4) else None,
        compression="adobe_deflate",
        compressionargs={"level": TIFF_LEVEL},
        predictor=True,
        rowsperstrip=max(1, STRIP_BYTES // row),
        resolution=metadata.dpi,
        resolutionunit="inch" if metadata.dpi else None,
        extratags=tiff_tags(metadata, profile),
        metadata=None,  # no description of tifffile's own
        software=False,
        maxworkers=THREADS,
    )
    append_exif(path, metadata)


def to_8_bits(pixels: Pixels) -> Pixels:
    """Round 16 bits per channel to 8; (H, W) or (H, W, C)."""
    if pixels.dtype == np.uint8:
        return pixels
    rounded = np.empty(pixels.shape, np.uint8)
    for rows in bands(pixels.shape[:2]):
        rounded[rows] = (pixels[rows].astype(np.uint32) + 128) // 257
    return rounded


def on_white(pixels: Pixels, alpha: Pixels) -> Pixels:
    """Put a photo on white; sizes and types as of `write`."""
    highest = np.float32(np.iinfo(pixels.dtype).max)
    result = np.empty_like(pixels)
    for rows in bands(pixels.shape[:2]):
        share = alpha[rows, :, None] / highest
        result[rows] = np.rint(pixels[rows] * share + highest * (1 - share))
    return result
