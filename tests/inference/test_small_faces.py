"""The second pass over small faces: its windows, and what it may change."""

from collections.abc import Sequence

import numpy as np
import pytest
import torch

from colorizer import Colorizer, Photo, Recipe
from colorizer.imaging.arrays import Plane
from colorizer.inference.colorization import NetworkOutput
from colorizer.inference.distribution import Distribution
from colorizer.inference.faces import Face
from colorizer.inference.small_faces import (
    WINDOW_SIZE,
    Window,
    blend_skin,
    face_windows,
    favor_skin,
    skin_weight,
)
from tests.helpers.paths import EXAMPLES
from tests.helpers.photos import color_pixels

SHOWN = (288, 384)
GRAY, SKIN, BLOTCH, GRASS = (0.0, 0.0), (12.0, 15.0), (40.0, 22.0), (-12.0, 15.0)
WINDOW = Window(40, 80, 60, (Face(100, 55, 12, 16, 0.9),))
MIDDLE = np.s_[18:28, 22:30]  # of the face in its window
HAND = np.s_[44:50, 12:18]  # a place in it outside of the face


def colored(color: tuple[float, float], where: tuple[slice, slice] = np.s_[:, :]) -> Plane:
    """ab of the window, gray but for a part."""
    ab = np.zeros((2, 60, 60), np.float32)
    ab[:, where[0], where[1]] = np.array(color, np.float32)[:, None, None]
    return ab


def lit(lightness: float = 60) -> Plane:
    return np.full((60, 60), lightness, np.float32)


def face(left: float, top: float, width: float) -> Face:
    return Face(left, top, width, 1.3 * width, 0.9)


def test_a_small_face_gets_a_window_and_a_large_one_none() -> None:
    (window,) = face_windows([face(100, 80, 12), face(200, 80, 40)], SHOWN, SHOWN)
    assert window.side == 60  # in which 12 pixels are what 32 are in 160
    assert window.faces == (face(100, 80, 12),)
    assert abs(window.left + 30 - 106) <= 2
    assert 90 < window.top + 30 < 98  # a little below the face
    assert window.top % 4 == window.left % 4 == window.side % 4 == 0
    assert list(face_windows([], SHOWN, SHOWN)) == []


def test_faces_are_scaled_from_the_photo_to_the_input() -> None:
    size = 3 * SHOWN[0], 3 * SHOWN[1]
    (large,) = face_windows([face(300, 240, 36)], size, SHOWN)
    (window,) = face_windows([face(100, 80, 12)], SHOWN, SHOWN)
    assert large[:3] == window[:3]
    assert large.faces[0] == pytest.approx(window.faces[0])
    pixels = np.arange(size[0])[:, None] * np.ones(size[1], int)
    cut = large.crop_photo(pixels, SHOWN)
    assert cut.shape == (180, 180)
    assert cut[0, 0] == 3 * large.top


def test_neighbors_share_a_window() -> None:
    near = [face(100, 80, 12), face(125, 84, 10), face(300, 80, 12), face(108, 110, 4)]
    found = list(face_windows(near, SHOWN, SHOWN))
    assert sorted(len(window.faces) for window in found) == [1, 1, 2]
    assert {one for window in found for one in window.faces} == set(near)


@pytest.mark.parametrize("corner", [(-3, -4), (378, 280), (0, 284)])
@pytest.mark.parametrize("more", range(4))
def test_windows_stay_in_the_photo(corner: tuple[float, float], more: int) -> None:
    shown = SHOWN[0] + more, SHOWN[1] + more
    (window,) = face_windows([face(*corner, 14)], shown, shown)
    assert window.top >= 0 <= window.left
    assert window.top + window.side <= shown[0]
    assert window.left + window.side <= shown[1]
    (strip,) = face_windows([face(300, 2, 20)], (43, 800), (43, 800))
    assert strip.side == 40


def test_a_gray_face_becomes_skin_without_hard_borders() -> None:
    weight = skin_weight(colored(GRAY), colored(SKIN, MIDDLE), lit(), WINDOW)
    assert weight[MIDDLE].min() == 1
    assert weight[:10].max() == 0
    everywhere = skin_weight(colored(GRAY), colored(SKIN), lit(), WINDOW)
    assert max(np.abs(np.diff(everywhere, axis=axis)).max() for axis in (0, 1)) < 0.5


def test_a_face_takes_all_of_the_closer_skin() -> None:
    """Pale skin gets its color, and so does a face in shadow."""
    pale, dark = (4.0, 5.0), lit(15)
    assert skin_weight(colored(pale), colored(SKIN), lit(), WINDOW)[MIDDLE].min() == 1
    assert skin_weight(colored(GRAY), colored(SKIN), dark, WINDOW)[MIDDLE].min() == 1
    assert skin_weight(colored(GRAY), colored(GRASS), lit(), WINDOW).max() == 0


def test_hands_beside_a_face_become_skin() -> None:
    weight = skin_weight(colored(GRAY), colored(SKIN, HAND), lit(), WINDOW)
    assert weight[HAND].min() > 0.75
    assert weight[MIDDLE].max() == 0


