"""Hints: their colors, and where the planes say so."""

import pytest
import torch

from colorizer import ColorHint
from colorizer.generator import AB_SCALE
from colorizer.hints import MIN_RADIUS, rasterize


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
    with pytest.raises(ValueError, match="it must be 0 or more pixels"):
        ColorHint(0, 0, "#ff0000", radius)


def test_no_hints_are_no_planes() -> None:
    assert rasterize([], (10, 10), (10, 10)) is None


def test_values_and_mask() -> None:
    hint = ColorHint(20, 10, "#00ff00")
    planes = rasterize([hint], (40, 60), (40, 60))
    assert planes is not None
    assert planes.shape == (1, 3, 40, 60)
    assert planes.dtype == torch.float32
    mask = planes[0, 2]
    assert set(mask.unique().tolist()) == {0, 1}
    a, b = hint.ab
    assert planes[0, 0][mask == 1].unique().tolist() == pytest.approx([a / AB_SCALE])
    assert planes[0, 1][mask == 1].unique().tolist() == pytest.approx([b / AB_SCALE])
    assert (planes[0, :2, mask == 0] == 0).all()


@pytest.mark.parametrize("scale", [1, 2, 0.5])
@pytest.mark.parametrize(("x", "y"), [(50, 20), (10, 70), (99, 79), (0, 0)])
def test_the_disc_is_around_the_point(x: int, y: int, scale: float) -> None:
    """x is the column and y the row, in the photo's pixels, at any working size."""
    planes = rasterize([ColorHint(x, y, "#ff0000")], (80, 100), (int(80 * scale), int(100 * scale)))
    assert planes is not None
    rows, columns = planes[0, 2].nonzero().T
    assert abs(rows.float() + 0.5 - (y + 0.5) * scale).max() <= MIN_RADIUS
    assert abs(columns.float() + 0.5 - (x + 0.5) * scale).max() <= MIN_RADIUS
    assert len(rows) >= 4
    if 10 <= x < 90 and 10 <= y < 70:
        assert float(rows.float().mean()) + 0.5 == pytest.approx((y + 0.5) * scale, abs=0.51)
        assert float(columns.float().mean()) + 0.5 == pytest.approx((x + 0.5) * scale, abs=0.51)


def test_the_radius_is_in_pixels_of_the_photo() -> None:
    planes = rasterize([ColorHint(200, 200, "#ff0000", 80)], (400, 400), (100, 100))
    assert planes is not None
    assert float(planes[0, 2].sum()) == pytest.approx(3.14159 * 20**2, rel=0.03)


def test_a_radius_of_zero_is_still_seen() -> None:
    planes = rasterize([ColorHint(2000, 1000, "#ff0000")], (3000, 4000), (192, 256))
    assert planes is not None
    assert float(planes[0, 2].sum()) >= 9


def test_later_hints_cover_earlier_ones() -> None:
    red, blue = ColorHint(5, 5, "#ff0000", 4), ColorHint(5, 5, "#0000ff", 2)
    planes = rasterize(iter([red, blue]), (11, 11), (11, 11))
    assert planes is not None
    assert planes[0, 1, 5, 5] < 0  # b* of blue
    assert planes[0, 1, 5, 2] > 0  # b* of red
    covered = rasterize([blue, red], (11, 11), (11, 11))
    assert covered is not None
    assert covered[0, 1, 5, 5] > 0


@pytest.mark.parametrize(
    ("x", "y"), [(-1, 5), (5, -0.1), (20, 5), (5, 10), (float("nan"), 5), (5, float("inf"))]
)
def test_hints_outside_are_refused(x: float, y: float) -> None:
    with pytest.raises(ValueError, match=r"lies outside the photo of 20 x 10 pixels\."):
        rasterize([ColorHint(x, y, "#ff0000")], (10, 20), (10, 20))


def test_points_between_the_last_pixels_are_inside() -> None:
    assert rasterize([ColorHint(19.9, 9.9, "#ff0000")], (10, 20), (10, 20)) is not None
