"""Averaging checkpoints: their mean, their settings, and sentences for what does not fit."""

from pathlib import Path

import pytest
import torch

from colorizer.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from colorizer.networks.generator import Generator
from tests.helpers.networks import tiny_generator
from train.average import main


@pytest.fixture
def folders(tmp_path: Path) -> tuple[str, str]:
    for name, seed in (("a", 0), ("b", 1)):
        save_checkpoint(tmp_path / name, tiny_generator(seed), 192 + 32 * seed)
    return str(tmp_path / "a"), str(tmp_path / "b")


@pytest.mark.parametrize("share", [0.0, 0.25, 1.0])
def test_weights_lie_between(folders: tuple[str, str], share: float, tmp_path: Path) -> None:
    assert main([*folders, "--share", str(share), "--output", str(tmp_path / "c")]) == 0
    first, second = (load_checkpoint(folder).generator.state_dict() for folder in folders)
    found = load_checkpoint(tmp_path / "c")
    assert found.working_size == 224
    for name, value in found.generator.state_dict().items():
        if not value.is_floating_point():  # batch norm counts its steps
            continue
        expected = (1 - share) * first[name] + share * second[name]
        torch.testing.assert_close(value, expected, rtol=2e-3, atol=1e-3)  # kept in float16


def test_the_gain_is_written(folders: tuple[str, str], tmp_path: Path) -> None:
    arguments = [*folders, "--chroma-gain", "1.25", "--output", str(tmp_path / "c")]
    assert main(arguments) == 0
    generator = load_checkpoint(tmp_path / "c").generator
    assert isinstance(generator, Generator)
    assert generator.config.chroma_gain == 1.25


def test_other_networks_do_not_mix(
    folders: tuple[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save_checkpoint(tmp_path / "tanh", tiny_generator(head="tanh"), 192)
    assert main([folders[0], str(tmp_path / "tanh"), "--output", str(tmp_path / "c")]) == 1
    assert "hold different networks; average checkpoints of which one" in capsys.readouterr().err
    assert not (tmp_path / "c").exists()


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [("--share", "1.5", "The share is 1.5"), ("--chroma-gain", "0", "chroma_gain is 0.0; it must")],
)
def test_what_is_out_of_range(
    option: str,
    value: str,
    sentence: str,
    folders: tuple[str, str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main([*folders, option, value, "--output", str(tmp_path / "c")]) == 1
    assert sentence in capsys.readouterr().err
    assert not (tmp_path / "c").exists()
