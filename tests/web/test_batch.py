"""Many photos at once: what is in the ZIP, what is said of the rest, and what is left behind."""

import io
from collections.abc import Callable
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from zipfile import ZIP_STORED, ZipFile

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from colorizer import Adjustments, CheckpointError, Colorizer, ColorSource, Edit, Photo, render
from colorizer.adjust.adjustments import PRESETS
from colorizer.batch.shared_colors import find_shared_colors
from colorizer.web.actions import batch as batch_actions
from colorizer.web.actions.batch import (
    BatchActions,
    add_folder,
    buttons,
    checked_paths,
    status,
    stop,
)
from colorizer.web.actions.batch_zip import (
    GAP,
    PAIR_PIXELS,
    Packed,
    before_and_after,
    colorize_into_zip,
)
from colorizer.web.server.limits import STOPPING
from colorizer.web.texts import LANGUAGES
from tests.helpers.photos import color_pixels
from tests.helpers.scenes import scene

PLAIN = Adjustments()


@pytest.fixture
def photos(tmp_path: Path) -> list[Path]:
    """a.png, b.jpg, and another a.png in a folder."""
    paths = [tmp_path / "in" / name for name in ("a.png", "b.jpg", "more/a.png")]
    for seed, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(color_pixels(24, 32, seed)).save(path)
    return paths


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out" / "photos.zip"


