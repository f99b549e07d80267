"""Lines of writing are found in photos of any shape, and not in what has none."""

import cv2
import numpy as np
import pytest

from colorizer.adjust.writing import find_writing
from colorizer.imaging.arrays import Plane


def page(size: tuple[int, int], ink: int, paper: int) -> Plane:
    """L* of paper with two words in the middle."""
    plane = np.full(size, paper, np.uint8)
    x, y = size[1] // 2 - 90, size[0] // 2
    cv2.putText(plane, "Paris 1925", (x, y), cv2.FONT_HERSHEY_SIMPLEX, 1, ink, 2, cv2.LINE_AA)
    return plane.astype(np.float32)


@pytest.mark.parametrize("size", [(480, 640), (640, 300), (100, 900)])
@pytest.mark.parametrize(("ink", "paper"), [(20, 85), (95, 30)])
def test_words_are_covered(size: tuple[int, int], ink: int, paper: int) -> None:
    plane = page(size, ink, paper)
    found, letters = find_writing(plane), np.abs(plane - paper) > 20
    assert found.shape == size
    assert found[letters].mean() > 0.97
    assert found.mean() < 6 * letters.mean() + 0.02


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (33, 31), (300, 400)])
def test_a_slope_has_no_writing(size: tuple[int, int]) -> None:
    plane = np.linspace(10, 90, size[0] * size[1], dtype=np.float32).reshape(size)
    assert not find_writing(plane).any()
