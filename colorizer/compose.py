"""Pixels from CIELAB for photos of any size; colors out of gamut lose chroma, at constant lightness
and hue.

OpenCV passes through memory a few times where elementwise tensors, as in `colorizer.color`, pass
dozens of times.
"""

from functools import cache
from typing import Any

import cv2
import numpy as np
import torch

from colorizer.bands import Plane
from colorizer.color import DELTA, WHITE, lightness_to_gray, linear_to_srgb, xyz_to_rgb
from colorizer.profiles import Pixels

GAMUT_SLACK = 1e-5  # of linear light, 0.01 of L* at black: rounding is not out of gamut
LOWEST, HIGHEST = (-GAMUT_SLACK,) * 3, (1 + GAMUT_SLACK,) * 3  # linear RGB that counts as in gamut
STEPS = 12  # of the bisection of the chroma of colors out of gamut
# Of linear light, by the type of the pixels; at black a level spans 20, and 1.2, of them
LINEAR_STEPS = {np.dtype(np.uint8): (1 << 16) - 1, np.dtype(np.uint16): 1 << 20}
# From (L*, a*, b*, 1) to the cube roots of XYZ over the white; CIE 15:2004
TO_ROOTS = np.array(
    [[1 / 116, 1 / 500, 0, 16 / 116], [1 / 116, 0, 0, 16 / 116], [1 / 116, 0, -1 / 200, 16 / 116]],
    np.float32,
)


def compose(lightness: Plane, ab: Plane, dtype: Any = np.uint8) -> Pixels:
    """Pixels of a band of a photo.

    Args:
        lightness: (H, W) float32 L*, 0 to 100.
        ab: (2, H, W) float32.
        dtype: uint8 or uint16.

    Returns:
        (H, W, 3) sRGB of that type.
    """
    _, linear = _fit(lightness, ab)
    dtype = np.dtype(dtype)
    highest = LINEAR_STEPS[dtype]
    if dtype == np.uint8:
        scaled = cv2.multiply(linear, np.full(4, highest, np.float64), dtype=cv2.CV_16U)
        steps = np.asarray(scaled, np.uint16)  # rounded and saturated
    else:
        linear *= np.float32(highest)
        steps = np.rint(linear, out=linear).clip(0, highest).astype(np.int32)
    return np.asarray(_encoding(dtype).take(steps))


def compose_gray(lightness: Plane, dtype: Any = np.uint8) -> Pixels:
    """Pixels without color, (H, W, 1), from (H, W) float32 L*."""
    levels = lightness_to_gray(torch.from_numpy(lightness)).numpy() * np.iinfo(dtype).max
    return np.asarray(np.rint(levels).astype(dtype)[:, :, None])


def in_gamut(lightness: Plane, ab: Plane) -> Plane:
    """The colors that sRGB shows instead: (2, H, W) a* and b*, of less chroma where they must.

    Args:
        lightness: (H, W) float32 L*, 0 to 100.
        ab: (2, H, W) float32.
    """
    lab, _ = _fit(lightness, ab)
    return np.ascontiguousarray(lab[:, :, 1:].transpose(2, 0, 1))


def _fit(lightness: Plane, ab: Plane) -> tuple[Plane, Plane]:
    """CIELAB (H, W, 3) with its chroma reduced where it must, and its linear RGB."""
    lab = np.asarray(cv2.merge((lightness, ab[0], ab[1])), np.float32)
    linear = _linear(lab)
    inside = cv2.inRange(linear, LOWEST, HIGHEST)
    if cv2.countNonZero(inside) < inside.size:
        outside = inside == 0
        reduced = _reduce_chroma(lab[outside][None])
        lab[outside], linear[outside] = reduced[0], _linear(reduced)[0]
    return lab, linear


def _linear(lab: Plane) -> Plane:
    """CIELAB (H, W, 3) to linear RGB; beyond 0 to 1 is out of gamut."""
    roots = cv2.transform(lab, TO_ROOTS)
    xyz = roots * roots
    xyz *= roots
    if roots.min() <= DELTA:
        line = (roots - np.float32(4 / 29)) * np.float32(3 * DELTA**2)
        np.copyto(xyz, line, where=roots <= np.float32(DELTA))
    return np.asarray(cv2.transform(xyz, _to_linear()))


def _reduce_chroma(lab: Plane) -> Plane:
    """Bisect for the largest share of each color's chroma that is inside the gamut; (1, n, 3)."""
    reduced, share, step = lab.copy(), np.zeros((1, lab.shape[1], 1), np.float32), np.float32(0.5)
    for _ in range(STEPS):
        reduced[:, :, 1:] = lab[:, :, 1:] * (share + step)
        fits = cv2.inRange(_linear(reduced), LOWEST, HIGHEST) > 0
        share += step * fits[:, :, None]
        step /= np.float32(2)
    reduced[:, :, 1:] = lab[:, :, 1:] * share
    return reduced


@cache
def _to_linear() -> Plane:
    """From XYZ over the white to linear RGB."""
    return np.array(xyz_to_rgb(), np.float32) * np.array(WHITE, np.float32)


@cache
def _encoding(dtype: np.dtype[Any]) -> Pixels:
    """sRGB of each step of linear light."""
    linear = torch.linspace(0, 1, LINEAR_STEPS[dtype] + 1, dtype=torch.float64)
    levels = linear_to_srgb(linear).numpy() * np.iinfo(dtype).max
    return np.asarray(np.rint(levels).astype(dtype))
