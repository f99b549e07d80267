"""Negatives: recognized among the examples; no positive is taken for one, and no plain photo."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch

from colorizer import Photo
from colorizer.inference.negatives import SIDE, WEIGHTS, is_negative, load_polarity, small_gray
from tests.helpers.paths import EXAMPLES

EXAMPLE_PHOTOS = sorted(EXAMPLES.glob("*.jpg"))


def logit(photo: Photo) -> float:
    with torch.inference_mode():
        return float(load_polarity()(torch.from_numpy(small_gray(photo))[None, None]))


def test_examples() -> None:
    photos = [Photo.open(path) for path in EXAMPLE_PHOTOS]
    assert not any(is_negative(photo) for photo in photos)
    assert sum(is_negative(photo.inverted()) for photo in photos) >= 3
    assert sum(logit(photo) > 0 for photo in photos) >= len(photos) - 2


@pytest.mark.parametrize("path", EXAMPLE_PHOTOS, ids=lambda path: path.stem)
def test_what_speaks_for_a_positive_speaks_against_its_inversion(path: Path) -> None:
    photo = Photo.open(path).to_gray()
    assert logit(photo.inverted()) == pytest.approx(-logit(photo), abs=0.2)


def test_depth_size_and_a_second_save_change_little() -> None:
    photo = Photo.open(EXAMPLE_PHOTOS[0]).to_gray()
    deep = Photo(photo.pixels.astype(np.uint16) * 257)
    assert logit(deep) == pytest.approx(logit(photo), abs=0.01)
    half = photo.shrunk((photo.size[0] // 2, photo.size[1] // 2))
    assert logit(half) == pytest.approx(logit(photo), abs=0.5)
    file = io.BytesIO()
    photo.to_image().save(file, "JPEG", quality=60)
    assert logit(Photo.open(file)) == pytest.approx(logit(photo), abs=0.5)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (7, 5), (90, 60)])
@pytest.mark.parametrize("level", [0, 90, 255])
def test_a_plain_photo_is_neither(size: tuple[int, int], level: int) -> None:
    photo = Photo(np.full((*size, 1), level, np.uint8), alpha=np.full(size, 255, np.uint8))
    assert small_gray(photo).shape == (SIDE, SIDE)
    assert not is_negative(photo)


def test_the_weights_are_small() -> None:
    assert WEIGHTS.stat().st_size < 150_000
