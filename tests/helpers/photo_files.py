"""Small real files of every kind that is said to be read, made by the libraries that own them."""

import io
import struct
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any

import imagecodecs
import numpy as np
import pillow_heif
import tifffile
from numpy.typing import NDArray
from PIL import Image

from tests.helpers.photos import color_pixels

HEIGHT, WIDTH = 24, 40
EIGHT_BIT = color_pixels(HEIGHT, WIDTH)
DEEP = EIGHT_BIT.astype(np.uint16) * 257 ^ (np.arange(WIDTH, dtype=np.uint16) % 250)[:, None]
ALPHA = np.tile(np.linspace(0, 255, WIDTH).astype(np.uint8), (HEIGHT, 1))
GRAY = EIGHT_BIT[:, :, 1]
TIFF_KINDS: dict[str, tuple[NDArray[Any], dict[str, Any]]] = {
    "gray 8": (GRAY, {"photometric": "minisblack"}),
    "gray 16": (DEEP[:, :, 1], {"photometric": "minisblack"}),
    "gray, white is zero": (255 - GRAY, {"photometric": "miniswhite"}),
    "RGB 8": (EIGHT_BIT, {"photometric": "rgb"}),
    "RGB 16": (DEEP, {"photometric": "rgb"}),
    "RGB 16, big-endian": (DEEP, {"photometric": "rgb", "byteorder": ">"}),
    "RGB 8, LZW": (EIGHT_BIT, {"photometric": "rgb", "compression": "lzw"}),
    "RGB 16, LZW": (DEEP, {"photometric": "rgb", "compression": "lzw", "predictor": True}),
    "RGB 16, deflate": (DEEP, {"photometric": "rgb", "compression": "adobe_deflate"}),
    "RGB 16, tiles": (DEEP, {"photometric": "rgb", "tile": (16, 16)}),
    "RGB 16, planes apart": (
        np.moveaxis(DEEP, 2, 0).copy(),
        {"photometric": "rgb", "planarconfig": "separate"},
    ),
    "RGB 16, BigTIFF": (DEEP, {"photometric": "rgb", "bigtiff": True}),
}


@cache
def sample_files() -> dict[str, bytes]:
    """The files by what they are, all of the same picture, 24 x 40 pixels."""
    color, gray = Image.fromarray(EIGHT_BIT), Image.fromarray(GRAY)
    palette = color.quantize(200)
    transparent = Image.fromarray(np.dstack((EIGHT_BIT, ALPHA)))
    return {
        "JPEG gray": _saved(gray, "JPEG", quality=95),
        "JPEG": _saved(color, "JPEG", quality=95),
        "JPEG progressive": _saved(color, "JPEG", quality=95, progressive=True),
        "JPEG CMYK": _saved(color.convert("CMYK"), "JPEG", quality=95),
        "PNG 1": _saved(gray.point(lambda level: 255 * (level > 127), "1"), "PNG"),
        "PNG gray 2": _gray_png(2),
        "PNG gray 4": _gray_png(4),
        "PNG gray 8": _saved(gray, "PNG"),
        "PNG gray 16": bytes(imagecodecs.png_encode(DEEP[:, :, 1].copy())),
        "PNG RGB 16": bytes(imagecodecs.png_encode(DEEP)),
        "PNG RGB": _saved(color, "PNG"),
        "PNG RGBA": _saved(transparent, "PNG"),
        "PNG gray with alpha": _saved(Image.merge("LA", (gray, transparent.getchannel(3))), "PNG"),
        "PNG palette": _saved(palette, "PNG"),
        "PNG palette 2": _saved(color.quantize(4), "PNG", bits=2),
        "PNG palette 4": _saved(color.quantize(16), "PNG", bits=4),
        "PNG transparent palette": _saved(palette, "PNG", transparency=bytes(range(200))),
        "WebP": _saved(color, "WEBP", quality=95),
        "WebP lossless": _saved(transparent, "WEBP", lossless=True, exact=True),
        "AVIF": _saved(color, "AVIF", quality=95),
        "HEIC": _heic(color),
        "BMP": _saved(color, "BMP"),
        "GIF": _saved(color, "GIF"),
        "JPEG 2000": _saved(color, "JPEG2000"),
        "JPEG 2000, 16": bytes(imagecodecs.jpeg2k_encode(DEEP, level=0, codecformat="jp2")),
        "TIFF RGB 8, JPEG": _tiff(EIGHT_BIT, photometric="rgb", compression="jpeg"),
        "TIFF CMYK": _saved(color.convert("CMYK"), "TIFF"),
        "TIFF fax": _saved(gray.convert("1"), "TIFF", compression="group4"),
        "TIFF of two pages": _saved(color, "TIFF", save_all=True, append_images=[gray.copy()]),
        **{f"TIFF {kind}": _tiff(data, **more) for kind, (data, more) in TIFF_KINDS.items()},
    }


def _saved(image: Image.Image, format: str, **options: Any) -> bytes:
    return _written(lambda file: image.copy().save(file, format, **options))


def _gray_png(bits: int) -> bytes:
    """The gray picture in so few bits, which no library here writes."""
    levels = np.rint(GRAY / 255 * ((1 << bits) - 1)).astype(np.uint8)
    per_byte = 8 // bits
    shifts = np.arange(per_byte - 1, -1, -1) * bits
    packed = (levels.reshape(HEIGHT, -1, per_byte) << shifts).sum(2).astype(np.uint8)
    rows = np.hstack((np.zeros((HEIGHT, 1), np.uint8), packed))  # 0: no filter
    chunks = (
        (b"IHDR", struct.pack(">2I5B", WIDTH, HEIGHT, bits, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows.tobytes())),
        (b"IEND", b""),
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def _heic(image: Image.Image) -> bytes:
    heif = pillow_heif.from_pillow(image)
    return _written(lambda file: heif.save(file, quality=95, chroma=444))


def _tiff(pixels: NDArray[Any], **options: Any) -> bytes:
    return _written(lambda file: tifffile.imwrite(file, pixels, metadata=None, **options))


def _written(write: Callable[[io.BytesIO], object]) -> bytes:
    file = io.BytesIO()
    write(file)
    return file.getvalue()
