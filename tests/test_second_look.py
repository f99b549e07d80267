"""The second look: when there is one, and what it may change."""

import numpy as np
import pytest
import torch

from colorizer import Colorizer, Photo, Recipe
from colorizer.bands import Plane
from colorizer.pipeline import Predicted
from colorizer.second_look import finer_size, merge, missed_skin
from tests.conftest import color_pixels

SIZE = (120, 160)
GRAY, SKIN, BLOTCH, GRASS = (0.0, 0.0), (12.0, 15.0), (40.0, 22.0), (-12.0, 15.0)
FACE = np.s_[60:70, 80:90]


def colored(color: tuple[float, float], where: tuple[slice, slice] = FACE) -> Plane:
    """Gray ab of `SIZE`, but for a square."""
    ab = np.zeros((2, *SIZE), np.float32)
    ab[:, where[0], where[1]] = np.array(color, np.float32)[:, None, None]
    return ab


def lit(lightness: float = 60) -> Plane:
    return np.full(SIZE, lightness, np.float32)


@pytest.mark.parametrize(
    ("size", "finer"),
    [((431, 9000), None), ((432, 600), 432), ((600, 500), 500), ((3000, 4000), 512)],
)
def test_only_larger_photos_are_seen_twice(size: tuple[int, int], finer: int | None) -> None:
    assert finer_size(size, 288) == finer


def test_a_small_gray_face_becomes_skin() -> None:
    weight = missed_skin(colored(GRAY), colored(SKIN), lit())
    assert weight[FACE].min() > 0.75
    assert weight[:55].max() == weight[:, 95:].max() == 0
    assert np.abs(np.diff(weight, axis=0)).max() < 0.7  # no hard border


@pytest.mark.parametrize(
    ("first", "second", "lightness"),
    [
        (SKIN, SKIN, 60),  # known already
        ((40.0, 20.0), SKIN, 60),  # a red dress, of which the first look was sure
        (GRAY, GRASS, 60),
        (GRAY, BLOTCH, 60),
        (GRAY, SKIN, 15),  # too dark to tell
    ],
)
def test_everything_else_stays(
    first: tuple[float, float], second: tuple[float, float], lightness: float
) -> None:
    assert missed_skin(colored(first), colored(second), lit(lightness)).max() == 0


def test_large_areas_stay() -> None:
    everywhere = np.s_[0:120, 0:160]
    assert missed_skin(colored(GRAY), colored(SKIN, everywhere), lit()).max() == 0


def test_colors_and_logits_are_taken_from_the_same_places() -> None:
    """So that confidence and alternatives are about the colors that are shown."""
    first = colored(GRAY), torch.zeros(3, 30, 40)
    finer = colored(SKIN).repeat(2, axis=1).repeat(2, axis=2), torch.ones(3, 60, 80)
    ab, logits = merge(first, finer, lit())
    assert (ab.shape, logits.shape) == ((2, *SIZE), (3, 30, 40))
    assert ab[0, 62:68, 82:88].min() > 0.75 * SKIN[0]
    assert logits[:, 16, 21].min() > 0.75
    assert np.abs(ab[:, :50]).max() == logits[:, :12].abs().max() == 0


@pytest.fixture(scope="module")
def large() -> Photo:
    return Photo(color_pixels(300, 320))


def test_a_size_of_ones_own_is_one_look(tiny_colorizer: Colorizer, large: Photo, sizes) -> None:
    tiny_colorizer.colorize(large, working_size=192)
    assert sizes == [(192, 205)]
    tiny_colorizer.colorize(large)
    assert sizes[1:] == [(192, 205), (300, 320)]
    tiny_colorizer.colorize(Photo(color_pixels(287, 320)))
    assert sizes[3:] == [(192, 214)]


def test_networks_without_a_distribution_look_once(tanh_colorizer: Colorizer, large: Photo) -> None:
    once = tanh_colorizer.colorize(large, working_size=192).colorized
    assert np.array_equal(tanh_colorizer.colorize(large).colorized.pixels, once.pixels)


def test_a_recipe_repeats_both_looks(
    tiny_colorizer: Colorizer, large: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("colorizer.second_look.skin_likeness", lambda ab: np.float32(ab[0] > 0))
    both = tiny_colorizer.colorize(large).colorized.pixels
    one = tiny_colorizer.colorize(large, working_size=192).colorized.pixels
    assert not np.array_equal(both, one)
    recipe = Recipe.of(tiny_colorizer, large, "a.png")
    again = Recipe.from_json(recipe.to_json())
    assert np.array_equal(again.apply(tiny_colorizer, large).pixels, both)


@pytest.fixture
def sizes(tiny_colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The sizes of what the network sees, as it sees it."""
    seen: list[tuple[int, ...]] = []
    predict = tiny_colorizer.predict

    def record(lightness: Plane) -> Predicted:
        seen.append(lightness.shape)
        return predict(lightness)

    monkeypatch.setattr(tiny_colorizer, "predict", record)
    return seen
