"""Load and save checkpoints.

A checkpoint is a folder or a repository on the Hugging Face Hub with `model.safetensors` and
`config.json`.
"""

import json
import logging
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from safetensors.torch import save_file
from torch import nn

from colorizer.bundled import bundled_folder
from colorizer.checkpoints.files import (
    CONFIG_FILE,
    DISCRIMINATOR_CONFIG_FILE,
    DISCRIMINATOR_FILES,
    DISCRIMINATOR_WEIGHTS_FILE,
    HUB_NAME,
    SCHEMA_VERSION,
    WEIGHTS_FILE,
    WORKING_SIZES,
    all_fields,
    read_json,
    read_settings,
    restore,
    setting_errors,
)
from colorizer.errors import CheckpointError
from colorizer.files import atomic_write
from colorizer.networks.discriminator import Discriminator, DiscriminatorConfig
from colorizer.networks.generator import Generator
from colorizer.networks.pix2pix import Pix2Pix, Pix2PixConfig

__all__ = [
    "CONFIG_FILE",
    "DISCRIMINATOR_CONFIG_FILE",
    "DISCRIMINATOR_FILES",
    "DISCRIMINATOR_WEIGHTS_FILE",
    "WEIGHTS_FILE",
    "WORKING_SIZES",
    "AnyGenerator",
    "Checkpoint",
    "CheckpointError",
    "bundled_checkpoint",
    "load_checkpoint",
    "load_discriminator",
    "local_folder",
    "save_checkpoint",
    "write_json",
]

if TYPE_CHECKING:
    from colorizer.checkpoints.hub import Snapshot

LOG = logging.getLogger(__name__)

AnyGenerator = Generator | Pix2Pix


@dataclass(frozen=True)
class Checkpoint:
    """A generator and its origin.

    Attributes:
        generator: in evaluation mode, float32, on the CPU.
        working_size: best short side of the network's input, in pixels.
        source: a folder, "bundled", or "user/repo@commit".
        sha256: of `model.safetensors`, 64 hexadecimal digits.
        notice: a sentence if it came from the cache and may be outdated, because the Hub didn't
            answer.
    """

    generator: AnyGenerator
    working_size: int
    source: str
    sha256: str
    notice: str = ""


def load_checkpoint(source: str | Path | None = None, public: bool = False) -> Checkpoint:
    """Load a checkpoint strictly.

    Args:
        source: a folder, "user/repo" or "user/repo@revision" on the Hugging Face Hub; None means
            the bundled checkpoint. An existing folder wins over a name. A commit may come from the
            cache; a branch or a tag does only if the Hub doesn't answer, which is logged.
        public: whether to accept only public repositories on the Hub, without this machine's login,
            and no folders. For names that strangers type.

    Raises:
        CheckpointError: the source can't be found, or isn't a checkpoint that this version can
            read.
    """
    folder = local_folder(source, public)
    if folder is not None:
        return read_checkpoint(folder, "bundled" if source is None else str(source))
    from colorizer.checkpoints.hub import find_snapshot  # slow, and rarely needed

    snapshot = find_snapshot(str(source), public)
    if snapshot.notice:
        LOG.warning("%s", snapshot.notice)
    checkpoint = read_checkpoint(
        download_checkpoint(snapshot), snapshot.source, snapshot.sha256(WEIGHTS_FILE)
    )
    return replace(checkpoint, notice=snapshot.notice)


def download_checkpoint(snapshot: "Snapshot") -> Path:
    """Download a checkpoint into the cache, if needed.

    The weights come last, and only if this version can read the settings.

    Returns:
        Its folder in the cache.

    Raises:
        CheckpointError: the download fails, or this version can't read the checkpoint.
    """
    read_settings(snapshot.get(CONFIG_FILE))
    folder = snapshot.get(WEIGHTS_FILE).parent
    snapshot.save_revision()
    return folder


