"""Forms of uploads, behind the middleware and with Gradio's own route."""

from pathlib import Path
from typing import Any

import gradio as gr
import pytest
from fastapi import FastAPI
from gradio.routes import App
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from colorizer.web.server.admission import Admission
from colorizer.web.server.forms import ADVICE
from colorizer.web.server.settings import Settings

UPLOAD = "/gradio_api/upload"
PHOTO = ("a.jpg", b"photo" * 100_000)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def client(folder: Path) -> TestClient:
    with gr.Blocks() as page:
        gr.File()
    page.max_file_size = None  # as `launch` sets it
    app: FastAPI = App.create_app(
        page, app_kwargs={"middleware": [Middleware(Admission, page, Settings())]}
    )
    return TestClient(app)


def stored(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_in_the_right_field_is_stored(client: TestClient, folder: Path) -> None:
    answer = client.post(UPLOAD, files=[("files", PHOTO), ("files", ("b.jpg", b"other"))])
    assert answer.status_code == 200
    assert [Path(path).name for path in answer.json()] == ["a.jpg", "b.jpg"]
    assert len(stored(folder)) == 2


@pytest.mark.parametrize(
    "form",
    [
        {"files": [("file", PHOTO)]},
        {"files": [("files", PHOTO), ("photo", PHOTO)]},
        {"files": [("photo", PHOTO), ("files", PHOTO)]},
        {"files": [("files", (None, b"text"))]},
        {"files": [("note", (None, b"text"))]},
    ],
    ids=["another name", "then another", "another first", "a text", "no file"],
)
def test_other_forms_are_refused_and_leave_no_file(
    client: TestClient, folder: Path, form: dict[str, Any]
) -> None:
    answer = client.post(UPLOAD, **form)
    assert (answer.status_code, answer.text) == (400, ADVICE)
    assert stored(folder) == []


def test_texts_beside_the_files_are_ignored(client: TestClient) -> None:
    answer = client.post(UPLOAD, files=[("files", PHOTO)], data={"note": "lake"})
    assert (answer.status_code, len(answer.json())) == (200, 1)


def test_a_body_that_is_no_form_is_refused_by_gradio(client: TestClient) -> None:
    header = {"Content-Type": "multipart/form-data; boundary=x"}
    assert client.post(UPLOAD, content=b"no form", headers=header).status_code == 400
    assert client.post(UPLOAD, content=b"no form").status_code == 400
