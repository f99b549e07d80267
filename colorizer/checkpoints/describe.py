"""Describe a checkpoint without loading its weights."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from colorizer.checkpoints.card import MAX_CARD_BYTES, read_card
from colorizer.checkpoints.checkpoint import local_folder
from colorizer.checkpoints.files import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    file_errors,
    read_settings,
)
from colorizer.networks.generator import GeneratorConfig

CARD_FILE = "README.md"
REPORT_FILE = "report.json"
MAX_REPORT_BYTES = 1_000_000
MAX_METRIC = 1e9  # larger values are no measurements
METRIC_GROUPS = ("output", "gray", "truth")  # of a report: colorized, grayscale, true colors


@dataclass(frozen=True)
class CheckpointInfo:
    """A checkpoint's description.

    Attributes:
        name: "bundled", the name of the folder, or "user/repo".
        source: as `name`, for a repository with its commit: "user/repo@commit".
        architecture: "unet" or "pix2pix".
        encoder: timm's name of the U-Net's encoder; None if it has none.
        working_size: best short side of the network's input, in pixels.
        size: of the weights' file, in bytes.
        sha256: of the weights' file; None if the Hub doesn't list it.
        license: from the card; None if it names none.
        card: the model card, Markdown without front matter; empty if there is none.
        photos: number of photos in the report; 0 if there is none.
        metrics: of the report, by name, for each of "output", "gray" and "truth".
        settings: of the network.
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
    """Describe a checkpoint; from the Hub only the small files are downloaded.

    Args:
        source: a folder, "user/repo" or "user/repo@revision" on the Hugging Face Hub; None takes
            the bundled checkpoint.
        public: whether to accept only public repositories on the Hub, without this machine's login,
            and no folders. For names that strangers type.
        fresh: whether to ask the Hub even about a commit in the cache.

    Raises:
        CheckpointError: the source can't be found, or isn't a checkpoint that this version can
            read. It takes a few seconds if the Hub doesn't answer.
    """
    folder = local_folder(source, public)
    if folder is not None:
        name = "bundled" if source is None else folder.resolve().name
        return describe_folder(folder, name, name)
    from colorizer.checkpoints.hub import find_snapshot  # slow, and rarely needed

    snapshot = find_snapshot(str(source), public, fresh)
    config = snapshot.get(CONFIG_FILE)
    for file, limit in ((REPORT_FILE, MAX_REPORT_BYTES), (CARD_FILE, MAX_CARD_BYTES)):
        if file in snapshot.files and snapshot.files[file].size <= limit:
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
        name: for `CheckpointInfo.name`.
        source: for `CheckpointInfo.source`.
        size: of the weights in bytes; None if the folder holds them.
        digest: SHA-256 of the weights, if known.

    Raises:
        CheckpointError: it isn't one that this version can read.
    """
    settings, working_size = read_settings(folder / CONFIG_FILE)
    if size is None:
        with file_errors(folder, WEIGHTS_FILE), (folder / WEIGHTS_FILE).open("rb") as weights:
            size = os.fstat(weights.fileno()).st_size
            digest = digest or hashlib.file_digest(weights, "sha256").hexdigest()
    license, card = read_card(folder / CARD_FILE)
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


def _read_report(path: Path, digest: str | None) -> tuple[int, dict[str, dict[str, float]]]:
    """The number of photos in a report and its metrics.

    An unreadable report, and one of other weights than those with this SHA-256, counts as none.
    """
    try:
        if path.stat().st_size > MAX_REPORT_BYTES:
            return 0, {}
        report = json.loads(path.read_text())
    except (OSError, ValueError, RecursionError):
        return 0, {}
    if not isinstance(report, dict) or (digest and report.get("sha256") != digest):
        return 0, {}
    photos = report.get("n")
    return photos if isinstance(photos, int) else 0, {
        group: _numbers(report[group])
        for group in METRIC_GROUPS
        if isinstance(report.get(group), dict)
    }


def _numbers(values: dict[str, Any]) -> dict[str, float]:
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and abs(value) < MAX_METRIC
    }
