"""An old photo's flaws, drawn by chance: which ones a crop gets, and their parameters.

`augment` adds them to one crop with OpenCV, `device_augment` to a batch with torch. Both have a
function for each flaw, with its name and its parameters.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from train.settings.config import TrainConfig

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

ABSENT = -1  # gray level of a scratch or speck that is not there

Parameters = dict[str, Any]  # numbers, and arrays of a shape that all crops of a size share
Flaws = dict[str, Parameters]  # by name, in the order in which they are added
Shape = tuple[int, ...]  # (height, width)


def draw_flaws(shape: Shape, config: TrainConfig, random: np.random.Generator) -> Flaws:
    """Draw each flaw with its probability, in the order of lens, film, age and scanner.

    Args:
        shape: (height, width) of the crop.
        config: the probabilities, `degrade_*`.
        random: the only source of chance, so that equal generators give equal flaws.
    """
    return {
        name: draw(shape, random)
        for name, draw in DRAWS.items()
        if random.random() < getattr(config, f"degrade_{name}")
    }


def _blur(shape: Shape, random: np.random.Generator) -> Parameters:
    return {"sigma": random.uniform(*BLUR_SIGMA)}


def _vignette(shape: Shape, random: np.random.Generator) -> Parameters:
    return {"corner": random.uniform(*CORNER_BRIGHTNESS)}


def _grain(shape: Shape, random: np.random.Generator) -> Parameters:
    return {
        "noise": random.standard_normal(shape, dtype=np.float32),
        "sigma": random.uniform(*GRAIN_SIGMA),
        "strength": random.uniform(*GRAIN_STRENGTH),
    }


def _gamma(shape: Shape, random: np.random.Generator) -> Parameters:
    return {"power": float(np.exp(random.uniform(-GAMMA_LOG, GAMMA_LOG)))}


def _fading(shape: Shape, random: np.random.Generator) -> Parameters:
    return {"black": random.uniform(0, FADED_RANGE), "white": 1 - random.uniform(0, FADED_RANGE)}


def _dust(shape: Shape, random: np.random.Generator) -> Parameters:
    """Specks and scratches; where there are fewer than the most, the last are `ABSENT`."""
    size = np.array(shape[::-1])
    scratches = np.zeros((SCRATCHES[1], 3, 2))  # (x, y) of both ends and the middle between them
    scratch_levels = np.full(SCRATCHES[1], float(ABSENT))
    for number in range(random.integers(*SCRATCHES, endpoint=True)):
        angle = random.uniform(0, np.pi)
        along = np.array([np.cos(angle), np.sin(angle)])
        reach = random.uniform(*SCRATCH_LENGTH) * size.max() / 2 * along
        middle = random.uniform(0, size)
        bend = random.uniform(-SCRATCH_BEND, SCRATCH_BEND) * 2 * reach[::-1] * (1, -1)
        scratches[number] = middle - reach, middle + bend, middle + reach
        scratch_levels[number] = _light_or_dark(random)
    opacity = random.uniform(*SCRATCH_OPACITY)
    specks = np.ones((SPECKS[1], 5))  # ellipses: (x, y) of the center, two radii, degrees
    speck_levels = np.full(SPECKS[1], float(ABSENT))
    for number in range(random.integers(*SPECKS, endpoint=True)):
        specks[number, :2] = random.uniform(0, size)
        specks[number, 2:4] = random.uniform(*SPECK_RADIUS, 2)
        specks[number, 4] = random.uniform(0, 180)
        speck_levels[number] = _light_or_dark(random)
    return {
        "scratches": scratches,
        "scratch_levels": scratch_levels,
        "opacity": opacity,
        "specks": specks,
        "speck_levels": speck_levels,
    }


def _jpeg(shape: Shape, random: np.random.Generator) -> Parameters:
    return {"quality": int(random.integers(*JPEG_QUALITY, endpoint=True))}


def _light_or_dark(random: np.random.Generator) -> int:
    return int(random.choice((random.integers(0, 70), random.integers(190, 256))))


DRAWS: Mapping[str, Callable[[Shape, np.random.Generator], Parameters]] = {
    "blur": _blur,
    "vignette": _vignette,
    "grain": _grain,
    "gamma": _gamma,
    "fading": _fading,
    "dust": _dust,
    "jpeg": _jpeg,
}
