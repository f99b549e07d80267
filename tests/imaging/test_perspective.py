"""Quadrangles become rectangles: sizes, coordinates and pixels agree."""

import numpy as np
import pytest

from colorizer.imaging.perspective import (
    between_centers,
    inverse,
    is_convex,
    moved,
    rectangle_size,
    rectify,
    rotation,
    to_rectangle,
)
from tests.helpers.photos import color_pixels

WHOLE = [(0, 0), (60, 0), (60, 40), (0, 40)]
SLANTED = [(10, 4), (50, 8), (54, 36), (6, 34)]


def test_the_whole_photo_stays() -> None:
    pixels = color_pixels(40, 60)
    assert rectangle_size(WHOLE) == (40, 60)
    np.testing.assert_array_equal(rectify(pixels, WHOLE), pixels)


def test_a_part_without_perspective_is_a_crop() -> None:
    pixels = color_pixels(40, 60).astype(np.uint16) * 257
    part = rectify(pixels, [(10, 5), (50, 5), (50, 30), (10, 30)])
    assert part.dtype == np.uint16
    np.testing.assert_array_equal(part, pixels[5:30, 10:50])


def test_corners_become_corners_and_back() -> None:
    matrix, (height, width) = to_rectangle(SLANTED), rectangle_size(SLANTED)
    corners = [(0, 0), (width, 0), (width, height), (0, height)]
    for corner, target in zip(SLANTED, corners, strict=True):
        assert moved(matrix, *corner) == pytest.approx(target, abs=1e-3)
        assert moved(inverse(matrix), *target) == pytest.approx(corner, abs=1e-3)


def test_pixels_move_as_coordinates_do() -> None:
    """A bright pixel is found where the homography between centers says."""
    pixels = np.zeros((40, 60), np.uint8)
    pixels[20, 30] = 255
    y, x = np.unravel_index(rectify(pixels, SLANTED).argmax(), rectangle_size(SLANTED))
    assert (x, y) == pytest.approx(moved(between_centers(to_rectangle(SLANTED)), 30, 20), abs=0.6)


@pytest.mark.parametrize(
    "corners",
    [
        [(0, 0), (60, 40), (60, 0), (0, 40)],  # crossed
        WHOLE[::-1],  # counterclockwise
        [(0, 0), (60, 0), (10, 10), (0, 40)],  # dented
        [(0, 0), (60, 0), (60, 0), (0, 40)],  # without a side
    ],
)
def test_what_is_no_quadrangle(corners: list[tuple[float, float]]) -> None:
    assert is_convex(WHOLE)
    assert is_convex(SLANTED)
    assert not is_convex(corners)


def test_a_rotation_turns_clockwise_around_the_middle() -> None:
    matrix = rotation(90, (80, 100))
    assert moved(matrix, 50.0, 40.0) == pytest.approx((50, 40))
    assert moved(matrix, 50.0, 0.0) == pytest.approx((90, 40))  # from the top edge


def test_many_points_move_as_one_does() -> None:
    matrix = rotation(7, (80, 100))
    x, y = np.array([0.0, 30]), np.array([5.0, 60])
    across, down = moved(matrix, x, y)
    assert (across[1], down[1]) == moved(matrix, 30.0, 60.0)
