"""`colorizer colorize` on folders: trees, what is done, watching, stopping and being killed."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from colorizer.__main__ import main
from colorizer.batch import album
from colorizer.batch.find import Found, find_photos
from colorizer.batch.report import JOURNAL_FILE, lock_folder
from tests.helpers.album import (
    BROKEN_PHOTOS,
    CHECKPOINT,
    PHOTOS,
    command,
    files,
    make_album,
    report,
    started,
    wait_for,
)
from tests.helpers.photos import color_pixels

TREE = ("a.jpg", "1950/b.png", "1950/more/c.tif", "1960/b.png")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A tree with four photos and a broken one."""
    for seed, name in enumerate(TREE):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(color_pixels(24, 32, seed)).save(tmp_path / "in" / name)
    half = (tmp_path / "in" / "a.jpg").read_bytes()[:800]
    (tmp_path / "in" / "1960" / "broken.jpg").write_bytes(half)
    return tmp_path / "in"


@pytest.fixture
def run(tiny_checkpoint: Path):
    """Runs `colorizer colorize` and returns the exit code."""

    def run(*arguments: object) -> int:
        common = ["--checkpoint", tiny_checkpoint, "--device", "cpu"]
        return main(["colorize", *map(str, arguments), *map(str, common)])

    return run


@pytest.mark.slow
def test_a_tree_is_mirrored_and_reported(run, photos, tmp_path) -> None:
    out = tmp_path / "out"
    assert run(photos, "-o", out) == 1
    assert sorted(files(out)) == [
        *("1950/b_color.png", "1950/more/c_color.tif", "1960/b_color.png", "a_color.jpg"),
    ]
    rows = report(out)
    assert [row["file"] for row in rows] == [
        *("../in/1950/b.png", "../in/1950/more/c.tif", "../in/1960/b.png"),
        *("../in/1960/broken.jpg", "../in/a.jpg"),
    ]
    assert rows[3]["status"] == "failed"
    assert rows[3]["reason"].startswith(f"{photos / '1960' / 'broken.jpg'} is damaged")
    assert rows[4]["size"] == "32x24"
    assert rows[4]["status"] == "done"
    assert rows[4]["reason"] == "It had colors already; they were replaced."
    assert 0 < float(rows[4]["confidence"]) < 1


