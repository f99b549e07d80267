"""Hints with a reach: they color what is alike near them, and nothing else."""

import time

import numpy as np
import pytest

from colorizer import ColorHint, Colorizer, Photo
from colorizer.imaging.arrays import Plane
from colorizer.inference.hints import Samples
from colorizer.inference.local_hints import LocalPropagation, nearness

SIZE = 80, 120


def two_regions(left: float, right: float) -> Plane:
    """Lightness of a gently textured picture, with an edge in the middle."""
    lightness = np.full(SIZE, left, np.float32)
    lightness[:, 60:] = right
    return lightness + np.random.default_rng(0).normal(0, 1, SIZE).astype(np.float32)


def known(*points: tuple[int, int, float, float], reach: float = 0.8) -> Samples:
    rows, columns, a, b = zip(*points, strict=True)
    far = np.full(len(points), reach, np.float32)
    return Samples(np.array(rows), np.array(columns), np.array([a, b], np.float32).T, far)


@pytest.fixture
def ab() -> Plane:
    return np.broadcast_to(np.array([[[5]], [[8]]], np.float32), (2, *SIZE)).copy()


@pytest.mark.parametrize("reach", [0.3, 0.6, 1.0])
def test_a_hint_ends_at_its_reach(ab: Plane, reach: float) -> None:
    samples = known((40, 20, 5, -32), reach=reach)
    change = (LocalPropagation(two_regions(50, 50), ab, samples).apply(ab) - ab)[1]
    y, x = np.indices(SIZE)
    distance = np.hypot(y - 40, x - 20) / SIZE[0]
    assert change[40, 20] == pytest.approx(-40, rel=0.1)
    assert change[distance < reach / 3].max() < -15
    assert abs(change[distance > reach + 0.08]).max() < 5


def test_edges_stop_a_hint(ab: Plane) -> None:
    samples = known((40, 30, 5, -32))
    change = (LocalPropagation(two_regions(30, 70), ab, samples).apply(ab) - ab)[1]
    assert change[20:60, 20:50].max() < -15
    assert abs(change[:, 64:]).max() < 5
    flat = (LocalPropagation(two_regions(50, 50), ab, samples).apply(ab) - ab)[1]
    assert flat[40, 64] < -10


def test_faint_edges_stop_a_hint_in_faint_photos(ab: Plane) -> None:
    samples = known((40, 30, 5, -32))
    change = (LocalPropagation(two_regions(50, 58), ab, samples).apply(ab) - ab)[1]
    assert change[40, 50] < -20
    assert abs(change[:, 66:]).max() < 5


def test_a_hint_stops_where_the_network_sees_another_thing(ab: Plane) -> None:
    color_features = np.zeros((20, 30, 6), np.float32)
    color_features[:, 15:, 0] = 1.0
    samples = known((40, 50, 5, -32))
    change = (LocalPropagation(two_regions(50, 50), ab, samples, color_features).apply(ab) - ab)[1]
    assert change[40, 55] < -20
    assert abs(change[:, 66:]).max() < 5


def test_one_hint_leaves_the_photo_and_many_that_agree_shift_it(ab: Plane) -> None:
    """Far from all of them, and behind edges."""
    lightness = two_regions(45, 60)
    points = [(row, column, 5, -12) for row in (5, 40, 75, 20, 60) for column in (5, 45)]
    one, three, many = (
        (LocalPropagation(lightness, ab, known(*samples, reach=0.3)).apply(ab) - ab)[1, :, 80:]
        for samples in (points[:1], (points[0], points[3], points[4]), points)
    )
    assert abs(one).max() < 5
    assert abs(three).max() < 5  # people begin where the colors are worst
    assert many.max() < -5


def test_all_hints_hold(ab: Plane) -> None:
    """Also near others of other colors."""
    points = ((40, 20, 40.0, 30.0), (40, 44, -30.0, 8.0), (20, 90, 0.0, -40.0), (60, 90, 5.0, 8.0))
    corrected = LocalPropagation(two_regions(45, 60), ab, known(*points)).apply(ab)
    for row, column, *color in points:
        np.testing.assert_allclose(corrected[:, row, column], color, atol=6)


