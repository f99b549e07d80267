"""Painting over a photo, as the page's events call it."""

import json
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from colorizer import Colorizer, Photo, Recipe, Stroke, render
from colorizer.adjust.strokes import MAX_POINTS, MAX_STROKES, on_photo
from colorizer.web.actions import downloads, parts, previews
from colorizer.web.actions.photo import PhotoActions
from colorizer.web.actions.photo_state import PhotoState
from colorizer.web.actions.recipe import RecipeActions
from colorizer.web.actions.strokes import add_stroke, clear_strokes
from colorizer.web.actions.work import facts
from colorizer.web.server.models import Models
from tests.helpers.photos import color_pixels

ENGLISH: Any = SimpleNamespace(headers={"accept-language": "en"})
SIZE = (61, 83)
MENDED = {"effect": "mend", "points": [[0.2, 0.3], [0.6, 0.5]], "radius": 0.1}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where uploads lie."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def models(tiny_colorizer: Colorizer) -> Models:
    """The tiny network as the only model."""
    info = SimpleNamespace(source="tiny")
    return SimpleNamespace(  # type: ignore[return-value]
        get=lambda name: tiny_colorizer, describe=lambda name: info
    )


@pytest.fixture
def photos(models: Models) -> PhotoActions:
    return PhotoActions(models)


@pytest.fixture
def shown(photos: PhotoActions, folder: Path) -> PhotoState:
    path = folder / "grandma.png"
    Image.fromarray(color_pixels(*SIZE)).save(path)
    state = photos.colorize({"path": str(path)}, "", ENGLISH)[0]
    assert state is not None
    return state


def painted(state: PhotoState, **values: object) -> PhotoState:
    """The state after the browser sent a stroke."""
    return add_stroke(state, 0, SimpleNamespace(value=MENDED | values), ENGLISH)[0]


def pixels(path: str | Path | None) -> np.ndarray:
    assert path is not None
    with Image.open(path) as image:
        return np.asarray(image)


def test_a_stroke_shows_in_everything_that_is_made(
    shown: PhotoState, models: Models, tiny_colorizer: Colorizer, folder: Path
) -> None:
    """The picture, the download, a part of it and the recipe; the colorized picture stays."""
    state = painted(shown)
    upload = Photo.open(folder / "grandma.png")
    expected = render(tiny_colorizer, upload, state.edit).pixels
    assert (expected != render(tiny_colorizer, upload, shown.edit).pixels).any()
    colorized, processed = previews.color_pictures(state, 0, {})
    assert (pixels(colorized) != pixels(processed)).any()
    file = downloads.download(state, 0, "PNG", False, ENGLISH)
    np.testing.assert_array_equal(pixels(file), expected)
    asked = {"box": [10, 5, 60, 50], "names": ["colorized", "processed"], "key": "1"}
    _, colorized, processed, _ = parts.render_part(state, 0, SimpleNamespace(value=asked), ENGLISH)
    np.testing.assert_array_equal(pixels(processed), expected[5:50, 10:60])
    assert (pixels(colorized) != pixels(processed)).any()
    recipe = Recipe.from_json(
        Path(RecipeActions(models).save_recipe(state, 0, ENGLISH)).read_text()
    )
    made = recipe.apply(tiny_colorizer, upload)
    np.testing.assert_array_equal(made.pixels, expected)


def test_strokes_keep_their_place_when_the_photo_is_framed(
    photos: PhotoActions, shown: PhotoState
) -> None:
    state = painted(shown)
    for change in (
        photos.turn_right(state, ENGLISH)[0],
        photos.crop(state, 20, 0, 0, 10, 0, ENGLISH)[0],
        photos.invert(state, ENGLISH)[0],
    ):
        assert change is not None
        assert change.edit.strokes == state.edit.strokes
        assert change.result.retouch == change.edit.retouch(SIZE)
    turned = photos.turn_right(state, ENGLISH)[0]
    assert turned is not None
    line = facts(turned, 0)["strokes"][0]
    assert line["points"][0] == pytest.approx([61 - 0.3 * 61, 0.2 * 83], abs=0.1)
    assert line["radius"] == pytest.approx(6.1)
    again = painted(turned, points=[[0.7, 0.2]])  # where the first one begins
    assert again.edit.strokes[1].points[0] == pytest.approx((0.2, 0.3), abs=1e-4)


def test_the_history_goes_back_and_forth(photos: PhotoActions, shown: PhotoState) -> None:
    one = painted(shown)
    two = painted(one, effect="protect")
    work = [
        json.loads(json.dumps(facts(state, 0)["work"])) | {"adjustments": {}, "look": None}
        for state in (shown, one, two)
    ]
    for state, step, expected in ((two, work[1], one), (one, work[2], two), (two, work[0], shown)):
        restored = photos.restore(state, step, ENGLISH)[0]
        assert isinstance(restored, PhotoState)
        assert restored.edit == expected.edit
        assert restored.result.retouch == expected.result.retouch
    del work[0]["strokes"]  # as older pages kept it
    assert photos.restore(two, work[0], ENGLISH)[0].edit.strokes == ()  # type: ignore[union-attr]


def test_all_strokes_are_cleared(shown: PhotoState) -> None:
    state, told = clear_strokes(painted(shown), 0, ENGLISH)
    assert state.edit == shown.edit
    assert state.result.retouch is None
    assert told["strokes"] == told["work"]["strokes"] == []


@pytest.mark.parametrize(("strokes", "points"), [(MAX_STROKES, 1), (1, MAX_POINTS)])
def test_one_stroke_too_many(shown: PhotoState, strokes: int, points: int) -> None:
    stroke = on_photo(Stroke("mend", ((0.5, 0.5),) * points, 0.1), shown.edit.framing, SIZE)
    edit = replace(shown.edit, strokes=(stroke,) * strokes)
    with pytest.raises(gr.Error, match="no room for more strokes"):
        painted(replace(shown, edit=edit))


@pytest.mark.parametrize(
    "values", [{"effect": "erase"}, {"points": [[0, 2]]}, {"points": 3}, {"radius": 0}]
)
def test_what_is_no_stroke_is_refused(shown: PhotoState, values: dict[str, object]) -> None:
    with pytest.raises(gr.Error, match="went wrong"):
        painted(shown, **values)


def test_a_stroke_says_what_was_painted(shown: PhotoState) -> None:
    assert asdict(painted(shown).edit.strokes[0]) == {
        "effect": "mend",
        "points": ((0.2, 0.3), (0.6, 0.5)),
        "radius": 0.1,
    }
