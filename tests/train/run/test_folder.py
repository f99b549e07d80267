"""The folder of a run: what may be resumed, what the log keeps, what a failed write leaves."""

import json
from pathlib import Path

import pytest
import torch

from train.data.photo_files import PhotoFile
from train.data.samples import Source
from train.run.folder import (
    RunError,
    explain_failed_writes,
    log,
    open_run,
    photos_digest,
    save_state,
    start_log,
    write_skipped,
)
from train.settings.config import SETTINGS_FILE, TrainConfig

SOURCES = [Source("photos", [PhotoFile(Path("a.jpg"), "a.jpg"), PhotoFile(Path("b.jpg"), "b.jpg")])]


def config(folder: Path, **changes: object) -> TrainConfig:
    return TrainConfig(data=("photos",), output=str(folder), **changes)  # type: ignore[arg-type]


def test_a_new_run_starts_with_nothing(tmp_path: Path) -> None:
    assert open_run(config(tmp_path / "new"), SOURCES) == {}


def test_nothing_to_resume(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="holds no run to resume; leave out --resume to start one"):
        open_run(config(tmp_path, resume=True), SOURCES)


def test_a_run_is_not_overwritten(tmp_path: Path) -> None:
    start_log(config(tmp_path), 0)
    save_state(tmp_path, {"step": 3})
    with pytest.raises(RunError, match="continue it with --resume or name another folder"):
        open_run(config(tmp_path), SOURCES)


def test_a_run_is_resumed_with_its_settings(tmp_path: Path) -> None:
    start_log(config(tmp_path), 0)
    state = {"step": 3, "photos": photos_digest(SOURCES)}
    save_state(tmp_path, state | {"generator": {"weight": torch.ones(2)}})
    state = open_run(config(tmp_path, resume=True, workers=0, log_every=7, save_every=9), SOURCES)
    assert state["step"] == 3
    assert torch.equal(state["generator"]["weight"], torch.ones(2))
    with pytest.raises(RunError, match=r"batch, learning_rate of the run in .* differ; give"):
        open_run(config(tmp_path, resume=True, batch=8, learning_rate=1.0), SOURCES)


def test_a_run_with_names_of_earlier_versions_is_resumed(tmp_path: Path) -> None:
    start_log(config(tmp_path), 0)
    path = tmp_path / SETTINGS_FILE
    path.write_text(path.read_text().replace('"discriminator_', '"critic_'))
    state = {"step": 3, "photos": photos_digest(SOURCES), "critic_optimizer": {"lr": 0.1}}
    save_state(tmp_path, state)
    state = open_run(config(tmp_path, resume=True), SOURCES)
    assert state["discriminator_optimizer"] == {"lr": 0.1}
    assert "critic_optimizer" not in state


def test_a_run_of_another_version_is_not_resumed(tmp_path: Path) -> None:
    start_log(config(tmp_path), 0)
    save_state(tmp_path, {"step": 3, "photos": photos_digest(SOURCES)})
    settings = json.loads((tmp_path / SETTINGS_FILE).read_text())
    (tmp_path / SETTINGS_FILE).write_text(json.dumps(settings | {"hint_share": 0.5}))
    with pytest.raises(RunError, match="another version, with hint_share; train its"):
        open_run(config(tmp_path, resume=True), SOURCES)


def test_the_log_is_cut_to_what_was_saved(tmp_path: Path) -> None:
    start_log(config(tmp_path), 0)
    for step in (1, 2, 3):
        log(tmp_path, step=step, generator=1 / 3, phase="discriminator")
    with (tmp_path / "metrics.jsonl").open("a") as file:
        file.write('{"step": 4, "gen')  # a power cut
    start_log(config(tmp_path), 2)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert lines == [
        {"step": step, "generator": 0.33333, "phase": "discriminator"} for step in (1, 2)
    ]


def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_state(tmp_path, {"step": 1})

    def full(state: object, path: Path) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("PytorchStreamWriter failed writing file")

    monkeypatch.setattr(torch, "save", full)
    with (
        pytest.raises(RunError, match=r"last save is intact\. Make room"),
        explain_failed_writes(tmp_path),
    ):
        save_state(tmp_path, {"step": 2})
    assert [path.name for path in tmp_path.iterdir()] == ["last.pt"]
    assert torch.load(tmp_path / "last.pt", weights_only=True) == {"step": 1}


def test_skipped_photos_are_a_table(tmp_path: Path) -> None:
    write_skipped(tmp_path, {"b": "nearly gray", 'a "1", 2.jpg': "unreadable: no"})
    text = (tmp_path / "skipped.csv").read_text()
    assert text.splitlines() == [
        "name,reason", '"a ""1"", 2.jpg",unreadable: no', "b,nearly gray"
    ]  # fmt: skip
