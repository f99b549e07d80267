"""Chroma: the guided filter is that of the paper, bands join up, strong edges hold the color."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from colorizer.imaging.guided_filter import box_mean, guided_filter
from colorizer.imaging.upsampling import ChromaUpsampler

Plane = NDArray[np.float32]


def naive_mean(plane: Plane, radius: int) -> NDArray[np.float64]:
    """Window means by definition, the border mirrored."""
    padded = np.pad(plane.astype(np.float64), radius, mode="symmetric")
    side = 2 * radius + 1
    return np.array(
        [
            [padded[y : y + side, x : x + side].mean() for x in range(plane.shape[1])]
            for y in range(plane.shape[0])
        ]
    )


def naive_guided_filter(
    guide: Plane, values: Plane, radius: int, epsilon: float
) -> NDArray[np.float64]:
    """He et al. 2013, algorithm 1."""
    mean_i, mean_p = naive_mean(guide, radius), naive_mean(values, radius)
    variance = naive_mean(guide * guide, radius) - mean_i**2
    covariance = naive_mean(guide * values, radius) - mean_i * mean_p
    slope = covariance / (variance + epsilon)
    offset = mean_p - slope * mean_i
    return naive_mean(slope, radius) * guide + naive_mean(offset, radius)


def random_planes(height: int, width: int, seed: int = 0) -> tuple[Plane, Plane]:
    """Lightness (height, width) and ab (2, height, width)."""
    random = np.random.default_rng(seed)
    lightness = random.uniform(0, 100, (height, width)).astype(np.float32)
    return lightness, random.uniform(-80, 80, (2, height, width)).astype(np.float32)


@pytest.mark.parametrize(("size", "radius"), [((11, 14), 2), ((9, 30), 4), ((3, 5), 1)])
def test_box_mean_is_the_mean_of_the_window(size: tuple[int, int], radius: int) -> None:
    plane, _ = random_planes(*size)
    assert np.abs(box_mean(plane, radius) - naive_mean(plane, radius)).max() < 1e-3


@pytest.mark.parametrize("epsilon", [1.0, 60.0, 1e4])
def test_guided_filter_is_that_of_the_paper(epsilon: float) -> None:
    lightness, ab = random_planes(17, 23)
    filtered = guided_filter(lightness, ab.transpose(1, 2, 0), 3, epsilon)
    for channel in range(2):
        expected = naive_guided_filter(lightness, ab[channel], 3, epsilon)
        assert np.abs(filtered[:, :, channel] - expected).max() < 0.02


def test_guided_filter_copies_a_linear_function_of_the_guide() -> None:
    lightness, _ = random_planes(20, 20)
    values = (0.5 * lightness - 7)[:, :, None]
    assert np.abs(guided_filter(lightness, values, 2, 1e-3) - values).max() < 0.05


@pytest.mark.parametrize("full", [(40, 30), (120, 90), (57, 31), (13, 9)])
def test_bands_join_into_the_whole(full: tuple[int, int]) -> None:
    upsampler = ChromaUpsampler(*random_planes(40, 30), full)
    lightness, _ = random_planes(*full, seed=1)
    whole = upsampler.band(slice(0, full[0]), lightness)
    assert whole.shape == (2, *full)
    edges = sorted({0, 1, 5, full[0] - 1, full[0]})
    parts = [
        upsampler.band(slice(top, bottom), lightness[top:bottom]) for top, bottom in pairwise(edges)
    ]
    assert np.abs(np.concatenate(parts, axis=1) - whole).max() < 1e-3


@pytest.mark.parametrize("full", [(20, 26), (100, 130), (7, 5), (1, 1)])
def test_one_color_stays_that_color(full: tuple[int, int]) -> None:
    lightness, _ = random_planes(20, 26)
    ab = np.broadcast_to(np.float32([[[33.0]], [[-21.0]]]), (2, 20, 26)).copy()
    upsampled = ChromaUpsampler(lightness, ab, full).band(
        slice(0, full[0]), random_planes(*full)[0]
    )
    assert np.abs(upsampled - [[[33]], [[-21]]]).max() < 0.05


def test_upsampling_is_linear_in_the_colors() -> None:
    """Adjustments at the working size rely on it."""
    lightness, ab = random_planes(16, 16)
    guide, _ = random_planes(40, 40, seed=2)
    once = ChromaUpsampler(lightness, ab, (40, 40)).band(slice(0, 40), guide)
    twice = ChromaUpsampler(lightness, 2 * ab + 5, (40, 40)).band(slice(0, 40), guide)
    assert np.abs(twice - (2 * once + 5)).max() < 0.05


def leak(lightness_right: float) -> float:
    """A red left and a colorless right half, drawn at 32 x 32 and upsampled eight times; the
    network's color edge lies two of its pixels beside the lightness edge. Mean error of a*.
    """
    full = np.full((256, 256), 20, np.float32)
    full[:, 128:] = lightness_right
    small = cv2.resize(full, (32, 32), interpolation=cv2.INTER_AREA)
    ab = np.zeros((2, 32, 32), np.float32)
    ab[0, :, :16] = 60
    ab = cv2.blur(ab.transpose(1, 2, 0), (5, 5)).transpose(2, 0, 1)  # as blurry as a network's
    upsampled = ChromaUpsampler(small, np.ascontiguousarray(ab), (256, 256)).band(
        slice(0, 256), full
    )
    truth = np.where(np.arange(256) < 128, 60, 0)
    return float(np.abs(upsampled[0] - truth)[:, 96:160].mean())


def test_a_strong_lightness_edge_keeps_color_from_leaking() -> None:
    blurry = leak(20)  # no edge in lightness: the color edge stays as blurry as it was
    assert leak(80) < leak(35) < blurry
    assert leak(80) < 0.98 * blurry


@pytest.mark.parametrize("small", [(1, 1), (1, 4), (4, 1), (2, 2)])
@pytest.mark.parametrize("full", [(1, 1), (1, 9), (9, 1), (6, 7)])
def test_the_smallest_sizes(small: tuple[int, int], full: tuple[int, int]) -> None:
    lightness, ab = random_planes(*small)
    upsampled = ChromaUpsampler(lightness, ab, full).band(
        slice(0, full[0]), random_planes(*full)[0]
    )
    assert upsampled.shape == (2, *full)
    assert np.isfinite(upsampled).all()
    assert np.abs(upsampled).max() < 200
