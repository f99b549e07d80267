"""The folder of a run: settings, log, state to resume from, checkpoints."""

import csv
import json
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from train.config import TrainConfig

STATE_FILE = "last.pt"
LOG_FILE = "metrics.jsonl"
CONFIG_FILE = "train_config.json"
SKIPPED_FILE = "skipped.csv"
CHECKPOINT_FOLDER = "checkpoint"  # the averaged weights of the last save
BEST_FOLDER = "best"  # those with the lowest validation error
SAMPLES_FOLDER = "samples"
TENSORBOARD_FOLDER = "tensorboard"
FREE = ("resume", "workers", "log_every", "save_every")  # settings that a resumed run may change


class RunError(ValueError):
    """A run can't start or go on; the sentence says why and what to do."""


class Interrupted(RunError):
    """A signal stopped a run, which is saved.

    Attributes:
        signal: its number.
    """

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.signal = signal


def open_run(config: TrainConfig) -> dict[str, Any]:
    """Check the folder of a run before it is written to.

    Returns:
        The state that `save_state` wrote, or an empty one for a new run.

    Raises:
        RunError: there is no run to resume, it had other settings, or one would be overwritten.
    """
    output = Path(config.output)
    if not config.resume:
        if (output / STATE_FILE).exists():
            raise RunError(
                f"{output} holds a run; continue it with --resume or name another folder."
            )
        return {}
    if not (output / STATE_FILE).exists():
        raise RunError(f"{output} holds no run to resume; leave out --resume to start one.")
    before = json.loads((output / CONFIG_FILE).read_text())
    now = json.loads(json.dumps(asdict(config)))
    changed = [name for name in now if name not in FREE and now[name] != before.get(name)]
    if changed:
        raise RunError(f"{', '.join(changed)} of the run in {output} differ; give the same.")
    state: dict[str, Any] = torch.load(output / STATE_FILE, map_location="cpu", weights_only=True)
    return state


def start_log(config: TrainConfig, step: int) -> None:
    """Write the settings; drop the log's lines after `step`, which a resumed run writes again, and
    broken ones.
    """
    output = Path(config.output)
    output.mkdir(parents=True, exist_ok=True)
    (output / CONFIG_FILE).write_text(json.dumps(asdict(config), indent=1) + "\n")
    path = output / LOG_FILE
    path.touch()
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if _step(line) <= step))


def _step(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return math.inf


def log(output: Path, **values: float | str) -> None:
    """Append a line to the run's metrics.jsonl."""
    rounded = {
        name: round(value, 5) if isinstance(value, float) else value
        for name, value in values.items()
    }
    with (output / LOG_FILE).open("a") as file:
        file.write(json.dumps(rounded) + "\n")


def save_state(output: Path, state: dict[str, Any]) -> None:
    """Write what resuming needs, beside the file of that name, then rename.

    Raises:
        OSError: it could not be written.
    """
    beside = output / (STATE_FILE + ".part")
    try:
        torch.save(state, beside)
    except RuntimeError as error:  # PyTorch's word for a full disk
        raise OSError(f"{beside.name}: {error}") from error
    os.replace(beside, output / STATE_FILE)


@contextmanager
def intact(output: Path) -> Iterator[None]:
    """Turn what goes wrong while writing into a `RunError`; half-written files are removed."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        for part in output.rglob("*.part"):
            part.unlink(missing_ok=True)
        raise RunError(
            f"The run could not be written to {output} ({error}); what was saved before is intact. "
            "Make room and continue with --resume."
        ) from error


def write_skipped(output: Path, skipped: Mapping[str, str]) -> None:
    """List the photos that were left out, by name, and why."""
    rows = [["name", "reason"], *sorted(skipped.items())]
    with (output / SKIPPED_FILE).open("w", newline="") as file:
        csv.writer(file).writerows(rows)
