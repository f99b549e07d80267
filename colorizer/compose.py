"""Pixels from CIELAB for photos of any size.

What `colorizer.color.lab_to_rgb_in_gamut` computes, several times as fast: OpenCV passes through
memory a few times where elementwise tensors pass dozens of times.
"""

from functools import cache

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from colorizer.bands import Plane
from colorizer.color import (
    DELTA,
    GAMUT_SLACK,
    WHITE,
    lightness_to_gray,
    linear_to_srgb,
    xyz_to_rgb,
)

Pixels = NDArray[np.uint8]

LOWEST, HIGHEST = (-GAMUT_SLACK,) * 3, (1 + GAMUT_SLACK,) * 3  # linear RGB that counts as in gamut
STEPS = 12  # of the bisection of the chroma of colors out of gamut
LINEAR_STEPS = 65535  # of linear light; the smallest 8-bit level spans 20 of them
# From (L*, a*, b*, 1) to the cube roots of XYZ over the white; CIE 15:2004
TO_ROOTS = np.array(
    [[1 / 116, 1 / 500, 0, 16 / 116], [1 / 116, 0, 0, 16 / 116], [1 / 116, 0, -1 / 200, 16 / 116]],
    np.float32,
)


def compose(lightness: Plane, ab: Plane) -> Pixels:
    """Pixels of a band of a photo. Colors out of gamut lose chroma, at constant L* and hue.

    Args:
        lightness: (H, W) float32 L*, 0 to 100.
        ab: (2, H, W) float32.

    Returns:
        uint8 (H, W, 3) sRGB.
    """
    lab = np.asarray(cv2.merge((lightness, ab[0], ab[1])), np.float32)
    linear = _linear(lab)
    inside = cv2.inRange(linear, LOWEST, HIGHEST)
    if cv2.countNonZero(inside) < inside.size:
        outside = inside == 0
        linear[outside] = _linear(_reduce_chroma(lab[outside][None]))[0]
    scale = np.full(4, LINEAR_STEPS, np.float64)
    steps = cv2.multiply(linear, scale, dtype=cv2.CV_16U)  # rounds and saturates
    return np.asarray(_encoding().take(np.asarray(steps, np.uint16)))


def compose_gray(lightness: Plane) -> Pixels:
    """Pixels without color, uint8 (H, W, 1), from (H, W) float32 L*."""
    gray = lightness_to_gray(torch.from_numpy(lightness))
    return np.asarray((gray * 255).round_().byte().numpy()[:, :, None])


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
def _encoding() -> Pixels:
    """8-bit sRGB of each step of linear light."""
    linear = torch.linspace(0, 1, LINEAR_STEPS + 1, dtype=torch.float64)
    return (linear_to_srgb(linear) * 255).round().byte().numpy()
