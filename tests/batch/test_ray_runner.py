"""The command line over a local Ray: the same files and report, also when a worker is killed."""

import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from colorizer.__main__ import main
from colorizer.batch.job import Outcome, Task
from colorizer.batch.ray_runner import MAX_ATTEMPTS, AttemptCounter, RemoteWorker
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

needs_ray = pytest.mark.skipif(not find_spec("ray"), reason="Ray is not installed")
needs_proc = pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")


def workers_of(process: int) -> list[int]:
    """Ids of the processes below one that colorize for Ray."""
    parents, names = {}, {}
    for path in Path("/proc").glob("[0-9]*"):
        try:
            names[int(path.name)] = (path / "cmdline").read_bytes()
            parents[int(path.name)] = int((path / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:  # it has ended
            continue
    found = []
    for worker, name in names.items():
        above = worker
        while above in parents and above != process:
            above = parents[above]
        if above == process and name.startswith(b"ray::MapWorker"):
            found.append(worker)
    return found


@pytest.mark.slow
@needs_ray
@needs_proc
def test_a_killed_worker_loses_nothing(tiny_checkpoint, tmp_path) -> None:
    checkpoint = CHECKPOINT or tiny_checkpoint
    photos, alone, ray = make_album(tmp_path / "in", PHOTOS), tmp_path / "1", tmp_path / "2"
    once = subprocess.run(command(checkpoint, photos, "-o", alone), capture_output=True, text=True)
    assert once.returncode == 1, once.stderr
    with started(
        tmp_path / "log", checkpoint, photos, "-o", ray, "--ray", "--jobs", "2"
    ) as process:
        wait_for(process, PHOTOS // 4, ray)
        workers = workers_of(process.pid)
        assert len(workers) == 2
        os.kill(workers[0], signal.SIGKILL)
        killed_at = len(files(ray))
        process.wait(400)
    assert process.returncode == 1, (tmp_path / "log").read_text()
    assert killed_at < PHOTOS - BROKEN_PHOTOS
    assert files(ray) == files(alone)
    assert report(ray) == report(alone)
    assert len(report(ray)) == PHOTOS


@pytest.mark.slow
@needs_ray
def test_ctrl_c_and_the_rest_without_ray(tiny_checkpoint, tmp_path) -> None:
    photos, out = make_album(tmp_path / "in", 60), tmp_path / "out"
    with started(
        tmp_path / "log", tiny_checkpoint, photos, "-o", out, "--ray", "--jobs", "1"
    ) as process:
        wait_for(process, 5, out)
        process.send_signal(signal.SIGINT)
        process.wait(100)
    said = (tmp_path / "log").read_text()
    assert process.returncode == 130, said
    assert "left; run the same command to continue." in said
    assert len(report(out)) < 60
    last = subprocess.run(command(tiny_checkpoint, photos, "-o", out), capture_output=True)
    assert last.returncode == 1
    rows = report(out)
    assert len(rows) == 60
    assert sum(row["status"] == "done" for row in rows) == len(files(out)) == 60 - BROKEN_PHOTOS


@needs_ray
def test_a_photo_that_kills_workers_is_given_up(monkeypatch) -> None:
    monkeypatch.setattr("ray.get", lambda reference: reference)
    attempts = AttemptCounter()

    class Handle:
        class begin:
            remote = staticmethod(attempts.begin)

    worker = object.__new__(RemoteWorker)
    worker.attempts, worker.work = Handle(), lambda task: Outcome(task, 1.0)
    task, other = Task(Path("a.jpg"), Path("b.jpg")), Task(Path("c.jpg"), Path("d.jpg"))
    problems = [worker._run(task).problem for _ in range(MAX_ATTEMPTS + 1)]
    assert problems[:MAX_ATTEMPTS] == [""] * MAX_ATTEMPTS
    assert problems[MAX_ATTEMPTS] == "a.jpg killed 3 workers; they may have too little memory."
    assert worker._run(other).problem == ""


def test_without_ray(tiny_checkpoint, photo_folder, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    common = ["-o", str(tmp_path / "out"), "--checkpoint", str(tiny_checkpoint), "--ray"]
    with pytest.raises(SystemExit) as stop:
        main(["colorize", str(photo_folder), *common])
    assert stop.value.code == 2
    assert 'Ray is not installed; pip install "ray[data]".' in capsys.readouterr().err
