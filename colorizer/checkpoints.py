"""Checkpoints: a folder with `model.safetensors` and `config.json`, read strictly. No pickle is
ever loaded.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar

from huggingface_hub import _CACHED_NO_EXIST, hf_hub_download, try_to_load_from_cache
from huggingface_hub.errors import (  # type: ignore[attr-defined]
    EntryNotFoundError,
    HFValidationError,
    HTTPError,  # that of httpx or httpx2, as the version has it
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RemoteEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from colorizer.discriminator import Discriminator, DiscriminatorConfig
from colorizer.generator import Generator, GeneratorConfig
from colorizer.pix2pix import Pix2Pix, Pix2PixConfig

SCHEMA_VERSION = 1
WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
DISCRIMINATOR_WEIGHTS_FILE = "discriminator.safetensors"
DISCRIMINATOR_CONFIG_FILE = "discriminator.json"
ADDED_LATER = ("query_layers", "chroma_gain", "cast_gain", "confidence")  # not in the first
GIVEN_UP = ("hint_stem", "deep_hints")  # of the first: hints went through the network
DISCRIMINATOR_FILES = (DISCRIMINATOR_CONFIG_FILE, DISCRIMINATOR_WEIGHTS_FILE)
WORKING_SIZES = (192, 512)  # smallest and largest short side that the network may see, in pixels
HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+(@[\w./-]+)?", re.ASCII)  # user/repo or user/repo@revision

AnyGenerator = Generator | Pix2Pix
Network = TypeVar("Network", bound=nn.Module)


class CheckpointError(ValueError):
    """A checkpoint can't be used; the sentence says why and what to do.

    Attributes:
        reason: in one word, for who says it in other words: "name" (of no source), "absent",
            "revision" (absent), "unreachable", "foreign" (not one of ours), "newer" (than this
            version) or "broken".
    """

    def __init__(self, sentence: str, reason: str = "broken") -> None:
        super().__init__(sentence)
        self.reason = reason


@dataclass(frozen=True)
class Checkpoint:
    """A generator and what is known about it.

    Attributes:
        generator: in evaluation mode, float32, on the CPU.
        working_size: short side in pixels that suits it best.
        source: where it came from: a folder, or "user/repo@commit".
        sha256: of `model.safetensors`, 64 hexadecimal digits.
    """

    generator: AnyGenerator
    working_size: int
    source: str
    sha256: str


def load_checkpoint(source: str | Path | None = None, public: bool = False) -> Checkpoint:
    """Load a checkpoint strictly.

    Args:
        source: a folder, "user/repo" or "user/repo@revision" on the Hugging Face Hub; None takes
            the bundled checkpoint. A folder that exists wins over a name.
        public: whether to take only what anybody may see: a name on the Hub, without the login of
            this machine, and no folder. For names that strangers give.

    Raises:
        CheckpointError: the source can't be found, or isn't a checkpoint that this version can
            read.
    """
    folder, name = _locate(source, public=public)
    return _read_checkpoint(folder, name)


def load_discriminator(source: str | Path | None = None) -> Discriminator | None:
    """The discriminator that was trained with a checkpoint, float32, in training mode.

    Args:
        source: as for `load_checkpoint`.

    Returns:
        None if the checkpoint comes without.

    Raises:
        CheckpointError: the source can't be found, or its discriminator can't be read.
    """
    folder, _ = _locate(source, DISCRIMINATOR_FILES)
    if not any((folder / file).exists() for file in DISCRIMINATOR_FILES):
        return None
    config, weights, _ = _read_files(folder, *DISCRIMINATOR_FILES)

    def build() -> Discriminator:
        return Discriminator(DiscriminatorConfig(**_all_fields(DiscriminatorConfig, config)))

    return _restore(build, weights, folder / DISCRIMINATOR_CONFIG_FILE)


def bundled_folder() -> Path:
    """The folder of the checkpoint that comes with the code: inside the installed package, or
    beside it in a clone.
    """
    package = Path(__file__).parent
    inside = package / "weights"
    return inside if inside.is_dir() else package.parent / "weights"


def local_folder(source: str | Path | None, public: bool = False) -> Path | None:
    """The folder that a source means; None if it is a name on the Hub.

    Args:
        source: as for `load_checkpoint`.
        public: as for `load_checkpoint`.

    Raises:
        CheckpointError: it is neither.
    """
    if source is None:
        return bundled_folder()
    if not public and Path(source).is_dir():
        return Path(source)
    if HUB_NAME.fullmatch(str(source)):
        return None
    raise CheckpointError(
        f"{source} is neither a folder nor a Hub name like user/repo; check the spelling.", "name"
    )


def _locate(
    source: str | Path | None, optional: tuple[str, ...] = (), public: bool = False
) -> tuple[Path, str]:
    """The folder of a checkpoint, downloaded if need be, with `optional` files if it has them; and
    the checkpoint's name.
    """
    folder = local_folder(source, public)
    if folder is not None:
        return folder, "bundled" if source is None else str(source)
    folder = _download(str(source), optional, False if public else None)
    return folder, f"{str(source).partition('@')[0]}@{folder.name}"  # the commit


def _download(name: str, optional: tuple[str, ...], token: bool | None) -> Path:
    repo, _, revision = name.partition("@")
    with hub_errors(name):
        paths = [
            hf_hub_download(repo, file, revision=revision or None, token=token)
            for file in (CONFIG_FILE, WEIGHTS_FILE)
        ]
        folder = Path(paths[0]).parent
        commit = folder.name
        for file in optional:  # the cache remembers what a commit lacks
            if try_to_load_from_cache(repo, file, revision=commit) is not _CACHED_NO_EXIST:
                with suppress(RemoteEntryNotFoundError):
                    hf_hub_download(repo, file, revision=commit, token=token)
    return folder


@contextmanager
def hub_errors(name: str) -> Iterator[None]:
    """Turn what the Hub's client raises about "user/repo@revision" into one sentence."""
    repo, _, revision = name.partition("@")
    try:
        yield
    except RevisionNotFoundError:
        raise CheckpointError(
            f"{repo} has no revision {revision} on the Hub; check the spelling.", "revision"
        ) from None
    except RepositoryNotFoundError:
        raise CheckpointError(
            f"There is no folder {name}, and {repo} is not on the Hub or private; "
            "check the spelling, or log in first.",
            "absent",
        ) from None
    except (LocalEntryNotFoundError, OfflineModeIsEnabled):
        raise CheckpointError(
            f"There is no folder {name}, the Hub can't be reached and not all of {name} is in "
            "the cache; check the spelling, or try again later.",
            "unreachable",
        ) from None
    except EntryNotFoundError:
        raise CheckpointError(
            f"{name} holds no {CONFIG_FILE} and {WEIGHTS_FILE}; it is not a colorizer checkpoint.",
            "foreign",
        ) from None
    except HFValidationError as error:
        raise CheckpointError(f"{name} is not a valid Hub name: {error}", "name") from None
    except (HTTPError, OSError) as error:
        raise CheckpointError(
            f"{name} could not be downloaded ({error}); try again later.", "unreachable"
        ) from error


