"""Recipes: they survive JSON, refuse what is wrong, and make the same pixels again."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from colorizer import (
    Adjustments,
    ColorHint,
    Colorization,
    Colorizer,
    Photo,
    Recipe,
    RecipeError,
    Stroke,
)
from colorizer.__main__ import main
from colorizer.adjust.framing import Framing
from colorizer.batch.job import NETWORK_THREADS
from colorizer.edit import Edit, render
from colorizer.photo.photo import pixel_hash
from tests.helpers.photos import color_pixels

HINTS = (ColorHint(60, 20.5, "#ff0000", radius=6), ColorHint(10, 40, "#2040c0"))
HINT = {"x": 1, "y": 1, "color": "#ff0000", "radius": 0}
STROKE = {"effect": "mend", "points": [[0.5, 0.5]], "radius": 0.1}
ADJUSTMENTS = Adjustments(saturation=1.3, contrast=20, chroma_noise=0.4)


@pytest.fixture(scope="module")
def recipe(tiny_colorizer: Colorizer, color_photo: Photo) -> Recipe:
    return Recipe.of(
        tiny_colorizer,
        color_photo,
        "größe.jpg",
        Edit(hints=HINTS, working_size=200, alternative=2, adjustments=ADJUSTMENTS),
    )


def changed(recipe: Recipe, **values: Any) -> str:
    """The recipe's JSON with some values replaced."""
    return json.dumps(json.loads(recipe.to_json()) | values)


def test_a_recipe_survives_json(recipe: Recipe) -> None:
    text = recipe.to_json()
    assert Recipe.from_json(text) == recipe
    assert Recipe.from_json(text).to_json() == Recipe.from_json(text).to_json()
    assert text.endswith("}\n")
    assert len(text.splitlines()) > 20  # one can read it


def test_what_a_recipe_says(recipe: Recipe, tiny_colorizer: Colorizer) -> None:
    values = json.loads(recipe.to_json())
    assert list(values) == [
        "schema_version",
        "checkpoint",
        "checkpoint_sha256",
        "working_size",
        "hints",
        "alternative",
        "adjustments",
        "photo",
        "photo_sha256",
        "framing",
    ]
    assert values["schema_version"] == 1
    assert values["checkpoint"] == tiny_colorizer.checkpoint.source
    assert values["checkpoint_sha256"] == tiny_colorizer.checkpoint.sha256
    hint = {"x": 60, "y": 20.5, "color": "#ff0000", "radius": 6, "reach": 0.8}
    assert values["hints"][0] == hint
    assert list(values["adjustments"]) == [item.name for item in fields(Adjustments)]
    assert values["adjustments"]["contrast"] == 20
    assert values["photo"] == "größe.jpg"


def test_hints_of_older_recipes_spread_over_the_whole_photo(
    tiny_colorizer: Colorizer, color_photo: Photo
) -> None:
    hints = tuple(replace(hint, reach=None) for hint in HINTS)
    recipe = Recipe.of(tiny_colorizer, color_photo, "a.png", Edit(hints=hints))
    text = recipe.to_json()
    assert all(set(hint) == {"x", "y", "color", "radius"} for hint in json.loads(text)["hints"])
    assert Recipe.from_json(text) == recipe
    whole = tiny_colorizer.colorize(color_photo, hints).colorized.pixels
    assert np.array_equal(Recipe.from_json(text).apply(tiny_colorizer, color_photo).pixels, whole)
    near = tiny_colorizer.colorize(color_photo, HINTS).colorized.pixels
    assert not np.array_equal(near, whole)


STROKES = (
    Stroke("mend", ((0.25, 0.5), (0.5, 0.125)), 0.05),
    Stroke("protect", ((0.75, 0.75),), 0.1),
)


def test_strokes_survive_json(tiny_colorizer: Colorizer, color_photo: Photo) -> None:
    edit = Edit(strokes=STROKES)
    recipe = Recipe.of(tiny_colorizer, color_photo, "a.png", edit)
    text = recipe.to_json()
    assert "[0.25, 0.5]" in text
    assert Recipe.from_json(text) == recipe
    made = Recipe.from_json(text).apply(tiny_colorizer, color_photo)
    expected = render(tiny_colorizer, color_photo, edit)
    np.testing.assert_array_equal(made.pixels, expected.pixels)
    assert "strokes" not in json.loads(Recipe.of(tiny_colorizer, color_photo, "a.png").to_json())