@pytest.mark.slow
def test_what_is_done_is_not_made_again(run, photos, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    run(photos, "-o", out)
    made, rows = files(out), report(out)
    (out / "a_color.jpg").write_bytes(b"retouched")
    (out / "1950" / "b_color.png").unlink()
    capsys.readouterr()
    assert run(photos, "-o", out) == 1  # one is still broken
    said = capsys.readouterr()
    assert said.out.split() == [str(out / "1950" / "b_color.png")]
    assert "3 of 5 photos are finished already; --overwrite colorizes them again." in said.err
    assert files(out) == made | {"a_color.jpg": b"retouched"}
    assert report(out) == rows
    assert run(photos, "-o", out, "--overwrite") == 1
    assert files(out) == made
    assert report(out) == rows


@pytest.mark.slow
def test_results_of_earlier_runs_stay_in_the_report(run, photos, tmp_path) -> None:
    out = tmp_path / "out"
    assert run(photos / "1950", "-o", out) == 0
    assert run(photos / "1960" / "b.png", "-o", out) == 0  # of the same name as one before
    assert [row["result"] for row in report(out)] == [
        *("b_color.png", "more/c_color.tif", "b_color-2.png"),
    ]


@pytest.mark.slow
def test_an_album_that_holds_its_results(run, photos) -> None:
    for _ in range(2):
        assert run(photos, "-o", photos / "colored") == 1
        assert len(report(photos / "colored")) == 5
    assert run(f"{photos}/**/*.*", "-o", photos / "colored") == 1
    assert len(report(photos / "colored")) == 5
    assert not any("color_color" in name for name in files(photos))


def test_no_photos_are_wrong_usage(run, tmp_path, capsys) -> None:
    (tmp_path / "in").mkdir()
    with pytest.raises(SystemExit) as stop:
        run(tmp_path / "in", "-o", tmp_path / "out")
    assert stop.value.code == 2
    assert f"There are no photos in {tmp_path / 'in'}; name others." in capsys.readouterr().err


def test_a_watch_goes_without_ray(run, photos, tmp_path, capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        run(photos, "-o", tmp_path / "out", "--watch", "--ray")
    assert stop.value.code == 2
    assert "--watch goes without --ray" in capsys.readouterr().err


def test_the_report_of_something_else_is_wrong_usage(run, photos, tmp_path, capsys) -> None:
    (tmp_path / "report.csv").write_text("month,amount\n")
    with pytest.raises(SystemExit) as stop:
        run(photos, "-o", tmp_path)
    assert stop.value.code == 2
    assert "report.csv is not a report of colorizer" in capsys.readouterr().err


def test_two_runs_into_one_folder_are_wrong_usage(run, photos, tmp_path, capsys) -> None:
    (tmp_path / "out").mkdir()
    with lock_folder(tmp_path / "out"), pytest.raises(SystemExit) as stop:
        run(photos, "-o", tmp_path / "out")
    assert stop.value.code == 2
    assert f"Another run writes into {tmp_path / 'out'}; wait" in capsys.readouterr().err
    assert run(photos / "a.jpg", "-o", tmp_path / "out") == 0


def test_names_that_are_not_unicode(run, tmp_path, capsysbinary) -> None:
    photo = tmp_path / "caf\udce9.png"
    try:
        Image.fromarray(color_pixels(24, 32)).save(photo)
    except OSError:
        pytest.skip("this file system takes Unicode only")
    assert run(photo, "-o", tmp_path / "out") == 0
    assert [path.name for path in (tmp_path / "out").glob("*.png")] == ["caf\udce9_color.png"]
    # Reading the output also hides it from pytest-xdist, which stops at what is not Unicode.
    assert capsysbinary.readouterr().out.endswith(b"caf\xe9_color.png\n")


def test_an_error_of_ours_is_a_row_too(run, photos, tmp_path, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise KeyError("lost")

    monkeypatch.setattr("colorizer.batch.job.find_notices", fail)
    assert run(photos / "a.jpg", "-o", tmp_path / "out") == 1
    (row,) = report(tmp_path / "out")
    assert row["reason"].endswith(
        "a.jpg can't be colorized (KeyError('lost')); please report this."
    )


@pytest.mark.slow
def test_any_names_make_a_whole_report(run, tmp_path, capsys) -> None:
    photos, out = tmp_path / "in", tmp_path / "out"
    (photos / "@eaDir").mkdir(parents=True)
    names = ["写" * 83 + ".jpg", "a" * 251 + ".jpg", "new\nline.jpg", "=1.jpg", "@eaDir/x.jpg"]
    for name in names:
        Image.fromarray(color_pixels(24, 32)).save(photos / name)
    (photos / "link.jpg").symlink_to("=1.jpg")
    assert run(photos, "-o", out) == 0
    said = capsys.readouterr()
    assert r"new\nline.jpg" in said.err
    assert len(list(out.glob("*_color.jpg"))) == 4
    rows = {row["file"]: row["status"] for row in report(out)}
    assert sorted(rows.values()) == ["done"] * 4 + ["skipped"]
    assert rows["../in/link.jpg"] == "skipped"
    assert run(photos, "x" * 300, "-o", out) == 1
    assert "has too long a name; check the path." in capsys.readouterr().err
    assert len(report(out)) == 6


def test_an_error_before_a_photo_is_opened_is_a_row(run, photos, tmp_path, monkeypatch) -> None:
    lexists = os.path.lexists

    def fail(path: Path) -> bool:
        if str(path).endswith("a_color.jpg"):
            raise OSError(36, "File name too long")
        return lexists(path)

    monkeypatch.setattr("os.path.lexists", fail)
    assert run(photos, "-o", tmp_path / "out") == 1
    rows = report(tmp_path / "out")
    assert len(rows) == 5
    assert rows[4]["reason"].endswith("a.jpg can't be colorized (File name too long).")


def test_a_full_disk_ends_with_a_sentence(run, photos, tmp_path, monkeypatch, capsys) -> None:
    class Full:
        def write(self, _: str) -> None:
            raise OSError(28, "No space left on device")

        def close(self) -> None:
            pass

    monkeypatch.setattr("colorizer.batch.report._open_journal", lambda path: Full())
    assert run(photos, "-o", tmp_path / "out") == 1
    assert "can't be written (No space left on device); make room" in capsys.readouterr().err


class Terminal:
    """stderr as of a terminal."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> int:
        self.text += text
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True


@pytest.mark.slow
def test_a_terminal_has_a_progress_bar(run, photos, tmp_path, monkeypatch, capsys) -> None:
    run(photos, "-o", tmp_path / "out")
    assert "photos/s" not in capsys.readouterr().err
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    run(photos, "-o", tmp_path / "again")
    assert "5/5" in terminal.text
    assert "broken.jpg is damaged" in terminal.text


# In processes of their own


@pytest.mark.slow
def test_killed_twice_the_result_is_that_of_a_run_to_the_end(tiny_checkpoint, tmp_path) -> None:
    checkpoint = CHECKPOINT or tiny_checkpoint
    photos = make_album(tmp_path / "in", PHOTOS)
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    once = subprocess.run(command(checkpoint, photos, "-o", whole), capture_output=True, text=True)
    assert once.returncode == 1, once.stderr
    assert len(files(whole)) == PHOTOS - BROKEN_PHOTOS
    assert len(report(whole)) == PHOTOS
    assert sum(row["status"] == "failed" for row in report(whole)) == BROKEN_PHOTOS
    for found in (PHOTOS // 4, PHOTOS // 2):
        with started(tmp_path / "log", checkpoint, photos, "-o", killed) as process:
            wait_for(process, found, killed)
            process.send_signal(signal.SIGKILL)
            assert process.wait() == -signal.SIGKILL
        assert (killed / JOURNAL_FILE).exists()
        assert len([name for name in files(killed) if "_color." in name]) < PHOTOS - BROKEN_PHOTOS
    (killed / JOURNAL_FILE).open("a").write('{"file": "torn')
    last = subprocess.run(command(checkpoint, photos, "-o", killed), capture_output=True, text=True)
    assert last.returncode == 1
    assert files(killed) == files(whole)  # neither journal nor leftover either
    assert report(killed) == report(whole)


@pytest.mark.slow
def test_ctrl_c_ends_with_a_sentence_and_whole_files(tiny_checkpoint, tmp_path) -> None:
    photos, out = make_album(tmp_path / "in", 60), tmp_path / "out"
    with started(tmp_path / "log", tiny_checkpoint, photos, "-o", out) as process:
        wait_for(process, 5, out)
        process.send_signal(signal.SIGINT)
        process.wait(60)
    said = (tmp_path / "log").read_text()
    assert process.returncode == 130
    assert "colorizer: Finishing photos in progress; press Ctrl+C again to quit now." in said
    assert "left; run the same command to continue." in said
    assert "Traceback" not in said
    done = [row["result"] for row in report(out) if row["status"] == "done"]
    assert sorted(done) == sorted(files(out))
    assert 5 <= len(done) < 55


@pytest.mark.slow
def test_a_watched_folder(tiny_checkpoint, photos, tmp_path) -> None:
    out = tmp_path / "out"
    with started(tmp_path / "log", tiny_checkpoint, photos, "-o", out, "--watch") as process:
        wait_for(process, 4, out)
        whole = (photos / "a.jpg").read_bytes()
        with (photos / "scan.jpg").open("wb") as file:  # a slow scanner
            for start in range(0, len(whole), len(whole) // 8):
                file.write(whole[start : start + len(whole) // 8])
                file.flush()
                time.sleep(0.5)
        shutil.copy(photos / "a.jpg", photos / "1960" / "broken.jpg")
        wait_for(process, 6, out)
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        process.wait(60)
    said = (tmp_path / "log").read_text()
    assert process.returncode == 0, said
    assert said.count("is damaged") == 1  # the broken one, before it was replaced
    assert (out / "scan_color.jpg").read_bytes() == (out / "a_color.jpg").read_bytes()
    assert len(report(out)) == 6
    assert not (out / JOURNAL_FILE).exists()


@pytest.mark.slow
def test_a_photo_is_taken_once_it_has_stopped_growing(
    run, photos, tmp_path, monkeypatch, capsys
) -> None:
    scan, whole = photos / "scan.jpg", (photos / "a.jpg").read_bytes()
    looks = 0

    def look(names: list[str], output: Path) -> list[Found]:
        """A scanner has written another third of a photo."""
        nonlocal looks
        looks += 1
        if looks <= 3:
            scan.write_bytes(whole[: len(whole) * looks // 3])
        if looks == 6:
            signal.raise_signal(signal.SIGINT)
        return find_photos(names, output)

    monkeypatch.setattr("colorizer.commands.colorize.find_photos", look)
    monkeypatch.setattr(album, "SCAN_SECONDS", 0.0)
    assert run(photos, "-o", tmp_path / "out", "--watch") == 1  # one stays broken
    said = capsys.readouterr().err
    assert said.count("broken.jpg is damaged") == 1
    assert "scan.jpg is damaged" not in said
    assert (tmp_path / "out" / "scan_color.jpg").exists()
