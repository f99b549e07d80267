"""Training the recognizer of negatives: it writes what the library loads, and measures honestly."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from colorizer.inference.negatives import SIDE, Polarity, load_polarity
from train.data.samples import pick
from train.data.sources import find_sources
from train.measure import negatives
from train.negatives import main


def test_training_writes_weights_that_load(photo_folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "a.safetensors"
    options = ["--data", str(photo_folder), "--output", str(output), "--epochs", "2"]
    assert main(options) == 0
    weights = load_file(output)
    Polarity().load_state_dict(weights)
    assert not np.array_equal(
        weights["layers.0.weight"].numpy(), load_polarity().layers[0].weight.detach().numpy()
    )


def test_it_learns_which_photos_are_positives(photo_folder: Path, monkeypatch) -> None:
    monkeypatch.setattr(negatives, "BATCH", 16)
    seen = negatives.network_inputs(
        [sample for _, sample in pick(find_sources([str(photo_folder)]), None)]
    )
    assert seen.shape == (8, 1, SIDE, SIDE)
    for photos in (seen, -seen):
        network = negatives.train(photos, 40)
        with torch.inference_mode():
            assert (network(torch.from_numpy(photos)) > 0).float().mean() >= 0.75


def test_rates() -> None:
    """Of a network that takes what is bright above for a positive."""

    def brighter_above(gray: torch.Tensor) -> torch.Tensor:
        return 100 * gray[:, 0, :9].mean((1, 2))

    photos = np.zeros((4, 1, SIDE, SIDE), np.float32)
    photos[:, :, :9] = np.array([0.4, 0.3, -0.3, 0.001])[:, None, None, None]
    assert negatives.measure(brighter_above, photos) == {
        "photos": 4,
        "negatives_found": 0.5,
        "positives_taken_for_negatives": 0.25,
        "precision": 2 / 3,
    }


def test_variations_stay_positives() -> None:
    ramp = torch.linspace(-0.5, 0.5, SIDE).expand(64, 1, SIDE, SIDE).transpose(2, 3)
    varied = negatives.vary(ramp, torch.Generator().manual_seed(0))
    assert varied.shape == ramp.shape
    assert not torch.equal(varied[0], varied[1])
    top, bottom = (
        varied[:, :, : SIDE // 2].mean((1, 2, 3)),
        varied[:, :, SIDE // 2 :].mean((1, 2, 3)),
    )
    assert (bottom > top).all()


def test_measuring_the_weights_that_are_there(photo_folder: Path, capsys) -> None:
    assert main(["--data", str(photo_folder)]) == 0
    assert json.loads(capsys.readouterr().out)["photos"] == 8


def test_no_photos(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data", str(tmp_path / "none")]) == 1
    assert capsys.readouterr().err.startswith("train.negatives: ")
