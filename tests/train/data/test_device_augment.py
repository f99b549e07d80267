"""Flaws of a batch: those that OpenCV adds one by one, with the same parameters."""

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.helpers.photos import color_pixels
from train.data import augment
from train.data.device_augment import FLAWS, degrade, stack_flaws
from train.data.flaws import ABSENT, DRAWS, GRAIN_STRENGTH, Flaws, draw_flaws
from train.settings.config import TrainConfig

COUNT, HEIGHT, WIDTH = 24, 60, 76  # not whole blocks of 8


def photos() -> NDArray[np.uint8]:
    """(N, H, W) smooth photos with some texture."""
    noise = np.random.default_rng(0).integers(-15, 16, (COUNT, HEIGHT, WIDTH))
    smooth = np.stack([color_pixels(HEIGHT, WIDTH, seed)[..., 1] for seed in range(COUNT)])
    return (smooth + noise).clip(0, 255).astype(np.uint8)


def drawn(name: str, shape: tuple[int, int] = (HEIGHT, WIDTH), count: int = COUNT) -> list[Flaws]:
    return [{name: DRAWS[name](shape, np.random.default_rng(seed))} for seed in range(count)]


def on_device(gray: NDArray[np.uint8], flaws: list[Flaws]) -> NDArray[np.float32]:
    result: Tensor = degrade(torch.from_numpy(gray).float(), stack_flaws(flaws))
    assert torch.equal(result, result.round().clamp(0, 255))
    return result.numpy()


def one_by_one(gray: NDArray[np.uint8], flaws: list[Flaws]) -> NDArray[np.float64]:
    pairs = zip(gray, flaws, strict=True)
    return np.stack([augment.degrade(each, found) for each, found in pairs]).astype(float)


def test_every_flaw_is_there_in_the_same_order() -> None:
    assert list(FLAWS) == list(augment.FLAWS) == list(DRAWS)


@pytest.mark.parametrize("name", ["blur", "vignette", "grain", "gamma", "fading"])
def test_pixels_are_those_of_opencv_within_a_level(name: str) -> None:
    gray, flaws = photos(), drawn(name)
    ours, theirs = on_device(gray, flaws), one_by_one(gray, flaws)
    assert np.abs(ours - theirs).max() <= 1
    assert np.abs(ours - theirs).mean() < 0.05
    assert np.abs(ours - gray).mean() > 1


def test_grain_spreads_and_correlates_as_that_of_opencv() -> None:
    flat = np.full((COUNT, 128, 128), 128, np.uint8)
    flaws = drawn("grain", (128, 128))
    ours, theirs = on_device(flat, flaws) - 128, one_by_one(flat, flaws) - 128
    spreads = ours.std((1, 2))
    assert spreads == pytest.approx(theirs.std((1, 2)), rel=0.01)
    assert spreads.min() > GRAIN_STRENGTH[0] - 0.5
    assert spreads.max() < GRAIN_STRENGTH[1] + 0.5
    for noise, expected in zip(ours, theirs, strict=True):
        neighbors, known = (
            np.corrcoef(each[:, 1:].ravel(), each[:, :-1].ravel())[0, 1]
            for each in (noise, expected)
        )
        assert neighbors == pytest.approx(known, abs=0.01)
        assert neighbors > 0.05


def test_jpeg_is_that_of_opencv_but_for_some_coefficients() -> None:
    """A coefficient between two steps may be rounded to the other; then its block differs."""
    gray, flaws = photos(), drawn("jpeg")
    ours, theirs = on_device(gray, flaws), one_by_one(gray, flaws)
    assert np.abs(ours - theirs).mean() < 0.3
    assert (np.abs(ours - theirs) > 1).mean() < 0.1
    assert np.abs(ours - gray).mean() == pytest.approx(np.abs(theirs - gray).mean(), rel=0.02)


@pytest.mark.parametrize("quality", [1, 20, 49, 50, 75, 100])
def test_jpeg_of_every_quality(quality: int) -> None:
    gray = photos()
    flaws: list[Flaws] = [{"jpeg": {"quality": quality}}] * COUNT
    assert np.abs(on_device(gray, flaws) - one_by_one(gray, flaws)).mean() < 0.5


