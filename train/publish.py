"""Publish a run on the Hugging Face Hub: `python -m train.publish RUN --repo user/name`."""

import argparse
import json
import re
import shlex
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi
from huggingface_hub.errors import (  # type: ignore[attr-defined]
    HfHubHTTPError,
    HFValidationError,
    HTTPError,  # that of httpx or httpx2, as the version has it
)
from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]

from colorizer.checkpoints.checkpoint import (
    CONFIG_FILE,
    DISCRIMINATOR_CONFIG_FILE,
    DISCRIMINATOR_WEIGHTS_FILE,
    WEIGHTS_FILE,
    Checkpoint,
    load_checkpoint,
    load_discriminator,
)
from train.card import CURVES_FILE, GRID_FILE, REPORT_FILE, model_card
from train.run.config import TrainConfig
from train.run.folder import BEST_FOLDER, CHECKPOINT_FOLDER, LOG_FILE, SAMPLES_FOLDER
from train.run.folder import CONFIG_FILE as SETTINGS_FILE
from train.run.plots import Row, read_log

CARD_FILE = "README.md"
CHECKPOINT_FILES = (
    WEIGHTS_FILE,
    CONFIG_FILE,
    DISCRIMINATOR_WEIGHTS_FILE,
    DISCRIMINATOR_CONFIG_FILE,
)
FILES = (*CHECKPOINT_FILES, SETTINGS_FILE, REPORT_FILE, CURVES_FILE, GRID_FILE, CARD_FILE)
FOLDERS = {"best": BEST_FOLDER, "last": CHECKPOINT_FOLDER}
HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?")


def make_folder(
    run: Path,
    repo: str,
    which: str = "best",
    report: Path | None = None,
    license: str | None = None,
    output: Path | None = None,
    samples: bool = True,
) -> Path:
    """Make the folder that `publish` uploads: a checkpoint, how it was trained and measured, and a
    model card. No path of this machine is in it.

    Args:
        run: what `train.fit` wrote.
        repo: "user/name" on the Hub, for the card.
        which: "best" (lowest validation error) or "last" of the run's checkpoints.
        report: what `train.evaluate` wrote, a JSON file or a folder with report.json; None takes
            `run`/report if that is there.
        license: identifier, such as cc-by-nc-4.0; None states none.
        output: the folder to write; None takes `run`/hub. Other files in it stay and are not
            uploaded.
        samples: whether a dozen of the photos, in gray, color and colorized, go along.

    Returns:
        The folder.

    Raises:
        ValueError: the name isn't valid, the run holds no such checkpoint, the report is not of
            this checkpoint, or writing would replace what is read.
        OSError: a file can't be read or written.
    """
    _check_name(repo)
    output = output or run / "hub"
    originals = (run, run / BEST_FOLDER, run / CHECKPOINT_FOLDER, report or run / "report")
    if output.resolve() in [path.resolve() for path in originals]:
        raise ValueError(f"{output} holds the originals; name another folder with --output.")
    source = run / FOLDERS[which]
    if not source.is_dir():
        other = next(name for name in FOLDERS if name != which)
        raise ValueError(
            f"{run} holds no {FOLDERS[which]}/; train first (python -m train.fit --output {run}), "
            f"or try --which {other}."
        )
    checkpoint = load_checkpoint(source)
    load_discriminator(source)  # raises unless it can be loaded
    config = _read_settings(run)
    log = read_log(run / LOG_FILE)
    step = _saved_step(log, which)
    measured = _read_report(run, source, report, checkpoint)

    output.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (output / name).unlink(missing_ok=True)  # of an earlier checkpoint
    copies = [(source / name, name) for name in CHECKPOINT_FILES]
    copies += [(run / CURVES_FILE, CURVES_FILE)]
    if samples:
        copies.append((run / SAMPLES_FOLDER / f"{step:07d}.png", GRID_FILE))
    for path, name in copies:
        if path.exists():
            shutil.copyfile(path, output / name)
    _write_json(output / SETTINGS_FILE, asdict(config))
    if measured:
        _write_json(output / REPORT_FILE, measured)
    card = model_card(output, repo, checkpoint, config, log, step, measured, license)
    card.save(output / CARD_FILE)
    return output


def publish(folder: Path, repo: str, private: bool = False) -> str:
    """Upload what `make_folder` made; files of an earlier upload that the folder no longer has are
    removed, others on the Hub stay.

    Args:
        folder: to upload.
        repo: "user/name" on the Hub; made if it isn't there.
        private: whether only you may see it.

    Returns:
        The address of the repository.

    Raises:
        ValueError: the name isn't valid, the repository is public though it should be private, or
            the Hub doesn't accept the model card.
        ConnectionError: the Hub can't be reached, or refuses.
    """
    _check_name(repo)
    api = HfApi()
    with _hub_errors(repo):
        url = str(api.create_repo(repo, private=private or None, exist_ok=True))
        public = private and not api.model_info(repo).private  # it was there before
    if public:
        raise ValueError(f"{repo} is public already; make it private on the Hub first.")
    with _hub_errors(repo):
        api.upload_folder(
            repo_id=repo,
            folder_path=folder,
            commit_message="Upload a checkpoint",
            allow_patterns=list(FILES),
            delete_patterns=list(FILES),
        )
    return url


