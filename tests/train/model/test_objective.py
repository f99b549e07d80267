"""What the generator is asked to do: the right losses with their weights, on the right planes."""

import numpy as np
import pytest
import torch

from colorizer import Photo
from colorizer.imaging.color import ab_bins
from colorizer.networks.generator import Prediction
from tests.helpers.photos import color_pixels
from train.model.objective import Batch, Objective, output_and_truth
from train.settings.config import TrainConfig

BINS = torch.tensor(ab_bins()).T
PRIOR = torch.full((BINS.shape[1],), 1 / BINS.shape[1])
OFF = {"bins_weight": 0.0, "ab_weight": 0.0}


@pytest.fixture
def batch() -> Batch:
    """A color photo whose input was made darker."""
    photo = Photo(color_pixels(32, 32))
    gray = photo.to_gray().pixels // 2
    pixels = torch.from_numpy(np.dstack((photo.pixels, gray))).permute(2, 0, 1)
    return Batch.of(pixels[None])


def prediction(batch: Batch, error: float = 0.0, rgb: bool = False) -> Prediction:
    logits = torch.zeros(1, BINS.shape[1], 8, 8)
    return Prediction(batch.ab + error, logits, (batch.rgb * 0.9) if rgb else None)


def losses(batch: Batch, predicted: Prediction, **weights: float) -> dict[str, float]:
    objective = Objective(TrainConfig(**(OFF | weights)), BINS, PRIOR)  # type: ignore[arg-type]
    return {name: float(loss) for name, loss in objective(predicted, batch).items()}


def test_the_truth_keeps_the_lightness_that_the_input_lost(batch: Batch) -> None:
    lightness = Photo(color_pixels(32, 32)).lightness
    assert np.abs(batch.lightness[0, 0].numpy() - lightness).max() < 0.01
    assert (batch.input[0, 0].numpy() < lightness - 5).mean() > 0.9


def test_losses_without_weight_are_left_out(batch: Batch) -> None:
    assert set(losses(batch, prediction(batch), ab_weight=1.0)) == {"ab"}
    every = {"bins_weight": 1.0, "l1_weight": 1.0, "gradient_weight": 1.0}
    every |= {"colorfulness_weight": 1.0, "delta_e_weight": 1.0, "ms_ssim_weight": 1.0}
    found = losses(batch, prediction(batch), **every)
    assert set(found) == {"bins", "l1", "gradient", "colorfulness", "delta_e", "ms_ssim"}


@pytest.mark.parametrize("name", ["bins", "ab", "delta_e", "l1", "ms_ssim", "colorfulness"])
def test_losses_grow_with_their_weights(name: str, batch: Batch) -> None:
    (one,) = losses(batch, prediction(batch, 10), **{f"{name}_weight": 1.0}).values()
    (three,) = losses(batch, prediction(batch, 10), **{f"{name}_weight": 3.0}).values()
    assert one != 0
    assert three == pytest.approx(3 * one, rel=1e-5)


def test_l1_is_on_the_networks_own_scale(batch: Batch) -> None:
    assert losses(batch, prediction(batch, 11), l1_weight=1.0)["l1"] == pytest.approx(0.1)
    found = losses(batch, prediction(batch, 11, rgb=True), l1_weight=1.0)["l1"]
    assert found == pytest.approx(0.1 * float(batch.rgb.mean()), rel=1e-4)


def test_rgb_is_judged_where_it_is_predicted(batch: Batch) -> None:
    output, truth = output_and_truth(prediction(batch, rgb=True), batch)
    assert output.shape == truth.shape == (1, 3, 32, 32)
    output, truth = output_and_truth(prediction(batch), batch)
    assert output.shape == truth.shape == (1, 2, 32, 32)
