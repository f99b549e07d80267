"""The discriminator: a 70x70 PatchGAN (Isola et al. 2017, appendix 6.1.2) on CIELAB."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from colorizer.generator import AB_SCALE


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Everything needed to rebuild the network exactly."""

    width: int = 64  # channels of the first layer, doubled by each of the next
    strided_layers: int = 3  # three see patches of 70 x 70 pixels
    spectral: bool = False  # spectral norm instead of batch norm

    def __post_init__(self) -> None:
        if self.width < 1 or self.strided_layers < 1:
            raise ValueError(
                f"width is {self.width} and strided_layers {self.strided_layers}; "
                "both must be at least 1."
            )


class Discriminator(nn.Module):
    """Says of every patch whether its colors look real."""

    def __init__(self, config: DiscriminatorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or DiscriminatorConfig()
        widths = [config.width * min(2**layer, 8) for layer in range(config.strided_layers + 1)]
        layers: list[nn.Module] = [
            nn.Conv2d(3, widths[0], 4, stride=2, padding=1),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        for number, (before, after) in enumerate(pairwise(widths), start=2):
            stride = 2 if number <= config.strided_layers else 1
            conv = nn.Conv2d(before, after, 4, stride=stride, padding=1, bias=config.spectral)
            layers += [spectral_norm(conv)] if config.spectral else [conv, nn.BatchNorm2d(after)]
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        layers.append(nn.Conv2d(widths[-1], 1, 4, padding=1))
        self.layers = nn.Sequential(*layers)

    def forward(self, lightness: Tensor, ab: Tensor) -> Tensor:
        """Judge a batch.

        Args:
            lightness: (N, 1, H, W) float32, L* in [0, 100]; at least 32 x 32 pixels.
            ab: (N, 2, H, W) float32.

        Returns:
            (N, 1, h, w) logits, one per patch, high for real.
        """
        lab = torch.cat((lightness / 50 - 1, ab / AB_SCALE), dim=1)
        judged: Tensor = self.layers(lab)
        return judged
