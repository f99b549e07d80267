"""The badge: legible, in its corner, and nowhere else."""

import numpy as np
import pytest

from colorizer import Photo
from colorizer.adjust.badge import with_badge
from tests.helpers.photos import color_pixels


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("size", [(400, 600), (600, 400), (300, 2000)])
def test_only_the_corner_changes(size: tuple[int, int], dtype: type) -> None:
    scale = dtype(np.iinfo(dtype).max // 255)
    photo = Photo(color_pixels(*size).astype(dtype) * scale)
    before = photo.pixels.copy()
    made = with_badge(photo)
    assert np.array_equal(photo.pixels, before)
    rows, columns = np.nonzero((made.pixels != before).any(2))
    short = min(size)
    assert size[0] - 0.1 * short < rows.min() < rows.max() < size[0]
    assert size[1] - 0.55 * short < columns.min() < columns.max() < size[1]
    inside = made.pixels[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    assert 0.03 < (inside > 180 * scale).all(2).mean() < 0.5  # white letters
    assert (inside.mean(2) < 0.5 * np.iinfo(dtype).max).mean() > 0.4  # on dark


def test_it_is_opaque() -> None:
    photo = Photo(color_pixels(300, 400), alpha=np.full((300, 400), 9, np.uint8))
    made = with_badge(photo)
    assert made.alpha is not None
    changed = (made.pixels != photo.pixels).any(2)
    assert np.array_equal(made.alpha == 255, changed | (made.alpha > 9))
    assert (made.alpha == 255).mean() > 0.005
    assert photo.alpha is not None
    assert (photo.alpha == 9).all()


def test_what_has_no_color_gets_none() -> None:
    photo = Photo(color_pixels(300, 400)[:, :, :1].copy())
    assert with_badge(photo) is photo


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (2, 3), (40, 30)])
def test_the_smallest_photos(size: tuple[int, int]) -> None:
    made = with_badge(Photo(color_pixels(*size)))
    assert made.size == size
