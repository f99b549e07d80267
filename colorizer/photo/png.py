"""PNG files: checked before they are decoded, and what their chunks say about color.

Chunks are those of the PNG specification, third edition, section 11.
"""

import struct
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorizer.photo.limits import (
    MAX_METADATA_BYTES,
    PNG_CHUNKS,
    PNG_TEXT_BYTES,
    check_count,
)
from colorizer.photo.raster import Raster

SIGNATURE = b"\x89PNG\r\n\x1a\n"
METADATA_CHUNKS = (b"tEXt", b"zTXt", b"iTXt", b"eXIf", b"iCCP")
UNPACKED_STEP = 1 << 20  # bytes
SRGB_GAMMA = 45455  # of gAMA, in 1/100,000; stands for the curve of sRGB
GAMMA_TOLERANCE = 100
CURVE_STEPS = 4096
# Primaries of ITU-T H.273, table 2: x and y of red, green, blue, and of the white
D65 = (0.3127, 0.329)
PRIMARIES: Mapping[int, tuple[tuple[float, ...], tuple[float, float]]] = {
    1: ((0.64, 0.33, 0.3, 0.6, 0.15, 0.06), D65),  # BT.709 and sRGB
    5: ((0.64, 0.33, 0.29, 0.6, 0.15, 0.06), D65),  # BT.601 with 625 lines
    6: ((0.63, 0.34, 0.31, 0.595, 0.155, 0.07), D65),  # BT.601 with 525 lines
    9: ((0.708, 0.292, 0.17, 0.797, 0.131, 0.046), D65),  # BT.2020
    12: ((0.68, 0.32, 0.265, 0.69, 0.15, 0.06), D65),  # Display P3
}
GAMMAS = {4: 2.2, 5: 2.8, 8: 1.0}  # of table 3
SRGB_CURVES = (1, 6, 13, 14, 15)  # BT.709 and its kin are shown with sRGB's curve
UNUSABLE_PROFILE = b"cICP"  # a profile that can't be used


@dataclass(frozen=True)
class Png:
    """A PNG file whose chunks have been checked.

    Attributes:
        data: the file without metadata that is too large.
        bits: per channel.
        color_type: as in IHDR.
        chunks: the short chunks before the pixels.
        oversized: whether metadata was left out.
    """

    data: bytes
    bits: int
    color_type: int
    chunks: Mapping[bytes, bytes]
    oversized: bool = False


def check_png(data: bytes) -> Png:
    """Read the header of a PNG, count all chunks, and leave out metadata that is too large.

    Raises:
        UnsupportedError: it has too many chunks.
    """
    chunks: dict[bytes, bytes] = {}
    position, count, pixels_seen = len(SIGNATURE), 0, False
    limit = PNG_CHUNKS + len(data) // 1024
    room, kept, start = MAX_METADATA_BYTES, list[bytes](), 0
    while position + 8 <= len(data):
        count += 1
        if count > limit:
            check_count(count, limit, "chunks")
        length, kind = struct.unpack_from(">I4s", data, position)
        pixels_seen |= kind == b"IDAT"
        if not pixels_seen and length <= 256:
            chunks.setdefault(kind, data[position + 8 : position + 8 + length])
        end = position + 12 + length
        if kind in METADATA_CHUNKS:
            fits = length <= room
            if fits:
                unpacked = _unpacked_bytes(kind, data[position + 8 : end - 4])
                fits = unpacked <= PNG_TEXT_BYTES
                room -= min(room, max(length, unpacked))
            if not fits:
                kept.append(data[start:position])
                start = end
        position = end
    header = chunks.get(b"IHDR", b"").ljust(13, b"\0")
    data = b"".join((*kept, data[start:])) if kept else data
    return Png(data, header[8], header[9], chunks, bool(kept))