@pytest.mark.parametrize(
    ("first", "closer", "lightness"),
    [
        (SKIN, SKIN, 60),  # known already
        ((40.0, 20.0), SKIN, 60),  # a red dress, of which the first pass was sure
        (GRAY, GRASS, 60),
        (GRAY, BLOTCH, 60),
        (GRAY, SKIN, 15),  # too dark to tell
    ],
)
def test_what_else_is_beside_a_face_stays(
    first: tuple[float, float], closer: tuple[float, float], lightness: float
) -> None:
    weight = skin_weight(colored(first), colored(closer, HAND), lit(lightness), WINDOW)
    assert weight.max() == 0


def test_colors_and_logits_are_taken_from_the_same_places() -> None:
    """So that confidence and alternatives are about the colors that are shown."""
    ab, logits = np.zeros((2, *SHOWN), np.float32), torch.zeros(3, 72, 96)
    closer = (
        np.full((2, WINDOW_SIZE, WINDOW_SIZE), 12, np.float32),
        torch.ones(3, WINDOW_SIZE // 4, WINDOW_SIZE // 4),
    )
    blend_skin((ab, logits), closer, np.full(SHOWN, 60, np.float32), WINDOW)
    assert ab[:, 60:66, 103:109].min() == pytest.approx(12)
    assert logits[:, 15, 26].min() == pytest.approx(1)
    for rows, columns in (np.s_[:40, :], np.s_[100:, :], np.s_[:, :80], np.s_[:, 140:]):
        assert np.abs(ab[:, rows, columns]).max() == 0
    outside = logits.clone()
    outside[:, 10:25, 20:35] = 0
    assert outside.abs().max() == 0


def test_in_a_face_plausible_skin_wins() -> None:
    """Two thirds gray and one third skin: skin in the middle, and nothing changes outside."""
    logits = torch.tensor([1.0, 0.3, -9.0]).log_softmax(0)[:, None, None].expand(3, 40, 40)
    bins = torch.tensor([GRAY, SKIN, GRASS]).T.contiguous()
    distribution = Distribution(logits, bins, temperature=1.0)
    before = np.zeros((2, WINDOW_SIZE, WINDOW_SIZE), np.float32)
    ab, changed = favor_skin(before, distribution, 1.2, WINDOW)
    share = torch.softmax(logits[:, 0, 0], 0)[1]
    middle, corner = ab[:, 60, 69], ab[:, 4, 4]
    assert middle == pytest.approx(1.2 * (0.9 - float(share)) * np.array(SKIN), abs=0.7)
    assert np.abs(corner).max() == 0
    assert torch.equal(changed[:, :5], logits[:, :5])
    assert changed[1, 15, 17] == pytest.approx(float(logits[1, 15, 17]))
    assert changed[0, 15, 17] < logits[0, 15, 17] - 2


@pytest.fixture
def crowd(monkeypatch: pytest.MonkeyPatch) -> Photo:
    """A photo in which three faces are found, one of them large."""
    found = [face(50, 60, 20), face(240, 60, 18), face(120, 150, 60)]
    monkeypatch.setattr("colorizer.inference.colorizer.find_faces", lambda photo: found)
    return Photo(color_pixels(300, 320))


def test_each_small_face_is_seen_again(
    tiny_colorizer: Colorizer, crowd: Photo, sizes: list[tuple[int, ...]]
) -> None:
    tiny_colorizer.colorize(crowd)
    assert sizes == [(192, 205), (WINDOW_SIZE, WINDOW_SIZE), (WINDOW_SIZE, WINDOW_SIZE)]


def test_a_photo_without_faces_is_seen_once(
    tiny_colorizer: Colorizer, sizes: list[tuple[int, ...]]
) -> None:
    photo = Photo.open(EXAMPLES / "meadow.jpg")
    result = tiny_colorizer.colorize(photo)
    assert sizes == [(192, 288)]
    assert np.array_equal(
        result._ab, tiny_colorizer.predict([photo.resized_lightness((192, 288))])[0].ab
    )


def test_networks_without_a_distribution_run_once(tanh_colorizer: Colorizer, crowd: Photo) -> None:
    once = tanh_colorizer.predict([crowd.resized_lightness((192, 205))])[0].ab
    assert np.array_equal(tanh_colorizer.colorize(crowd)._ab, once)


def test_a_recipe_repeats_both_passes(
    tiny_colorizer: Colorizer, crowd: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "colorizer.inference.small_faces.skin_likeness", lambda ab: np.float32(ab[0] > 0)
    )
    both = tiny_colorizer.colorize(crowd)
    [one] = tiny_colorizer.predict([crowd.resized_lightness((192, 205))])
    assert not np.array_equal(both._ab, one.ab)
    recipe = Recipe.of(tiny_colorizer, crowd, "a.png")
    again = Recipe.from_json(recipe.to_json()).apply(tiny_colorizer, crowd)
    assert np.array_equal(again.pixels, both.colorized.pixels)


@pytest.fixture
def sizes(tiny_colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The sizes of what the network sees, as it sees it."""
    seen: list[tuple[int, ...]] = []
    predict = tiny_colorizer.predict

    def record(pictures: Sequence[Plane]) -> list[NetworkOutput]:
        seen.extend(lightness.shape for lightness in pictures)
        return predict(pictures)

    monkeypatch.setattr(tiny_colorizer, "predict", record)
    return seen
