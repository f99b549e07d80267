"""Where two registered lightness planes show the same: local correlation and a common tone curve.

All planes are (h, w) float32 L*.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from colorizer.imaging.arrays import Plane

SIGMAS = (3.0, 8.0)  # pixels: of the windows in which correlation is measured
NOISE = 2.0  # L* units: contrast below it may be noise
TEXTURE = 5.0  # L* units: standard deviation in a window that has texture
TONE_LEVELS = 24  # of the tone curve
TONE_TOLERANCE = 9.0  # L* units from the common tone curve
BELIEVED = (0.35, 0.75)  # ramp of agreement
CLOSING = 13  # pixels: gaps between rejected parts that are rejected, too

Mask = NDArray[np.bool_]


def structure(photo: Plane, seen: Plane, inside: Mask, sigma: float = SIGMAS[0]) -> Plane:
    """Correlation in Gaussian windows, -1 to 1, of whatever is not noise."""
    weight = np.maximum(_blur(inside.astype(np.float32), sigma), 1e-3)

    def mean(plane: Plane) -> Plane:
        return np.asarray(_blur(plane * inside, sigma) / weight, np.float32)

    one, other = mean(photo), mean(seen)
    covariance = mean(photo * seen) - one * other
    noise = np.float32(NOISE**2)  # two flat parts correlate, a flat and a textured one don't
    product = (mean(photo**2) - one**2 + noise) * (mean(seen**2) - other**2 + noise)
    return np.asarray((covariance + noise) / np.sqrt(product.clip(1e-3)), np.float32)


def textured(photo: Plane) -> Mask:
    """Where a photo has texture, which a chance match would not have."""
    mean = _blur(photo, SIGMAS[0])
    return np.asarray(_blur(photo**2, SIGMAS[0]) - mean**2 > TEXTURE**2)


def agreement(photo: Plane, seen: Plane, inside: Mask) -> Plane:
    """How far what is seen of a picture shows the same as the photo, 0 to 1.

    Args:
        photo: of the photo.
        seen: of the picture, registered.
        inside: where the picture is known.
    """
    correlation = np.minimum.reduce([structure(photo, seen, inside, sigma) for sigma in SIGMAS])
    sure = inside & (correlation > BELIEVED[1])
    off = _blur(photo - _toned(photo, seen, sure if sure.any() else inside), 2.0)
    tone = np.exp(-((off / TONE_TOLERANCE) ** 2))
    low, high = BELIEVED
    ramp = ((correlation * tone - low) / (high - low)).clip(0, 1)
    believed = np.asarray(ramp * inside, np.float32)
    window = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (CLOSING, CLOSING))
    opened = np.asarray(cv2.morphologyEx(believed, cv2.MORPH_OPEN, window), np.float32)
    return np.asarray(np.minimum(believed, _blur(opened, 1.5)), np.float32)


def _toned(photo: Plane, seen: Plane, where: Mask) -> Plane:
    """What is seen, with the monotone tone curve that brings it closest to the photo."""
    levels = (seen * (TONE_LEVELS / 100)).clip(0, TONE_LEVELS - 1).astype(np.intp)
    count = np.bincount(levels[where], minlength=TONE_LEVELS).astype(np.float64)
    total = np.bincount(levels[where], photo[where], TONE_LEVELS)
    known = count > 0
    centers = (np.arange(TONE_LEVELS) + 0.5) * 100 / TONE_LEVELS
    curve = np.maximum.accumulate(total[known] / count[known])
    return np.asarray(np.interp(seen, centers[known], curve), np.float32)


def _blur(plane: Plane, sigma: float) -> Plane:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), sigma), np.float32)
