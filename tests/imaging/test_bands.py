"""Bands: they cover every row once, in order, and are small."""

import numpy as np
import pytest

from colorizer.imaging.bands import BAND_PIXELS, bands, map_bands
from colorizer.imaging.resampling import enlarge, enlarge_planes, resize


@pytest.mark.parametrize(
    "size", [(1, 1), (1, 500), (500, 1), (3000, 4000), (7, BAND_PIXELS), (3, 3 * BAND_PIXELS)]
)
def test_bands_cover_every_row_once(size: tuple[int, int]) -> None:
    height, width = size
    rows = [row for band in bands(size) for row in range(height)[band]]
    assert rows == list(range(height))
    for band in bands(size):
        assert band.stop > band.start
        assert (band.stop - band.start) * width <= max(BAND_PIXELS, width)


def test_a_small_photo_is_one_band() -> None:
    assert list(bands((300, 400))) == [slice(0, 300)]


def test_a_large_photo_has_no_needless_bands() -> None:
    assert len(list(bands((10_000, 10_000)))) <= 770  # 100 megapixels at 13 rows each


def test_work_is_done_for_every_band_in_order() -> None:
    size = (1000, 1000)
    assert map_bands(lambda rows: rows, size) == list(bands(size))


def test_what_goes_wrong_in_a_band_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        map_bands(lambda rows: 1 / (rows.start - rows.start), (1000, 1000))


@pytest.mark.parametrize("size", [(90, 70), (7, 9), (5, 4), (1, 1), (12, 3)])
def test_planes_are_enlarged_as_each_alone(size: tuple[int, int]) -> None:
    planes = np.random.default_rng(0).uniform(-1, 1, (3, 7, 9)).astype(np.float32)
    rows = slice(size[0] // 3, size[0])
    together = enlarge_planes(planes, rows, size)
    for plane, enlarged in zip(planes, together, strict=True):
        assert np.abs(enlarged - enlarge(plane, rows, size)).max() < 1e-6


def test_resize_keeps_the_mean_when_it_shrinks() -> None:
    plane = np.random.default_rng(0).uniform(0, 100, (64, 96)).astype(np.float32)
    small = resize(plane, (8, 12))
    assert small.shape == (8, 12)
    assert np.allclose(small, plane.reshape(8, 8, 12, 8).mean((1, 3)), atol=1e-3)
    assert resize(plane, (130, 100)).shape == (130, 100)
