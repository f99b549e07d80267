"""The folder of a checkpoint, as it is published."""

import shutil
from dataclasses import asdict
from pathlib import Path

from colorizer.checkpoints.checkpoint import (
    CONFIG_FILE,
    DISCRIMINATOR_CONFIG_FILE,
    DISCRIMINATOR_WEIGHTS_FILE,
    WEIGHTS_FILE,
    load_checkpoint,
    load_discriminator,
    write_json,
)
from train.publishing.card import CURVES_FILE, GRID_FILE, REPORT_FILE, model_card
from train.publishing.run import read_report, read_settings, saved_step
from train.publishing.upload import check_name
from train.run.folder import BEST_FOLDER, CHECKPOINT_FOLDER, LOG_FILE, SAMPLES_FOLDER
from train.run.plots import read_log
from train.settings.config import SETTINGS_FILE

CARD_FILE = "README.md"
CHECKPOINT_FILES = (
    WEIGHTS_FILE,
    CONFIG_FILE,
    DISCRIMINATOR_WEIGHTS_FILE,
    DISCRIMINATOR_CONFIG_FILE,
)
FILES = (*CHECKPOINT_FILES, SETTINGS_FILE, REPORT_FILE, CURVES_FILE, GRID_FILE, CARD_FILE)
FOLDERS = {"best": BEST_FOLDER, "last": CHECKPOINT_FOLDER}


def make_folder(
    run: Path,
    repo: str,
    which: str = "best",
    report: Path | None = None,
    license: str | None = None,
    output: Path | None = None,
    samples: bool = True,
) -> Path:
    """Make the folder that `publish` uploads: checkpoint, settings, report and model card.

    Paths of this machine are removed.

    Args:
        run: folder that `train.fit` wrote.
        repo: "user/name" on the Hub, for the card.
        which: "best" (lowest validation error) or "last" of the run's checkpoints.
        report: JSON file or folder of `train.evaluate`; None takes `run`/report if it exists.
        license: identifier, such as cc-by-nc-4.0; None states none.
        output: the folder to write; None takes `run`/hub. Other files in it stay, and `publish`
            ignores them.
        samples: whether to include a dozen of the photos, in gray, color and colorized.

    Returns:
        The folder.

    Raises:
        ValueError: the name is invalid, the run holds no such checkpoint, the report is not of
            this checkpoint, or writing would replace what is read.
        OSError: a file can't be read or written.
    """
    check_name(repo)
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
    config = read_settings(run)
    log = read_log(run / LOG_FILE)
    step = saved_step(log, which)
    measured = read_report(run, source, report, checkpoint)

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
    write_json(output / SETTINGS_FILE, asdict(config))
    if measured:
        write_json(output / REPORT_FILE, measured)
    card = model_card(output, repo, checkpoint, config, log, step, measured, license)
    card.save(output / CARD_FILE)
    return output
