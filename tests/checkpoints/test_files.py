"""A stranger's settings and weights: neither takes memory before they are known to fit."""

import json
import shutil
import tracemalloc
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from colorizer.checkpoints.checkpoint import (
    CONFIG_FILE,
    DISCRIMINATOR_CONFIG_FILE,
    WEIGHTS_FILE,
    load_checkpoint,
    load_discriminator,
    save_checkpoint,
)
from colorizer.checkpoints.files import incomplete_error
from colorizer.errors import CheckpointError
from colorizer.networks.generator import Generator
from tests.helpers.checkpoints import Config, change_config, change_weights, tiny_discriminator
from tests.helpers.networks import tiny_pix2pix

REFUSED = r"is not valid \(.*\); get it again|do not fit its .*; get both files again"


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint that may be damaged."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "copy"))


@pytest.fixture
def no_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading a whole file of weights is an error."""

    def refuse(path: object) -> None:
        raise AssertionError("the weights were read")

    monkeypatch.setattr("colorizer.checkpoints.files.load_file", refuse)


@pytest.mark.parametrize(
    "change",
    [
        {"decoder": [4 * 10**5] * 4},  # 59 TB
        {"decoder": [4 * 10**17, 8, 8, 8]},
        {"decoder": [10**30] * 4},
        {"context_layers": 10**9},
        {"encoder": "resnet152"},
        {"encoder": "convnext_xxlarge"},
        {"query_layers": 3},
        {"bins": [[0, 0]] * 50_000},
    ],
    ids=lambda change: str(change)[:40],
)
@pytest.mark.slow
def test_absurd_settings_take_no_memory(folder: Path, no_weights: None, change: Config) -> None:
    change_config(folder, lambda config: config["generator"].update(change))
    tracemalloc.start()
    with pytest.raises(CheckpointError, match=REFUSED) as caught:
        load_checkpoint(folder)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6  # bytes of Python's objects; tensors are on "meta"
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("width", [10**6, 10**12, 10**20])
def test_absurd_pix2pix(tmp_path: Path, no_weights: None, width: int) -> None:
    save_checkpoint(tmp_path, tiny_pix2pix(), 256)
    change_config(tmp_path, lambda config: config["generator"].update(width=width))
    with pytest.raises(CheckpointError, match=REFUSED):
        load_checkpoint(tmp_path)


@pytest.mark.parametrize("change", [{"width": 10**6}, {"width": 10**20}, {"strided_layers": 3000}])
def test_absurd_discriminator(
    folder: Path, generator: Generator, no_weights: None, change: Config
) -> None:
    save_checkpoint(folder, generator, 192, tiny_discriminator())
    change_config(folder, lambda config: config.update(change), DISCRIMINATOR_CONFIG_FILE)
    with pytest.raises(CheckpointError, match=REFUSED):
        load_discriminator(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"input_mean": [0.5] * 5},
        {"input_mean": [0.5, 0.5, float("nan")]},
        {"input_std": [1, 0, 1]},
        {"input_std": "abc"},
        {"temperature": float("nan")},
        {"temperature": float("inf")},
        {"residual": "x"},
        {"residual": float("inf")},
        {"bins": [[0, 0, 0]] * 313},
        {"bins": [[0, float("inf")]] * 313},
    ],
    ids=lambda change: str(change)[:40],
)
def test_settings_that_would_fail_at_the_first_photo(folder: Path, change: Config) -> None:
    change_config(folder, lambda config: config["generator"].update(change))
    with pytest.raises(CheckpointError, match=r"config\.json is not valid \(.*\); get it again"):
        load_checkpoint(folder)


@pytest.mark.parametrize("dtype", [torch.int8, torch.bool, torch.float64, torch.complex64])
def test_weights_of_another_kind(folder: Path, dtype: torch.dtype) -> None:
    """They would grow in memory, or mean something else."""
    change_weights(folder, lambda weights: weights.update({"head.bias": torch.ones(3).to(dtype)}))
    with pytest.raises(CheckpointError, match=r"is damaged \(head\.bias is "):
        load_checkpoint(folder)


def test_a_header_that_claims_more_than_there_is(folder: Path) -> None:
    path = folder / WEIGHTS_FILE
    header = {"head.bias": {"dtype": "F32", "shape": [10**9], "data_offsets": [0, 4 * 10**9]}}
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text)
    with pytest.raises(CheckpointError, match="is damaged"):
        load_checkpoint(folder)


@pytest.mark.parametrize("name", [CONFIG_FILE, WEIGHTS_FILE])
def test_a_pointer_of_git_lfs(folder: Path, name: str) -> None:
    (folder / name).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    with pytest.raises(CheckpointError, match=rf"{name} is a Git LFS pointer.*; run git lfs pull"):
        load_checkpoint(folder)


def test_a_large_config(folder: Path) -> None:
    change_config(folder, lambda config: config.update(more=1_000_000 * "a"))
    with pytest.raises(CheckpointError, match=rf"The {CONFIG_FILE} in .* is too large"):
        load_checkpoint(folder)


def test_half_precision_of_either_kind_is_loaded(folder: Path) -> None:
    weights = load_file(folder / WEIGHTS_FILE)
    halves = {
        name: value.bfloat16() if value.is_floating_point() else value
        for name, value in weights.items()
    }
    save_file(halves, folder / WEIGHTS_FILE)
    generator = load_checkpoint(folder).generator
    assert {value.dtype for value in generator.parameters()} == {torch.float32}


def test_loading_draws_no_random_numbers(folder: Path) -> None:
    before = torch.random.get_rng_state()
    load_checkpoint(folder)
    assert torch.equal(torch.random.get_rng_state(), before)


def test_what_is_missing() -> None:
    assert incomplete_error("x", ["a.bin", CONFIG_FILE]).reason == "pickle"
    assert incomplete_error("x", ["a.bin", WEIGHTS_FILE]).reason == "foreign"
    assert incomplete_error("x", []).reason == "foreign"
