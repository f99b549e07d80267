"""From file to file: many at once but never all, and nothing that goes wrong ends the rest."""

import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import torch

from colorizer import Colorizer, Photo
from colorizer.batch.job import NETWORK_THREADS, JobSettings, Outcome, Task, Worker, load_colorizer
from colorizer.batch.local_runner import TASKS_PER_THREAD, run_threads
from colorizer.networks.generator import Generator, Prediction


@pytest.fixture
def worker(tiny_checkpoint: Path) -> Worker:
    return Worker(partial(Colorizer.load, tiny_checkpoint, "cpu"), JobSettings())


def test_a_photo_from_file_to_file(worker, photo_folder, tmp_path) -> None:
    task = Task(photo_folder / "a.png", tmp_path / "deep" / "down" / "a.png")
    outcome = worker(task)
    assert outcome.task == task
    assert outcome.problem == ""
    assert outcome.size == Photo.open(task.target).size == (48, 64)
    result = worker.colorizer.colorize(Photo.open(task.source))
    assert outcome.confidence == pytest.approx(float(result.confidence.mean()))
    assert outcome.notices == ("colors",)
    assert outcome.seconds > 0


def test_only_the_network_uses_fewer_threads(
    tiny_checkpoint, photo_folder, tmp_path, monkeypatch
) -> None:
    """Loading and running leave torch's number for this thread and for new ones as it was."""
    during: list[int] = []
    forward = Generator.forward

    def record(self: Generator, lightness: torch.Tensor) -> Prediction:
        during.append(torch.get_num_threads())
        return forward(self, lightness)

    def number_in_new_thread() -> int:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(torch.get_num_threads).result()

    monkeypatch.setattr(Generator, "forward", record)
    torch.set_num_threads(NETWORK_THREADS + 1)
    worker = Worker(partial(load_colorizer, str(tiny_checkpoint), "cpu"), JobSettings())
    assert torch.get_num_threads() == number_in_new_thread() == NETWORK_THREADS + 1
    outcome = worker(Task(photo_folder / "a.png", tmp_path / "a.png"))
    assert outcome.problem == ""
    assert set(during) == {NETWORK_THREADS}
    assert torch.get_num_threads() == number_in_new_thread() == NETWORK_THREADS + 1


def test_a_checkpoint_without_confidence(tanh_colorizer, photo_folder, tmp_path) -> None:
    worker = Worker(lambda: tanh_colorizer, JobSettings())
    outcome = worker(Task(photo_folder / "a.png", tmp_path / "a.png"))
    assert outcome.confidence is None
    assert outcome.problem == ""


def test_a_folder_that_cannot_be_made(worker, photo_folder, tmp_path) -> None:
    (tmp_path / "file").touch()
    outcome = worker(Task(photo_folder / "a.png", tmp_path / "file" / "a.png"))
    assert outcome.problem == (
        f"The folder {tmp_path / 'file'} can't be made (File exists); choose another folder."
    )
    assert outcome.size is None


def test_too_little_memory_is_told(worker, photo_folder, tmp_path, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise MemoryError("64 GiB")

    monkeypatch.setattr(worker.colorizer, "colorize", fail)
    outcome = worker(Task(photo_folder / "a.png", tmp_path / "a.png"))
    assert outcome.problem.endswith(
        "a.png can't be colorized (64 GiB); try --jobs 1 or a smaller copy."
    )


def test_tasks_are_asked_for_as_their_turns_come() -> None:
    """However many photos there are, few are begun; all threads are at work."""
    asked, done = 0, 0
    together = threading.Barrier(2, timeout=10)

    def tasks():
        nonlocal asked
        for _ in range(40):
            asked += 1
            yield Task(Path("a"), Path("b"))

    def work(task: Task) -> Outcome:
        together.wait()  # passes only while the other thread works, too
        return Outcome(task, 0.0)

    for _ in run_threads(work, tasks(), 2):
        done += 1
        assert asked - done < TASKS_PER_THREAD * 2
    assert done == 40
