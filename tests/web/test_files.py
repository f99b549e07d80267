"""Files between browser and server."""

from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import numpy as np
import pytest
from PIL import Image

from colorizer import Photo
from colorizer.web.server.files import (
    copied_into_folder,
    folder_in_upload,
    picture,
    result_folder,
    uploaded_path,
)
from colorizer.web.server.owners import upload_owners
from tests.helpers.photos import color_pixels


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where uploads lie."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "files"))
    return tmp_path / "files"


def test_uploads_are_known(folder: Path) -> None:
    path = folder / "a1" / "grandma.jpg"
    assert uploaded_path({"path": str(path)}) == path
    assert uploaded_path(str(path)) == path


@pytest.mark.parametrize("name", ["../secret.jpg", "a/../../secret.jpg", "link/secret.jpg", "None"])
def test_other_files_are_refused(folder: Path, name: str) -> None:
    folder.mkdir()
    (folder.parent / "secret.jpg").write_bytes(b"")
    (folder / "link").symlink_to(folder.parent)
    german = SimpleNamespace(headers={"accept-language": "de"})
    path = name if name == "None" else str(folder / name)
    with pytest.raises(gr.Error, match="hochgeladen"):
        uploaded_path({"path": path}, german)  # type: ignore[arg-type]


def test_only_the_user_who_sent_a_file_may_use_it(folder: Path) -> None:
    path = folder / "a1" / "grandma.jpg"
    path.parent.mkdir(parents=True)
    path.touch()
    upload_owners.add("anna", [str(path)])
    anna, bert = (SimpleNamespace(headers={}, username=name) for name in ("anna", "bert"))
    assert uploaded_path(str(path), anna) == path  # type: ignore[arg-type]
    with pytest.raises(gr.Error):
        uploaded_path(str(path), bert)  # type: ignore[arg-type]
    upload_owners.add("bert", [str(path)])
    assert uploaded_path(str(path), bert) == path  # type: ignore[arg-type]


def test_a_picture_for_the_browser(folder: Path) -> None:
    pixels = color_pixels(40, 60)
    path = Path(picture(Photo(pixels), "grandma"))
    assert path.is_relative_to(folder)
    assert path.name == "grandma.jpg"
    with Image.open(path) as image:
        assert image.format == "JPEG"
        assert np.abs(np.asarray(image).astype(int) - pixels).mean() < 2


def test_result_folders_are_new_and_empty(folder: Path) -> None:
    first, second = result_folder(), result_folder()
    assert first != second
    assert first.parent == folder
    assert not list(first.iterdir())


def test_a_picture_that_is_being_sent_stays_whole(folder: Path) -> None:
    photo = Photo(color_pixels(40, 60))
    path = Path(picture(photo))
    with path.open("rb") as sent:
        before = path.stat().st_ino
        assert picture(photo) == str(path)
        assert path.stat().st_ino != before
        assert sent.read() == path.read_bytes()
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize(
    ("folders", "expected"),
    [
        ([], "."),
        (["trip", "day 1"], "trip/day 1"),
        (["..", "", ".", "up"], "up"),
        (["../../etc", "..\\..\\up"], ".._.._etc/.._.._up"),
        (["one\x00two"], "one_two"),
        (["x" * 300], "x" * 255),
    ],
)
def test_folders_of_uploads_stay_where_uploads_are(
    folder: Path, folders: list[str], expected: str
) -> None:
    upload = folder / "upload" / "a.png"
    upload.parent.mkdir(parents=True)
    upload.write_bytes(b"photo")
    copy = copied_into_folder(upload, folders)
    assert copy.resolve().is_relative_to(folder.resolve())
    assert copy.read_bytes() == b"photo"
    assert str(folder_in_upload(copy)) == expected
    assert upload.exists()  # another visitor may have sent the same photo


def test_a_file_from_elsewhere_lies_in_no_folder(tmp_path: Path) -> None:
    assert folder_in_upload(tmp_path / "trip" / "a.png") == Path()
