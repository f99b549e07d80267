"""Checkpoints: a folder with `model.safetensors` and `config.json`, read strictly. No pickle is
ever loaded.
"""

import hashlib
import json
import os
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from huggingface_hub import hf_hub_download
from huggingface_hub.errors import (
    EntryNotFoundError,
    HfHubHTTPError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from colorizer.generator import Generator, GeneratorConfig

SCHEMA_VERSION = 1
WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
WORKING_SIZES = (192, 512)  # smallest and largest short side that the network may see, in pixels


class CheckpointError(ValueError):
    """A checkpoint can't be used; the sentence says why and what to do."""


@dataclass(frozen=True)
class Checkpoint:
    """A generator and what is known about it.

    Attributes:
        generator: in evaluation mode, float32, on the CPU.
        working_size: short side in pixels that suits it best.
        source: where it came from: a folder, or "user/repo@commit".
        sha256: of `model.safetensors`, 64 hexadecimal digits.
    """

    generator: Generator
    working_size: int
    source: str
    sha256: str


def load_checkpoint(source: str | Path | None = None) -> Checkpoint:
    """Load a checkpoint strictly.

    Args:
        source: a folder, "user/repo" or "user/repo@revision" on the Hugging Face Hub; None takes
            the bundled checkpoint. A folder that exists wins over a name.

    Raises:
        CheckpointError: the source can't be found, or isn't a checkpoint that this version can
            read.
    """
    if source is None:
        folder = bundled_folder()
    elif Path(source).is_dir():
        folder = Path(source)
    elif re.fullmatch(r"[\w.-]+/[\w.-]+(@[\w./-]+)?", str(source)):
        folder = _download(str(source))
        source = f"{str(source).partition('@')[0]}@{folder.name}"  # the commit
    else:
        raise CheckpointError(
            f"{source} is neither a folder nor a Hub name like user/repo; check the spelling."
        )
    return _read(folder, str(source or "bundled"))


def bundled_folder() -> Path:
    """The folder of the checkpoint that comes with the code: inside the installed package, or
    beside it in a clone.
    """
    package = Path(__file__).parent
    inside = package / "weights"
    return inside if inside.is_dir() else package.parent / "weights"


def _download(name: str) -> Path:
    repo, _, revision = name.partition("@")
    try:
        paths = [
            hf_hub_download(repo, file, revision=revision or None)
            for file in (CONFIG_FILE, WEIGHTS_FILE)
        ]
    except RevisionNotFoundError:
        raise CheckpointError(
            f"{repo} has no revision {revision} on the Hub; check the spelling."
        ) from None
    except RepositoryNotFoundError:
        raise CheckpointError(
            f"There is no folder {name}, and {repo} is not on the Hub or private; "
            "check the spelling, or log in first."
        ) from None
    except LocalEntryNotFoundError:
        raise CheckpointError(
            f"There is no folder {name}, the Hub can't be reached and {name} is not in the cache; "
            "check the spelling, or try again later."
        ) from None
    except EntryNotFoundError:
        raise CheckpointError(
            f"{name} holds no {CONFIG_FILE} and {WEIGHTS_FILE}; it is not a colorizer checkpoint."
        ) from None
    except HFValidationError as error:
        raise CheckpointError(f"{name} is not a valid Hub name: {error}") from None
    except (HfHubHTTPError, OSError) as error:
        raise CheckpointError(
            f"{name} could not be downloaded ({error}); try again later."
        ) from error
    return Path(paths[0]).parent


def _read(folder: Path, source: str) -> Checkpoint:
    try:
        config = json.loads((folder / CONFIG_FILE).read_text())
        weights_file = folder / WEIGHTS_FILE
        weights = load_file(weights_file)
        digest = hashlib.sha256(weights_file.read_bytes()).hexdigest()
    except FileNotFoundError as error:
        missing = Path(error.filename or WEIGHTS_FILE).name
        raise CheckpointError(
            f"{folder} holds no {missing}; name a folder with {CONFIG_FILE} and {WEIGHTS_FILE}."
        ) from None
    except OSError as error:
        raise CheckpointError(
            f"{folder} can't be read ({error.strerror}); change its permissions."
        ) from error
    except (ValueError, SafetensorError) as error:  # ValueError: not JSON, not text
        raise CheckpointError(
            f"The checkpoint in {folder} is damaged ({error}); get it again."
        ) from error
    version = config.get("schema_version") if isinstance(config, dict) else None
    if version != SCHEMA_VERSION:
        advice = (
            "update colorizer"
            if isinstance(version, int) and version > SCHEMA_VERSION
            else "it is not a checkpoint of ours"
        )
        raise CheckpointError(
            f"{folder / CONFIG_FILE} has schema version {version}, not {SCHEMA_VERSION}; {advice}."
        )
    try:
        generator = Generator(_generator_config(config["generator"]))
        generator.load_state_dict({name: value.float() for name, value in weights.items()})
        working_size = config["working_size"]
        if not WORKING_SIZES[0] <= working_size <= WORKING_SIZES[1]:
            raise ValueError(f"working_size is {working_size}, not within {WORKING_SIZES}")
    except RuntimeError as error:  # lists every key that is missing, left over or of another shape
        raise CheckpointError(
            f"The weights in {folder} do not fit its {CONFIG_FILE}; get both files again."
        ) from error
    except (KeyError, TypeError, ValueError, AssertionError) as error:
        raise CheckpointError(
            f"{folder / CONFIG_FILE} is not valid ({error}); get it again."
        ) from error
    if not all(value.isfinite().all() for value in generator.state_dict().values()):
        raise CheckpointError(
            f"The checkpoint in {folder} holds infinite or undefined weights; get it again."
        )
    return Checkpoint(generator.eval(), working_size, source, digest)


def _generator_config(values: dict[str, Any]) -> GeneratorConfig:
    """A `GeneratorConfig` from JSON, whose lists become tuples; every field must be there."""
    missing = {item.name for item in fields(GeneratorConfig)} - set(values)
    if missing:
        raise KeyError(f"missing {', '.join(sorted(missing))}")
    return GeneratorConfig(**{name: _tuples(value) for name, value in values.items()})


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def save_checkpoint(folder: Path, generator: Generator, working_size: int) -> None:
    """Write a generator as a checkpoint folder, matrices in float16; each file is written beside
    its place and renamed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    weights = {
        name: (
            value.half() if value.dim() > 1 else value
        ).contiguous()  # vectors may exceed float16
        for name, value in generator.state_dict().items()
    }
    beside = folder / (WEIGHTS_FILE + ".part")
    save_file(weights, beside)
    beside.chmod(0o644)  # safetensors makes it private
    os.replace(beside, folder / WEIGHTS_FILE)
    config = {
        "schema_version": SCHEMA_VERSION,
        "working_size": working_size,
        "generator": asdict(generator.config),
    }
    beside = folder / (CONFIG_FILE + ".part")
    beside.write_text(json.dumps(config, indent=1) + "\n")
    os.replace(beside, folder / CONFIG_FILE)
