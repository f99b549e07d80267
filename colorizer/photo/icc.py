"""ICC profiles: conversion of pixels to sRGB.

littleCMS converts them, relative colorimetric with black point compensation, the default of most
photo editors.
"""

import io
from functools import cache, lru_cache
from typing import Any

import imagecodecs
import numpy as np
from PIL import ImageCms

from colorizer.imaging.arrays import Pixels
from colorizer.imaging.bands import map_bands

COLOR_SPACES = {"GRAY": "gray", "RGB ": "rgb", "CMYK": "cmyk"}  # in profiles, in imagecodecs
CHANNELS = {"gray": 1, "rgb": 3, "cmyk": 4}
GRID_STEPS = 9  # per channel, of the grid of colors at which profiles are compared with sRGB
CREATION_TIME = slice(24, 36)  # bytes of a profile's header; ICC.1:2010, table 17


@cache
def srgb_profile() -> bytes:
    """Return littleCMS's sRGB profile, without its creation time."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    profile[CREATION_TIME] = bytes(12)
    return bytes(profile)


def to_srgb(pixels: Pixels, profile: bytes) -> Pixels | None:
    """Convert pixels to sRGB.

    Args:
        pixels: uint8 or uint16 (H, W, C), with one channel of gray, three of RGB or four of CMYK.
        profile: the pixels' ICC profile.

    Returns:
        (H, W, 1) of gray, else (H, W, 3), of the same type; None if the profile is damaged or of
        another color space.
    """
    space = color_space(profile)
    if space is None or pixels.shape[2] != CHANNELS[space]:
        return None
    try:
        if space == "gray":
            levels = np.arange(1 << 16, dtype=np.uint16)[None, :, None]
            table = _transform(levels, profile, space)[0, :, 1]
            if pixels.dtype == np.uint8:
                table = np.rint(table[::257] / 257).astype(np.uint8)
            return np.asarray(table.take(pixels))
        if space == "rgb" and _is_srgb(profile):
            return pixels
        converted = np.empty((*pixels.shape[:2], 3), pixels.dtype)

        def convert(rows: slice) -> None:
            converted[rows] = _transform(pixels[rows], profile, space)

        map_bands(convert, pixels.shape[:2])
        return converted
    except (RuntimeError, ValueError):  # of littleCMS
        return None


def color_space(profile: bytes) -> str | None:
    """Return "gray", "rgb" or "cmyk"; None for a damaged profile or one of another kind."""
    try:
        return COLOR_SPACES.get(ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile.xcolor_space)
    except (OSError, ImageCms.PyCMSError):
        return None


@lru_cache(maxsize=16)
def _is_srgb(profile: bytes) -> bool:
    """Check whether a profile changes no 8-bit level by more than one."""
    steps = np.linspace(0, 65535, GRID_STEPS).astype(np.uint16)
    cube = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(1, -1, 3)
    change = _transform(cube, profile, "rgb").astype(np.int32) - cube
    return bool(np.abs(change).max() <= 257)


def _transform(pixels: Pixels, profile: bytes, space: str) -> Any:
    flags = int(imagecodecs.CMS.FLAGS.BLACKPOINTCOMPENSATION)
    if pixels.dtype == np.uint16:  # littleCMS's tables are off by several percent near black
        flags |= imagecodecs.CMS.FLAGS.NOOPTIMIZE
    return imagecodecs.cms_transform(
        np.ascontiguousarray(pixels if space != "gray" else pixels[:, :, 0]),
        profile,
        srgb_profile(),
        colorspace=space,
        outcolorspace="rgb",
        intent=imagecodecs.CMS.INTENT.RELATIVE_COLORIMETRIC,
        flags=flags,
    )
