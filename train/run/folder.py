"""The folder of a run: settings, log, state to resume from, checkpoints."""

import csv
import hashlib
import io
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError

from colorizer.errors import ColorizerError
from colorizer.files import atomic_write
from train.data.samples import Source, pick
from train.settings.config import SETTINGS_FILE, TrainConfig, renamed

STATE_FILE = "last.pt"
LOG_FILE = "metrics.jsonl"
SKIPPED_FILE = "skipped.csv"
CHECKPOINT_FOLDER = "checkpoint"  # the averaged weights of the last save
BEST_FOLDER = "best"  # those with the lowest validation error
SAMPLES_FOLDER = "samples"
TENSORBOARD_FOLDER = "tensorboard"
CHANGEABLE_SETTINGS = (  # when a run is resumed
    "output",
    "resume",
    "cache",
    "workers",
    "device_augment",
    "compile",
    "log_every",
    "save_every",
)


class RunError(ColorizerError, ValueError):
    """A run can't start or continue; the message says why and what to do."""


class Interrupted(RunError):
    """A signal stopped a run after saving it.

    Attributes:
        signal: its number.
    """

    def __init__(self, message: str, signal: int) -> None:
        super().__init__(message)
        self.signal = signal


def open_run(config: TrainConfig, sources: Sequence[Source]) -> dict[str, Any]:
    """Check the folder of a run before writing to it.

    Args:
        config: of the run.
        sources: what it trains on.

    Returns:
        The state that `save_state` wrote; empty for a new run.

    Raises:
        RunError: there is no run to resume, it had other settings or photos, or a new run would
            overwrite it.
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
    before = _comparable(renamed(json.loads((output / SETTINGS_FILE).read_text())))
    now = _comparable(asdict(config))
    if gone := set(before) - set(now):
        raise RunError(
            f"The run in {output} was started by another version, with {', '.join(sorted(gone))}; "
            "train its checkpoint further with --init."
        )
    changed = [name for name in now if now[name] != before.get(name)]
    if changed:
        raise RunError(f"{', '.join(changed)} of the run in {output} differ; give the same.")
    state: dict[str, Any] = torch.load(output / STATE_FILE, map_location="cpu", weights_only=True)
    if state["photos"] != photos_digest(sources):
        raise RunError(
            f"The photos in {', '.join(config.data)} are not those that the run in {output} "
            "started with; put those back, or train its checkpoint further with --init."
        )
    return renamed(state)


def _comparable(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings as JSON, without those that may change and without trailing slashes."""
    values = json.loads(json.dumps(settings))
    for name in ("data", "val_data"):
        values[name] = [path.rstrip("/") for path in values[name]]
    return {name: value for name, value in values.items() if name not in CHANGEABLE_SETTINGS}


def photos_digest(sources: Sequence[Source]) -> str:
    """SHA-256 of the names of all samples, on which the order of a run depends."""
    digest = hashlib.sha256()
    for name, sample in pick(sources, None):
        digest.update(f"{name}/{sample.name}\n".encode())
    return digest.hexdigest()


def start_log(config: TrainConfig, step: int) -> None:
    """Write the settings, and remove broken lines and those after `step` from the log.

    A resumed run writes the removed lines again.
    """
    output = Path(config.output)
    output.mkdir(parents=True, exist_ok=True)
    _replace(output / SETTINGS_FILE, json.dumps(asdict(config), indent=1) + "\n")
    path = output / LOG_FILE
    path.touch()
    lines = path.read_text().splitlines(keepends=True)
    _replace(path, "".join(line for line in lines if _step(line) <= step))


def _replace(path: Path, text: str) -> None:
    with atomic_write(path) as part:
        part.write_text(text)


def _step(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return math.inf


def log(output: Path, **values: float | str) -> None:
    """Append a line to the run's metrics.jsonl; NaN and infinity become null."""
    with (output / LOG_FILE).open("a") as file:
        file.write(json.dumps({name: _json_value(value) for name, value in values.items()}) + "\n")


def _json_value(value: float | str) -> float | str | None:
    if not isinstance(value, float):
        return value
    return round(value, 5) if math.isfinite(value) else None


def save_state(output: Path, state: dict[str, Any]) -> None:
    """Write what resuming needs, atomically.

    Raises:
        OSError: it could not be written.
    """
    with atomic_write(output / STATE_FILE) as part:
        try:
            torch.save(state, part)
        except RuntimeError as error:  # PyTorch reports a full disk so
            raise OSError(f"{part.name}: {error}") from error


@contextmanager
def explain_failed_writes(output: Path) -> Iterator[None]:
    """Turn errors while writing into a `RunError`."""
    try:
        yield
    except (OSError, SafetensorError) as error:
        raise RunError(
            f"The run could not be written to {output} ({error}); the last save is intact. "
            "Make room and continue with --resume."
        ) from error


def write_skipped(output: Path, skipped: Mapping[str, str]) -> None:
    """List skipped photos by name, with the reasons."""
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([["name", "reason"], *sorted(skipped.items())])
    _replace(output / SKIPPED_FILE, table.getvalue())
