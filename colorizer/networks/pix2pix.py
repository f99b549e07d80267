"""The classic pix2pix U-Net, the baseline for other networks.

Isola et al. 2017, appendix 6.1.1: eight downs, eight ups, dropout, trained from scratch.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.imaging.color import lightness_to_gray, rgb_to_lab
from colorizer.networks.generator import AB_SCALE, Prediction, padding

SPACES = ("rgb", "ab")
STRIDE = 256  # of the eight downs together


@dataclass(frozen=True)
class Pix2PixConfig:
    """Everything needed to rebuild the network exactly."""

    space: str = "rgb"  # "rgb": gray to RGB in [0, 1]; "ab": L to ab
    width: int = 64  # channels of the first layer; the widest have eight times as many

    def __post_init__(self) -> None:
        if self.space not in SPACES:
            raise ValueError(f"space is {self.space!r}; use one of {', '.join(SPACES)}.")
        if self.width < 1:
            raise ValueError(f"width is {self.width}; it must be at least 1.")


class Pix2Pix(nn.Module):
    """U-Net from gray to RGB, or from lightness to ab; it predicts no distribution."""

    bins = torch.empty(2, 0)  # of the distribution that it doesn't predict

    def __init__(self, config: Pix2PixConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or Pix2PixConfig()
        widths = [config.width * min(2**layer, 8) for layer in range(8)]
        self.downs = nn.ModuleList()
        before = 1
        for layer, width in enumerate(widths):
            normalized = 0 < layer < 7  # not the first, and not one pixel alone
            self.downs.append(_down(before, width, normalized, activated=layer > 0))
            before = width
        self.ups = nn.ModuleList()
        for layer, width in enumerate(reversed(widths[:7])):
            self.ups.append(_up(before, width, dropout=layer < 3))
            before = 2 * width  # with the skip
        outputs = 3 if config.space == "rgb" else 2
        self.last = nn.Sequential(nn.ReLU(), nn.ConvTranspose2d(before, outputs, 4, 2, 1))
        self.apply(_initialize)

    def forward(self, lightness: Tensor) -> Prediction:
        """Predict the colors of a batch.

        Args:
            lightness: (N, 1, H, W) float32, L* in [0, 100]; any size, padded to the stride inside.

        Returns:
            A `Prediction` at the input's size, with `rgb` where the network predicts that.
        """
        height, width = lightness.shape[-2:]
        rgb_space = self.config.space == "rgb"
        x = 2 * lightness_to_gray(lightness) - 1 if rgb_space else lightness / 50 - 1
        pad = (0, padding(width, STRIDE), 0, padding(height, STRIDE))
        x = F.pad(x, pad, mode="replicate")
        skips = []
        for down in self.downs:
            x = down(x)
            skips.append(x)
        x = skips.pop()
        for up in self.ups:
            x = torch.cat((up(x), skips.pop()), dim=1)
        x = self.last(x).float()[..., :height, :width]
        if rgb_space:
            rgb = torch.sigmoid(x)
            with torch.autocast(rgb.device.type, enabled=False):  # colors need more than 8 bits
                return Prediction(rgb_to_lab(rgb)[:, 1:], None, rgb)
        return Prediction(AB_SCALE * torch.tanh(x), None)


def _down(channels: int, out: int, normalized: bool, activated: bool) -> nn.Sequential:
    layers: list[nn.Module] = [nn.LeakyReLU(0.2)] if activated else []
    layers.append(nn.Conv2d(channels, out, 4, stride=2, padding=1, bias=not normalized))
    return nn.Sequential(*layers, *([nn.BatchNorm2d(out)] if normalized else []))


def _up(channels: int, out: int, dropout: bool) -> nn.Sequential:
    conv = nn.ConvTranspose2d(channels, out, 4, stride=2, padding=1, bias=False)
    layers = [nn.ReLU(), conv, nn.BatchNorm2d(out)]
    return nn.Sequential(*layers, *([nn.Dropout(0.5)] if dropout else []))


def _initialize(layer: nn.Module) -> None:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        nn.init.normal_(layer.weight, std=0.02)  # ibid., sec. 6.2
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, mean=1.0, std=0.02)
