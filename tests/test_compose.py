"""Composing: the same pixels as the exact conversion, at any lightness and chroma."""

import numpy as np
import pytest
import torch

from colorizer.color import lab_to_rgb_in_gamut, rgb_to_lab
from colorizer.compose import compose
from tests.conftest import color_pixels


@pytest.mark.parametrize("chroma", [0, 20, 60, 150])
def test_pixels_are_those_of_the_exact_conversion(chroma: float) -> None:
    random = np.random.default_rng(0)
    lightness = random.uniform(0, 100, (90, 110)).astype(np.float32)
    ab = random.uniform(-chroma, chroma, (2, 90, 110)).astype(np.float32)
    exact = lab_to_rgb_in_gamut(torch.from_numpy(np.concatenate((lightness[None], ab))))
    error = compose(lightness, ab) - 255 * exact.permute(1, 2, 0).numpy()
    assert np.abs(error).mean() < 0.3  # rounding alone gives 0.25
    assert np.abs(error).max() < 2  # a channel near 0 grows steeply with the chroma


def test_colors_come_back() -> None:
    pixels = color_pixels(60, 80)
    lab = rgb_to_lab(torch.from_numpy(pixels / np.float32(255)).permute(2, 0, 1)).numpy()
    assert np.array_equal(compose(lab[0], lab[1:]), pixels)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1)])
def test_the_smallest_bands(size: tuple[int, int]) -> None:
    lightness, ab = np.full(size, 50, np.float32), np.full((2, *size), 200, np.float32)
    assert compose(lightness, ab).shape == (*size, 3)


def test_every_gray_level() -> None:
    levels = np.arange(256, dtype=np.uint8)[None]
    lab = rgb_to_lab(torch.from_numpy(levels / np.float32(255)).expand(3, 1, 256)).numpy()
    pixels = compose(lab[0], np.zeros_like(lab[1:]))
    assert np.array_equal(pixels, np.repeat(levels[:, :, None], 3, axis=2))


def test_what_is_out_of_gamut_keeps_lightness_and_hue() -> None:
    random = np.random.default_rng(1)
    lightness = random.uniform(5, 95, (50, 60)).astype(np.float32)
    ab = random.uniform(-120, 120, (2, 50, 60)).astype(np.float32)
    rgb = torch.from_numpy(compose(lightness, ab) / np.float32(255)).permute(2, 0, 1)
    lab = rgb_to_lab(rgb).numpy()
    assert np.abs(lab[0] - lightness).mean() < 0.3
    strong = np.hypot(*lab[1:]) > 30
    hue = np.arctan2(lab[2], lab[1]) - np.arctan2(ab[1], ab[0])
    assert np.abs(np.sin(hue))[strong].mean() < 0.02