def test_two_views_survive_json(tiny_colorizer: Colorizer, color_photo: Photo) -> None:
    """One view is not written, as older versions wrote and read it."""
    recipe = Recipe.of(tiny_colorizer, color_photo, "a.png", Edit(views=2))
    text = recipe.to_json()
    assert json.loads(text)["views"] == 2
    assert Recipe.from_json(text) == recipe
    made = Recipe.from_json(text).apply(tiny_colorizer, color_photo)
    expected = tiny_colorizer.colorize(color_photo, views=2).colorized
    np.testing.assert_array_equal(made.pixels, expected.pixels)
    once = Recipe.of(tiny_colorizer, color_photo, "a.png")
    assert "views" not in json.loads(once.to_json())
    assert Recipe.from_json(once.to_json()).edit.views == 1


def test_a_recipe_without_choices_takes_the_checkpoints(
    tiny_colorizer: Colorizer, color_photo: Photo
) -> None:
    recipe = Recipe.of(tiny_colorizer, color_photo, "a.png")
    assert recipe.edit.working_size == tiny_colorizer.checkpoint.working_size
    plain = tiny_colorizer.colorize(color_photo).colorized
    assert np.array_equal(recipe.apply(tiny_colorizer, color_photo).pixels, plain.pixels)


@pytest.mark.slow
def test_the_same_pixels_again(
    recipe: Recipe, tiny_colorizer: Colorizer, color_photo: Photo
) -> None:
    """With hints, an alternative and adjustments, each of which matters."""
    result = tiny_colorizer.colorize(color_photo, HINTS, 200)
    made = result.alternatives()[2].adjust(ADJUSTMENTS)
    again = Recipe.from_json(recipe.to_json()).apply(tiny_colorizer, color_photo)
    assert np.array_equal(again.pixels, made.pixels)
    for change in (
        {"hints": ()},
        {"alternative": 1},
        {"adjustments": Adjustments()},
        {"working_size": 192},
    ):
        pixels = render(tiny_colorizer, color_photo, replace(recipe.edit, **change)).pixels
        assert not np.array_equal(pixels, made.pixels)


def test_too_many_hints_are_refused(recipe: Recipe) -> None:
    values = json.loads(recipe.to_json())
    values["hints"] *= 21_000 // len(values["hints"])
    with pytest.raises(RecipeError, match=r"There are 21000 hints; give at most 500"):
        Recipe.from_json(json.dumps(values))


def test_another_photo_may_be_used_if_the_hints_fit(
    recipe: Recipe, tiny_colorizer: Colorizer
) -> None:
    assert recipe.apply(tiny_colorizer, Photo(color_pixels(70, 90, seed=5))).size == (70, 90)
    with pytest.raises(RecipeError, match=r"does not fit this photo: The hint at x=60.* outside"):
        recipe.apply(tiny_colorizer, Photo(color_pixels(61, 60)))


def test_another_checkpoint_is_refused(
    recipe: Recipe, tanh_colorizer: Colorizer, color_photo: Photo
) -> None:
    with pytest.raises(
        RecipeError, match=r"was made with the checkpoint .* load the recipe's first"
    ):
        recipe.apply(tanh_colorizer, color_photo)


def test_alternatives_without_a_distribution(tanh_colorizer: Colorizer, color_photo: Photo) -> None:
    recipe = Recipe.of(tanh_colorizer, color_photo, "a.png", Edit(alternative=1))
    with pytest.raises(RecipeError, match=r"not fit this photo: .* predicts no color distribution"):
        recipe.apply(tanh_colorizer, color_photo)
    assert replace(recipe, edit=Edit(working_size=192)).apply(tanh_colorizer, color_photo).size == (
        61,
        83,
    )


def test_a_photo_with_fewer_alternatives(
    recipe: Recipe,
    tiny_colorizer: Colorizer,
    color_photo: Photo,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Colorization, "alternatives", lambda result, n: [result])
    with pytest.raises(
        RecipeError, match="has only 0 alternatives besides the first result; there is no"
    ):
        recipe.apply(tiny_colorizer, color_photo)


def test_what_older_recipes_lack_is_neutral(recipe: Recipe) -> None:
    older = Recipe.from_json(changed(recipe, adjustments={"contrast": 20}))
    assert older.edit.adjustments == Adjustments(contrast=20)
    values = json.loads(recipe.to_json())
    del values["framing"]
    assert Recipe.from_json(json.dumps(values)) == recipe


