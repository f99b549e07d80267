"""Edits: one value says what to make, and `render` makes it in the right order."""

from dataclasses import replace

import numpy as np
import pytest

from colorizer import Adjustments, ColorHint, Colorizer, Edit, Photo, render
from colorizer.adjust.framing import Framing
from colorizer.adjust.strokes import MAX_POINTS, MAX_STROKES, Stroke
from colorizer.edit import MAX_HINTS, choose_alternative, colorize
from tests.helpers.photos import color_pixels

HINT = ColorHint(10, 20, "#2040c0", radius=4)
DOT = Stroke("mend", ((0.5, 0.5),), 0.1)
LINE = Stroke("protect", ((0.5, 0.5),) * (MAX_POINTS // 2 + 1), 0.1)


def test_the_default_is_the_networks_own_result(tiny_colorizer: Colorizer) -> None:
    photo = Photo(color_pixels(61, 83), "JPEG")
    expected = tiny_colorizer.colorize(photo).colorized
    np.testing.assert_array_equal(render(tiny_colorizer, photo, Edit()).pixels, expected.pixels)


def test_the_network_may_see_the_photo_twice(tiny_colorizer: Colorizer) -> None:
    photo = Photo(color_pixels(61, 83), "JPEG")
    twice = render(tiny_colorizer, photo, Edit(views=2)).pixels
    np.testing.assert_array_equal(twice, tiny_colorizer.colorize(photo, views=2).colorized.pixels)
    assert not np.array_equal(twice, render(tiny_colorizer, photo, Edit()).pixels)


@pytest.mark.slow
def test_framing_comes_first_and_adjustments_last(tiny_colorizer: Colorizer) -> None:
    """Hints are in pixels of the framed photo."""
    photo = Photo(color_pixels(61, 83), "JPEG")
    framing, adjustments = Framing(1, (0, 0, 50, 0), negative=True), Adjustments(contrast=30)
    edit = Edit(framing, (HINT,), 200, 1, adjustments)
    result = tiny_colorizer.colorize(framing(photo), [HINT], 200).alternatives(2)[1]
    made = render(tiny_colorizer, photo, edit)
    np.testing.assert_array_equal(made.pixels, result.adjust(adjustments).pixels)
    unadjusted = colorize(tiny_colorizer, photo, edit)
    np.testing.assert_array_equal(unadjusted.colorized.pixels, result.colorized.pixels)


def test_strokes_change_what_they_cover_and_nothing_else(tiny_colorizer: Colorizer) -> None:
    """In pixels of the photo before framing, also in alternatives; `colorized` has none."""
    photo, framing = Photo(color_pixels(61, 83), "JPEG"), Framing(1, (0, 0, 0, 50))
    plain = colorize(tiny_colorizer, photo, Edit(framing))
    mended = colorize(tiny_colorizer, photo, Edit(framing, strokes=(DOT,)))
    np.testing.assert_array_equal(mended.colorized.pixels, plain.colorized.pixels)
    for before, after in zip(plain.alternatives(2), mended.alternatives(2), strict=True):
        changed = (before.colorized.pixels != after.adjust(Adjustments()).pixels).any(2)
        rows, columns = np.argwhere(changed).T
        assert changed.sum() > 40
        assert np.hypot(columns - 30, rows - 41).max() < 9


def test_protected_pixels_are_those_without_dust_removal(tiny_colorizer: Colorizer) -> None:
    pixels = np.full((61, 83, 1), 150, np.uint8)
    pixels[10:50:8, 10:70:8] = 250
    photo, edit = Photo(pixels), Edit(adjustments=Adjustments(dust=1))
    spared = replace(edit, strokes=(Stroke("protect", ((0.2, 0.5), (0.8, 0.5)), 0.2),))
    plain, restored, made = (
        render(tiny_colorizer, photo, wanted).pixels for wanted in (Edit(), edit, spared)
    )
    inside = (slice(20, 41), slice(17, 66))
    assert (restored != plain)[inside].any()
    np.testing.assert_array_equal(made[inside], plain[inside])
    np.testing.assert_array_equal(made[:12], restored[:12])


def test_an_alternative_that_the_photo_lacks(
    tiny_colorizer: Colorizer, color_photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = tiny_colorizer.colorize(color_photo)
    assert choose_alternative(result, 0) is result
    monkeypatch.setattr(result, "alternatives", lambda n: [result])
    with pytest.raises(ValueError, match=r"has only 0 alternatives .* there is no alternative 3"):
        choose_alternative(result, 3)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"working_size": 191}, "working_size is 191; it goes from 192 to 512."),
        ({"working_size": 513}, "working_size is 513; it goes from 192 to 512."),
        ({"views": 0}, "views is 0; it goes from 1 to 2."),
        ({"views": 3}, "views is 3; it goes from 1 to 2."),
        ({"alternative": -1}, "alternative is -1; it goes from 0 to 15."),
        ({"alternative": 16}, "alternative is 16; it goes from 0 to 15."),
        ({"hints": (HINT,) * (MAX_HINTS + 1)}, "There are 501 hints; give at most 500."),
        ({"strokes": (DOT,) * (MAX_STROKES + 1)}, "There are 201 strokes; give at most 200."),
        ({"strokes": (LINE, LINE)}, "The strokes have 10002 points; give at most 10000."),
    ],
)
def test_values_out_of_range_are_refused(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Edit(**values)  # type: ignore[arg-type]