def load_discriminator(source: str | Path | None = None) -> Discriminator | None:
    """Load the discriminator of a checkpoint, float32, in training mode.

    Args:
        source: as for `load_checkpoint`.

    Returns:
        None if the checkpoint has none.

    Raises:
        CheckpointError: the source can't be found, or its discriminator can't be read.
    """
    folder = local_folder(source)
    if folder is not None:
        return read_discriminator(folder)
    from colorizer.checkpoints.hub import find_snapshot  # slow, and rarely needed

    snapshot = find_snapshot(str(source))
    folder = download_checkpoint(snapshot)
    for file in DISCRIMINATOR_FILES:
        snapshot.get_optional(file)
    return read_discriminator(folder, snapshot.sha256(DISCRIMINATOR_WEIGHTS_FILE))


def bundled_checkpoint() -> Path:
    """The folder of the bundled checkpoint."""
    return bundled_folder("weights")


def local_folder(source: str | Path | None, public: bool = False) -> Path | None:
    """The folder that a source names; None if it is a name on the Hub.

    Args:
        source: as for `load_checkpoint`.
        public: as for `load_checkpoint`.

    Raises:
        CheckpointError: the source is neither.
    """
    if source is None:
        return bundled_checkpoint()
    if not public and Path(source).is_dir():
        return Path(source)
    if HUB_NAME.fullmatch(str(source)):
        return None
    raise CheckpointError(
        f"{source} is neither a folder nor a Hub name like user/repo; check the spelling.", "name"
    )


def read_checkpoint(folder: Path, source: str, digest: str | None = None) -> Checkpoint:
    """Load the checkpoint in a folder strictly.

    Args:
        folder: with the files.
        source: for `Checkpoint.source`.
        digest: expected SHA-256 of its weights; None accepts any.

    Raises:
        CheckpointError: this version can't read it.
    """
    settings, working_size = read_settings(folder / CONFIG_FILE)

    def build() -> AnyGenerator:
        return Pix2Pix(settings) if isinstance(settings, Pix2PixConfig) else Generator(settings)

    generator, actual = restore(build, folder / CONFIG_FILE, folder / WEIGHTS_FILE, digest)
    return Checkpoint(generator.eval(), working_size, source, actual)


def read_discriminator(folder: Path, digest: str | None = None) -> Discriminator | None:
    """Load the discriminator in a checkpoint's folder strictly; None if there is none.

    Args:
        folder: with the files.
        digest: expected SHA-256 of its weights; None accepts any.

    Raises:
        CheckpointError: it can't be read.
    """
    paths = [folder / file for file in DISCRIMINATOR_FILES]
    if not any(path.exists() for path in paths):
        return None
    config = read_json(paths[0])
    with setting_errors(paths[0]):
        settings = DiscriminatorConfig(**all_fields(DiscriminatorConfig, config))
    return restore(lambda: Discriminator(settings), paths[0], paths[1], digest)[0]


def save_checkpoint(
    folder: Path,
    generator: AnyGenerator,
    working_size: int,
    discriminator: Discriminator | None = None,
) -> None:
    """Write a generator and, if given, a discriminator as a checkpoint folder.

    Matrices are stored in float16. Each file is written atomically. Without a discriminator, that
    of an earlier checkpoint in the folder is removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    _write_weights(folder / WEIGHTS_FILE, generator)
    config = {
        "schema_version": SCHEMA_VERSION,
        "working_size": working_size,
        "architecture": "pix2pix" if isinstance(generator, Pix2Pix) else "unet",
        "generator": asdict(generator.config),
    }
    write_json(folder / CONFIG_FILE, config)
    if discriminator is None:
        for file in DISCRIMINATOR_FILES:
            (folder / file).unlink(missing_ok=True)
    else:
        _write_weights(folder / DISCRIMINATOR_WEIGHTS_FILE, discriminator)
        write_json(folder / DISCRIMINATOR_CONFIG_FILE, asdict(discriminator.config))


def _write_weights(path: Path, network: nn.Module) -> None:
    weights = {
        name: (
            value.half() if value.dim() > 1 else value
        ).contiguous()  # vectors may exceed float16
        for name, value in network.state_dict().items()
    }
    with atomic_write(path) as part:
        save_file(weights, part)
        part.chmod(0o644)  # safetensors makes it private


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write a settings file atomically."""
    with atomic_write(path) as part:
        part.write_text(json.dumps(values, indent=1) + "\n")
