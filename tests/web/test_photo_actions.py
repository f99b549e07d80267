"""What the photo tab does, as its events call it: network runs, sentences, files, recipes."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
from PIL import ExifTags, Image

from colorizer import (
    PRESETS,
    Adjustments,
    CheckpointError,
    ColorHint,
    Colorizer,
    ColorSource,
    Photo,
)
from colorizer.edit import Edit, render
from colorizer.photo.metadata import Metadata
from colorizer.recipe import Recipe
from colorizer.sources.color_source import Region
from colorizer.web.actions import downloads, parts, previews
from colorizer.web.actions.color_source import ColorSourceActions
from colorizer.web.actions.hints import HintActions
from colorizer.web.actions.photo import PhotoActions
from colorizer.web.actions.photo_state import PhotoState, with_hints
from colorizer.web.actions.recipe import RecipeActions
from colorizer.web.actions.work import Work, facts
from colorizer.web.server.models import Models
from colorizer.web.texts import LANGUAGES
from tests.helpers.photos import color_pixels
from tests.helpers.scenes import changed, scene

GERMAN: Any = SimpleNamespace(headers={"accept-language": "de-DE,de;q=0.9"})
SETTINGS = {"saturation": 1.4, "contrast": 15.0}
Upload = dict[str, str]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where uploads lie."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def upload(folder: Path) -> Upload:
    """A color photo of 61 x 83 pixels, as the browser uploaded it."""
    path = folder / "grandma.png"
    Image.fromarray(color_pixels(61, 83)).save(path)
    return {"path": str(path)}


@pytest.fixture
def models(tiny_colorizer: Colorizer) -> Models:
    """The tiny network as the only model."""

    def get(name: str) -> Colorizer:
        if name:
            raise CheckpointError(f"There is no {name}.")
        return tiny_colorizer

    info = SimpleNamespace(source="tiny")
    return SimpleNamespace(get=get, describe=lambda name: info)  # type: ignore[return-value]


@pytest.fixture
def photos(models: Models) -> PhotoActions:
    return PhotoActions(models)


@pytest.fixture
def colors() -> HintActions:
    return HintActions()


@pytest.fixture
def sources(models: Models) -> ColorSourceActions:
    return ColorSourceActions(models)


@pytest.fixture
def recipes(models: Models) -> RecipeActions:
    return RecipeActions(models)


@pytest.fixture
def shown(photos: PhotoActions, upload: Upload) -> PhotoState:
    state = photos.colorize(upload, "", GERMAN)[0]
    assert state is not None
    return state


@pytest.fixture
def runs(tiny_colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """One entry per run of the network."""
    counted: list[int] = []
    run = tiny_colorizer.checkpoint.generator.forward
    monkeypatch.setattr(
        tiny_colorizer.checkpoint.generator,
        "forward",
        lambda *args: counted.append(1) or run(*args),
    )
    return counted


def pixels(path: str) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image)


# The network


@pytest.mark.slow
def test_the_network_runs_once_per_photo(
    photos: PhotoActions,
    colors: HintActions,
    recipes: RecipeActions,
    upload: Upload,
    runs: list[int],
) -> None:
    shown = photos.colorize(upload, "", GERMAN, **SETTINGS)[0]
    assert len(runs) == 1
    previews.adjust(shown, 0, GERMAN, saturation=0.5)
    previews.tools(shown, 0, None, None, 0, True, GERMAN)
    previews.choose_alternative(shown, len(shown.alternatives), GERMAN)
    previews.show_unsure(shown, 0, 3, 4, 5, True, GERMAN)
    downloads.download(shown, 0, "", False, GERMAN, **SETTINGS)
    downloads.side_by_side(shown, 0, GERMAN)
    colors.point(shown, 0, 3, 4, 5, False, GERMAN)
    colors.clear_points(shown, 0, GERMAN)
    recipes.save_recipe(shown, 0, GERMAN)
    shown = colors.fix_color(shown, 0, 3, 4, "#2040c0", 5, 80, GERMAN)[0]
    shown = colors.keep_gray(shown, 0, 30, 4, 5, 80, GERMAN)[0]
    shown = colors.remove_point(shown, 0, 1, GERMAN)[0]
    shown = colors.clear_points(shown, 0, GERMAN)[0]
    assert len(runs) == 1


def test_pictures(photos: PhotoActions, upload: Upload) -> None:
    _, version, gray, colorized, processed = photos.colorize(upload, "", GERMAN, strength=0)
    assert version == 0
    assert pixels(gray).shape == (61, 83)
    assert pixels(colorized).shape == (61, 83, 3)
    np.testing.assert_array_equal(pixels(processed), pixels(gray))


@pytest.mark.slow
def test_hints_survive_everything_but_a_new_photo(
    photos: PhotoActions, colors: HintActions, upload: Upload, shown: PhotoState
) -> None:
    shown = colors.fix_color(shown, 0, 3, 4, "#2040c0", 5, 80, GERMAN)[0]
    previews.adjust(shown, 0, GERMAN, **SETTINGS)
    previews.choose_alternative(shown, 1, GERMAN)
    assert [hint.color for hint in shown.edit.hints] == ["#2040c0"]
    fresh = photos.colorize(upload, "", GERMAN)[0]
    assert fresh is not None
    assert fresh.edit.hints == ()


def test_a_hint_colors_its_place(colors: HintActions, shown: PhotoState) -> None:
    before = shown.result.colorized.pixels
    after = colors.fix_color(shown, 0, 40, 30, "#ff0000", 10, 80, GERMAN)[0].result.colorized.pixels
    assert not np.array_equal(before[25:35, 35:45], after[25:35, 35:45])


def test_a_chosen_spot_is_resized(colors: HintActions, shown: PhotoState) -> None:
    """Its sliders show what it has, and move no other spot."""
    for x in (10, 40):
        shown = colors.fix_color(shown, 0, x, 30, "#ff0000", 10, 80, GERMAN)[0]
    *_, facts, brush, reach = colors.point(shown, 0, 40, 30, 0, False, GERMAN)
    assert (facts["chosen"], brush, reach) == (1, 10, 80)
    wide = shown.result.colorized.pixels
    shown = colors.resize_spot(shown, 0, 40, 30, 10, 20, GERMAN)[0]
    assert [hint.reach for hint in shown.edit.hints] == [0.8, 0.2]
    assert not np.array_equal(shown.result.colorized.pixels, wide)
    for x, y in ((None, None), (60, 50)):  # nothing, or no spot
        assert colors.resize_spot(shown, 0, x, y, 5, 300, GERMAN)[0] is shown
    nothing = previews.spread(shown, None, None)
    assert nothing == (gr.skip(), gr.skip())


def test_a_spot_of_an_old_recipe_still_spreads_everywhere(
    colors: HintActions, shown: PhotoState
) -> None:
    shown = with_hints(shown, (ColorHint(40, 30, "#ff0000", 0, None),))
    assert previews.spread(shown, 40, 30) == (0, 300)
    shown = colors.resize_spot(shown, 0, 40, 30, 10, 300, GERMAN)[0]
    assert shown.edit.hints == (ColorHint(40, 30, "#ff0000", shown.radius(10), None),)


def test_another_model_keeps_the_hints(
    photos: PhotoActions, colors: HintActions, shown: PhotoState, tanh_colorizer: Colorizer
) -> None:
    shown = colors.fix_color(shown, 0, 3, 4, "#2040c0", 5, 80, GERMAN)[0]
    photos.models.get = lambda name: tanh_colorizer  # type: ignore[method-assign]
    other = photos.change_model(shown, "user/repo", GERMAN)[0]
    assert other is not None
    assert other.edit.hints == shown.edit.hints
    assert not np.array_equal(other.result.colorized.pixels, shown.result.colorized.pixels)
    for state, model in ((None, "user/repo"), (shown, "")):  # nothing to do
        assert photos.change_model(state, model, GERMAN)[0] == gr.skip()


# Sentences


@pytest.mark.parametrize(
    ("action", "key"),
    [
        (lambda colors, shown: colors.clear_points(None, 0, GERMAN), "page.gone"),
        (lambda colors, shown: previews.adjust(None, 0, GERMAN), "page.gone"),
        (
            lambda colors, shown: previews.choose_alternative(shown, 9, GERMAN),
            "photo.no_such_alternative",
        ),
        (lambda colors, shown: colors.remove_point(shown, 0, 1, GERMAN), "photo.no_such_point"),
        (
            lambda colors, shown: colors.keep_gray(shown, 0, None, 3, 0, 80, GERMAN),
            "photo.no_point",
        ),
        (
            lambda colors, shown: colors.fix_color(shown, 0, 1, 1, "red", 0, 80, GERMAN),
            "photo.no_color",
        ),
        (
            lambda colors, shown: colors.fix_color(shown, 0, 1, 1, None, 0, 80, GERMAN),
            "photo.no_color",
        ),
        (lambda colors, shown: colors.reference_color(None, 1, 1, GERMAN), "photo.no_reference"),
    ],
)
@pytest.mark.slow
def test_what_cannot_be_done_is_said_in_the_visitors_language(
    action: Callable[[HintActions, PhotoState], object],
    key: str,
    colors: HintActions,
    shown: PhotoState,
) -> None:
    with pytest.raises(gr.Error) as error:
        action(colors, shown)
    assert error.value.message == LANGUAGES["de"][key].format(time="60 Minuten")


def test_a_point_outside(colors: HintActions, shown: PhotoState) -> None:
    with pytest.raises(gr.Error, match="0 bis 82 und von 0 bis 60"):
        colors.point(shown, 0, 83, 0, 0, False, GERMAN)


def test_a_file_that_is_no_photo(photos: PhotoActions, folder: Path) -> None:
    """Its name is no markup; the error leaves the page as it was."""
    path = folder / "<b>letter.jpg"
    path.write_text("Dear grandma")
    with pytest.raises(gr.Error, match=r"&lt;b&gt;letter\.jpg lässt sich nicht"):
        photos.colorize({"path": str(path)}, "", GERMAN)


def test_no_photo(photos: PhotoActions) -> None:
    for action in (
        lambda: photos.colorize(None, "", GERMAN),
        lambda: previews.tools(None, 0, None, None, 0, False, GERMAN),
        lambda: photos.restore(None, {}, GERMAN),
    ):
        with pytest.raises(gr.Error, match="Foto nicht mehr"):
            action()


def test_a_model_that_is_gone(photos: PhotoActions, upload: Upload) -> None:
    with pytest.raises(gr.Error, match="nicht verfügbar"):
        photos.colorize(upload, "user/repo", GERMAN)


def test_a_photo_that_was_deleted(
    photos: PhotoActions, tiny_colorizer: Colorizer, models: Models, shown: PhotoState
) -> None:
    shown.upload.unlink()
    models.get = lambda name: tiny_colorizer  # type: ignore[method-assign]
    for action in (
        lambda: downloads.download(shown, 0, "", False, GERMAN),
        lambda: photos.turn_left(shown, GERMAN),
        lambda: photos.change_model(shown, "user/repo", GERMAN),
    ):
        with pytest.raises(gr.Error, match="Er behält Dateien 60 Minuten"):
            action()


def test_what_nobody_foresaw(
    photos: PhotoActions,
    shown: PhotoState,
    models: Models,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def fail(name: str) -> None:
        raise MemoryError("secret detail")

    monkeypatch.setattr(models, "get", fail)
    with pytest.raises(gr.Error) as error:
        photos.change_model(shown, "user/repo", GERMAN)
    assert error.value.message == LANGUAGES["de"]["page.failed"]
    assert "secret detail" in caplog.text
    assert "Traceback" in caplog.text


# Points


def test_likely_colors_of_a_point(colors: HintActions, shown: PhotoState) -> None:
    image, suggestions, *_ = colors.point(shown, 0, 40, 30, 0, False, GERMAN)
    assert [color for color, _, _ in suggestions] == shown.result.suggest(40, 30)
    assert [current for *_, current in suggestions].count(True) == 1
    assert pixels(image).shape == (61, 83, 3)


def test_a_model_without_a_distribution(tanh_colorizer: Colorizer, upload: Upload) -> None:
    models: Any = SimpleNamespace(get=lambda name: tanh_colorizer)
    shown = PhotoActions(models).colorize(upload, "", GERMAN)[0]
    assert HintActions().point(shown, 0, 4, 3, 0, False, GERMAN)[1] == []
    with pytest.warns(UserWarning, match="nicht angeben"):
        previews.show_unsure(shown, 0, None, None, 0, True, GERMAN)


def test_a_color_from_another_photo(colors: HintActions, folder: Path) -> None:
    Image.new("RGB", (30, 20), "#804020").save(folder / "other.png")
    other = {"path": str(folder / "other.png")}
    assert colors.reference_color(other, 29, 19, GERMAN) == "#804020"
    with pytest.raises(gr.Error, match="0 bis 29 und von 0 bis 19"):
        colors.reference_color(other, 30, 19, GERMAN)


# Turning and cropping


def test_turn_and_crop(photos: PhotoActions, shown: PhotoState) -> None:
    turned = photos.turn_right(shown, GERMAN)
    assert pixels(turned[2] or "").shape == (83, 61)
    cropped = photos.crop(turned[0], 0, 50, 0, 0, 0, GERMAN)
    assert pixels(cropped[2] or "").shape == (83, 31)
    assert cropped[0].uncropped.size == (83, 61)
    back = photos.turn_left(cropped[0], GERMAN)
    assert pixels(back[2] or "").shape == (31, 83)
    with pytest.raises(gr.Error, match="weniger ab"):
        photos.crop(shown, 60, 60, 0, 0, 0, GERMAN)


def test_a_print_is_straightened_and_back(
    photos: PhotoActions, shown: PhotoState, folder: Path
) -> None:
    table = np.full((240, 320, 3), (120, 80, 50), np.uint8)
    table[60:180, 80:240] = color_pixels(120, 160)
    Image.fromarray(table).save(folder / "table.png")
    state = photos.colorize({"path": str(folder / "table.png")}, "", GERMAN)[0]
    assert state is not None
    assert "print" in state.notices
    straight = photos.straighten(state, GERMAN)[0]
    assert straight is not None
    assert straight.size == pytest.approx((120, 160), abs=4)
    assert "print" not in straight.notices
    whole = photos.straighten(straight, GERMAN)[0]
    assert whole is not None
    assert whole.size == (240, 320)
    with pytest.raises(gr.Error, match="kein Abzug gefunden"):
        photos.straighten(shown, GERMAN)


def test_a_negative_is_inverted_and_back(photos: PhotoActions, shown: PhotoState) -> None:
    before = shown.small.lightness
    inverted = photos.invert(shown, GERMAN)[0]
    assert inverted is not None
    assert inverted.edit.framing.negative
    assert np.abs(inverted.small.pixels.astype(int) + shown.small.pixels - 255).max() <= 1
    again = photos.invert(inverted, GERMAN)[0]
    assert again is not None
    assert np.array_equal(again.small.lightness, before)


def test_degrees_turn_within_the_photo(photos: PhotoActions, shown: PhotoState) -> None:
    """The crop shrinks until it shows only the photo; the picture to crop on stays as it is."""
    turned = photos.crop(shown, 0, 0, 0, 0, 10, GERMAN)[0]
    assert turned is not None
    framing = turned.edit.framing
    assert framing.degrees == 10
    assert framing == framing.inside(turned.upright)
    assert framing.margins[0] == framing.margins[1] > 5
    np.testing.assert_array_equal(turned.uncropped.pixels, shown.uncropped.pixels)
    work = facts(turned, 0)["work"] | {"adjustments": {}, "look": None}
    again = photos.restore(shown, json.loads(json.dumps(work)), GERMAN)[0]
    assert again.edit == turned.edit


def test_spots_come_back_after_a_crop(
    photos: PhotoActions, colors: HintActions, shown: PhotoState
) -> None:
    shown = colors.fix_color(shown, 0, 3, 4, "#2040c0", 5, 80, GERMAN)[0]
    cropped = photos.crop(shown, 50, 0, 0, 0, 0, GERMAN)[0]
    assert cropped is not None
    assert cropped.edit.hints == ()
    whole = photos.crop(cropped, 0, 0, 0, 0, 0, GERMAN)[0]
    assert whole is not None
    assert whole.edit.hints == shown.edit.hints
    cleared = colors.clear_points(cropped, 0, GERMAN)[0]
    assert cleared.spots == ()


# History


def step(state: PhotoState, alternative: int = 0, **values: object) -> dict[str, Any]:
    """What the browser keeps of a state, after a way through JSON."""
    work = facts(state, alternative)["work"]
    work |= {"adjustments": vars(Adjustments()), "look": None} | values
    return json.loads(json.dumps(work))


@pytest.mark.slow
def test_every_step_of_the_history_comes_back(
    photos: PhotoActions, colors: HintActions, shown: PhotoState
) -> None:
    """Framing, spots, alternative, settings and look: the same pictures as before."""
    spotted = colors.fix_color(shown, 0, 40, 30, "#2040c0", 5, 80, GERMAN)[0]
    turned = photos.turn_right(spotted, GERMAN)[0]
    assert turned is not None
    wanted = step(turned, 1, adjustments=vars(Adjustments(**SETTINGS)), look="vivid")
    expected = previews.pictures(turned, 1, vars(Adjustments(**SETTINGS)))
    state, alternative, *rest = photos.restore(shown, wanted, GERMAN)
    assert isinstance(state, PhotoState)
    assert (state.edit, alternative, rest[-1]) == (turned.edit, 1, "vivid")
    assert dict(zip(vars(Adjustments()), rest[3:-1], strict=True)) == wanted["adjustments"]
    for made, picture in zip(rest[:3], expected, strict=True):
        np.testing.assert_array_equal(pixels(str(made)), pixels(picture))
    back = photos.restore(state, step(shown), GERMAN)[0]
    assert isinstance(back, PhotoState)
    assert back.edit == shown.edit


def test_going_back_to_other_spots_runs_no_network(
    photos: PhotoActions, colors: HintActions, shown: PhotoState, runs: list[int]
) -> None:
    spotted = colors.fix_color(shown, 0, 40, 30, "#2040c0", 5, 80, GERMAN)[0]
    state = photos.restore(spotted, step(shown), GERMAN)[0]
    assert isinstance(state, PhotoState)
    assert state.edit.hints == ()
    assert runs == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"look": "sepia"},
        {"spots": [{"x": 1, "y": 1, "color": "red"}]},
        {"framing": {"turns": 9}},
        {"extra": 1},
        {"adjustments": {"saturation": 99}},
    ],
)
def test_a_step_that_no_page_made(
    photos: PhotoActions, shown: PhotoState, wrong: dict[str, object]
) -> None:
    with pytest.raises(gr.Error) as error:
        photos.restore(shown, step(shown) | wrong, GERMAN)
    assert error.value.message == LANGUAGES["de"]["photo.bad_work"]


def test_notices_are_in_the_visitors_language(shown: PhotoState) -> None:
    said = previews.notices(shown, GERMAN)
    assert said["visible"]
    assert said["value"] == "Dieses Foto hat schon Farben; das Modell ersetzt sie."
    assert not previews.notices(replace(shown, notices=()), GERMAN)["visible"]


# Files to take away


@pytest.fixture
def traveled(photos: PhotoActions, folder: Path) -> PhotoState:
    """A 16-bit photo with a caption, and a place."""
    exif = Image.Exif()
    exif[ExifTags.Base.ImageDescription] = "Grandma"
    exif[ExifTags.IFD.GPSInfo] = {1: "N", 2: (47.0, 22.0, 30.0)}
    pixels = color_pixels(61, 83).astype(np.uint16) * 257
    Photo(pixels, metadata=Metadata(exif=exif.tobytes()[6:])).save(folder / "lake.tif")
    state = photos.colorize({"path": str(folder / "lake.tif")}, "", GERMAN)[0]
    assert state is not None
    return state


@pytest.mark.parametrize("kept", [False, True])
def test_the_place_is_kept_only_on_wish(traveled: PhotoState, kept: bool) -> None:
    made = Photo.open(downloads.download(traveled, 0, "", kept, GERMAN, **SETTINGS))
    exif = Image.Exif()
    exif.load(made.metadata.exif)
    assert exif[ExifTags.Base.ImageDescription] == "Grandma"
    assert bool(exif.get_ifd(ExifTags.IFD.GPSInfo)) is kept
    assert b"compositeWithTrainedAlgorithmicMedia" in made.metadata.xmp
    assert made.pixels.dtype == np.uint16


@pytest.mark.parametrize(
    ("format", "name", "kind"),
    [
        ("", "grandma_color.png", "PNG"),
        ("JPEG", "grandma_color.jpg", "JPEG"),
        ("TIFF", "grandma_color.tif", "TIFF"),
        ("WEBP", "grandma_color.webp", "WEBP"),
    ],
)
def test_download(shown: PhotoState, format: str, name: str, kind: str) -> None:
    path = downloads.download(shown, 0, format, False, GERMAN, **SETTINGS)
    assert Path(path).name == name
    with Image.open(path) as image:
        assert image.format == kind
        assert image.size == (83, 61)


def test_the_shared_picture_shows_the_photo_as_it_was(shown: PhotoState) -> None:
    path = downloads.side_by_side(shown, 0, GERMAN, **SETTINGS)
    assert Path(path).name == "grandma_before_after.jpg"
    sheet = pixels(path).astype(int)
    assert sheet.shape[1] > 2 * 83
    before = sheet[4:65, 4:87]  # within a gap of 4 pixels
    assert np.abs(before - color_pixels(61, 83)).mean() < 8


# Recipes


@pytest.fixture
def recipe(
    recipes: RecipeActions, photos: PhotoActions, colors: HintActions, shown: PhotoState
) -> tuple[str, Photo]:
    """A recipe with a turn, a hint, the last version and settings, and the photo it made."""
    turned = photos.turn_right(shown, GERMAN)[0]
    shown = colors.fix_color(turned, 0, 40, 30, "#ff0000", 10, 80, GERMAN)[0]
    version = len(shown.alternatives) - 1
    result = downloads.download(shown, version, "PNG", False, GERMAN, **SETTINGS)
    return recipes.save_recipe(shown, version, GERMAN, **SETTINGS), Photo.open(result)


@pytest.mark.slow
def test_a_recipe_brings_the_result_back_to_the_bit(
    recipe: tuple[str, Photo], recipes: RecipeActions, shown: PhotoState
) -> None:
    path, photo = recipe
    state, version, *rest = recipes.load_recipe(shown, {"path": path}, GERMAN)
    settings = dict(zip(vars(Adjustments()), rest[3:], strict=True))
    assert settings == vars(Adjustments(**SETTINGS))
    again = downloads.download(state, version, "PNG", False, GERMAN, **settings)
    np.testing.assert_array_equal(pixels(again), photo.pixels)


@pytest.mark.slow
def test_the_library_makes_the_same_of_a_recipe(
    recipe: tuple[str, Photo], tiny_colorizer: Colorizer, upload: Upload
) -> None:
    path, photo = recipe
    again = Recipe.from_json(Path(path).read_text()).apply(
        tiny_colorizer, Photo.open(upload["path"])
    )
    np.testing.assert_array_equal(again.pixels, photo.pixels)


@pytest.mark.slow
def test_a_recipe_says_nothing_of_the_server(recipe: tuple[str, Photo]) -> None:
    written = Path(recipe[0]).read_text()
    assert json.loads(written)["checkpoint"] == "tiny"
    assert json.loads(written)["photo"] == "grandma.png"
    assert "/" not in written


@pytest.mark.slow
def test_a_recipe_for_another_photo_says_so(
    recipe: tuple[str, Photo], recipes: RecipeActions, photos: PhotoActions, folder: Path
) -> None:
    path = folder / "grandpa.png"
    Image.fromarray(color_pixels(61, 83, seed=5)).save(path)
    other = photos.colorize({"path": str(path)}, "", GERMAN)[0]
    with pytest.warns(UserWarning, match="mit einem anderen Foto gemacht, grandma.png"):
        recipes.load_recipe(other, {"path": recipe[0]}, GERMAN)


@pytest.mark.parametrize("content", [b"Dear grandma", b"{}", b"\xff\xfe\x00", b"[1]"])
def test_a_file_that_is_no_recipe(
    recipes: RecipeActions, shown: PhotoState, folder: Path, content: bytes
) -> None:
    (folder / "letter.json").write_bytes(content)
    with pytest.raises(gr.Error) as error:
        recipes.load_recipe(shown, {"path": str(folder / "letter.json")}, GERMAN)
    assert error.value.message == LANGUAGES["de"]["photo.bad_recipe"]


@pytest.mark.slow
def test_a_recipe_of_another_model(
    recipe: tuple[str, Photo], recipes: RecipeActions, shown: PhotoState, folder: Path
) -> None:
    values = json.loads(Path(recipe[0]).read_text())
    changed = values | {"checkpoint_sha256": "0" * 64, "checkpoint": "user/other"}
    (folder / "other.json").write_text(json.dumps(changed))
    with pytest.raises(gr.Error, match="user/other"):
        recipes.load_recipe(shown, {"path": str(folder / "other.json")}, GERMAN)


@pytest.mark.slow
def test_a_recipe_with_colors_of_another_picture(
    recipes: RecipeActions, photos: PhotoActions, tiny_colorizer: Colorizer, folder: Path
) -> None:
    colored = Photo(scene(200, 260))
    gray, path = colored.to_gray(), folder / "scene.png"
    gray.save(path)
    edit = Edit(color_source=ColorSource.of(Photo(changed(colored.pixels))))
    (folder / "scene_recipe.json").write_text(
        Recipe.of(tiny_colorizer, gray, "scene.png", edit).to_json()
    )
    state = photos.colorize({"path": str(path)}, "", GERMAN)[0]
    state, version, *_ = recipes.load_recipe(
        state, {"path": str(folder / "scene_recipe.json")}, GERMAN
    )
    made = downloads.download(state, version, "PNG", False, GERMAN)
    np.testing.assert_array_equal(pixels(made), render(tiny_colorizer, gray, edit).pixels)
    turned = photos.turn_right(state, GERMAN)[0]
    assert turned.result.evidence.share > 0.5
    with pytest.warns(UserWarning, match="lässt sich dem Foto nicht mehr zuordnen"):
        cropped = photos.crop(turned, 0, 97, 0, 97, 0, GERMAN)[0]
    assert cropped.edit.color_source is None


# Parts of the full photo


def sent(value: object) -> Any:
    """What the browser sends with an event."""
    return SimpleNamespace(value=value)


def test_parts_have_the_pixels_of_the_download(photos: PhotoActions, folder: Path) -> None:
    """Turned, cropped, transparent and with 16 bits, with all that changes tone."""
    path = folder / "deep.png"
    made = color_pixels(61, 83).astype(np.uint16) * 257
    Photo(made, alpha=np.full((61, 83), 65535, np.uint16)).save(path)
    state = photos.colorize({"path": str(path)}, "", GERMAN)[0]
    state = photos.turn_right(state, GERMAN)[0]
    state = photos.crop(state, 10, 0, 0, 10, 0, GERMAN)[0]
    settings = vars(PRESETS["strong_restoration"])
    asked = {"box": [5, 8, 45, 70], "names": ["gray", "processed"], "key": "1"}
    gray, colorized, processed, answer = parts.render_part(
        state, 0, sent(asked), GERMAN, **settings
    )
    assert colorized is None
    assert answer == asked
    whole = Photo.open(downloads.download(state, 0, "PNG", False, GERMAN, **settings))
    np.testing.assert_array_equal(pixels(processed), np.asarray(whole.to_image())[8:70, 5:45])
    assert pixels(gray).shape == (62, 40)


@pytest.mark.parametrize(
    "wrong",
    [
        {"box": [0, 0, 84, 61]},
        {"box": [5, 5, 5, 9]},
        {"box": [0, 0, 3]},
        {"names": ["original"]},
        {"key": "1" * 101},
        {"more": 1},
    ],
)
def test_parts_that_nobody_can_see_are_refused(wrong: dict[str, object], shown: PhotoState) -> None:
    asked = {"box": [0, 0, 9, 9], "names": ["gray"], "key": "1"} | wrong
    with pytest.raises(gr.Error, match="Auf dem Server ist etwas schiefgegangen"):
        parts.render_part(shown, 0, sent(asked), GERMAN)


# Colors from another picture


@pytest.fixture
def scene_shown(photos: PhotoActions, folder: Path) -> PhotoState:
    """A gray scene of 200 x 260 pixels on the page."""
    Photo(scene(200, 260)).to_gray().save(folder / "scene.png")
    state = photos.colorize({"path": str(folder / "scene.png")}, "", GERMAN)[0]
    assert state is not None
    return state


@pytest.fixture
def elsewhere(folder: Path) -> Upload:
    """The scene colored elsewhere, with a disc painted over it."""
    pixels = changed(scene(200, 260), turn=0, margin=0, scale=1)
    rows, columns = np.ogrid[:200, :260]
    pixels[(rows - 75) ** 2 + (columns - 90) ** 2 < 30**2] = (30, 90, 220)
    Photo(pixels).save(folder / "elsewhere.png")
    return {"path": str(folder / "elsewhere.png")}


def test_a_thumbnail_for_each_preset(scene_shown: PhotoState) -> None:
    sheet = np.asarray(Image.open(previews.preset_sheet(scene_shown, 0)).convert("RGB"), float)
    small = scene_shown.result.preview(previews.PRESET_PIXELS)
    thumbnails = np.split(sheet, len(PRESETS), axis=1)
    for thumbnail, settings in zip(thumbnails, PRESETS.values(), strict=True):
        expected = small.adjust(settings).pixels.astype(float)
        differences = [np.abs(expected - other).mean() for other in thumbnails]
        assert np.abs(expected - thumbnail).mean() == min(differences) < 3  # JPEG changes a little


@pytest.mark.slow
def test_colors_of_another_picture(
    photos: PhotoActions,
    sources: ColorSourceActions,
    recipes: RecipeActions,
    tiny_colorizer: Colorizer,
    scene_shown: PhotoState,
    elsewhere: Upload,
    runs: list[int],
) -> None:
    """Recognized, toned down, chosen by region, in the history, in the recipe, taken away."""
    state = sources.take(scene_shown, 0, elsewhere, GERMAN)[0]
    visible, copy, sentence, use, strength, drawn = previews.source_panel(state, 0, GERMAN)
    assert (visible["visible"], use, strength) == (True, "same", 1)
    assert "dasselbe Foto" in sentence
    assert min(pixels(copy).shape[:2]) == 200
    assert pixels(drawn).shape == (200, 260, 3)

    state = sources.change_strength(state, 0, 0.5, GERMAN)[0]
    state = sources.toggle_region(state, 0, 90, 75, GERMAN)[0]
    assert state.edit.color_source.regions == (Region(90, 75, True),)
    made = downloads.download(state, 0, "PNG", False, GERMAN)
    opened = Photo.open(Path(state.upload))
    expected = render(tiny_colorizer, opened, state.edit)
    np.testing.assert_array_equal(pixels(made), expected.pixels)
    recipe = Recipe.from_json(Path(recipes.save_recipe(state, 0, GERMAN)).read_text())
    assert recipe.edit.color_source == state.edit.color_source

    turned = photos.turn_right(state, GERMAN)[0]
    kept = facts(turned, 0)["work"]["color_source"]
    assert (kept["picture"], kept["strength"]) == ("", 0.5)
    assert list(kept["regions"]) == [{"x": 90, "y": 75, "take": True}]
    before = len(runs)
    removed = sources.remove(state, 0, GERMAN)[0]
    assert previews.source_panel(removed, 0, GERMAN)[0]["visible"] is False
    np.testing.assert_array_equal(
        removed.result.colorized.pixels, scene_shown.result.colorized.pixels
    )
    work = facts(state, 0)["work"] | {"adjustments": vars(Adjustments())}
    again = photos.restore(removed, work, GERMAN)[0]
    np.testing.assert_array_equal(again.result.colorized.pixels, state.result.colorized.pixels)
    assert len(runs) == before  # none of this runs the network

    forgetful = replace(removed, sources=())  # another day: the browser sends the picture
    full = work | {
        "color_source": work["color_source"] | {"picture": recipe.edit.color_source.picture}
    }
    assert photos.restore(forgetful, full, GERMAN)[0].edit == state.edit
    with pytest.warns(UserWarning, match="lässt sich dem Foto nicht mehr zuordnen"):
        assert photos.restore(forgetful, work, GERMAN)[0].edit.color_source is None


@pytest.mark.slow
def test_another_photo_is_a_reference(
    sources: ColorSourceActions, scene_shown: PhotoState, folder: Path
) -> None:
    Photo(scene(180, 220, seed=9)).save(folder / "other.png")
    state = sources.take(scene_shown, 0, {"path": str(folder / "other.png")}, GERMAN)[0]
    assert state.edit.color_source.use == "reference"
    with pytest.raises(gr.Error, match="zeigt nicht dein Foto"):
        sources.change_use(state, 0, "same", GERMAN)


@pytest.mark.parametrize(
    ("write", "key"),
    [
        (lambda path: path.write_text("Dear grandma"), "photo.unreadable"),
        (lambda path: Image.new("RGB", (1, 1), "red").save(path), "photo.source.bad_size"),
        (lambda path: Image.new("L", (40, 40), 90).save(path), "photo.source.bad_gray"),
        (
            lambda path: Image.new("1", (40_000, 40_000)).save(path, compress_level=1),
            "photo.unreadable",
        ),
    ],
)
def test_a_picture_without_use_gets_a_sentence(
    write: Callable[[Path], object],
    key: str,
    sources: ColorSourceActions,
    shown: PhotoState,
    folder: Path,
) -> None:
    write(folder / "picture.png")
    with pytest.raises(gr.Error) as error:
        sources.take(shown, 0, {"path": str(folder / "picture.png")}, GERMAN)
    said = LANGUAGES["de"][key].format(name="picture.png", megapixels=250)
    assert str(error.value) == repr(said) or said in str(error.value)


def test_work_that_was_kept_before_pictures_had_colors_to_take(shown: PhotoState) -> None:
    work = facts(shown, 0)["work"] | {"adjustments": vars(Adjustments()), "color_source": False}
    assert Work.parse(work).color_source is None
