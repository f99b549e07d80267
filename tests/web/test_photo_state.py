"""What a visitor works on, and how it changes: framing, points, hints, alternatives."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorizer import Adjustments, ColorHint, Colorizer, Photo
from colorizer.adjust.framing import Framing
from colorizer.edit import Edit
from colorizer.web.actions.photo_state import (
    ALTERNATIVES,
    GRAY,
    OVERVIEW_SIDE,
    PhotoState,
    add_hint,
    color_at,
    colorize,
    framed,
    overview,
    with_hints,
)
from tests.helpers.photos import color_pixels


def opened(colorizer: Colorizer, path: Path, edit: Edit | None = None) -> PhotoState:
    return colorize(colorizer, Photo.open(path), edit or Edit(), path)


BLUE = ColorHint(10, 12, "#2040c0", 3)
GREEN = ColorHint(50, 30, "#20a040")


@pytest.fixture(scope="module")
def upload(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A color photo of 61 x 83 pixels."""
    path = tmp_path_factory.mktemp("upload") / "grandma.png"
    Image.fromarray(color_pixels(61, 83)).save(path)
    return path


@pytest.fixture(scope="module")
def shown(tiny_colorizer: Colorizer, upload: Path) -> PhotoState:
    return opened(tiny_colorizer, upload)


# Points


def test_points_of_the_photo_on_the_picture(shown: PhotoState) -> None:
    """With a photo four times as large as the picture on the page."""
    height, width = shown.small.size
    large = replace(shown, size=(4 * height, 4 * width))
    for x, y in ((0, 0), (5, 7), (width - 1, height - 1)):
        assert large.to_small(4 * x, 4 * y) == large.to_small(4 * x + 3, 4 * y + 3) == (x, y)
    assert large.contains(4 * width - 1, 4 * height - 1)
    assert not large.contains(4 * width, 0)
    assert not large.contains(-1, 0)


def test_brush_in_percent_of_the_short_side(shown: PhotoState) -> None:
    assert shown.radius(10) == pytest.approx(6.1)


def test_color_of_another_photo() -> None:
    pixels = np.zeros((20, 20, 3), np.uint8)
    pixels[:, 10:] = (200, 100, 50)
    assert color_at(Photo(pixels), 15, 10) == "#c86432"
    assert color_at(Photo(pixels), 0, 0) == "#000000"
    assert color_at(Photo(np.full((3, 3, 1), 128, np.uint8)), 1, 1) == "#808080"


# Hints


def test_a_hint_replaces_at_the_same_point() -> None:
    hints = add_hint(add_hint((), BLUE), GREEN)
    assert hints == (BLUE, GREEN)
    again = ColorHint(BLUE.x, BLUE.y, GRAY)
    assert add_hint(hints, again) == (GREEN, again)


def test_hints_as_if_given_from_the_start(
    shown: PhotoState, tiny_colorizer: Colorizer, upload: Path
) -> None:
    """On the page and in the download."""
    later = with_hints(shown, (BLUE,))
    photo = Photo.open(upload)
    expected = tiny_colorizer.colorize(photo, [BLUE]).colorized
    np.testing.assert_array_equal(later.result.on(photo).colorized.pixels, expected.pixels)
    assert not np.array_equal(later.result.colorized.pixels, shown.result.colorized.pixels)


def test_spots_survive_framing(shown: PhotoState, tiny_colorizer: Colorizer, upload: Path) -> None:
    """They stay on their pixels of the photo, and come back when the crop shows them again."""
    photo = Photo.open(upload)
    spots = with_hints(shown, (BLUE, GREEN)).spots
    assert spots == (BLUE, GREEN)
    for turns in range(4):
        framing = Framing(turns, (0, 0, 0, 0))
        edit, hidden = framed(framing, spots, photo.size)
        for hint, spot in zip(edit.hints, spots, strict=True):
            seen = framing(photo).pixels[int(hint.y), int(hint.x)]
            assert seen.tolist() == photo.pixels[int(spot.y), int(spot.x)].tolist()
        assert not hidden
    for turns in range(4):
        margins = {0: (50, 0, 0, 0), 1: (0, 0, 50, 0), 2: (0, 50, 0, 0), 3: (0, 0, 0, 50)}
        half = Framing(turns, margins[turns])  # the photo's left half is cut off
        edit, hidden = framed(half, spots, photo.size)
        assert [spot.color for spot in hidden] == [BLUE.color]
        cropped = colorize(tiny_colorizer, photo, edit, upload, hidden=hidden)
        assert set(cropped.spots) == set(spots)


# Versions and the full photo


def test_versions_begin_with_the_guess(shown: PhotoState) -> None:
    assert 1 <= len(shown.alternatives) <= ALTERNATIVES
    np.testing.assert_array_equal(
        shown.alternatives[0].colorized.pixels, shown.alternative(0).colorized.pixels
    )


def test_a_model_without_a_distribution_has_one_version(
    tanh_colorizer: Colorizer, upload: Path
) -> None:
    shown = opened(tanh_colorizer, upload)
    assert shown.alternatives == [shown.result]


def test_the_full_photo_is_as_from_the_library(
    shown: PhotoState, tiny_colorizer: Colorizer, upload: Path
) -> None:
    settings = Adjustments(saturation=1.3, contrast=20)
    versions = tiny_colorizer.colorize(Photo.open(upload)).alternatives(ALTERNATIVES)
    for number, version in enumerate(versions):
        ours = shown.alternative(number).on(Photo.open(upload)).adjust(settings)
        np.testing.assert_array_equal(ours.pixels, version.adjust(settings).pixels)


def test_a_framed_photo(tiny_colorizer: Colorizer, upload: Path) -> None:
    framing = Framing(1, (0, 0, 50, 0))
    shown = opened(tiny_colorizer, upload, Edit(framing))
    assert shown.size == framing(Photo.open(upload)).size == (83 - 42, 61)
    assert shown.uncropped.size == (83, 61)


def test_the_state_is_small(tiny_colorizer: Colorizer, tmp_path: Path) -> None:
    """Nothing of the size of the photo is kept."""
    path = tmp_path / "large.jpg"
    Image.fromarray(color_pixels(1500, 2000)).save(path)
    shown = opened(tiny_colorizer, path)
    assert shown.small.pixels.size <= 3_000_000
    assert shown.result._output.lightness.size < 100_000
    assert max(shown.uncropped.size) == OVERVIEW_SIDE


def test_overviews_of_strips() -> None:
    assert overview(Photo(np.zeros((2, 4000, 1), np.uint8))).size == (1, OVERVIEW_SIDE)
    assert overview(Photo(np.zeros((3, 5, 3), np.uint8))).size == (3, 5)
