"""CIELAB to pixels, for photos of any size.

Colors out of gamut lose chroma; their lightness and hue stay. `color` has the same formulas for
tensors; the OpenCV calls here access memory far less often.
"""

from functools import cache
from typing import Any

import cv2
import numpy as np

from colorizer.imaging.arrays import Pixels, Plane
from colorizer.imaging.color import DELTA, WHITE, lightness_to_gray, linear_to_srgb, xyz_to_rgb
from colorizer.imaging.curves import TABLE_STEPS, look_up, tabulate_levels

GAMUT_SLACK = 1e-5  # in linear light, 0.01 of L* at black; tolerates rounding
LOWEST, HIGHEST = np.float32(-GAMUT_SLACK), np.float32(1 + GAMUT_SLACK)  # linear RGB in gamut
BISECTIONS = 7  # steps in the search for the largest chroma in gamut
# From (L*, a*, b*, 1) to the cube roots of XYZ / white, minus DELTA; CIE 15:2004
TO_ROOTS = np.array(
    [
        [1 / 116, 1 / 500, 0, 16 / 116 - DELTA],
        [1 / 116, 0, 0, 16 / 116 - DELTA],
        [1 / 116, 0, -1 / 200, 16 / 116 - DELTA],
    ],
    np.float32,
)


def compose(lightness: Plane, ab: Plane, dtype: Any = np.uint8) -> Pixels:
    """Convert lightness and ab of a band to pixels.

    Args:
        lightness: (H, W) float32 L*, 0 to 100.
        ab: (2, H, W) float32.
        dtype: uint8 or uint16.

    Returns:
        (H, W, 3) sRGB of that type.
    """
    _, linear = _mapped(lightness, ab)
    return look_up(_encoding(np.dtype(dtype)), linear)


def compose_gray(lightness: Plane, dtype: Any = np.uint8) -> Pixels:
    """Pixels without color, (H, W, 1), from (H, W) float32 L*."""
    return look_up(_gray(np.dtype(dtype)), lightness / np.float32(100))[:, :, None]


def map_to_gamut(lightness: Plane, ab: Plane) -> Plane:
    """Reduce the chroma of colors that sRGB can't show.

    Args:
        lightness: (H, W) float32 L*, 0 to 100.
        ab: (2, H, W) float32.

    Returns:
        (2, H, W) a* and b* in gamut.
    """
    lab, _ = _mapped(lightness, ab)
    return np.ascontiguousarray(lab[:, :, 1:].transpose(2, 0, 1))


def _mapped(lightness: Plane, ab: Plane) -> tuple[Plane, Plane]:
    """CIELAB (H, W, 3) with chroma reduced where needed, and its linear RGB."""
    lab = np.asarray(cv2.merge((lightness, ab[0], ab[1])), np.float32)
    linear = _linear(lab)
    channels = linear.reshape(-1)
    outside = np.flatnonzero((channels < LOWEST) | (channels > HIGHEST)) // 3
    if outside.size:
        outside = outside[np.diff(outside, prepend=-1) > 0]  # each pixel once
        colors, lights = lab.reshape(-1, 3), linear.reshape(-1, 3)
        colors[outside] = _reduce_chroma(colors[outside][None])[0]
        lights[outside] = _linear(colors[outside][None])[0]
    return lab, linear


def _linear(lab: Plane) -> Plane:
    """CIELAB (H, W, 3) to linear RGB; values outside 0 to 1 are out of gamut."""
    return _from_roots(np.asarray(cv2.transform(lab, TO_ROOTS)))


def _from_roots(roots: Plane) -> Plane:
    """Cube roots of XYZ / white, minus DELTA, to linear RGB; both (H, W, 3).

    With t a root, d = DELTA and m = max(t - d, 0), both t**3 and the line below d are
    m**2 * (m + 3d) + 3d**2 * (t - d) + d**3.
    """
    _, above = cv2.threshold(roots, 0, 0, cv2.THRESH_TOZERO)  # four times as fast as np.maximum
    xyz = np.asarray(above + np.float32(3 * DELTA), np.float32)
    xyz *= above
    xyz *= above
    cv2.scaleAdd(roots, 3 * DELTA**2, xyz, xyz)
    cv2.transform(xyz, _to_linear(), xyz)
    return xyz


def _reduce_chroma(lab: Plane) -> Plane:
    """Colors (1, n, 3) with the largest share of their chroma that is in gamut.

    The share is bisected, then interpolated: in the last interval linear RGB is nearly a line.
    """
    gray = lab * np.array((1, 0, 0), np.float32)
    start = np.asarray(cv2.transform(gray, TO_ROOTS))
    whole = np.asarray(cv2.transform(lab - gray, TO_ROOTS[:, :3]))
    share, step = np.zeros((1, lab.shape[1], 1), np.float32), np.float32(1)
    for _ in range(BISECTIONS):
        step /= np.float32(2)
        linear = _from_roots(start + (share + step) * whole)
        fits = cv2.inRange(linear, (float(LOWEST),) * 3, (float(HIGHEST),) * 3) > 0
        share += step * fits[:, :, None]
    inside, outside = (_from_roots(start + ends * whole) for ends in (share, share + step))
    excess = np.abs(outside - outside.clip(LOWEST, HIGHEST))
    excess /= np.maximum(np.abs(outside - inside), excess + np.float32(1e-12))
    share += step * (1 - excess.max(2, keepdims=True))
    return np.asarray(gray + share * (lab - gray), np.float32)


@cache
def _to_linear() -> Plane:
    """Matrix from (XYZ / white - DELTA**3, 1) to linear RGB."""
    matrix = np.array(xyz_to_rgb()) * WHITE
    return np.column_stack((matrix, matrix.sum(1) * DELTA**3)).astype(np.float32)


@cache
def _encoding(dtype: np.dtype[Any]) -> Pixels:
    """Table from linear light to sRGB levels."""
    return tabulate_levels(linear_to_srgb, TABLE_STEPS[dtype], dtype)


@cache
def _gray(dtype: np.dtype[Any]) -> Pixels:
    """Table from lightness to sRGB levels."""
    return tabulate_levels(lambda share: lightness_to_gray(100 * share), TABLE_STEPS[dtype], dtype)