def _read_checkpoint(folder: Path, source: str) -> Checkpoint:
    config, weights, digest = _read_files(folder, CONFIG_FILE, WEIGHTS_FILE)
    settings, working_size = check_config(config, folder / CONFIG_FILE)

    def build() -> AnyGenerator:
        return Pix2Pix(settings) if isinstance(settings, Pix2PixConfig) else Generator(settings)

    generator = _restore(build, weights, folder / CONFIG_FILE)
    return Checkpoint(generator.eval(), working_size, source, digest)


def check_config(config: Any, path: Path) -> tuple[GeneratorConfig | Pix2PixConfig, int]:
    """What a `config.json` says: the generator's settings and its working size in pixels.

    Args:
        config: as it was parsed.
        path: where from, for the errors.

    Raises:
        CheckpointError: it isn't one that this version can read.
    """
    version = config.get("schema_version") if isinstance(config, dict) else None
    if version != SCHEMA_VERSION:
        newer = isinstance(version, int) and version > SCHEMA_VERSION
        advice = "update colorizer" if newer else "it is not a checkpoint of ours"
        raise CheckpointError(
            f"{path} has schema version {version}, not {SCHEMA_VERSION}; {advice}.",
            "newer" if newer else "foreign",
        )
    try:
        working_size = config["working_size"]
        if not WORKING_SIZES[0] <= working_size <= WORKING_SIZES[1]:
            raise ValueError(f"working_size is {working_size}, not in {WORKING_SIZES}")
        architecture = config.get("architecture", "unet")  # the first checkpoints don't name it
        if architecture == "unet":
            values = _all_fields(GeneratorConfig, config["generator"])
            return GeneratorConfig(**values), working_size
        if architecture == "pix2pix":
            values = _all_fields(Pix2PixConfig, config["generator"])
            return Pix2PixConfig(**values), working_size
        raise ValueError(f"architecture is {architecture!r}, not unet or pix2pix")
    except (KeyError, TypeError, ValueError) as error:
        raise CheckpointError(f"{path} is not valid ({error}); get it again.") from error