def _unpacked_bytes(kind: bytes, content: bytes) -> int:
    """Bytes of a compressed text or profile, counted to just above the limit; else 0.

    Up to a damaged place, unpacking takes as long as without the damage, so this counts.
    """
    _, _, text = content.partition(b"\0")
    if kind == b"iTXt" and text[:1] == b"\1":  # a method, a language, a translated keyword follow
        packed = text[2:].split(b"\0", 2)[-1]
    elif kind in (b"zTXt", b"iCCP"):
        packed = text[1:]
    else:
        return 0
    unpacker, count = zlib.decompressobj(), 0
    while packed and count <= PNG_TEXT_BYTES:
        try:
            count += len(unpacker.decompress(packed, UNPACKED_STEP))
        except zlib.error:  # Pillow decides what to make of damage
            return count + UNPACKED_STEP
        packed = unpacker.unconsumed_tail
    return count


def color_profile(png: Png, gray: bool) -> bytes:
    """An ICC profile for what cICP, sRGB, gAMA and cHRM say; empty for sRGB.

    Like browsers, this takes cICP, else sRGB, else gAMA and cHRM; an embedded ICC profile comes
    before all of them.

    Args:
        png: the header.
        gray: whether the pixels have one channel.
    """
    if code := png.chunks.get(b"cICP"):
        primaries, transfer = code[:1], code[1:2]
        if len(code) != 4 or primaries[0] not in PRIMARIES or code[2:] != b"\0\1":
            return UNUSABLE_PROFILE
        if transfer[0] in SRGB_CURVES:
            return b"" if primaries[0] == 1 else _profile(PRIMARIES[primaries[0]], None, gray)
        if transfer[0] not in GAMMAS:  # PQ, HLG: more light than a screen shows
            return UNUSABLE_PROFILE
        return _profile(PRIMARIES[primaries[0]], GAMMAS[transfer[0]], gray)
    if b"sRGB" in png.chunks:
        return b""
    stated = int.from_bytes(png.chunks.get(b"gAMA", b""))
    places = png.chunks.get(b"cHRM", b"")
    srgb_curve = not stated or abs(stated - SRGB_GAMMA) <= GAMMA_TOLERANCE
    gamma = None if srgb_curve else 100_000 / stated
    if not stated or len(places) != 32:  # without gAMA, browsers ignore cHRM
        return b"" if gamma is None else _profile(PRIMARIES[1], gamma, gray)
    numbers = [value / 100_000 for value in struct.unpack(">8I", places)]
    if gray and gamma is None:
        return b""
    return _profile((tuple(numbers[2:]), (numbers[0], numbers[1])), gamma, gray)


def _profile(
    primaries: tuple[tuple[float, ...], tuple[float, float]], gamma: float | None, gray: bool
) -> bytes:
    """An ICC profile of primaries, white and gamma; None stands for the curve of sRGB."""
    curve: dict[str, Any] = {"gamma": gamma}
    if gamma is None:
        srgb = np.linspace(0, 1, CURVE_STEPS)  # decoded as IEC 61966-2-1 says
        light = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
        curve = {"transferfunction": np.rint(light * 65535).astype(np.uint16)}
    try:
        if gray:
            return bytes(imagecodecs.cms_profile("gray", whitepoint=(*D65, 1.0), **curve))
        corners, white = primaries
        points = [*corners[:2], 1.0, *corners[2:4], 1.0, *corners[4:], 1.0]
        return bytes(
            imagecodecs.cms_profile("rgb", whitepoint=(*white, 1.0), primaries=points, **curve)
        )
    except (ValueError, RuntimeError):  # numbers that are no colors
        return UNUSABLE_PROFILE


def scale_transparent_level(image: Image.Image, png: Png) -> None:
    """Let the gray level that stands for transparency fit the 8 bits that Pillow makes of fewer."""
    key = image.info.get("transparency")
    if png.color_type == 0 and png.bits < 8 and isinstance(key, int):
        image.info["transparency"] = key * 255 // ((1 << png.bits) - 1)


def read_deep_png(data: bytes, key: Any) -> Raster:
    """Decode a PNG of 16 bits per channel.

    Args:
        data: the file.
        key: the level or levels that stand for transparency, or None.
    """
    pixels: NDArray[Any] = imagecodecs.png_decode(data)
    pixels = pixels.reshape(*pixels.shape[:2], -1)
    if pixels.shape[2] in (2, 4):
        return Raster(pixels[:, :, :-1], pixels[:, :, -1])
    if key is None:
        return Raster(pixels)
    return Raster(pixels, (pixels != np.array(key, np.uint16)).any(2) * np.uint16(65535))