@pytest.fixture
def uploads(tmp_path: Path, photos: list[Path], monkeypatch) -> list[dict[str, str]]:
    """The photos as the browser uploaded them."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return [{"path": str(path)} for path in photos]


@pytest.fixture
def actions(tiny_colorizer: Colorizer) -> BatchActions:
    """The tab, whose only model is the tiny network."""
    return BatchActions(SimpleNamespace(get=lambda name: tiny_colorizer))  # type: ignore[arg-type]


def content(archive: Path) -> dict[str, bytes]:
    with ZipFile(archive) as zipped:
        assert zipped.testzip() is None
        return {name: zipped.read(name) for name in zipped.namelist()}


def test_photos_in_the_zip_are_those_of_the_pipeline(tiny_colorizer, photos, archive) -> None:
    outcomes = list(colorize_into_zip(tiny_colorizer, photos, PLAIN, archive))
    assert [outcome.task.source.name for outcome, _ in outcomes] == ["a.png", "b.jpg", "a.png"]
    assert not any(outcome.problem for outcome, _ in outcomes)
    files = content(archive)
    assert list(files) == ["a_color.png", "b_color.jpg", "a_color-2.png"]
    for path, data in zip(photos, files.values(), strict=True):
        expected = path.with_name(f"expected{path.suffix}")
        tiny_colorizer.colorize(Photo.open(path)).colorized.save(expected)
        assert data == expected.read_bytes()


def test_photos_are_not_packed_twice(tiny_colorizer, photos, archive) -> None:
    list(colorize_into_zip(tiny_colorizer, photos, PLAIN, archive))
    with ZipFile(archive) as zipped:
        assert {item.compress_type for item in zipped.infolist()} == {ZIP_STORED}


def test_adjustments_are_the_same_for_all(tiny_colorizer, photos, archive) -> None:
    list(colorize_into_zip(tiny_colorizer, photos, Adjustments(strength=0), archive))
    for data in content(archive).values():
        assert Photo.open(io.BytesIO(data)).pixels.shape[2] == 1


def test_a_file_that_fails_does_not_stop_the_others(tiny_colorizer, photos, archive) -> None:
    letter = photos[0].with_name("letter.jpg")
    letter.write_text("Dear grandma")
    gone = photos[0].with_name("gone.jpg")
    outcomes = list(colorize_into_zip(tiny_colorizer, [letter, *photos, gone], PLAIN, archive))
    assert [outcome.cause for outcome, _ in outcomes] == ["unreadable", "", "", "", "unreadable"]
    assert [result is None for _, result in outcomes] == [True, False, False, False, True]
    assert len(content(archive)) == 3


@pytest.mark.parametrize("error", [MemoryError(), RuntimeError("can't allocate memory")])
def test_a_photo_that_is_too_much_does_not_stop_the_others(
    tiny_colorizer: Colorizer, photos: list[Path], archive: Path, error: Exception
) -> None:
    def colorize(photo: Photo, *options: object) -> object:
        if photo.format == "JPEG":
            raise error
        return tiny_colorizer.colorize(photo)

    colorizer = SimpleNamespace(colorize=colorize)
    outcomes = list(colorize_into_zip(colorizer, photos, PLAIN, archive))  # type: ignore[arg-type]
    assert [outcome.cause for outcome, _ in outcomes] == ["", "memory", ""]
    assert list(content(archive)) == ["a_color.png", "a_color-2.png"]


def test_one_photo_at_a_time_is_on_the_disk(tiny_colorizer, photos, archive) -> None:
    for number, _ in enumerate(colorize_into_zip(tiny_colorizer, photos, PLAIN, archive), 1):
        files = [path for path in archive.parent.rglob("*") if path.is_file()]
        assert files == [archive]
        assert archive.stat().st_size > 500 * number  # it grows as the batch goes on
    assert list(archive.parent.iterdir()) == [archive]


def test_a_batch_that_is_closed_keeps_what_is_done(tiny_colorizer, photos, archive) -> None:
    batch = colorize_into_zip(tiny_colorizer, photos, PLAIN, archive)
    next(batch)
    batch.close()
    assert list(content(archive)) == ["a_color.png"]
    assert list(archive.parent.iterdir()) == [archive]


@pytest.mark.parametrize("size", [(24, 32), (1500, 1000), (1, 400)])
def test_pairs_are_small_and_show_before_and_after(
    tiny_colorizer: Colorizer, size: tuple[int, int]
) -> None:
    result = tiny_colorizer.colorize(Photo(color_pixels(*size)))
    pair = before_and_after(result, PLAIN)
    width = (pair.width - GAP) // 2
    assert width * pair.height <= PAIR_PIXELS
    pixels = np.array(pair)
    before, after = pixels[:, :width], pixels[:, -width:]
    assert (before[..., 0] == before[..., 2]).all()
    assert (after[..., 0] != after[..., 2]).any()
    assert (pixels[:, width:-width] == 255).all()


# What the tab does


def test_a_batch_tells_where_it_is(actions: BatchActions, uploads: list[dict[str, str]]) -> None:
    *steps, last = list(actions.run(uploads, "", "", Event(), None))
    assert ["Photo 1 of 3: a.png" in steps[0][0], "Photo 3 of 3: a.png" in steps[2][0]] == [
        True
    ] * 2
    assert 'value="0.667"' in steps[2][0]
    assert len(steps) == 3
    assert not any(packed for _, _, packed in steps)
    said, pairs, packed = last
    assert "3 of 3 photos are in color" in said
    assert "<progress" not in said
    assert [name for _, name in pairs] == ["a.png", "b.jpg", "a.png"]
    assert len(content(packed.archive)) == 3


def test_failures_are_listed_with_their_reason(actions, uploads, photos) -> None:
    photos[1].write_text("Dear grandma")
    *_, (said, pairs, packed) = actions.run(uploads, "", "", Event(), None)
    assert "2 of 3 photos" in said
    assert "<li>b.jpg can&#x27;t be read." in said
    assert str(photos[1].parent) not in said
    assert len(pairs) == len(content(packed.archive)) == 2


def test_the_look_is_used(actions: BatchActions, uploads, monkeypatch) -> None:
    monkeypatch.setitem(PRESETS, "vivid", Adjustments(strength=0))
    *_, (_, _, packed) = actions.run(uploads, "vivid", "", Event(), None)
    assert Photo.open(io.BytesIO(content(packed.archive)["a_color.png"])).pixels.shape[2] == 1


def test_a_stopped_batch_keeps_what_is_done(actions, uploads) -> None:
    stopped = Event()
    run = actions.run(uploads, "", "", stopped, None)
    next(run)
    next(run)
    assert stop(stopped)["interactive"] is False
    *_, (said, pairs, packed) = run
    assert "Stopped. 1 of 3 photos are in color." in said
    assert [name for _, name in pairs] == ["a.png"]
    assert list(content(packed.archive)) == ["a_color.png"]


def test_a_visitor_who_leaves_leaves_no_zip(actions, uploads, tmp_path) -> None:
    """Gradio closes the generator; files that it was not given would stay forever."""
    run = actions.run(uploads, "", "", Event(), None)
    next(run)
    next(run)
    assert list(tmp_path.rglob("*.zip"))
    run.close()
    assert not list(tmp_path.rglob("*.zip"))


def test_a_batch_of_nothing_but_failures_leaves_no_zip(actions, uploads, photos, tmp_path) -> None:
    for path in photos:
        path.write_text("Dear grandma")
    *_, (said, pairs, packed) = actions.run(uploads, "", "", Event(), None)
    assert "0 of 3 photos" in said
    assert (pairs, packed) == ([], None)
    assert not list(tmp_path.rglob("*.zip"))


def test_a_server_that_stops_keeps_what_is_done(actions, uploads) -> None:
    steps = actions.run(uploads, "", "", Event(), None)
    try:
        next(steps)
        next(steps)
        STOPPING.set()
        *_, (said, pairs, packed) = steps
    finally:
        STOPPING.clear()
    assert "Stopped. 1 of 3 photos" in said
    assert len(pairs) == 1
    assert list(content(packed.archive)) == ["a_color.png"]


def test_a_model_that_is_gone(uploads: list[dict[str, str]]) -> None:
    def get(name: str) -> Colorizer:
        raise CheckpointError("gone", "absent")

    actions = BatchActions(SimpleNamespace(get=get))  # type: ignore[arg-type]
    [(said, pairs, packed)] = actions.run(uploads, "", "user/repo", Event(), None)
    assert "user/repo is not on the Hugging Face Hub" in said
    assert (pairs, packed) == ([], None)


def test_a_full_disk(actions, uploads, tmp_path, monkeypatch) -> None:
    def write(self: ZipFile, *arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(ZipFile, "write", write)
    *_, (said, pairs, packed) = actions.run(uploads, "", "", Event(), None)
    assert "Something went wrong on the server" in said
    assert (pairs, packed) == ([], None)
    assert not list(tmp_path.rglob("*.zip"))


def test_names_of_files_are_not_html() -> None:
    said = status("Photo 1 of 2: <b>.jpg", ["<img src=x>.jpg can't be read."], None, 0.5)
    assert "<b>" not in said
    assert "<img" not in said


def test_limits(uploads: list[dict[str, str]], tmp_path: Path, monkeypatch) -> None:
    refused: list[tuple[Callable[[], object], str]] = [
        (lambda: checked_paths([], None), "no photos yet"),
        (lambda: checked_paths(None, None), "no photos yet"),
        (lambda: checked_paths([{"path": str(tmp_path / "gone.jpg")}], None), "no longer here"),
        (
            lambda: checked_paths([{"path": "/etc/passwd"}], None),
            "You can only use files that you uploaded",
        ),
    ]
    for ask, sentence in refused:
        with pytest.raises(gr.Error, match=sentence):
            ask()
    assert len(checked_paths(uploads, None)) == 3
    assert checked_paths([*uploads, uploads[0]], None) == checked_paths(uploads, None)
    monkeypatch.setattr(batch_actions, "MAX_BYTES", 100)
    with pytest.raises(gr.Error, match="MB fit into one batch"):
        checked_paths(uploads, None)
    monkeypatch.setattr(batch_actions, "MAX_PHOTOS", 2)
    with pytest.raises(gr.Error, match="You chose 3 files, but at most 2 fit"):
        checked_paths(uploads, None)


def test_a_look_that_is_not_there(actions, uploads) -> None:
    with pytest.raises(gr.Error, match="no such look"):
        next(actions.run(uploads, "sepia", "", Event(), None))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_limits_that_are_told_are_the_limits(language: str) -> None:
    intro = LANGUAGES[language]["batch.intro"]
    assert f"{batch_actions.MAX_PHOTOS} " in intro
    assert f"{batch_actions.MAX_BYTES // 10**6} MB" in intro


def test_a_folder_is_added_to_the_photos(uploads, photos, tmp_path) -> None:
    folder = [{"path": str(tmp_path / name)} for name in ("DS_Store", "Thumbs.db", "c.jpg")]
    assert add_folder(uploads[:1], folder, None, None) == [str(photos[0]), str(tmp_path / "c.jpg")]
    assert add_folder(None, folder[2:], [], None) == [str(tmp_path / "c.jpg")]
    with pytest.raises(gr.Error, match="You can only use files that you uploaded"):
        add_folder(None, [{"path": "/etc/passwd"}], None, None)


def test_buttons_follow_the_batch() -> None:
    assert [button["visible"] for button in buttons(False, running=True)] == [False, False, True]
    assert [button["visible"] for button in buttons(True, running=False)] == [True, True, False]


# Colors from other pictures


@pytest.fixture
def scenes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """a.png and b.png: two gray scenes, as the browser uploaded them."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    paths = [tmp_path / name for name in ("a.png", "b.png")]
    for seed, path in enumerate(paths):
        Photo(scene(120, 160, seed)).to_gray().save(path)
    return [{"path": str(path)} for path in paths]


