"""Alternatives: plausible colors for whole regions, and nothing else changes."""

from collections.abc import Mapping

import numpy as np
import pytest
import torch

from colorizer import Colorizer, Photo
from colorizer.imaging.color import ab_bins
from colorizer.inference.alternatives import (
    MIN_COLOR_DISTANCE,
    MIN_DIFFERENCE,
    Region,
    alternative_changes,
    choose_alternatives,
    displayable,
    select_distinct,
)
from colorizer.inference.distribution import Distribution
from tests.helpers.bundled import colorize, mean_ab

BINS = torch.tensor(ab_bins()).T.contiguous()
WALL = {(0, 0): 0.5, (0, -40): 0.3, (0, 40): 0.2}  # gray, else blue, else yellow
FACE = {(20, 20): 1.0}
SIZE = (64, 96)  # at the working size


def logits_of(colors: Mapping[tuple[int, int], float]) -> torch.Tensor:
    """(Q,) of a distribution over some colors, each with those around it."""
    shares = torch.full((BINS.shape[1],), 1e-6)
    for color, share in colors.items():
        distance = (BINS - torch.tensor(color)[:, None]).norm(dim=0)
        near = torch.exp(-((distance / 8) ** 2) / 2)
        shares += share * near / near.sum()
    return shares.log()


def scene() -> tuple[np.ndarray, torch.Tensor]:
    """A wall of unknown color and, on the right, a face: lightness and logits."""
    lightness = np.full(SIZE, 75, np.float32)
    lightness[:, 64:] = 55
    logits = logits_of(WALL)[:, None, None].repeat(1, 16, 24)
    logits[:, :, 16:] = logits_of(FACE)[:, None, None]
    return lightness, logits


def distribution(logits: torch.Tensor) -> Distribution:
    return Distribution(logits, BINS, 0.38)


def test_the_uncertain_changes_and_the_certain_stays() -> None:
    lightness, logits = scene()
    blue, yellow = alternative_changes(lightness, distribution(logits), 2)
    assert blue.shape == yellow.shape == (2, *SIZE)
    assert blue.dtype == np.float32
    for change, b in ((blue, -40), (yellow, 40)):  # the likelier first
        wall = change[:, :, :56]
        assert wall[0].mean() == pytest.approx(0, abs=3)
        assert wall[1].mean() == pytest.approx(b, abs=8)
        assert wall.std((1, 2)).max() < 2  # evenly
        assert np.abs(change[:, :, 80:]).max() < 1


def test_changes_stop_at_the_photos_edge() -> None:
    lightness, logits = scene()
    change = alternative_changes(lightness, distribution(logits), 1)[0][1, 32]
    assert change[60] < -25
    assert change[67] > -6


def test_what_is_surely_another_color_inside_a_region_keeps_it() -> None:
    """A small face in front of the wall, without an edge in lightness."""
    lightness, logits = scene()
    lightness[:] = 75
    logits[:, 7:, 4:12] = logits_of(FACE)[:, None, None]
    for change in alternative_changes(lightness, distribution(logits), 2):
        assert np.abs(change[:, 48:, 28:36]).max() < 2
        assert np.abs(change[1, :12, :48]).min() > 25


def test_an_unevenly_predicted_region_gets_one_color() -> None:
    lightness, logits = scene()
    lightness[:, :64] = 45
    for column in range(16):
        share = 0.2 + 0.4 * column / 15
        logits[:, :, column] = logits_of({(0, 0): 1 - share, (0, -60): share})[:, None]
    before = distribution(logits).mean()[1, :, :16]
    change = alternative_changes(lightness, distribution(logits), 1)[0]
    after = before + torch.from_numpy(change[1, ::4, :64:4])
    assert before.std() > 10
    assert after[:, 1:14].std() < 3


def test_asking_for_more_keeps_the_first() -> None:
    lightness, logits = scene()
    logits += torch.from_numpy(np.random.default_rng(0).normal(0, 0.3, logits.shape)).float()
    many = alternative_changes(lightness, distribution(logits), 5)
    few = alternative_changes(lightness, distribution(logits), 2)
    assert len(many) >= 3
    assert len(few) == 2
    for one, other in zip(few, many, strict=False):
        assert np.array_equal(one, other)
    assert alternative_changes(lightness, distribution(logits), 0) == []


