"""What is done to a crop before it is learned from: an old photo's flaws."""

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from train.settings.config import TrainConfig

Gray = NDArray[np.uint8]  # (H, W) sRGB gray values

BLUR_SIGMA = (0.3, 1.5)  # pixels
CORNER_BRIGHTNESS = (0.4, 0.85)  # of the gray value in the center
GRAIN_STRENGTH = (3.0, 11.0)  # gray levels of 255, standard deviation in the midtones
GRAIN_SIGMA = (0.4, 0.8)  # pixels, of the blur that makes grains out of noise
GAMMA_LOG = 0.3  # powers go from exp(-0.3) to exp(0.3)
FADED_RANGE = 0.25  # of 0 to 1: how far black rises and white falls at most
SPECKS = (2, 9)  # per crop
SPECK_RADIUS = (0.3, 1.1)  # pixels
SCRATCHES = (0, 3)  # per crop
SCRATCH_LENGTH = (0.3, 1.2)  # of the crop's longer side
SCRATCH_BEND = 0.01  # of its length, how far its middle is from straight
SCRATCH_OPACITY = (0.15, 0.5)
JPEG_QUALITY = (20, 75)  # libjpeg's scale, 0 to 100

SUBPIXEL_BITS = 4  # of the coordinates that OpenCV draws with
LEVELS = np.arange(256) / 255


def degrade(gray: Gray, config: TrainConfig, random: np.random.Generator) -> Gray:
    """Make a photo look old.

    Each flaw is drawn with its probability, in the order of lens, film, age and scanner.

    Args:
        gray: (H, W) uint8, sRGB gray values; it is not changed.
        config: the probabilities, `degrade_*`.
        random: the only source of chance, so that equal generators give equal photos.

    Returns:
        (H, W) uint8; `gray` itself if no flaw was drawn.
    """
    flaws = (
        (config.degrade_blur, blur),
        (config.degrade_vignette, vignette),
        (config.degrade_grain, grain),
        (config.degrade_gamma, gamma),
        (config.degrade_fading, fading),
        (config.degrade_dust, dust),
        (config.degrade_jpeg, jpeg),
    )
    for probability, flaw in flaws:
        if random.random() < probability:
            gray = flaw(gray, random)
    return gray


def blur(gray: Gray, random: np.random.Generator) -> Gray:
    """An unsharp lens: a Gaussian blur."""
    return np.asarray(cv2.GaussianBlur(gray, (0, 0), random.uniform(*BLUR_SIGMA)), np.uint8)


def vignette(gray: Gray, random: np.random.Generator) -> Gray:
    """Darken the corners by the cos^4 law of lenses; the corners' brightness is drawn."""
    corner = random.uniform(*CORNER_BRIGHTNESS)
    y, x = (np.linspace(-1, 1, size, dtype=np.float32) for size in gray.shape)
    tangent = (corner**-0.5 - 1) * (x**2 + y[:, None] ** 2) / 2  # squared
    return _round(gray / (1 + tangent) ** 2)


def grain(gray: Gray, random: np.random.Generator) -> Gray:
    """Add film grain, which is slightly correlated noise.

    The number of grains at a point has a binomial distribution, so the noise is strongest in the
    midtones and absent in black and white.
    """
    noise = random.standard_normal(gray.shape, dtype=np.float32)
    kernel = cv2.getGaussianKernel(5, random.uniform(*GRAIN_SIGMA), cv2.CV_32F)
    kernel = kernel / np.linalg.norm(kernel)  # keeps the variance
    grains = cv2.sepFilter2D(noise, -1, kernel, kernel)
    strength = random.uniform(*GRAIN_STRENGTH) * np.sqrt(4 * LEVELS * (1 - LEVELS))
    return _round(gray + cv2.LUT(gray, strength.astype(np.float32)) * grains)


def gamma(gray: Gray, random: np.random.Generator) -> Gray:
    """An exposure or a print that is lighter or darker: the gray value to a random power."""
    power = np.exp(random.uniform(-GAMMA_LOG, GAMMA_LOG))
    return np.asarray(cv2.LUT(gray, _round(255 * LEVELS**power)), np.uint8)


def fading(gray: Gray, random: np.random.Generator) -> Gray:
    """A bleached print on yellowed paper: black becomes lighter and white darker."""
    black, white = random.uniform(0, FADED_RANGE), 1 - random.uniform(0, FADED_RANGE)
    return np.asarray(cv2.LUT(gray, _round(255 * (black + (white - black) * LEVELS))), np.uint8)


def dust(gray: Gray, random: np.random.Generator) -> Gray:
    """Light and dark specks, and thin, nearly straight scratches."""
    size = np.array(gray.shape[::-1])
    scratched = gray.copy()
    for _ in range(random.integers(*SCRATCHES, endpoint=True)):
        angle = random.uniform(0, np.pi)
        along = np.array([np.cos(angle), np.sin(angle)])
        reach = random.uniform(*SCRATCH_LENGTH) * size.max() / 2 * along
        middle = random.uniform(0, size)
        bend = random.uniform(-SCRATCH_BEND, SCRATCH_BEND) * 2 * reach[::-1] * (1, -1)
        points = _subpixels([middle - reach, middle + bend, middle + reach])
        level = _light_or_dark(random)
        cv2.polylines(scratched, [points], False, level, 1, cv2.LINE_AA, SUBPIXEL_BITS)
    opacity = random.uniform(*SCRATCH_OPACITY)
    marked = cv2.addWeighted(scratched, opacity, gray, 1 - opacity, 0)
    for _ in range(random.integers(*SPECKS, endpoint=True)):
        center, axes = _subpixels([random.uniform(0, size), random.uniform(*SPECK_RADIUS, 2)])
        angle, level = random.uniform(0, 180), _light_or_dark(random)
        cv2.ellipse(
            marked, center, axes, angle, 0, 360, level, cv2.FILLED, cv2.LINE_AA, SUBPIXEL_BITS
        )
    return np.asarray(marked, np.uint8)


def jpeg(gray: Gray, random: np.random.Generator) -> Gray:
    """The blocks and ringing of a small JPEG file."""
    quality = int(random.integers(*JPEG_QUALITY, endpoint=True))
    _, file = cv2.imencode(".jpg", gray, (cv2.IMWRITE_JPEG_QUALITY, quality))
    return np.asarray(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE), np.uint8)


def _light_or_dark(random: np.random.Generator) -> int:
    return int(random.choice((random.integers(0, 70), random.integers(190, 256))))


def _subpixels(points: list[NDArray[np.float64]]) -> NDArray[np.int32]:
    return np.asarray(np.rint(np.array(points) * 2**SUBPIXEL_BITS), np.int32)


def _round(levels: NDArray[Any]) -> Gray:
    return np.asarray(np.rint(levels).clip(0, 255), np.uint8)
