"""Skin: its colors, and the repair of patches in other colors.

Hues are CIELAB hue angles, h_ab = atan2(b*, a*), in degrees. Skin of all people lies between about
25 (flushed) and 75 (pale or tanned), at moderate chroma.
"""

import cv2
import numpy as np

from colorizer.imaging.arrays import Plane
from colorizer.imaging.curves import ramp
from colorizer.imaging.guided_filter import box_mean

SKIN_HUE = 50.0
SPARED_HUE = 57.0  # middle of the hues that are never repaired; yellow hair is among them
PATCH_RADIUS = 0.06  # of the photo's short side; wider patches than twice this stay
MAX_LIGHTNESS_DIFFERENCE = 15.0  # L* units between a patch and the skin around it


def skin_likeness(ab: Plane) -> Plane:
    """Rate how much colors (2, h, w) look like skin, by hue and chroma: (h, w), 0 to 1."""
    chroma = np.hypot(ab[0], ab[1])
    return ramp(_hue_distance(ab, SKIN_HUE), 35, 25) * ramp(chroma, 4, 10) * ramp(chroma, 60, 45)


def repair_skin(ab: Plane, lightness: Plane, amount: float) -> Plane:
    """Give patches in skin the color of the skin around them.

    No faces are detected: everything that has the hue of skin and isn't dark counts as skin, sand
    and wood, too. A pixel is repaired to the extent that it meets all of these conditions:

    * its hue is strongly red, purple, blue or green: below about 15 or above 100 degrees;
    * its chroma is low to moderate, so that red dresses and blue ribbons stay;
    * skin encloses it within `PATCH_RADIUS`, so that sky and grass beside skin stay, and a face
      that is blue all over;
    * its lightness is near that of the skin around it.

    A blue brooch as light as the skin meets all four, and wrongly loses its color.

    Args:
        ab: (2, h, w) float32.
        lightness: (h, w) float32 L*.
        amount: share of the way to the surrounding skin's mean color, 0 to 1.

    Returns:
        (2, h, w) float32.
    """
    chroma = np.hypot(ab[0], ab[1])
    lit = ramp(lightness, 20, 35)
    skin = skin_likeness(ab) * lit
    foreign = ramp(_hue_distance(ab, SPARED_HUE), 35, 50)
    foreign *= ramp(chroma, 2, 6) * ramp(chroma, 50, 30) * lit
    radius = max(1, round(PATCH_RADIUS * min(lightness.shape)))
    sums = np.dstack((skin, skin * lightness, skin * ab[0], skin * ab[1]))
    for _ in range(2):
        sums = box_mean(sums, radius)
    around = sums[:, :, 1:] / np.maximum(sums[:, :, :1], 1e-6)  # means of L*, a*, b*
    similar = ramp(
        np.abs(lightness - around[:, :, 0]), 2 * MAX_LIGHTNESS_DIFFERENCE, MAX_LIGHTNESS_DIFFERENCE
    )
    weight = np.float32(amount) * foreign * similar * _enclosed(skin, radius)
    return np.asarray(ab + weight * (around[:, :, 1:].transpose(2, 0, 1) - ab), np.float32)


def _enclosed(skin: Plane, radius: int) -> Plane:
    """Find where skin is on all sides within the radius, (h, w), 0 to 1.

    This is a morphological closing, which keeps straight borders in place.
    """
    window = np.ones((2 * radius + 1, 2 * radius + 1), np.uint8)
    closed = cv2.morphologyEx(
        box_mean(skin, 2),  # single pixels enclose nothing
        cv2.MORPH_CLOSE,
        window,
        borderType=cv2.BORDER_CONSTANT,
        borderValue=0,
    )
    return ramp(box_mean(np.asarray(closed, np.float32), 2), 0.5, 0.9)


def _hue_distance(ab: Plane, hue: float) -> Plane:
    """Degrees between h_ab and a hue, 0 to 180."""
    angle = np.degrees(np.arctan2(ab[1], ab[0])) - np.float32(hue)
    return np.asarray(np.abs((angle + 180) % 360 - 180), np.float32)
