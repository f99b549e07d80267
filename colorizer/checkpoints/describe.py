"""What a checkpoint says about itself, known without its weights."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard
from yaml import YAMLError  # type: ignore[import-untyped]

from colorizer.checkpoints.checkpoint import local_folder
from colorizer.checkpoints.files import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    file_errors,
    read_settings,
)
from colorizer.checkpoints.hub import find_snapshot
from colorizer.networks.generator import GeneratorConfig

CARD_FILE = "README.md"
REPORT_FILE = "report.json"
MAX_TEXT = 1_000_000  # bytes; a larger file is no report or card of ours
MAX_FIGURE = 1e9  # a larger one, or one that isn't a number, measures nothing
MEASURED = ("output", "gray", "truth")  # of a report: colorized, not colorized, the real colors


@dataclass(frozen=True)
class CheckpointInfo:
    """What is known of a checkpoint before its weights are loaded.

    Attributes:
        name: "bundled", the name of its folder, or "user/repo".
        source: the same, with the commit of a repository: "user/repo@commit".
        architecture: "unet" or "pix2pix".
        encoder: timm's name of the U-Net's encoder; None without one.
        working_size: short side in pixels that suits it best.
        size: of the weights' file, in bytes.
        sha256: of the weights' file; None where the Hub doesn't tell.
        license: as the card names it; None if it doesn't.
        card: the model card, Markdown without its front matter; empty without one.
        photos: how many it was measured on; 0 if it wasn't.
        metrics: of the report: for "output", "gray" and "truth", the figures by their names.
        settings: of the network, as its file says them.
    """

    name: str
    source: str
    architecture: str
    encoder: str | None
    working_size: int
    size: int
    sha256: str | None
    license: str | None
    card: str
    photos: int
    metrics: dict[str, dict[str, float]]
    settings: dict[str, Any] = field(default_factory=dict)


def describe_checkpoint(
    source: str | Path | None = None, public: bool = False, fresh: bool = True
) -> CheckpointInfo:
    """Describe a checkpoint; of one on the Hub only the small files are downloaded.

    Args:
        source: a folder, "user/repo" or "user/repo@revision" on the Hugging Face Hub; None takes
            the bundled checkpoint.
        public: whether to take only what anybody may see: a name on the Hub, without the login of
            this machine, and no folder. For names that strangers give.
        fresh: whether to ask the Hub about a commit that is in the cache, too.

    Raises:
        CheckpointError: the source can't be found, or isn't a checkpoint that this version can
            read. If the Hub doesn't answer, that takes a few seconds.
    """
    folder = local_folder(source, public)
    if folder is not None:
        name = "bundled" if source is None else folder.resolve().name
        return describe_folder(folder, name, name)
    snapshot = find_snapshot(str(source), public, fresh)
    config = snapshot.get(CONFIG_FILE)
    for file in (REPORT_FILE, CARD_FILE):
        if file in snapshot.files and snapshot.files[file].size <= MAX_TEXT:
            snapshot.get(file)
    weights = snapshot.files.get(WEIGHTS_FILE)
    return describe_folder(
        config.parent,
        snapshot.repo,
        snapshot.source,
        weights.size if weights else None,
        snapshot.sha256(WEIGHTS_FILE),
    )


def describe_folder(
    folder: Path, name: str, source: str, size: int | None = None, digest: str | None = None
) -> CheckpointInfo:
    """Describe the checkpoint in a folder.

    Args:
        folder: with the files.
        name: what to call it.
        source: what to call it, with its commit if it has one.
        size: of the weights in bytes; None if they are in the folder, too.
        digest: their SHA-256, if it is known.

    Raises:
        CheckpointError: it isn't one that this version can read.
    """
    settings, working_size = read_settings(folder / CONFIG_FILE)
    if size is None:
        with file_errors(folder, WEIGHTS_FILE), (folder / WEIGHTS_FILE).open("rb") as weights:
            size = os.fstat(weights.fileno()).st_size
            digest = digest or hashlib.file_digest(weights, "sha256").hexdigest()
    license, card = _read_card(folder / CARD_FILE)
    photos, metrics = _read_report(folder / REPORT_FILE, digest)
    return CheckpointInfo(
        name=name,
        source=source,
        architecture="unet" if isinstance(settings, GeneratorConfig) else "pix2pix",
        encoder=settings.encoder if isinstance(settings, GeneratorConfig) else None,
        working_size=working_size,
        size=size,
        sha256=digest,
        license=license,
        card=card,
        photos=photos,
        metrics=metrics,
        settings=asdict(settings),
    )


def _read_card(path: Path) -> tuple[str | None, str]:
    """The license that a model card names, and its text; a broken front matter names none."""
    try:
        content = path.read_text("utf-8")
    except (OSError, ValueError):
        return None, ""
    try:
        card = ModelCard(content, ignore_metadata_errors=True)
    except (YAMLError, RecursionError, TypeError, ValueError):
        return None, content
    license = card.data.get("license")
    if license == "other":
        license = card.data.get("license_name", license)
    names = license if isinstance(license, list) else [license]
    return ", ".join(str(name) for name in names if name) or None, card.text.strip()


def _read_report(path: Path, digest: str | None) -> tuple[int, dict[str, dict[str, float]]]:
    """How many photos a checkpoint was measured on, and the figures; a report of other weights than
    those with this SHA-256 counts as none.
    """
    try:
        report = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return 0, {}
    if not isinstance(report, dict) or (digest and report.get("sha256") != digest):
        return 0, {}
    photos = report.get("n")
    return photos if isinstance(photos, int) else 0, {
        part: _figures(report[part]) for part in MEASURED if isinstance(report.get(part), dict)
    }


def _figures(values: dict[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and abs(value) < MAX_FIGURE
    }
