"""Augmentation: every flaw does what its name says and no more."""

from collections.abc import Callable

import numpy as np
import pytest
import torch

from tests.helpers.photos import color_pixels
from train.data import flaws
from train.data.augment import Gray
from train.data.augment import degrade as add
from train.data.flaws import draw_flaws
from train.settings.config import TrainConfig

FLAWS = ("blur", "vignette", "grain", "gamma", "fading", "dust", "jpeg")
SEEDS = range(20)


def settings(*names: str) -> TrainConfig:
    """Settings that add these flaws to every photo, and no others."""
    probabilities = {f"degrade_{flaw}": float(flaw in names) for flaw in FLAWS}
    return TrainConfig(data=("x",), output="y", **probabilities)


def degrade(gray: Gray, config: TrainConfig, random: np.random.Generator) -> Gray:
    return add(gray, draw_flaws(gray.shape, config, random))


def degraded(gray: Gray, *names: str, seed: int = 0) -> Gray:
    return degrade(gray, settings(*names), np.random.default_rng(seed))


def ramp() -> Gray:
    """(4, 256): every gray value."""
    return np.tile(np.arange(256, dtype=np.uint8), (4, 1))


@pytest.fixture(scope="module")
def photo() -> Gray:
    """A smooth photo with some texture, 96 x 128."""
    texture = np.random.default_rng(0).integers(-20, 21, (96, 128))
    return (color_pixels(96, 128)[..., 1] + texture).clip(0, 255).astype(np.uint8)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_without_probability_nothing_happens(photo: Gray) -> None:
    assert np.array_equal(degraded(photo), photo)


@pytest.mark.parametrize("flaw", FLAWS)
@pytest.mark.parametrize("shape", [(128, 128), (37, 61)])
def test_each_flaw_changes_the_photo_and_only_a_copy(
    photo: Gray, flaw: str, shape: tuple[int, int]
) -> None:
    photo = np.resize(photo, shape)
    before = photo.copy()
    for seed in SEEDS:
        result = degraded(photo, flaw, seed=seed)
        assert result.dtype == np.uint8
        assert result.shape == shape
        assert not np.array_equal(result, photo)
        assert np.array_equal(photo, before)


@pytest.mark.parametrize("flaw", FLAWS)
def test_the_photo_is_still_the_same_photo(photo: Gray, flaw: str) -> None:
    for seed in SEEDS:
        result = degraded(photo, flaw, seed=seed)
        assert np.corrcoef(photo.ravel(), result.ravel())[0, 1] > 0.8


def test_equal_generators_give_equal_photos_and_others_do_not(photo: Gray) -> None:
    first, again, other = (degraded(photo, *FLAWS, seed=seed) for seed in (3, 3, 4))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_a_probability_is_a_share_of_the_photos(photo: Gray) -> None:
    config = TrainConfig(
        data=("x",),
        output="y",
        **{f"degrade_{flaw}": 0.0 for flaw in FLAWS} | {"degrade_gamma": 0.3},
    )
    random = np.random.default_rng(0)
    changed = [not np.array_equal(degrade(photo, config, random), photo) for _ in range(500)]
    assert np.mean(changed) == pytest.approx(0.3, abs=0.06)


@pytest.mark.parametrize("level", [0, 255])
def test_black_and_white_photos_survive(level: int) -> None:
    flat = np.full((64, 64), level, np.uint8)
    for seed in SEEDS:
        assert degraded(flat, *FLAWS, seed=seed).shape == flat.shape
        for flaw in ("blur", "grain", "gamma"):
            assert np.array_equal(degraded(flat, flaw, seed=seed), flat)


def test_blur_flattens_texture_and_keeps_the_mean(photo: Gray) -> None:
    blurred = degraded(photo, "blur").astype(float)
    texture = np.abs(np.diff(blurred, axis=1)).mean() / np.abs(np.diff(photo.astype(float))).mean()
    assert texture < 0.9
    assert blurred.mean() == pytest.approx(photo.mean(), abs=0.5)