def test_hints_that_agree_with_the_photo_change_nothing(ab: Plane) -> None:
    samples = known((40, 30, 5, 8), (10, 100, 5, 8))
    lightness = two_regions(30, 70)
    np.testing.assert_allclose(LocalPropagation(lightness, ab, samples).apply(ab), ab, atol=1e-4)


def test_certainty_is_near_1_at_hints_and_0_beyond_their_reach(ab: Plane) -> None:
    samples = known((40, 20, 5, -32), reach=0.4)
    certainty = LocalPropagation(two_regions(50, 50), ab, samples).certainty()
    assert certainty.shape == SIZE
    assert certainty[40, 20] > 0.9
    assert certainty[:, 70:].max() < 0.01
    assert 0 <= certainty.min() <= certainty.max() <= 1


def test_paths_go_around_walls() -> None:
    edges = np.zeros((20, 20, 1), np.float32)
    edges[:15, 10] = 5
    row, column = np.array([2]), np.array([5])
    near = nearness(edges, row, column, np.array([3.0], np.float32))[0]
    length = 3 * np.sqrt(1 - np.sqrt(near))  # see `nearness`
    assert near[2, 5] == 1
    assert length[12, 5] == pytest.approx(10 / 20, abs=1e-3)
    assert length[2, 15] == pytest.approx(2 * (8 + 5 * np.sqrt(2)) / 20, abs=1e-3)
    assert length[2, 10] == pytest.approx(3, abs=1e-3)


@pytest.mark.parametrize("size", [(1, 1), (1, 50), (50, 1), (3, 5)])
def test_tiny_pictures(size: tuple[int, int]) -> None:
    ab = np.zeros((2, *size), np.float32)
    propagation = LocalPropagation(np.full(size, 50, np.float32), ab, known((0, 0, 10, 20)))
    assert propagation.apply(ab)[:, 0, 0] == pytest.approx([10, 20], rel=0.05)
    assert propagation.certainty().shape == size


def test_the_same_hint_many_times_is_as_good_as_once(ab: Plane) -> None:
    points = [(40, 30, 5, -32), (40, 90, 40, 8)]
    few, many = (
        LocalPropagation(two_regions(30, 70), ab, known(*points * times)).apply(ab)
        for times in (1, 20)
    )
    np.testing.assert_allclose(few, many, atol=2)


@pytest.mark.slow
def test_500_hints_take_little_time() -> None:
    """At the usual working size, beside other work."""
    random = np.random.default_rng(0)
    size = 288, 432
    lightness = random.uniform(0, 100, size).astype(np.float32)
    ab = np.zeros((2, *size), np.float32)
    rows, columns = random.integers(size[0], size=500), random.integers(size[1], size=500)
    colors = random.normal(0, 30, (500, 2)).astype(np.float32)
    samples = Samples(rows, columns, colors, np.full(500, 0.8, np.float32))
    start = time.process_time()
    assert np.isfinite(LocalPropagation(lightness, ab, samples).apply(ab)).all()
    assert time.process_time() - start < 30


def test_hints_with_and_without_a_reach_go_together(
    tiny_colorizer: Colorizer, color_photo: Photo
) -> None:
    near, whole = ColorHint(60, 20, "#ff0000"), ColorHint(10, 40, "#2040c0", reach=None)
    both = tiny_colorizer.colorize(color_photo, [near, whole])
    for hint in (near, whole):
        row, column = (
            int(value * side / full)
            for value, side, full in zip(
                (hint.y, hint.x), both._ab.shape[1:], color_photo.size, strict=True
            )
        )
        np.testing.assert_allclose(both._ab[:, row, column], hint.ab, atol=10)
        assert both.confidence[row, column] > 0.8