@contextmanager
def _hub_errors(repo: str) -> Iterator[None]:
    """Turn what the Hub's client raises into one sentence."""
    try:
        yield
    except HfHubHTTPError as error:
        raise ConnectionError(_refusal(error, repo)) from error
    except (HTTPError, OSError) as error:
        raise ConnectionError(
            f"The Hub can't be reached ({_one_line(error)}); check the network, then try again."
        ) from error
    except RuntimeError as error:  # a large file; the reason is the cause
        reason = _one_line(error.__cause__ or error)
        raise ConnectionError(f"The upload to {repo} broke off ({reason}); try again.") from error
    except ValueError as error:  # the card, for example an unknown license
        raise ValueError(f"The Hub doesn't accept {repo}: {_one_line(error)}") from error


def _check_name(repo: str) -> None:
    if repo.count("/") != 1:
        raise ValueError(f"{repo} is not a Hub name; give one like user/name.")
    try:
        validate_repo_id(repo)
    except HFValidationError as error:
        raise ValueError(f"{repo} is not a valid Hub name: {error}") from None


def _refusal(error: HfHubHTTPError, repo: str) -> str:
    status = error.response.status_code
    if status == 401:
        return (
            "The Hub doesn't know you (401); log in with `hf auth login`, or set HF_TOKEN to a "
            "token that may write."
        )
    if status == 403:
        return (
            f"You may not write to {repo} on the Hub (403); use a token that may write, and the "
            "name of yourself or of your organization."
        )
    return f"The Hub refused {repo} ({_one_line(error)}); try again later."


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _read_settings(run: Path) -> TrainConfig:
    """The settings of a run, without paths."""
    missing = [name for name in (SETTINGS_FILE, LOG_FILE) if not (run / name).is_file()]
    if missing:
        raise ValueError(f"{run} holds no {missing[0]}; name the folder of a run of train.fit.")
    path = run / SETTINGS_FILE
    try:
        values: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in json.loads(path.read_text()).items()
        }
        config = TrainConfig(**values)
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(
            f"{path} doesn't hold the settings of a run of this version: {error}"
        ) from error
    public = {name: _without_folders(value) for name, value in asdict(config).items()}
    if HUB_NAME.fullmatch(config.init) and not Path(config.init).exists():
        public["init"] = config.init
    return replace(config, **public)


def _saved_step(log: list[Row], which: str) -> int:
    """Step at which a checkpoint of the run was saved."""
    rows = [row for row in log if which == "last" or row.get("best")]
    return int(rows[-1]["step"]) if rows else 0


def _read_report(
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
    command = shlex.join(map(_without_folders, shlex.split(measured["command"])))
    return {**_without_folders(measured), "command": command}


def _without_folders(value: Any) -> Any:
    """A value of JSON of whose paths only the last part is left, after a prefix such as
    "flowers102:" or "--json=".
    """
    if isinstance(value, dict):
        return {name: _without_folders(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(_without_folders, value))
    if isinstance(value, str):
        return re.sub(r"^(--[\w-]+=)?([a-z]\w+:)?.*[/\\]", r"\1\2", value.rstrip("/\\"))
    return value


def _write_json(path: Path, values: dict[str, Any]) -> None:
    path.write_text(json.dumps(values, indent=1) + "\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 done, 1 failed, 2 wrong usage."""
    parser = argparse.ArgumentParser(prog="python -m train.publish", description=__doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of the run")
    parser.add_argument("--repo", required=True, metavar="USER/NAME", help="where on the Hub")
    parser.add_argument(
        "--which",
        choices=FOLDERS,
        default="best",
        help="checkpoint with the lowest validation error, or the last (default: best)",
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="PATH",
        help="folder or JSON file of train.evaluate (default: RUN/report, if it is there)",
    )
    parser.add_argument("--license", metavar="ID", help="of the weights, such as cc-by-nc-4.0")
    parser.add_argument("--private", action="store_true", help="let nobody else see it")
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="made for the upload (default: RUN/hub)"
    )
    parser.add_argument(
        "--samples",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="show a dozen of your photos on the model card (default: yes)",
    )
    parser.add_argument("--dry-run", action="store_true", help="make the folder, upload nothing")
    options = parser.parse_args(arguments)
    try:
        folder = make_folder(
            options.run,
            options.repo,
            options.which,
            options.report,
            options.license,
            options.output,
            options.samples,
        )
        if options.dry_run:
            names = ", ".join(name for name in FILES if (folder / name).exists())
            print(f"{folder} is what {options.repo} would hold: {names}. Nothing was uploaded.")
        else:
            print(publish(folder, options.repo, options.private))
    except (ValueError, OSError) as error:
        print(f"train.publish: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
