"""Old files are deleted, whoever has made them."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from colorizer.web.server.sweeping import delete_old_files, prepare_upload_folder
from tests.helpers.paths import ROOT


@pytest.mark.slow
def test_old_files_and_empty_folders_go(tmp_path: Path) -> None:
    part = tmp_path / "tmpabc123"  # of an upload that was broken off
    part.write_bytes(b"part")
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    used = tmp_path / "used" / "photo.jpg"
    used.parent.mkdir()
    used.write_bytes(b"old")
    time.sleep(0.3)
    used.write_bytes(b"new")
    delete_old_files(tmp_path, 0.2)
    assert not part.exists()
    assert not (tmp_path / "empty" / "inner").exists()
    assert used.exists()
    time.sleep(0.3)
    delete_old_files(tmp_path, 0.2)
    time.sleep(0.3)
    delete_old_files(tmp_path, 0.2)
    assert list(tmp_path.iterdir()) == []


def test_a_missing_folder_is_fine(tmp_path: Path) -> None:
    delete_old_files(tmp_path / "none", 1)


def test_a_start_deletes_what_an_earlier_server_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    (tmp_path / "left.jpg").write_bytes(b"left")
    (tmp_path / "fresh.jpg").write_bytes(b"fresh")
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 3000)
    prepare_upload_folder()
    assert len(list(tmp_path.iterdir())) == 2
    monkeypatch.setattr(time, "time", lambda: now + 4000)
    prepare_upload_folder()
    assert list(tmp_path.iterdir()) == []


def test_no_other_program_uses_the_default_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    prepare_upload_folder()
    [folder] = tmp_path.iterdir()
    assert folder.name.startswith("colorizer")
    assert os.environ["GRADIO_TEMP_DIR"] == str(folder)


@pytest.mark.slow
def test_an_unusable_folder_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**os.environ, "GRADIO_TEMP_DIR": str(tmp_path / "file" / "folder")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "for uploads can't be written to" in done.stderr
    assert "set GRADIO_TEMP_DIR to another folder." in done.stderr
    assert "Traceback" not in done.stderr
