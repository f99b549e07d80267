"""Composing: the exact conversion at any lightness and chroma, gamut mapping that keeps both
lightness and hue.
"""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from skimage.color import rgb2lab

from colorizer.imaging.arrays import Plane
from colorizer.imaging.color import lab_to_linear, lab_to_rgb, rgb_to_lab
from colorizer.imaging.compose import compose, compose_gray, map_to_gamut
from tests.helpers.photos import color_pixels

DEPTHS = [np.uint8, np.uint16]


def random_lab(chroma: float, seed: int = 0, lowest: float = 0) -> tuple[Plane, Plane]:
    random = np.random.default_rng(seed)
    lightness = random.uniform(lowest, 100 - lowest, (90, 110)).astype(np.float32)
    return lightness, random.uniform(-chroma, chroma, (2, 90, 110)).astype(np.float32)


def linear(lightness: Plane, ab: Plane) -> NDArray[np.float32]:
    return lab_to_linear(torch.from_numpy(np.concatenate((lightness[None], ab)))).numpy()


@pytest.mark.parametrize("dtype", DEPTHS)
@pytest.mark.parametrize("chroma", [0, 20, 60, 150])
def test_pixels_are_those_of_the_exact_conversion(chroma: float, dtype: type) -> None:
    lightness, ab = random_lab(chroma)
    mapped = torch.from_numpy(np.concatenate((lightness[None], map_to_gamut(lightness, ab))))
    highest = np.iinfo(dtype).max
    exact = highest * lab_to_rgb(mapped).permute(1, 2, 0).numpy()
    error = np.abs(compose(lightness, ab, dtype) - exact)
    assert error.mean() < 0.3  # rounding alone gives 0.25
    assert error.max() < (1 if dtype == np.uint8 else 12)  # the slack of 1e-5 at black


@pytest.mark.parametrize("dtype", DEPTHS)
def test_colors_come_back(dtype: type) -> None:
    pixels = color_pixels(60, 80).astype(dtype) * dtype(np.iinfo(dtype).max // 255)
    rgb = torch.from_numpy(pixels / np.float32(np.iinfo(dtype).max)).permute(2, 0, 1)
    lab = rgb_to_lab(rgb).numpy()
    assert np.abs(compose(lab[0], lab[1:], dtype).astype(int) - pixels).max() <= (
        0 if dtype == np.uint8 else 2
    )


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1)])
def test_the_smallest_bands(size: tuple[int, int]) -> None:
    lightness, ab = np.full(size, 50, np.float32), np.full((2, *size), 200, np.float32)
    assert compose(lightness, ab).shape == (*size, 3)
    assert map_to_gamut(lightness, ab).shape == (2, *size)


@pytest.mark.parametrize("dtype", DEPTHS)
def test_every_gray_level(dtype: type) -> None:
    levels = np.arange(np.iinfo(dtype).max + 1).astype(dtype)[None]
    rgb = torch.from_numpy(levels / np.float64(levels.max())).expand(3, *levels.shape)
    lightness = rgb_to_lab(rgb)[0].float().numpy()
    pixels = compose(lightness, np.zeros((2, *levels.shape), np.float32), dtype)
    assert np.abs(pixels.astype(int) - levels[:, :, None]).max() <= (0 if dtype == np.uint8 else 1)
    gray = compose_gray(lightness, dtype)[:, :, 0]
    assert np.abs(gray.astype(int) - levels).max() <= (0 if dtype == np.uint8 else 1)


def test_16_bits_keep_lightness() -> None:
    """Also of the strongest colors, by another library's account."""
    lightness, ab = random_lab(120)
    pixels = compose(lightness, ab, np.uint16)
    change = np.abs(rgb2lab(pixels / 65535)[:, :, 0] - lightness)
    assert change.mean() < 0.01
    assert change.max() < 0.1


def test_8_bits_keep_lightness_as_far_as_they_can() -> None:
    lightness, ab = random_lab(120)
    change = np.abs(rgb2lab(compose(lightness, ab))[:, :, 0] - lightness)
    assert change.mean() < 0.3


def test_clipping_would_not_keep_lightness() -> None:
    lightness, ab = random_lab(120)
    clipped = rgb_to_lab(lab_to_rgb(torch.from_numpy(np.concatenate((lightness[None], ab)))))
    assert np.abs(clipped[0].numpy() - lightness).max() > 5


def test_gamut_mapping_keeps_hue_within_a_degree() -> None:
    """Before rounding, of colors that still have a chroma over 10."""
    lightness, ab = random_lab(120, 1)
    mapped = map_to_gamut(lightness, ab)
    shown = rgb_to_lab(
        lab_to_rgb(torch.from_numpy(np.concatenate((lightness[None], mapped))))
    ).numpy()
    assert np.abs(shown[0] - lightness).max() < 0.02
    strong = np.hypot(*shown[1:]) > 10
    turned = np.arctan2(shown[2], shown[1]) - np.arctan2(ab[1], ab[0])
    degrees = np.abs(np.rad2deg((turned + np.pi) % (2 * np.pi) - np.pi))
    assert strong.mean() > 0.5
    assert degrees[strong].max() < 1


def test_gamut_mapping_takes_no_more_chroma_than_it_must() -> None:
    """What was mapped lies on the gamut's surface: one linear component is at 0 or 1."""
    lightness, ab = random_lab(120, 2, lowest=1)
    before, after = linear(lightness, ab), linear(lightness, map_to_gamut(lightness, ab))
    outside = (before.min(0) < -0.01) | (before.max(0) > 1.01)
    distance = np.minimum(after, 1 - after).min(0)[outside]
    assert outside.mean() > 0.3
    assert np.abs(distance).max() < 1e-3


def test_colors_inside_the_gamut_are_left_alone() -> None:
    lab = rgb_to_lab(torch.from_numpy(color_pixels(60, 80) / np.float32(255)).permute(2, 0, 1))
    ab = lab[1:].numpy().copy()
    assert np.array_equal(map_to_gamut(lab[0].numpy(), ab), lab[1:].numpy())
    assert np.array_equal(ab, lab[1:].numpy())


def test_gamut_mapping_does_not_depend_on_the_neighbors() -> None:
    lightness, ab = random_lab(120, 3)
    together = map_to_gamut(lightness, ab)
    for row in range(0, 90, 10):
        alone = map_to_gamut(lightness[row : row + 1], ab[:, row : row + 1])
        assert np.abs(alone[:, 0] - together[:, row]).max() < 1e-4
