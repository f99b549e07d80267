"""The reference that an album's photos share."""

from pathlib import Path

import numpy as np
import pytest

from colorizer import Colorizer, Photo, PhotoError
from colorizer.batch import shared_colors
from colorizer.batch.shared_colors import find_shared_colors, mosaic, tile
from tests.helpers.scenes import scene

PHOTOS = {Path(str(seed)): Photo(scene(60, 80, seed)).to_gray() for seed in range(4)}


@pytest.mark.slow
def test_the_surest_photos_are_taken(
    tiny_colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shared_colors, "TILES", 2)
    sure = sorted(PHOTOS, key=lambda path: -tiny_colorizer.colorize(PHOTOS[path]).confidence.mean())
    found = find_shared_colors(tiny_colorizer, PHOTOS, PHOTOS.__getitem__, 0.5)
    of_the_surest = find_shared_colors(tiny_colorizer, sorted(sure[:2]), PHOTOS.__getitem__, 0.5)
    assert found == of_the_surest
    assert found is not None
    assert (found.use, found.strength) == ("reference", 0.5)


def test_unreadable_photos_are_left_out(tiny_colorizer: Colorizer) -> None:
    def fail(path: Path) -> Photo:
        raise PhotoError(f"{path} is damaged.")

    assert find_shared_colors(tiny_colorizer, PHOTOS, fail) is None


def test_tiles_are_squares_of_8_bits() -> None:
    deep = np.full((30, 400, 3), 65535, np.uint16)
    assert tile(deep).shape == (256, 256, 3)
    assert tile(deep).dtype == np.uint8
    assert (tile(deep) == 255).all()


@pytest.mark.parametrize(("count", "size"), [(1, (1, 1)), (2, (1, 2)), (4, (2, 3)), (6, (2, 3))])
def test_a_mosaic_has_no_gaps(count: int, size: tuple[int, int]) -> None:
    tiles = [np.full((256, 256, 3), number + 1, np.uint8) for number in range(count)]
    made = mosaic(tiles)
    assert made.shape == (256 * size[0], 256 * size[1], 3)
    assert set(np.unique(made)) == set(range(1, count + 1))
