"""Read what is published of a run: settings, step and report, without paths of this machine."""

import json
import re
import shlex
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from colorizer.checkpoints.checkpoint import Checkpoint
from colorizer.checkpoints.files import HUB_NAME
from train.publishing.card import REPORT_FILE
from train.run.folder import LOG_FILE
from train.run.plots import Row
from train.settings.config import SETTINGS_FILE, TrainConfig, config_from


def read_settings(run: Path) -> TrainConfig:
    """The settings of a run, without paths."""
    missing = [name for name in (SETTINGS_FILE, LOG_FILE) if not (run / name).is_file()]
    if missing:
        raise ValueError(f"{run} holds no {missing[0]}; name the folder of a run of train.fit.")
    path = run / SETTINGS_FILE
    try:
        config = config_from(json.loads(path.read_text()))
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} doesn't hold the settings of a run of this version: {error}"
        ) from error
    public = {name: without_folders(value) for name, value in asdict(config).items()}
    if HUB_NAME.fullmatch(config.init) and not Path(config.init).exists():
        public["init"] = config.init
    return replace(config, **public)


def saved_step(log: list[Row], which: str) -> int:
    """Step at which a checkpoint of the run was saved."""
    rows = [row for row in log if which == "last" or row.get("best")]
    return int(rows[-1]["step"]) if rows else 0


def read_report(
    run: Path, source: Path, report: Path | None, checkpoint: Checkpoint
) -> dict[str, Any]:
    """The report of a checkpoint without paths; empty, with a sentence, if there is none."""
    path = report or run / "report"
    path = path if path.suffix == ".json" else path / REPORT_FILE
    command = f"python -m train.evaluate --checkpoint {source} --data FOLDER --output {path.parent}"
    if report is None and not path.exists():
        print(f"The card has no results; measure the checkpoint first: {command}", file=sys.stderr)
        return {}
    try:
        found = json.loads(path.read_text())
        documents: dict[str, dict[str, Any]] = {
            document["sha256"]: document
            for document in (found if isinstance(found, list) else [found])
        }
    except OSError as error:
        raise ValueError(f"{path} can't be read ({error.strerror}); make it: {command}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is no report of train.evaluate; make one: {command}") from error
    if checkpoint.sha256 not in documents:
        raise ValueError(
            f"{path} is the report of another checkpoint than {source}; measure again: {command}"
        )
    measured = documents[checkpoint.sha256]
    command = shlex.join(map(without_folders, shlex.split(measured["command"])))
    return {**without_folders(measured), "command": command}


def without_folders(value: Any) -> Any:
    """Shorten the paths in a JSON value to their last part.

    Prefixes such as "flowers102:" or "--json=" stay.
    """
    if isinstance(value, dict):
        return {name: without_folders(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(without_folders, value))
    if isinstance(value, str):
        return re.sub(r"^(--[\w-]+=)?([a-z]\w+:)?.*[/\\]", r"\1\2", value.rstrip("/\\"))
    return value
