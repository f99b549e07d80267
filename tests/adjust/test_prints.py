"""A print on a table is found, with or without a white margin; a plain photo has none."""

import cv2
import numpy as np
import pytest

from colorizer import Photo
from colorizer.adjust.prints import find_print
from tests.helpers.photos import Pixels, color_pixels

CORNERS = ((0.2, 0.15), (0.85, 0.1), (0.8, 0.9), (0.25, 0.8))


def table(kind: str, size: tuple[int, int]) -> Pixels:
    """A surface with grain: brown, dark, or with stripes as of boards."""
    random = np.random.default_rng(1)
    color = {"brown": (120, 80, 50), "dark": (40, 42, 50), "boards": (130, 100, 70)}[kind]
    grain = random.normal(0, 6, (*size, 1))
    if kind == "boards":
        grain = grain + 12 * np.sin(np.arange(size[0]) / 2)[:, None, None]
    return np.asarray((color + grain).clip(0, 255), np.uint8)


@pytest.mark.parametrize("kind", ["brown", "dark", "boards"])
@pytest.mark.parametrize("margin", [0, 12])
def test_a_print_on_a_table(kind: str, margin: int) -> None:
    height, width = 480, 640
    picture = np.full((300, 400, 3), 235, np.uint8)
    inner = picture[margin : 300 - margin, margin : 400 - margin]
    inner[:] = color_pixels(*inner.shape[:2])
    target = np.array(CORNERS, np.float32) * (width, height)
    source = np.array([(0, 0), (400, 0), (400, 300), (0, 300)], np.float32)
    matrix = cv2.getPerspectiveTransform(source, target.astype(np.float32))
    seen = table(kind, (height, width))
    cv2.warpPerspective(
        picture, matrix, (width, height), dst=seen, borderMode=cv2.BORDER_TRANSPARENT
    )
    found = find_print(Photo(seen))
    assert found is not None
    np.testing.assert_allclose(found, CORNERS, atol=0.015)


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (300, 400)])
def test_a_photo_that_is_no_photo_of_a_print(size: tuple[int, int]) -> None:
    assert find_print(Photo(color_pixels(*size))) is None


def test_a_uniform_photo_has_no_print() -> None:
    assert find_print(Photo(np.full((300, 400, 1), 128, np.uint8))) is None
