"""What a checkpoint says about itself, known without its weights."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from huggingface_hub import HfApi, ModelCard, hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import HFValidationError
from huggingface_hub.hf_api import ModelInfo
from yaml import YAMLError  # type: ignore[import-untyped]

from colorizer.checkpoints import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    CheckpointError,
    check_config,
    file_errors,
    hub_errors,
    local_folder,
)
from colorizer.generator import GeneratorConfig

CARD_FILE = "README.md"
REPORT_FILE = "report.json"
LARGEST_TEXT = 1_000_000  # bytes; a larger file is no config, report or card of ours
LARGEST_FIGURE = 1e9  # a larger one, or one that isn't a number, measures nothing
HUB_SECONDS = 5.0  # to wait for an answer of the Hub
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


def describe_checkpoint(source: str | Path | None = None, public: bool = False) -> CheckpointInfo:
    """Describe a checkpoint; of one on the Hub only the small files are downloaded.

    Args:
        source: a folder, "user/repo" or "user/repo@revision" on the Hugging Face Hub; None takes
            the bundled checkpoint.
        public: whether to take only what anybody may see: a name on the Hub, without the login of
            this machine, and no folder. For names that strangers give.

    Raises:
        CheckpointError: the source can't be found, or isn't a checkpoint that this version can
            read. If the Hub doesn't answer, that takes a few seconds.
    """
    folder = local_folder(source, public)
    if folder is not None:
        name = "bundled" if source is None else folder.resolve().name
        return _describe_folder(folder, name, name)
    try:
        return _describe_repository(str(source), False if public else None)
    except CheckpointError as error:
        cached = None if public else _cached_folder(str(source))
        if error.reason != "unreachable" or cached is None:
            raise
        repo = str(source).partition("@")[0]
        return _describe_folder(cached, repo, f"{repo}@{cached.name}")


def _describe_repository(name: str, token: bool | None) -> CheckpointInfo:
    repo = name.partition("@")[0]
    with hub_errors(name):
        listing = _ask_hub(name, token)
        files = {file.rfilename: file for file in listing.siblings or ()}
        if not {CONFIG_FILE, WEIGHTS_FILE} <= files.keys():
            raise CheckpointError(
                f"{name} holds no {CONFIG_FILE} and {WEIGHTS_FILE}; "
                "it is not a colorizer checkpoint.",
                "foreign",
            )
        small = [name for name, file in files.items() if (file.size or 0) <= LARGEST_TEXT]
        if CONFIG_FILE not in small:
            raise CheckpointError(f"The {CONFIG_FILE} of {name} is too large; get it again.")
        paths = [
            Path(hf_hub_download(repo, file, revision=listing.sha, token=token))
            for file in (CONFIG_FILE, REPORT_FILE, CARD_FILE)
            if file in small
        ]
    weights = files[WEIGHTS_FILE]
    digest = weights.lfs.sha256 if weights.lfs else None
    source = f"{repo}@{listing.sha}"
    return _describe_folder(paths[0].parent, repo, source, weights.size or 0, digest)


def _ask_hub(name: str, token: bool | None) -> ModelInfo:
    repo, _, revision = name.partition("@")
    try:
        return HfApi().model_info(
            repo, revision=revision or None, timeout=HUB_SECONDS, files_metadata=True, token=token
        )
    except (HFValidationError, OSError):
        raise
    except (KeyError, TypeError, ValueError) as error:  # for example a login page of the network
        raise CheckpointError(
            f"The Hub's answer about {name} can't be read ({error}); try again later.",
            "unreachable",
        ) from error


def _cached_folder(name: str) -> Path | None:
    """Where a repository lies that was loaded before."""
    repo, _, revision = name.partition("@")
    path = try_to_load_from_cache(repo, WEIGHTS_FILE, revision=revision or None)
    return Path(path).parent if isinstance(path, str) else None


def _describe_folder(
    folder: Path, name: str, source: str, size: int | None = None, digest: str | None = None
) -> CheckpointInfo:
    """Describe the checkpoint in a folder; the size of the weights is None if they are in it."""
    with file_errors(folder, CONFIG_FILE, WEIGHTS_FILE):
        config = json.loads((folder / CONFIG_FILE).read_text())
        if size is None:
            size = (folder / WEIGHTS_FILE).stat().st_size
            with (folder / WEIGHTS_FILE).open("rb") as weights:
                digest = hashlib.file_digest(weights, "sha256").hexdigest()
    settings, working_size = check_config(config, folder / CONFIG_FILE)
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
        if isinstance(value, int | float) and abs(value) < LARGEST_FIGURE
    }