def picture(folder: Path, name: str, seed: int) -> dict[str, str]:
    """A scene in color, uploaded."""
    (folder / "other").mkdir(exist_ok=True)
    Photo(scene(120, 160, seed)).save(folder / "other" / name)
    return {"path": str(folder / "other" / name)}


def made(packed: Packed | None) -> list[Photo]:
    assert packed
    return [Photo.open(io.BytesIO(data)) for data in content(packed.archive).values()]


@pytest.mark.slow
def test_colors_of_pictures_with_the_same_names(actions, scenes, tmp_path, tiny_colorizer) -> None:
    given = [picture(tmp_path, "a_color.png", 0)]
    *_, (said, _, packed) = actions.run(scenes, "", "", Event(), None, "names", given)
    taken, own = made(packed)
    source = ColorSource.of(Photo.open(given[0]["path"]))
    expected = render(tiny_colorizer, Photo.open(scenes[0]["path"]), Edit(color_source=source))
    np.testing.assert_array_equal(taken.pixels, expected.pixels)
    plain = render(tiny_colorizer, Photo.open(scenes[1]["path"]), Edit())
    np.testing.assert_array_equal(own.pixels, plain.pixels)
    assert "<li>b.png: No picture has the photo&#x27;s name" in said


@pytest.mark.slow
def test_a_picture_that_can_not_be_used_costs_only_its_photo(actions, scenes, tmp_path) -> None:
    given = [picture(tmp_path, "a.png", 5), picture(tmp_path, "b.png", 1)]
    *_, (said, pairs, _) = actions.run(scenes, "", "", Event(), None, "names", given)
    assert "<li>a.png: the picture of that name can&#x27;t be used." in said
    assert [name for _, name in pairs] == ["b.png"]
    Path(given[0]["path"]).write_text("Dear grandma")
    *_, (said, pairs, _) = actions.run(scenes, "", "", Event(), None, "names", given)
    assert "<li>a.png: the picture of that name can&#x27;t be used." in said