def _read_files(
    folder: Path, config_file: str, weights_file: str
) -> tuple[Any, dict[str, Tensor], str]:
    """The settings, the weights and the SHA-256 of the weights' file."""
    with file_errors(folder, config_file, weights_file):
        config = json.loads((folder / config_file).read_text())
        weights = load_file(folder / weights_file)
        with (folder / weights_file).open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    return config, weights, digest


@contextmanager
def file_errors(folder: Path, config_file: str, weights_file: str) -> Iterator[None]:
    """Turn what reading these files raises into one sentence."""
    try:
        yield
    except FileNotFoundError as error:
        missing = Path(error.filename or weights_file).name
        raise CheckpointError(
            f"{folder} holds no {missing}; name a folder with {config_file} and {weights_file}."
        ) from None
    except OSError as error:
        raise CheckpointError(
            f"{folder} can't be read ({error.strerror}); change its permissions."
        ) from error
    except (ValueError, RecursionError, SafetensorError) as error:  # the first two: not JSON
        raise CheckpointError(
            f"The checkpoint in {folder} is damaged ({error}); get it again."
        ) from error


def _restore(build: Callable[[], Network], weights: dict[str, Tensor], config: Path) -> Network:
    """Build a network as the file `config` says and load its weights strictly, but for those that
    were given up.
    """
    state = {
        name: value for name, value in weights.items() if name.partition(".")[0] not in GIVEN_UP
    }
    try:
        network = build()
        network.load_state_dict(state)
    except RuntimeError as error:  # lists every key that is missing, left over or of another shape
        raise CheckpointError(
            f"The weights in {config.parent} do not fit its {config.name}; get both files again."
        ) from error
    except (KeyError, TypeError, ValueError, AssertionError) as error:
        raise CheckpointError(f"{config} is not valid ({error}); get it again.") from error
    if not all(value.isfinite().all() for value in network.state_dict().values()):
        raise CheckpointError(
            f"The checkpoint in {config.parent} holds infinite or undefined weights; get it again."
        )
    return network


def _all_fields(settings: type, values: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a settings class from JSON, whose lists become tuples; all must be there, but
    for those that came later.
    """
    missing = {item.name for item in fields(settings)} - set(values) - set(ADDED_LATER)
    if missing:
        raise KeyError(f"missing {', '.join(sorted(missing))}")
    return {name: _tuples(value) for name, value in values.items() if name not in GIVEN_UP}


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def save_checkpoint(
    folder: Path,
    generator: AnyGenerator,
    working_size: int,
    discriminator: Discriminator | None = None,
) -> None:
    """Write a generator, and a discriminator if there is one, as a checkpoint folder, matrices in
    float16; each file is written beside its place and renamed. Without a discriminator, that of an
    earlier checkpoint in the folder is removed.
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
    beside = path.with_name(path.name + ".part")
    save_file(weights, beside)
    beside.chmod(0o644)  # safetensors makes it private
    os.replace(beside, path)


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write a settings file, beside its place and renamed."""
    beside = path.with_name(path.name + ".part")
    beside.write_text(json.dumps(values, indent=1) + "\n")
    os.replace(beside, path)