def test_a_sure_network_offers_nothing_else() -> None:
    lightness, logits = scene()
    logits[:] = 4 * logits_of(FACE)[:, None, None]
    assert alternative_changes(lightness, distribution(logits), 3) == []
    logits = torch.full_like(logits, -1e4)  # as sure as floats can be
    logits[100] = 0
    assert alternative_changes(lightness, distribution(logits), 3) == []


@pytest.mark.parametrize("size", [(1, 1), (1, 768), (768, 2), (61, 83), (5, 9)])
def test_every_size(size: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    logits = random.normal(0, 1, (BINS.shape[1], -(-size[0] // 4), -(-size[1] // 4)))
    lightness = random.uniform(0, 100, size).astype(np.float32)
    changes = alternative_changes(lightness, distribution(torch.from_numpy(logits).float()), 3)
    assert all(change.shape == (2, *size) for change in changes)
    assert all(np.isfinite(change).all() for change in changes)


def region(weight: float, *others: tuple[float, float]) -> Region:
    """One of a color (0, 0) and others, given by b* and log-probability."""
    b = np.array([0, *(color for color, _ in others)], np.float64)
    scores = np.array([0, *(score for _, score in others)])
    bins = list(range(len(others)))
    return Region(torch.ones(1, 1).bool(), weight, bins, scores, np.abs(b[:, None] - b))


def test_the_plausible_is_chosen_before_the_implausible() -> None:
    assert choose_alternatives([region(0.5, (30, -2), (-30, -0.1))], 3) == [(0,), (2,), (1,)]


def test_the_large_is_chosen_before_the_small() -> None:
    assert choose_alternatives([region(0.1, (30, -0.5)), region(0.5, (30, -0.5))], 2)[1][1] == 1


def test_alternatives_differ_from_all_before() -> None:
    regions = [region(0.4, (30, -0.5), (33, -0.5)), region(0.4, (30, -1.5))]
    alternatives = choose_alternatives(regions, 6)
    assert alternatives[:2] == [(0, 0), (2, 0)]
    assert sorted(alternatives) == [(0, 0), (0, 1), (1, 1), (2, 0)]  # 1 looks like 2


def test_invisible_alternatives_are_not_chosen() -> None:
    weight = (MIN_DIFFERENCE / 30) ** 2
    assert choose_alternatives([region(0.9 * weight, (30, 0))], 4) == [(0,)]
    assert choose_alternatives([region(1.1 * weight, (30, 0))], 4) == [(0,), (1,)]
    assert choose_alternatives([], 4) == [()]


def test_select_distinct_colors() -> None:
    colors = torch.tensor([[0.0, 10, 30, 35, 60], [0.0, 0, 0, 0, 0]])
    assert select_distinct(colors, MIN_COLOR_DISTANCE, 5) == [0, 2, 4]
    assert select_distinct(colors, MIN_COLOR_DISTANCE, 2) == [0, 2]
    assert select_distinct(colors, 1, 9) == [0, 1, 2, 3, 4]


def test_colors_as_shown_lose_chroma_but_no_hue() -> None:
    shown = displayable(torch.tensor([[10.0, 60.0], [5.0, 30.0]]), 95)
    assert shown[:, 0].tolist() == pytest.approx([6, 3], abs=4)
    assert shown[:, 1].norm() < 30
    assert (shown[1] / shown[0]).tolist() == pytest.approx([0.5, 0.5], abs=0.02)
    kept = displayable(torch.tensor([[10.0], [5.0]]), 50)
    assert kept[:, 0].tolist() == pytest.approx([10, 5], abs=0.01)


@pytest.mark.slow
def test_the_portrait_s_suit_changes_and_her_face_stays() -> None:
    alternatives = colorize(Colorizer.load(), "portrait.jpg").alternatives()
    assert len(alternatives) == 4
    faces = np.array([mean_ab(alternative, 0.43, 0.27) for alternative in alternatives])
    suits = np.array([mean_ab(alternative, 0.22, 0.75) for alternative in alternatives])
    assert np.abs(faces - faces[0]).max() < 3
    assert np.linalg.norm(suits - suits[0], axis=1).max() > 15
    assert Photo is type(alternatives[3].colorized)
