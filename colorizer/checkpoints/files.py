"""The files of a checkpoint: names, schema, and strict loading.

No pickle is ever loaded, and no network is built before its weights are known to fit.
"""

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from colorizer.errors import CheckpointError
from colorizer.files import is_lfs_pointer
from colorizer.networks.generator import GeneratorConfig
from colorizer.networks.pix2pix import Pix2PixConfig

SCHEMA_VERSION = 1
WEIGHTS_FILE = "model.safetensors"
CONFIG_FILE = "config.json"
DISCRIMINATOR_WEIGHTS_FILE = "discriminator.safetensors"
DISCRIMINATOR_CONFIG_FILE = "discriminator.json"
DISCRIMINATOR_FILES = (DISCRIMINATOR_CONFIG_FILE, DISCRIMINATOR_WEIGHTS_FILE)
PICKLES = (".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth")
# Missing in the first checkpoints
OPTIONAL_FIELDS = ("query_layers", "chroma_gain", "cast_gain", "confidence", "kind")
REMOVED_FIELDS = ("hint_stem", "deep_hints")  # of the first checkpoints, whose network took hints
WORKING_SIZES = (192, 512)  # pixels: smallest and largest short side of the network's input
DTYPES = ("F16", "BF16", "F32", "I64")  # of weights; I64 is a batch norm's counter
MAX_CONFIG_BYTES = 1_000_000
HUB_NAME = re.compile(  # user/repo or user/repo@revision, which is safe as a path in the cache
    r"[\w.-]+/[\w.-]+(@(?!.*\.\.)[\w.-]+(/[\w.-]+)*)?", re.ASCII
)

Network = TypeVar("Network", bound=nn.Module)


def incomplete_error(name: object, files: Iterable[str]) -> CheckpointError:
    """The error for a folder or repository that lacks a file of a checkpoint.

    Args:
        name: of the folder or repository.
        files: the names of its files.
    """
    files = list(files)
    pickles = [file for file in files if Path(file).suffix in PICKLES]
    if pickles and WEIGHTS_FILE not in files:
        return CheckpointError(
            f"{name} has its weights in a pickle ({pickles[0]}), which can run any code and is "
            f"never opened; ask its author for {WEIGHTS_FILE}.",
            "pickle",
        )
    return CheckpointError(
        f"{name} has no {CONFIG_FILE} and {WEIGHTS_FILE}; it is not a colorizer checkpoint.",
        "foreign",
    )


def read_settings(path: Path) -> tuple[GeneratorConfig | Pix2PixConfig, int]:
    """Read a `config.json`: the generator's settings and the working size in pixels.

    Raises:
        CheckpointError: the file can't be read, or this version can't use it.
    """
    config = read_json(path)
    version = config.get("schema_version") if isinstance(config, dict) else None
    if version != SCHEMA_VERSION:
        newer = isinstance(version, int) and version > SCHEMA_VERSION
        advice = "update colorizer" if newer else "it is not a colorizer checkpoint"
        raise CheckpointError(
            f"{path} has schema version {version}, not {SCHEMA_VERSION}; {advice}.",
            "newer" if newer else "foreign",
        )
    with setting_errors(path):
        working_size = config["working_size"]
        if not WORKING_SIZES[0] <= working_size <= WORKING_SIZES[1]:
            raise ValueError(f"working_size is {working_size}, not in {WORKING_SIZES}")
        architecture = config.get("architecture", "unet")  # missing in the first checkpoints
        if architecture == "unet":
            return GeneratorConfig(**all_fields(GeneratorConfig, config["generator"])), working_size
        if architecture == "pix2pix":
            return Pix2PixConfig(**all_fields(Pix2PixConfig, config["generator"])), working_size
        raise ValueError(f"architecture is {architecture!r}, not unet or pix2pix")


def read_json(path: Path) -> Any:
    """Read a settings file.

    Raises:
        CheckpointError: the file can't be read, isn't JSON or is too large.
    """
    with file_errors(path.parent, path.name):
        if path.stat().st_size > MAX_CONFIG_BYTES:
            raise CheckpointError(f"The {path.name} in {path.parent} is too large; get it again.")
        return json.loads(path.read_text("utf-8"))


