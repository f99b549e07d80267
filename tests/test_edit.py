"""Edits: one value says what to make, and `render` makes it in the right order."""

import numpy as np
import pytest

from colorizer import Adjustments, ColorHint, Colorizer, Edit, Photo, render
from colorizer.adjust.framing import Framing
from colorizer.edit import MAX_HINTS, choose_alternative, colorize
from tests.helpers.photos import color_pixels

HINT = ColorHint(10, 20, "#2040c0", radius=4)


def test_the_default_is_the_networks_own_result(tiny_colorizer: Colorizer) -> None:
    photo = Photo(color_pixels(61, 83), "JPEG")
    expected = tiny_colorizer.colorize(photo).colorized
    np.testing.assert_array_equal(render(tiny_colorizer, photo, Edit()).pixels, expected.pixels)


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
        ({"alternative": -1}, "alternative is -1; it goes from 0 to 15."),
        ({"alternative": 16}, "alternative is 16; it goes from 0 to 15."),
        ({"hints": (HINT,) * (MAX_HINTS + 1)}, "There are 501 hints; give at most 500."),
    ],
)
def test_values_out_of_range_are_refused(values: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Edit(**values)  # type: ignore[arg-type]
