"""What is drawn on the pictures."""

import numpy as np

from colorizer import ColorHint, Photo
from colorizer.web.actions.overlays import (
    UNSURE_COLOR,
    mark_hints,
    rgb,
    shade_left,
    shade_unsure,
    side_by_side,
)
from tests.helpers.photos import color_pixels


def canvas() -> np.ndarray:
    return np.full((100, 200, 3), 128, np.uint8)


def test_hints_are_dots_of_their_color() -> None:
    """On a picture a quarter as large as the photo."""
    pixels = canvas()
    mark_hints(pixels, (ColorHint(400, 200, "#ff0000"),), None, 0, (400, 800))
    assert pixels[50, 100].tolist() == [255, 0, 0]
    assert (pixels[:, :80] == 128).all()


def test_a_ring_shows_how_far_a_hint_reaches() -> None:
    near, far = canvas(), canvas()
    mark_hints(near, (ColorHint(400, 200, "#ff0000", 0),), None, 0, (400, 800))
    mark_hints(far, (ColorHint(400, 200, "#ff0000", 160),), None, 0, (400, 800))
    assert (near[50, 138:144] == 128).all()
    assert (far[50, 138:144] != 128).any()


def test_the_chosen_point_is_a_cross_with_a_free_center() -> None:
    pixels = canvas()
    mark_hints(pixels, (), (100, 50), 0, (100, 200))
    assert pixels[50, 100].tolist() == [128, 128, 128]
    assert (pixels[50, 106:112] == 255).any()


def test_marks_at_the_border() -> None:
    pixels = canvas()
    mark_hints(pixels, (ColorHint(0, 0, "#00ff00", 30),), (199, 99), 10, (100, 200))
    assert pixels[0, 0].tolist() == [0, 255, 0]


def test_shades_where_the_model_is_unsure() -> None:
    confidence = np.tile(np.linspace(0.1, 0.6, 50, dtype=np.float32), (25, 1))
    shaded = shade_unsure(canvas(), confidence).astype(int)
    red = shaded[:, :, 0].max(0)  # between the lines of the hatching
    assert red[2] > (128 + UNSURE_COLOR[0]) / 2
    assert (shaded[:, -2] == 128).all()
    assert (np.diff(red) <= 0).all()


def test_hatches_for_people_who_do_not_see_orange() -> None:
    confidence = np.tile(np.linspace(0.1, 0.6, 50, dtype=np.float32), (25, 1))
    gray = shade_unsure(canvas(), confidence).astype(int).mean(2)
    assert 0.1 < (gray[:, :20] < 64).mean() < 0.5
    assert not (gray[:, 150:] < 64).any()


def test_shades_nothing_at_even_confidence() -> None:
    assert (shade_unsure(canvas(), np.full((5, 5), 0.3, np.float32)) == 128).all()


def test_gray_photos_become_rgb_copies() -> None:
    photo = Photo(np.full((4, 5, 1), 7, np.uint8))
    pixels = rgb(photo)
    assert pixels.shape == (4, 5, 3)
    pixels[:] = 0
    assert photo.pixels[0, 0, 0] == 7


def test_side_by_side() -> None:
    """Both pictures whole, at their sizes, over labels."""
    first, second = color_pixels(90, 160, 0), color_pixels(90, 160, 1)
    sheet = np.asarray(side_by_side({"Before": Photo(first), "Colorized": Photo(second)}))
    gap = (sheet.shape[1] - 320) // 3
    np.testing.assert_array_equal(sheet[gap : gap + 90, gap : gap + 160], first)
    np.testing.assert_array_equal(sheet[gap : gap + 90, 2 * gap + 160 : 2 * gap + 320], second)
    assert (sheet[gap + 91 :] < 100).any()


def test_large_pictures_are_made_smaller_for_sharing() -> None:
    photo = Photo(np.zeros((1000, 4000, 1), np.uint8))
    assert side_by_side({"a": photo, "b": photo}).width < 2600


def test_what_is_not_taken_is_veiled_and_hatched() -> None:
    taken = np.zeros((10, 20), np.float32)
    taken[:, 10:] = 1
    shaded = shade_left(canvas(), taken).astype(int)
    assert (shaded[:, 120:] == 128).all()
    veiled = shaded[:, :80]
    assert veiled[:, :, 0].max() > veiled[:, :, 2].max()
    assert veiled.min() < 70  # the lines
