"""The generator's losses against the true colors, weighted, by name."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple, Self

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.imaging.color import gray_to_lightness, lab_to_rgb, rgb_to_lab
from colorizer.networks.generator import AB_SCALE, Prediction
from train.model.bins import BinLoss
from train.model.losses import (
    ab_gradient_loss,
    ab_loss,
    colorfulness_loss,
    delta_e_loss,
    ms_ssim_loss,
)
from train.model.perceptual import PerceptualLoss
from train.settings.config import TrainConfig


class Batch(NamedTuple):
    """Photos as tensors."""

    input: Tensor  # (N, 1, H, W) L* of the gray input, 0 to 100
    lightness: Tensor  # (N, 1, H, W) L* of the color photo, which the input may have lost
    ab: Tensor  # (N, 2, H, W) of the color photo
    rgb: Tensor  # (N, 3, H, W) the color photo, 0 to 1

    @classmethod
    def of(cls, pixels: Tensor) -> Self:
        """From uint8 (N, 4, H, W): sRGB, then the gray levels of the input."""
        rgb, gray = pixels[:, :3] / 255, pixels[:, 3:] / 255
        lab = rgb_to_lab(rgb)
        return cls(gray_to_lightness(gray), lab[:, :1], lab[:, 1:], rgb)


class Objective(nn.Module):
    """The generator's losses against the truth.

    Args:
        config: the weights.
        bins: (2, Q) centres of the ab bins.
        prior: (Q,) share of each bin among the training pixels; None for a network that predicts no
            distribution.
        autocast: for the perceptual network; the other losses need float32.

    Raises:
        ValueError: the perceptual weights can't be read, or all losses have weight 0.
    """

    def __init__(
        self,
        config: TrainConfig,
        bins: Tensor,
        prior: Tensor | None,
        autocast: Callable[[], AbstractContextManager[None]] = nullcontext,
    ) -> None:
        super().__init__()
        self.config = config
        self.autocast = autocast
        self.bins = (
            BinLoss(bins, prior, config.rebalance)
            if prior is not None and config.bins_weight
            else None
        )
        self.perceptual = (
            PerceptualLoss(config.perceptual, Path(config.perceptual_weights))
            if config.perceptual_weight
            else None
        )
        self.vgg = PerceptualLoss("vgg16", Path(config.vgg_weights)) if config.vgg_weight else None

        weights = [config.ab_weight, config.delta_e_weight, config.l1_weight]
        weights += [config.gradient_weight, config.perceptual_weight, config.vgg_weight]
        weights += [config.ms_ssim_weight, config.colorfulness_weight]
        if not any(weights) and self.bins is None:
            raise ValueError(
                "No loss of this network has a weight above 0; set --ab-weight, for example."
            )

    def forward(self, prediction: Prediction, batch: Batch) -> dict[str, Tensor]:
        """Weighted losses by name; those of weight 0 are left out."""
        config = self.config
        losses = {}
        if self.bins is not None and prediction.logits is not None:
            target = F.avg_pool2d(batch.ab, 4)
            losses["bins"] = config.bins_weight * self.bins(prediction.logits, target)
        if config.ab_weight:
            losses["ab"] = config.ab_weight * ab_loss(prediction.ab, batch.ab)
        if config.delta_e_weight:
            losses["delta_e"] = config.delta_e_weight * delta_e_loss(prediction.ab, batch.ab)
        if config.l1_weight:
            output, truth = output_and_truth(prediction, batch)
            scale = AB_SCALE if prediction.rgb is None else 1.0
            losses["l1"] = config.l1_weight * F.l1_loss(output, truth) / scale
        if config.gradient_weight:
            losses["gradient"] = config.gradient_weight * ab_gradient_loss(prediction.ab, batch.ab)
        if config.ms_ssim_weight:
            losses["ms_ssim"] = config.ms_ssim_weight * ms_ssim_loss(prediction.ab, batch.ab)
        if self.perceptual or self.vgg or config.colorfulness_weight:
            rgb = prediction.rgb
            if rgb is None:
                rgb = lab_to_rgb(torch.cat((batch.lightness, prediction.ab), dim=1))
            for name, network, weight in (
                ("perceptual", self.perceptual, config.perceptual_weight),
                ("vgg", self.vgg, config.vgg_weight),
            ):
                if network is not None:
                    with self.autocast():
                        distance = network(rgb, batch.rgb)
                    losses[name] = weight * distance.float()
            if config.colorfulness_weight:
                losses["colorfulness"] = config.colorfulness_weight * colorfulness_loss(rgb)
        return losses


def output_and_truth(prediction: Prediction, batch: Batch) -> tuple[Tensor, Tensor]:
    """Output and truth in the space of the network: RGB in [0, 1], or ab."""
    if prediction.rgb is not None:
        return prediction.rgb, batch.rgb
    return prediction.ab, batch.ab