def all_fields(settings: type, values: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a settings class from JSON, with tuples for lists.

    Raises:
        KeyError: a field is missing that isn't optional.
    """
    missing = {item.name for item in fields(settings)} - set(values) - set(OPTIONAL_FIELDS)
    if missing:
        raise KeyError(f"missing {', '.join(sorted(missing))}")
    return {name: _tuples(value) for name, value in values.items() if name not in REMOVED_FIELDS}


def _tuples(value: Any) -> Any:
    return tuple(_tuples(item) for item in value) if isinstance(value, list) else value


def restore(
    build: Callable[[], Network], config: Path, weights: Path, digest: str | None = None
) -> tuple[Network, str]:
    """Build a network and load its weights strictly, except for removed fields.

    The shapes in the settings and in the weights' header are compared before either takes memory:
    settings from the Hub could ask for any amount of it.

    Args:
        build: makes the network of the settings.
        config: the settings' file, for error messages.
        weights: the safetensors file.
        digest: its expected SHA-256; None accepts any.

    Returns:
        The network, float32, on the CPU; and the SHA-256 of the weights' file.

    Raises:
        CheckpointError: a file can't be read, or the files don't fit each other.
    """
    with file_errors(weights.parent, weights.name):
        found = _header(weights)
    with setting_errors(config):
        try:
            with torch.device("meta"):
                wanted = {name: value.shape for name, value in build().state_dict().items()}
        except RuntimeError as error:  # a tensor would be too large
            raise ValueError(error) from error
    if found != {name: list(shape) for name, shape in wanted.items()}:
        raise CheckpointError(
            f"The weights in {config.parent} do not fit its {config.name}; get both files again."
        )
    with file_errors(weights.parent, weights.name):
        with weights.open("rb") as file:
            actual = hashlib.file_digest(file, "sha256").hexdigest()
        check_digest(weights, actual, digest)
        values = load_file(weights)
    with _NoInitialization():
        network = build()
    network.load_state_dict({name: values[name] for name in wanted})
    # A sum is finite only if all its terms are, and is faster than looking at each of them.
    if not all(value.sum().isfinite() for value in network.state_dict().values()):
        raise CheckpointError(
            f"The checkpoint in {config.parent} holds infinite or undefined weights; get it again."
        )
    return network, actual


class _NoInitialization(TorchFunctionMode):
    """Leaves new weights as they are in memory: random numbers would only be overwritten."""

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == nn.init.__name__:
            return kwargs["tensor"]
        if func in (Tensor.uniform_, Tensor.normal_):
            return args[0]
        return func(*args, **kwargs)


def check_digest(path: Path, actual: str, expected: str | None) -> None:
    """Check the SHA-256 of a file from the Hub; an expected None accepts any.

    Raises:
        CheckpointError: they differ.
    """
    if expected not in (None, actual):
        raise CheckpointError(
            f"{path.name} differs from the Hub's: its SHA-256 is {actual}, not {expected}; "
            f"delete {path.parents[2]} and try again."  # of the cache: REPOSITORY/snapshots/COMMIT
        )


def _header(path: Path) -> dict[str, list[int]]:
    """Read the names and shapes of the weights in a safetensors file from its header.

    Weights of removed fields are left out.
    """
    shapes = {}
    with safe_open(path, "pt") as file:
        for name in file.keys():  # noqa: SIM118
            part = file.get_slice(name)
            if part.get_dtype() not in DTYPES:
                raise ValueError(f"{name} is {part.get_dtype()}, none of {', '.join(DTYPES)}")
            if name.partition(".")[0] not in REMOVED_FIELDS:
                shapes[name] = part.get_shape()
    return shapes


@contextmanager
def file_errors(folder: Path, file: str) -> Iterator[None]:
    """Turn errors of reading a checkpoint's file into `CheckpointError`."""
    try:
        yield
    except CheckpointError:
        raise
    except FileNotFoundError:
        beside = [path.name for path in folder.iterdir()] if folder.is_dir() else []
        if (error := incomplete_error(folder, beside)).reason == "pickle":
            raise error from None
        pair = DISCRIMINATOR_FILES if file in DISCRIMINATOR_FILES else (CONFIG_FILE, WEIGHTS_FILE)
        raise CheckpointError(
            f"{folder} has no {file}; name a folder with {pair[0]} and {pair[1]}."
        ) from None
    except OSError as error:
        raise CheckpointError(
            f"{folder} can't be read ({error.strerror}); change its permissions."
        ) from error
    except (
        ValueError,
        RecursionError,
        SafetensorError,
    ) as error:  # the first two mean invalid JSON
        if is_lfs_pointer(folder / file):
            raise CheckpointError(
                f"{folder / file} is a Git LFS pointer, not the file itself; run git lfs pull."
            ) from None
        raise CheckpointError(
            f"The checkpoint in {folder} is damaged ({error}); get it again."
        ) from error


@contextmanager
def setting_errors(path: Path) -> Iterator[None]:
    """Turn errors of invalid settings into `CheckpointError`."""
    try:
        yield
    except (KeyError, TypeError, ValueError, OverflowError, AssertionError) as error:
        first = str(error).partition("\n")[0]  # torch appends its own source location
        raise CheckpointError(f"{path} is not valid ({first}); get it again.") from error
