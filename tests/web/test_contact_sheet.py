"""The contact sheet: photos open on the stage, come back changed, and the ZIP follows."""

from dataclasses import replace
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any
from zipfile import ZipFile

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from colorizer import PRESETS, Adjustments, ColorHint, Colorizer, Photo, PhotoError, render
from colorizer.web.actions import batch_zip
from colorizer.web.actions.batch import BatchActions, add_folder, finish
from colorizer.web.actions.batch_zip import BatchPhoto, Packed
from colorizer.web.actions.contact_sheet import ContactSheetActions, gallery
from colorizer.web.actions.photo_state import with_hints
from tests.helpers.photos import color_pixels

NAMES = ("trip/day1/a.png", "trip/day2/a.png", "trip/b.jpg")
PLAIN = vars(Adjustments())
VIVID = vars(PRESETS["vivid"])


@pytest.fixture
def actions(tiny_colorizer: Colorizer) -> ContactSheetActions:
    """The sheet, whose only model is the tiny network."""
    return ContactSheetActions(SimpleNamespace(get=lambda name: tiny_colorizer))  # type: ignore[arg-type]


@pytest.fixture
def packed(actions: ContactSheetActions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Packed:
    """A folder that was uploaded and colorized."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    uploads = []
    for seed, name in enumerate(NAMES):
        path = tmp_path / f"upload{seed}" / Path(name).name
        path.parent.mkdir()
        Image.fromarray(color_pixels(24, 32, seed)).save(path)
        uploads.append({"path": str(path)})
    photos = [{"path": path} for path in add_folder(None, uploads, NAMES, None)]  # type: ignore[arg-type]
    *_, (_, _, packed) = BatchActions(actions.models).run(photos, "", "", Event(), None)  # type: ignore[arg-type]
    assert packed
    return packed


def content(packed: Packed) -> dict[str, bytes]:
    with ZipFile(packed.archive) as zipped:
        assert zipped.testzip() is None
        return {name: zipped.read(name) for name in zipped.namelist()}


def opened(made: tuple[Any, ...]) -> tuple[tuple[BatchPhoto, ...], Any]:
    """The sheet, and the state of the photo on the stage."""
    return made[0], made[5]


def test_folders_keep_their_tree_in_the_zip(packed: Packed) -> None:
    names = ["trip/day1/a_color.png", "trip/day2/a_color.png", "trip/b_color.jpg"]
    assert list(content(packed)) == names
    assert [photo.name for photo in packed.photos] == names
    assert finish(packed)[0] == packed.photos


def test_a_photo_opens_as_the_batch_made_it(actions, packed) -> None:
    made = actions.open(packed.photos, 1, None)
    _, state = opened(made)
    photo = packed.photos[1]
    assert made[2:5] == (str(photo.path), "Photo 2 of 3: a.png", False)
    assert state.upload == photo.path
    assert state.edit_with(0, PLAIN) == photo.edit
    assert made[10:] == (*PLAIN.values(), "natural")


def test_a_photo_that_was_only_looked_at_is_not_made_again(actions, packed, monkeypatch) -> None:
    sheet, state = opened(actions.open(packed.photos, 0, None))
    sheet, _ = actions.keep(sheet, state, 0, None, **PLAIN)
    assert sheet == packed.photos
    monkeypatch.delattr(batch_zip, "render")
    again, path = actions.pack(sheet, packed, None)
    assert again is packed
    assert path == str(packed.archive)


def test_what_is_done_on_the_stage_is_in_the_zip(actions, packed, tiny_colorizer) -> None:
    before = content(packed)
    sheet, state = opened(actions.open(packed.photos, 0, None))
    state = with_hints(state, (ColorHint(20, 10, "#c03020"),))
    made = actions.next_photo(sheet, state, 0, None, **VIVID)
    sheet, second = opened(made)
    assert second.upload == packed.photos[1].path
    assert made[1][0][0] != packed.photos[0].pair  # its picture is another one
    edit = replace(packed.photos[0].edit, hints=state.edit.hints, adjustments=PRESETS["vivid"])
    assert sheet[0].edit == edit
    assert sheet[1:] == packed.photos[1:]
    again, path = actions.pack(sheet, packed, None)
    after = content(again)
    assert list(after) == list(before)
    assert [after[name] == before[name] for name in before] == [False, True, True]
    expected = render(tiny_colorizer, Photo.open(sheet[0].path), edit)
    with ZipFile(path) as zipped, zipped.open(sheet[0].name) as file:
        np.testing.assert_array_equal(np.asarray(Image.open(file)), expected.pixels)
    assert not packed.archive.exists()
    _, state = opened(actions.open(sheet, 0, None))  # and it opens so again
    assert state.edit_with(0, VIVID) == edit


def test_the_last_photo_is_followed_by_the_first(actions, packed) -> None:
    sheet, state = opened(actions.open(packed.photos, 2, None))
    assert opened(actions.next_photo(sheet, state, 0, None, **PLAIN))[1].upload == sheet[0].path
    _, first = opened(actions.open(packed.photos, 0, None))
    assert opened(actions.previous_photo(sheet, first, 0, None, **PLAIN))[1].upload == sheet[2].path


def test_left_out_photos_are_not_in_the_zip_and_come_back(actions, packed) -> None:
    sheet, state = opened(actions.open(packed.photos, 1, None))
    sheet, shown = actions.leave_out(sheet, state, True, None)
    assert shown[1][1] == "Left out: a.png"
    assert (
        np.asarray(Image.open(shown[1][0])).mean()
        > 180
        > np.asarray(Image.open(sheet[1].pair)).mean()
    )
    without, _ = actions.pack(sheet, packed, None)
    assert list(content(without)) == [sheet[0].name, sheet[2].name]
    sheet, _ = actions.leave_out(sheet, state, False, None)
    whole, _ = actions.pack(sheet, without, None)
    assert list(content(whole)) == [photo.name for photo in sheet]


def test_a_photo_from_elsewhere_leaves_the_sheet_alone(actions, packed) -> None:
    _, state = opened(actions.open(packed.photos, 1, None))
    other = replace(state, upload=state.upload.with_name("other.png"))
    assert actions.keep(packed.photos, other, 0, None, **VIVID)[0] == gr.skip()
    assert actions.keep(packed.photos, None, 0, None, **VIVID)[0] == gr.skip()
    for act in (actions.next_photo, actions.previous_photo):
        with pytest.raises(gr.Error, match="not one of"):
            act(packed.photos, other, 0, None, **PLAIN)
    with pytest.raises(gr.Error, match="not one of"):
        actions.leave_out(packed.photos, other, True, None)


def test_a_batch_that_runs_has_no_sheet(actions) -> None:
    with pytest.raises(gr.Error, match="once all of them are in color"):
        actions.open(None, 0, None)


def test_a_zip_of_nothing(actions, packed) -> None:
    sheet = tuple(replace(photo, left_out=True) for photo in packed.photos)
    with pytest.raises(gr.Error, match="All photos are left out"):
        actions.pack(sheet, packed, None)
    assert packed.archive.exists()


def test_a_zip_that_can_not_be_written_leaves_the_last_one(
    actions, packed, tmp_path, monkeypatch
) -> None:
    def refuse(path: Path) -> Photo:
        raise PhotoError("gone")

    monkeypatch.setattr(batch_zip, "open_upload", refuse)
    sheet = (
        replace(
            packed.photos[0], edit=replace(packed.photos[0].edit, adjustments=PRESETS["vivid"])
        ),
        *packed.photos[1:],
    )
    with pytest.raises(gr.Error, match="could not be written"):
        actions.pack(sheet, packed, None)
    assert list(tmp_path.rglob("*.zip")) == [packed.archive]
    packed.archive.unlink()
    with pytest.raises(gr.Error, match="no longer here"):
        actions.pack(sheet, packed, None)


def test_one_format_for_all(actions, packed) -> None:
    photos = [{"path": str(photo.path)} for photo in packed.photos]
    run = BatchActions(actions.models).run(photos, "", "", Event(), None, format="TIFF")
    *_, (_, _, made) = run
    assert [Path(photo.name).suffix for photo in made.photos] == [".tif"] * 3
    sheet, state = opened(actions.open(made.photos, 0, None))
    sheet, _ = actions.keep(sheet, state, 0, None, **VIVID)
    again, _ = actions.pack(sheet, made, None)
    assert [data[:4] in (b"II*\0", b"MM\0*") for data in content(again).values()] == [True] * 3


def test_photos_in_trash_are_left_out(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    (tmp_path / "a.png").write_bytes(b"photo")
    uploads = [{"path": str(tmp_path / "a.png")}] * 3
    places = ["trip/@eaDir/a.png", "../a.png", "trip/a.png"]
    [found] = add_folder(None, uploads, places, None)  # type: ignore[arg-type]
    assert Path(found).parts[-2:] == ("trip", "a.png")


def test_the_gallery_tells_what_is_left_out(packed: Packed) -> None:
    shown = gallery((packed.photos[0], replace(packed.photos[1], left_out=True)), None)  # type: ignore[arg-type]
    assert [caption for _, caption in shown] == ["a.png", "Left out: a.png"]
