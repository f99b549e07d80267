"""Training the network that finds damage: it writes what the library loads, and learns."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from colorizer.adjust.damage import DamageDetector, load_detector
from train.damage import main
from train.data.samples import Sample, pick
from train.data.sources import find_sources
from train.measure import damage


@pytest.fixture
def samples(photo_folder: Path) -> list[Sample]:
    return [sample for _, sample in pick(find_sources([str(photo_folder)]), None)]


@pytest.fixture(autouse=True)
def small(monkeypatch) -> None:
    monkeypatch.setattr(damage, "BATCH", 4)
    monkeypatch.setattr(damage, "CROP", 32)


def test_training_writes_weights_that_load(photo_folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "a.safetensors"
    assert main(["--data", str(photo_folder), "--output", str(output), "--steps", "2"]) == 0
    weights = load_file(output)
    DamageDetector().load_state_dict(weights)
    assert not torch.equal(weights["head.weight"].float(), load_detector().head.weight)


@pytest.mark.slow
def test_it_learns(samples: list[Sample]) -> None:
    """Half as much again of what it takes for damage is damaged as of all pixels."""
    figures = damage.measure(damage.train(samples, 150), samples * 4)
    share = np.mean([mask.mean().item() for _, mask in damage._batches(samples, 8, 1)])
    assert figures["recall"] > 0.2
    assert figures["precision"] > 1.5 * share


def test_the_bundled_network_finds_most_damage(photo_folder: Path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(damage, "CROP", 128)
    assert main(["--data", str(photo_folder)]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["photos"] == 8
    assert figures["precision"] > 0.5
    assert figures["recall"] > 0.3