def test_a_recipe_turns_and_crops(tiny_colorizer: Colorizer, color_photo: Photo) -> None:
    framing = Framing(1, (5, 5, 50, 5), degrees=2.5)
    hints = (ColorHint(50, 30, "#2040c0"),)  # in what stays
    recipe = Recipe.of(tiny_colorizer, color_photo, "a.png", Edit(framing, hints))
    again = Recipe.from_json(recipe.to_json())
    assert again == recipe
    made = tiny_colorizer.colorize(framing(color_photo), hints).colorized
    assert np.array_equal(again.apply(tiny_colorizer, color_photo).pixels, made.pixels)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"schema_version": 2}, "has schema version 2, not 1; update colorizer"),
        ({"schema_version": True}, "has schema version True, not 1"),
        ({"schema_version": None}, "has schema version None, not 1"),
        ({"author": "me"}, "has an unknown author; update colorizer, or remove it."),
        ({"working_size": 288.5}, "working_size: Input should be a valid integer"),
        ({"working_size": True}, "working_size: Input should be a valid integer"),
        ({"working_size": None}, "has no working_size"),
        ({"working_size": 100}, "working_size is 100; it goes from 192 to 512."),
        ({"views": 3}, "views is 3; it goes from 1 to 2."),
        ({"views": 1.5}, "views: Input should be a valid integer"),
        ({"alternative": -1}, "alternative is -1; it goes from 0 to 15."),
        ({"alternative": 16}, "alternative is 16; it goes from 0 to 15."),
        ({"alternative": "1"}, "alternative: Input should be a valid integer"),
        ({"checkpoint": 3}, "checkpoint: Input should be a valid string"),
        ({"checkpoint_sha256": "abc"}, "checkpoint_sha256 is 'abc'; it must be 64 hexadecimal"),
        ({"photo_sha256": "A" * 64}, "it must be 64 hexadecimal digits"),
        ({"photo": None}, "photo: Input should be a valid string"),
        ({"hints": {}}, "hints: Input should be a valid array"),
        ({"hints": [1]}, "hints.0: Input should be an object"),
        ({"hints": [{"x": 1, "y": 1}]}, "has no hints.0.color; get an intact copy of it."),
        ({"hints": [HINT | {"z": 1}]}, "has an unknown hints.0.z; update colorizer"),
        ({"hints": [HINT | {"x": "1"}]}, "hints.0.x: Input should be a valid number"),
        ({"hints": [HINT | {"x": float("nan")}]}, "hints.0.x: Input should be a finite number"),
        ({"hints": [HINT | {"radius": 1e300}]}, "radius is 1e+300; it goes from 0 to 1e+06 pixels"),
        ({"hints": [HINT | {"reach": 0}]}, "reach is 0.0; give more than 0 and at most 3 short"),
        ({"hints": [HINT | {"color": "red"}]}, "The hint's color is 'red'; write it as #rrggbb"),
        ({"hints": [HINT] * 501}, "There are 501 hints; give at most 500."),
        ({"adjustments": []}, "adjustments: Input should be an object"),
        ({"adjustments": {"sepia": 1}}, "has an unknown adjustments.sepia"),
        ({"adjustments": {"contrast": "20"}}, "adjustments.contrast: Input should be a valid"),
        ({"adjustments": {"contrast": True}}, "adjustments.contrast: Input should be a valid"),
        ({"adjustments": {"contrast": 101}}, "contrast is 101.0; it goes from -100 to 100."),
        ({"framing": 3}, "framing: Input should be an object"),
        ({"framing": {"turns": 4}}, "turns is 4; give 0 to 3 quarter turns."),
        ({"framing": {"margins": [1, 2]}}, "has no framing.margins.2"),
        ({"framing": {"margins": [60, 40, 0, 0]}}, "leave nothing of the photo"),
        (
            {"strokes": [STROKE | {"effect": "erase"}]},
            "strokes.0.effect: Input should be 'protect'",
        ),
        ({"strokes": [STROKE | {"points": []}]}, "A stroke has 0 points; give 1 to 10000."),
        ({"strokes": [STROKE | {"points": [[0, -1]]}]}, "point (0.0, -1.0) lies outside the photo"),
        ({"strokes": [STROKE | {"points": [[0]]}]}, "has no strokes.0.points.0.1; get an intact"),
        ({"strokes": [STROKE | {"radius": 1}]}, "The stroke's radius is 1.0; give more than 0"),
        ({"strokes": [STROKE] * 201}, "There are 201 strokes; give at most 200."),
    ],
    ids=str,
)
def test_wrong_values_are_refused_with_a_sentence(
    recipe: Recipe, values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        Recipe.from_json(changed(recipe, **values))
    assert sentence in str(caught.value)


@pytest.mark.parametrize("name", ["checkpoint", "hints", "alternative", "adjustments", "photo"])
def test_missing_fields_are_refused(recipe: Recipe, name: str) -> None:
    values = json.loads(recipe.to_json())
    del values[name]
    with pytest.raises(RecipeError, match=f"The recipe has no {name}; get an intact copy"):
        Recipe.from_json(json.dumps(values))


@pytest.mark.parametrize("text", ["", "{", "recipe", "[" * 100_000, '{"a": Infinit}'])
def test_what_is_no_json(text: str) -> None:
    with pytest.raises(RecipeError, match=r"The recipe is not valid JSON \(.*\); get an intact"):
        Recipe.from_json(text)


@pytest.mark.parametrize("text", ["[]", "3", "null", '"schema_version"'])
def test_what_is_no_object(text: str) -> None:
    with pytest.raises(RecipeError, match="has schema version None"):
        Recipe.from_json(text)


def test_the_hash_is_of_shape_and_pixels() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(4, 6, 1)
    first = pixel_hash(Photo(pixels))
    assert first == pixel_hash(Photo(pixels.copy(), "JPEG"))
    assert first == pixel_hash(Photo(np.asfortranarray(pixels)))
    assert first != pixel_hash(Photo(pixels.reshape(6, 4, 1)))
    assert first != pixel_hash(Photo(pixels + 1))


@pytest.fixture
def run(recipe: Recipe, tiny_checkpoint: Path, tmp_path: Path):
    """Runs `colorizer colorize` with the recipe on its photo; returns the exit code."""
    (tmp_path / "recipe.json").write_text(recipe.to_json())
    Image.fromarray(color_pixels(61, 83)).save(tmp_path / "a.png")

    def run(*arguments: object, checkpoint: object = tiny_checkpoint) -> int:
        common = ["colorize", tmp_path / "a.png", "-o", tmp_path / "out", "--device", "cpu"]
        given = ["--checkpoint", checkpoint, "--recipe", tmp_path / "recipe.json", *arguments]
        return main([*map(str, common), *map(str, given)])

    return run


@pytest.mark.slow
def test_the_command_line_applies_a_recipe(
    run, recipe: Recipe, tiny_colorizer: Colorizer, tmp_path: Path
) -> None:
    assert run() == 0
    torch.set_num_threads(NETWORK_THREADS)  # as the command: the last bits depend on the number
    made = recipe.apply(tiny_colorizer, Photo.open(tmp_path / "a.png"))
    assert np.array_equal(Photo.open(tmp_path / "out" / "a_color.png").pixels, made.pixels)


@pytest.mark.parametrize(
    "options",
    [
        ("--hint", "5,5,#ff0000"),
        ("--adjust", "contrast=10"),
        ("--working-size", "200"),
        ("--views", "2"),
        ("--preset", "vivid"),
    ],
)
def test_a_recipe_goes_without_other_settings(run, capsys, options: tuple[str, str]) -> None:
    with pytest.raises(SystemExit) as stop:
        run(*options)
    assert stop.value.code == 2
    assert "--recipe goes without --hint, --preset, --adjust," in capsys.readouterr().err


def test_a_bad_recipe_on_the_command_line(run, tmp_path: Path, capsys) -> None:
    for content, sentence in ((b"{", "not valid JSON"), (b"\xff\xfe", "utf-8"), (None, "No such")):
        path = tmp_path / "recipe.json"
        path.unlink() if content is None else path.write_bytes(content)
        with pytest.raises(SystemExit) as stop:
            run()
        assert stop.value.code == 2
        assert sentence in capsys.readouterr().err


def test_a_recipe_of_another_checkpoint_on_the_command_line(run, tmp_path: Path, capsys) -> None:
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"checkpoint_sha256": "0" * 64}))
    with pytest.raises(SystemExit) as stop:
        run()
    assert stop.value.code == 2
    assert "load the recipe's first" in capsys.readouterr().err
