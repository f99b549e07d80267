"""Add an old photo's flaws to a crop, with OpenCV."""

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from train.data.flaws import ABSENT, DRAWS, Flaws

Gray = NDArray[np.uint8]  # (H, W) sRGB gray values
Floats = NDArray[np.floating[Any]]

SUBPIXEL_BITS = 4  # of the coordinates that OpenCV draws with
LEVELS = np.arange(256) / 255


def degrade(gray: Gray, flaws: Flaws) -> Gray:
    """Make a photo look old.

    Args:
        gray: (H, W) uint8, sRGB gray values; it is not changed.
        flaws: as drawn for a photo of this size.

    Returns:
        (H, W) uint8; `gray` itself if there are no flaws.
    """
    for name, parameters in flaws.items():
        gray = FLAWS[name](gray, **parameters)
    return gray


def add_flaw(gray: Gray, name: str, random: np.random.Generator) -> Gray:
    """Draw one of the flaws and add it."""
    return FLAWS[name](gray, **DRAWS[name](gray.shape, random))


def blur(gray: Gray, sigma: float) -> Gray:
    """An unsharp lens: a Gaussian blur."""
    return np.asarray(cv2.GaussianBlur(gray, (0, 0), sigma), np.uint8)


def vignette(gray: Gray, corner: float) -> Gray:
    """Darken the corners by the cos^4 law of lenses, to this share of their brightness."""
    y, x = (np.linspace(-1, 1, size, dtype=np.float32) for size in gray.shape)
    tangent = (corner**-0.5 - 1) * (x**2 + y[:, None] ** 2) / 2  # squared
    return _round(gray / (1 + tangent) ** 2)


def grain(gray: Gray, noise: Floats, sigma: float, strength: float) -> Gray:
    """Add film grain, which is slightly correlated noise.

    The number of grains at a point has a binomial distribution, so the noise is strongest in the
    midtones and absent in black and white.
    """
    kernel = cv2.getGaussianKernel(5, sigma, cv2.CV_32F)
    kernel = kernel / np.linalg.norm(kernel)  # keeps the variance
    grains = cv2.sepFilter2D(noise, -1, kernel, kernel)
    spread = strength * np.sqrt(4 * LEVELS * (1 - LEVELS))
    return _round(gray + cv2.LUT(gray, spread.astype(np.float32)) * grains)


def gamma(gray: Gray, power: float) -> Gray:
    """An exposure or a print that is lighter or darker: the gray value to a power."""
    return np.asarray(cv2.LUT(gray, _round(255 * LEVELS**power)), np.uint8)


def fading(gray: Gray, black: float, white: float) -> Gray:
    """A bleached print on yellowed paper: black becomes lighter and white darker."""
    return np.asarray(cv2.LUT(gray, _round(255 * (black + (white - black) * LEVELS))), np.uint8)


def dust(
    gray: Gray,
    scratches: Floats,
    scratch_levels: Floats,
    opacity: float,
    specks: Floats,
    speck_levels: Floats,
) -> Gray:
    """Light and dark specks, and thin, nearly straight scratches."""
    scratched = gray.copy()
    for points, level in zip(scratches, scratch_levels, strict=True):
        if level != ABSENT:
            cv2.polylines(
                scratched, [_subpixels(points)], False, level, 1, cv2.LINE_AA, SUBPIXEL_BITS
            )
    marked = cv2.addWeighted(scratched, opacity, gray, 1 - opacity, 0)
    for speck, level in zip(specks, speck_levels, strict=True):
        if level != ABSENT:
            center, axes = _subpixels(speck[:4].reshape(2, 2))
            cv2.ellipse(
                marked, center, axes, speck[4], 0, 360, level, cv2.FILLED, cv2.LINE_AA,
                SUBPIXEL_BITS,
            )  # fmt: skip
    return np.asarray(marked, np.uint8)


def jpeg(gray: Gray, quality: int) -> Gray:
    """The blocks and ringing of a small JPEG file."""
    _, file = cv2.imencode(".jpg", gray, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), np.uint8)


def _subpixels(points: Floats) -> NDArray[np.int32]:
    return np.asarray(np.rint(points * 2**SUBPIXEL_BITS), np.int32)


def _round(levels: NDArray[Any]) -> Gray:
    return np.asarray(np.rint(levels).clip(0, 255), np.uint8)


FLAWS: Mapping[str, Callable[..., Gray]] = {
    "blur": blur,
    "vignette": vignette,
    "grain": grain,
    "gamma": gamma,
    "fading": fading,
    "dust": dust,
    "jpeg": jpeg,
}