def test_dust_marks_the_same_places_as_much_as_that_of_opencv() -> None:
    gray = np.full((COUNT, 128, 128), 128, np.uint8)
    flaws = drawn("dust", (128, 128))
    ours, theirs = (marked - 128 for marked in (on_device(gray, flaws), one_by_one(gray, flaws)))
    assert np.abs(ours).sum() == pytest.approx(np.abs(theirs).sum(), rel=0.1)
    assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.95
    assert np.abs(ours - theirs).mean() < 0.15


def test_each_speck_is_drawn_once_and_in_its_place() -> None:
    flaws = drawn("dust", (128, 128))
    for found in flaws:
        parameters = found["dust"]
        parameters["scratch_levels"][:] = ABSENT
        count = int((parameters["speck_levels"] != ABSENT).sum())
        parameters["specks"][:count, :2] = [(8 + 12 * number, 40) for number in range(count)]
    marks = on_device(np.full((COUNT, 128, 128), 128, np.uint8), flaws) != 128
    for mark, found in zip(marks, flaws, strict=True):
        places = np.flatnonzero(mark[40])
        expected = (found["dust"]["speck_levels"] != ABSENT).sum()
        assert (np.diff(places) > 1).sum() + 1 == expected
        assert not mark[:36].any()
        assert not mark[45:].any()


def test_scratches_have_their_opacity() -> None:
    flaws = drawn("dust", (128, 128), 60)
    flaws = [found for found in flaws if found["dust"]["scratch_levels"][0] != ABSENT]
    for found in flaws:
        parameters = found["dust"]
        parameters["speck_levels"][:] = parameters["scratch_levels"][1:] = ABSENT
        parameters["scratches"][0] = [(4, 64), (64, 64), (124, 64)]
    row = on_device(np.full((len(flaws), 128, 128), 128, np.uint8), flaws)[:, 64, 64]
    for level, found in zip(row, flaws, strict=True):
        change = found["dust"]["opacity"] * (found["dust"]["scratch_levels"][0] - 128)
        assert level - 128 == pytest.approx(change, abs=1)


def test_a_probability_is_a_share_of_the_crops() -> None:
    """Of all crops of a batch, and of no others."""
    values = {f"degrade_{name}": 0.0 for name in DRAWS} | {"degrade_gamma": 0.3}
    config, random = TrainConfig(**values), np.random.default_rng(0)
    flaws = [draw_flaws((16, 16), config, random) for _ in range(2000)]
    gray = np.full((2000, 16, 16), 100, np.uint8)
    changed = (on_device(gray, flaws) != 100).any((1, 2))
    assert changed.mean() == pytest.approx(0.3, abs=0.04)  # some powers are nearly 1
    assert not changed[[not found for found in flaws]].any()


def test_all_flaws_together_and_a_crop_alone() -> None:
    config = TrainConfig(**{f"degrade_{name}": 0.5 for name in DRAWS})
    random = np.random.default_rng(1)
    gray = photos()
    flaws = [draw_flaws((HEIGHT, WIDTH), config, random) for _ in gray]
    together = on_device(gray, flaws)
    assert np.abs(together - one_by_one(gray, flaws)).mean() < 0.5
    for row in range(0, COUNT, 5):
        rows = slice(row, row + 1)
        assert np.array_equal(on_device(gray[rows], flaws[rows])[0], together[row])


def test_without_flaws_nothing_changes() -> None:
    gray = torch.from_numpy(photos()).float()
    before = gray.clone()
    assert torch.equal(degrade(gray, stack_flaws([{}] * COUNT)), before)
    degrade(gray, stack_flaws(drawn("fading")))
    assert torch.equal(gray, before)


@pytest.mark.parametrize("level", [0, 255])
def test_black_and_white_photos_survive(level: int) -> None:
    flat = np.full((COUNT, 40, 40), level, np.uint8)
    for name in ("blur", "grain", "gamma"):
        assert np.array_equal(on_device(flat, drawn(name, (40, 40))), flat)
