"""Hints: their colors, the pixels that they speak of, and how they spread."""

import numpy as np
import pytest

from colorizer import ColorHint
from colorizer.imaging.arrays import Plane
from colorizer.inference.hints import HintPropagation, Samples, sample

RED, BLUE = "#ff0000", "#0000ff"


@pytest.mark.parametrize(
    ("color", "ab"),
    [
        ("#ff0000", (80.09, 67.20)),  # published CIELAB of the primaries, see test_color.py
        ("#00ff00", (-86.18, 83.18)),
        ("#0000FF", (79.19, -107.86)),
        ("#808080", (0.0, 0.0)),
    ],
)
def test_ab_of_known_colors(color: str, ab: tuple[float, float]) -> None:
    assert ColorHint(0, 0, color).ab == pytest.approx(ab, abs=0.03)


@pytest.mark.parametrize("color", ["red", "#fff", "7fb2e5", "#7fb2eg", "#7fb2e5 ", "", "#7fb2e5\n"])
def test_other_spellings_of_a_color_are_refused(color: str) -> None:
    with pytest.raises(ValueError, match="write it as #rrggbb, for example #7fb2e5"):
        ColorHint(0, 0, color)


@pytest.mark.parametrize("radius", [-1.0, float("nan")])
def test_a_radius_below_zero_is_refused(radius: float) -> None:
    with pytest.raises(ValueError, match=r"it goes from 0 to 1e\+06 pixels"):
        ColorHint(0, 0, "#ff0000", radius)


@pytest.mark.parametrize("reach", [0.0, -1.0, 3.1, float("nan")])
def test_a_reach_out_of_range_is_refused(reach: float) -> None:
    with pytest.raises(ValueError, match=r"give more than 0 and at most 3 short sides"):
        ColorHint(0, 0, "#ff0000", reach=reach)


# Samples


def test_no_hints_are_no_samples() -> None:
    samples = sample([], (10, 10), (10, 10))
    assert len(samples) == 0
    assert samples.ab.shape == (0, 2)


@pytest.mark.parametrize("scale", [1, 2, 0.5])
@pytest.mark.parametrize(("x", "y"), [(50, 20), (10, 70), (99, 79), (0, 0), (19.9, 9.9)])
def test_a_small_hint_is_its_point(x: float, y: float, scale: float) -> None:
    """x is the column and y the row, in the photo's pixels, at any working size."""
    size = int(80 * scale), int(100 * scale)
    samples = sample([ColorHint(x, y, "#00ff00")], (80, 100), size)
    (row,), (column,) = samples.rows.tolist(), samples.columns.tolist()
    assert row + 0.5 == pytest.approx(min((y + 0.5) * scale, size[0] - 0.5), abs=0.5)
    assert column + 0.5 == pytest.approx(min((x + 0.5) * scale, size[1] - 0.5), abs=0.5)
    np.testing.assert_allclose(samples.ab, [ColorHint(0, 0, "#00ff00").ab])


def test_a_large_hint_is_several_points_of_its_disc() -> None:
    samples = sample([ColorHint(200, 200, RED, 80)], (400, 400), (100, 100))
    distances = np.hypot(samples.rows - 50, samples.columns - 50)
    assert len(samples) == 5
    assert distances.min() <= 1
    assert 10 < distances.max() < 20
    assert (samples.ab == samples.ab[0]).all()


def test_what_lies_outside_of_a_disc_at_the_border_is_left_out() -> None:
    samples = sample([ColorHint(0, 0, RED, 80)], (400, 400), (100, 100))
    assert len(samples) == 3
    assert samples.rows.min() == samples.columns.min() == 0


def test_later_hints_cover_earlier_ones() -> None:
    small, large = ColorHint(50, 50, BLUE), ColorHint(51, 50, RED, 20)
    covered = sample(iter([small, large]), (100, 100), (100, 100))
    assert set(covered.ab[:, 1] > 0) == {True}  # b* of red
    within = sample([large, small], (100, 100), (100, 100))
    assert (within.ab[:, 1] > 0).tolist() == [True] * 4 + [False]
    again = sample([ColorHint(50, 50, RED), ColorHint(50, 50, BLUE)], (100, 100), (100, 100))
    np.testing.assert_allclose(again.ab, [ColorHint(0, 0, BLUE).ab])


@pytest.mark.parametrize(
    ("x", "y"), [(-1, 5), (5, -0.1), (20, 5), (5, 10), (float("nan"), 5), (5, float("inf"))]
)
def test_hints_outside_are_refused(x: float, y: float) -> None:
    with pytest.raises(ValueError, match=r"lies outside the photo of 20 x 10 pixels\."):
        sample([ColorHint(x, y, "#ff0000")], (10, 20), (10, 20))


# HintPropagation


def two_regions(left: float, right: float) -> Plane:
    """Lightness of a gently textured picture of 80 x 120, with an edge in the middle."""
    lightness = np.full((80, 120), left, np.float32)
    lightness[:, 60:] = right
    return lightness + np.random.default_rng(0).normal(0, 1, lightness.shape).astype(np.float32)


def known(*points: tuple[int, int, float, float]) -> Samples:
    rows, columns, a, b = zip(*points, strict=True)
    whole = np.full(len(points), np.nan, np.float32)
    return Samples(np.array(rows), np.array(columns), np.array([a, b], np.float32).T, whole)