def test_colors_like_those_of_a_reference(actions, scenes, tmp_path, tiny_colorizer) -> None:
    given = [picture(tmp_path, "other.png", 0)]
    *_, (_, _, packed) = actions.run(scenes, "", "", Event(), None, "reference", given)
    source = ColorSource.of(Photo.open(given[0]["path"]), "reference")
    for photo, result in zip(scenes, made(packed), strict=True):
        expected = render(tiny_colorizer, Photo.open(photo["path"]), Edit(color_source=source))
        np.testing.assert_array_equal(result.pixels, expected.pixels)
    Image.new("L", (40, 40)).save(given[0]["path"])
    *_, (said, pairs, packed) = actions.run(scenes, "", "", Event(), None, "reference", given)
    assert "That picture can&#x27;t be used" in said
    assert (pairs, packed) == ([], None)


@pytest.mark.slow
def test_colors_that_are_alike_in_all_photos(actions, scenes, tiny_colorizer) -> None:
    (first, *_), *_, (_, _, packed) = actions.run(scenes, "", "", Event(), None, "consistent")
    assert "Looking at all photos" in first
    paths = [Path(photo["path"]) for photo in scenes]
    source = find_shared_colors(tiny_colorizer, paths, Photo.open)
    for path, result in zip(paths, made(packed), strict=True):
        expected = render(tiny_colorizer, Photo.open(path), Edit(color_source=source))
        np.testing.assert_array_equal(result.pixels, expected.pixels)


def test_a_model_that_is_never_sure_can_not_make_photos_alike(scenes, tanh_colorizer) -> None:
    actions = BatchActions(SimpleNamespace(get=lambda name: tanh_colorizer))  # type: ignore[arg-type]
    *_, (said, pairs, packed) = actions.run(scenes, "", "", Event(), None, "consistent")
    assert "This model can&#x27;t make the colors of photos alike" in said
    assert (pairs, packed) == ([], None)


def test_pictures_have_to_be_chosen(actions, scenes) -> None:
    with pytest.raises(gr.Error, match="First choose the picture"):
        actions.prepare(scenes, "names", None, None)
    with pytest.raises(gr.Error, match="Choose just one picture"):
        actions.prepare(scenes, "reference", scenes, None)
    assert "waiting in line" in actions.prepare(scenes, "reference", scenes[:1], None)[1]
