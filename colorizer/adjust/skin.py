"""Skin: which colors it has, and the repair of patches in it that have others.

Hues are CIELAB hue angles, h_ab = atan2(b*, a*), in degrees. Skin of all people lies between about
25 (flushed) and 75 (pale or tanned), at moderate chroma.
"""

import cv2
import numpy as np

from colorizer.imaging.arrays import Plane
from colorizer.imaging.curves import ramp
from colorizer.imaging.guided_filter import box_mean

SKIN_HUE = 50.0
FOREIGN_HUE = 57.0  # the middle of what is left alone: yellow, as of hair, is nearer than purple
PATCH = 0.06  # of the photo's short side: larger patches than twice this are left alone
LIGHTNESS_STEP = 15.0  # L* units between a patch and the skin around it


def skin_likeness(ab: Plane) -> Plane:
    """How much colors (2, h, w) are those of skin, by hue and chroma: (h, w), 0 to 1."""
    chroma = np.hypot(ab[0], ab[1])
    return ramp(_hue_distance(ab, SKIN_HUE), 35, 25) * ramp(chroma, 4, 10) * ramp(chroma, 60, 45)


def repair_skin(ab: Plane, lightness: Plane, amount: float) -> Plane:
    """Give patches in skin the color of the skin around them.

    This knows no faces: skin is what has skin's hue and isn't dark, so sand and wood are skin, too.
    A pixel is repaired as far as all of this is so:

    * its hue is strongly red, purple, blue or green: below about 15 or above 100 degrees;
    * its chroma is low to moderate, so that red dresses and blue ribbons stay;
    * skin encloses it, within `PATCH` of the short side: sky and grass beside skin stay, and so
      does a face that is blue all over;
    * its lightness is near that of the skin around it.

    What meets all four, as a blue brooch of skin's lightness, loses its color wrongly.

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
    foreign = ramp(_hue_distance(ab, FOREIGN_HUE), 35, 50)
    foreign *= ramp(chroma, 2, 6) * ramp(chroma, 50, 30) * lit
    radius = max(1, round(PATCH * min(lightness.shape)))
    sums = np.dstack((skin, skin * lightness, skin * ab[0], skin * ab[1]))
    for _ in range(2):
        sums = box_mean(sums, radius)
    around = sums[:, :, 1:] / np.maximum(sums[:, :, :1], 1e-6)  # means of L*, a*, b*
    similar = ramp(np.abs(lightness - around[:, :, 0]), 2 * LIGHTNESS_STEP, LIGHTNESS_STEP)
    weight = np.float32(amount) * foreign * similar * _enclosed(skin, radius)
    return np.asarray(ab + weight * (around[:, :, 1:].transpose(2, 0, 1) - ab), np.float32)


def _enclosed(skin: Plane, radius: int) -> Plane:
    """Return where skin is on all sides within the radius, (h, w), 0 to 1.

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