@pytest.fixture
def ab() -> Plane:
    return np.broadcast_to(np.array([[[5]], [[8]]], np.float32), (2, 80, 120)).copy()


def test_a_hint_fills_what_is_alike_and_stops_at_edges(ab: Plane) -> None:
    propagation = HintPropagation(two_regions(30, 70), ab, known((40, 30, 5, -32)))
    change = (propagation.apply(ab) - ab)[1]
    assert change[40, 30] == pytest.approx(-40, rel=0.1)
    assert change[20:60, 10:50].mean() < -25
    assert abs(change[:, 64:]).max() < 2
    assert abs((propagation.apply(ab) - ab)[0]).max() < 1e-3


def test_a_hint_stops_where_the_network_sees_another_color(ab: Plane) -> None:
    colors = ab.copy()
    colors[:, :, 60:] += 40
    same = HintPropagation(two_regions(50, 50), ab, known((40, 50, 5, -32))).apply(ab) - ab
    told_apart = (
        HintPropagation(two_regions(50, 50), colors, known((40, 50, 5, -32))).apply(ab) - ab
    )
    assert same[1, 40, 70] < -20
    assert abs(told_apart[1, :, 64:]).max() < 3
    np.testing.assert_allclose(told_apart[1, 40, 40:50], same[1, 40, 40:50], atol=4)


def test_a_hint_stops_where_the_network_believes_another_thing(ab: Plane) -> None:
    color_features = np.zeros((20, 30, 6), np.float32)  # at the stride of a distribution
    color_features[:, 15:, 0] = 1.4
    samples = known((40, 50, 5, -32))
    plain = HintPropagation(two_regions(50, 50), ab, samples).apply(ab) - ab
    told_apart = HintPropagation(two_regions(50, 50), ab, samples, color_features).apply(ab) - ab
    assert abs(told_apart[1, :, 64:80]).mean() < 0.7 * abs(plain[1, :, 64:80]).mean()
    np.testing.assert_allclose(told_apart[1, 40, 40:50], plain[1, 40, 40:50], atol=4)


def test_hints_that_agree_bear_on_more_than_one_alone(ab: Plane) -> None:
    points = [(10, 10), (10, 60), (10, 110), (70, 10), (70, 110)]
    one = HintPropagation(two_regions(50, 50), ab, known((10, 10, 5, -32))).apply(ab) - ab
    all_of_them = known(*[(*point, 5, -32) for point in points])
    many = HintPropagation(two_regions(50, 50), ab, all_of_them).apply(ab) - ab
    assert abs(one[1, 50:60, 50:70]).max() < 12
    assert many[1, 50:60, 50:70].mean() < 2 * one[1, 50:60, 50:70].mean()


def test_a_hint_fades_with_the_distance(ab: Plane) -> None:
    flat = np.full((80, 120), 50, np.float32)
    change = (HintPropagation(flat, ab, known((40, 10, 5, -32))).apply(ab) - ab)[1, 40]
    assert (np.diff(change[10:]) > 0).all()
    assert change[119] > -6


def test_hints_that_say_what_is_there_change_nothing(ab: Plane) -> None:
    samples = known((40, 30, 5, 8), (10, 100, 5, 8))
    np.testing.assert_allclose(HintPropagation(two_regions(30, 70), ab, samples).apply(ab), ab)


def test_all_hints_hold(ab: Plane) -> None:
    """Also near others of other colors."""
    points = ((40, 20, 40.0, 30.0), (40, 32, -30.0, 8.0), (20, 90, 0.0, -40.0), (60, 90, 5.0, 8.0))
    corrected = HintPropagation(two_regions(45, 60), ab, known(*points)).apply(ab)
    for row, column, *color in points:
        np.testing.assert_allclose(corrected[:, row, column], color, atol=4)


@pytest.mark.slow
def test_many_hints_are_as_good_as_few(ab: Plane) -> None:
    """Where pictures are worked on in bands, too, and with the same hint again and again."""
    few = HintPropagation(two_regions(30, 70), ab, known((40, 30, 5, -32), (40, 90, 40, 8)))
    many = HintPropagation(
        two_regions(30, 70), ab, known(*[(40, 30, 5, -32), (40, 90, 40, 8)] * 100)
    )
    np.testing.assert_allclose(many.apply(ab), few.apply(ab), atol=1)
    assert many.certainty() == pytest.approx(few.certainty(), abs=0.05)


def test_certainty_is_near_1_at_hints_and_0_where_nothing_is_alike(ab: Plane) -> None:
    certainty = HintPropagation(two_regions(20, 80), ab, known((40, 30, 5, -32))).certainty()
    assert certainty.shape == (80, 120)
    assert certainty[40, 30] > 0.9
    assert certainty[:, 64:].max() < 0.01
    assert 0 <= certainty.min() <= certainty.max() <= 1


def test_a_picture_of_one_pixel() -> None:
    ab = np.zeros((2, 1, 1), np.float32)
    corrected = HintPropagation(np.full((1, 1), 50, np.float32), ab, known((0, 0, 10, 20))).apply(
        ab
    )
    assert corrected.ravel() == pytest.approx([10, 20], rel=0.03)