def test_vignette_darkens_corners_alike_and_spares_the_center() -> None:
    flat = np.full((63, 95), 200, np.uint8)
    for seed in SEEDS:
        dark = degraded(flat, "vignette", seed=seed).astype(float)
        corners = dark[[0, 0, -1, -1], [0, -1, 0, -1]] / 200
        low, high = flaws.CORNER_BRIGHTNESS
        assert np.ptp(corners) == 0
        assert low - 0.01 <= corners[0] <= high + 0.01
        assert dark[31, 47] == 200
        assert (np.diff(dark[31, 47:]) <= 0).all()


def test_grain_is_strongest_in_the_midtones_and_correlated() -> None:
    noise = {
        level: degraded(np.full((256, 256), level, np.uint8), "grain").astype(float) - level
        for level in (8, 128, 247)
    }
    spread = {level: float(values.std()) for level, values in noise.items()}
    low, high = flaws.GRAIN_STRENGTH
    assert low - 0.5 < spread[128] < high + 0.5
    assert max(spread[8], spread[247]) < 0.5 * spread[128]
    middle = noise[128]
    assert abs(middle.mean()) < 0.2
    neighbors = np.corrcoef(middle[:, 1:].ravel(), middle[:, :-1].ravel())[0, 1]
    distant = np.corrcoef(middle[:, 5:].ravel(), middle[:, :-5].ravel())[0, 1]
    assert 0.05 < neighbors < 0.6
    assert abs(distant) < 0.03


def test_gamma_keeps_black_white_and_order_and_stays_within_its_powers() -> None:
    powers = []
    for seed in range(200):
        result = degraded(ramp(), "gamma", seed=seed)[0].astype(int)
        assert (result[0], result[-1]) == (0, 255)
        assert (np.diff(result) >= 0).all()
        powers.append(np.log(result[128] / 255) / np.log(128 / 255))
    logs = np.log(powers)
    assert np.abs(logs).max() <= flaws.GAMMA_LOG + 0.01
    assert logs.min() < -0.27
    assert logs.max() > 0.27
    assert abs(logs.mean()) < 0.04


def test_fading_lifts_black_lowers_white_and_keeps_the_order() -> None:
    for seed in SEEDS:
        result = degraded(ramp(), "fading", seed=seed)[0].astype(int)
        reach = 255 * flaws.FADED_RANGE + 1
        assert 0 <= result[0] <= reach
        assert 0 <= 255 - result[-1] <= reach
        assert (np.diff(result) >= 0).all()


def test_dust_marks_a_little_of_the_photo() -> None:
    gray = np.full((128, 128), 128, np.uint8)
    marks = [degraded(gray, "dust", seed=seed).astype(int) - 128 for seed in SEEDS]
    shares = [np.mean(mark != 0) for mark in marks]
    assert max(shares) < 0.1
    assert min(mark.min() for mark in marks) < -50  # dark ones
    assert max(mark.max() for mark in marks) > 50  # and light ones
    long = [np.ptp(np.argwhere(mark != 0), axis=0).max() for mark in marks]
    assert max(long) > 100


def test_jpeg_has_blocks_of_8(photo: Gray) -> None:
    """Steps between blocks are larger than steps inside them, in a photo without steps."""
    slope = np.tile(np.linspace(0, 255, 128).astype(np.uint8), (128, 1))
    steps = np.abs(np.diff(degraded(slope, "jpeg").astype(int), axis=1))
    assert steps[:, 7::8].mean() > steps[:, 3::8].mean()


@pytest.mark.parametrize("layout", [np.asfortranarray, lambda gray: gray[:, ::2]])
def test_layout_in_memory_does_not_matter(photo: Gray, layout: Callable[[Gray], Gray]) -> None:
    gray = layout(photo)
    expected = degraded(np.ascontiguousarray(gray), *FLAWS)
    gray.setflags(write=False)
    assert np.array_equal(degraded(gray, *FLAWS), expected)
