"""The discriminator: a 70x70 PatchGAN (Isola et al. 2017, appendix 6.1.2) on CIELAB or RGB."""

from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm

from colorizer.imaging.color import lightness_to_gray
from colorizer.networks.generator import AB_SCALE

SPACES = ("ab", "rgb")
MAX_STRIDED_LAYERS = 8


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Everything needed to rebuild the network exactly."""

    space: str = "ab"  # judges "ab" beside L, or "rgb" beside gray
    width: int = 64  # channels of the first layer, doubled by each of the next
    strided_layers: int = 3  # three see patches of 70 x 70 pixels
    spectral: bool = False  # spectral norm instead of batch norm

    def __post_init__(self) -> None:
        if self.space not in SPACES:
            raise ValueError(f"space is {self.space!r}; use one of {', '.join(SPACES)}.")
        if self.width < 1 or not 1 <= self.strided_layers <= MAX_STRIDED_LAYERS:
            raise ValueError(
                f"width is {self.width} and strided_layers {self.strided_layers}; "
                f"both must be at least 1, the latter at most {MAX_STRIDED_LAYERS}."
            )


class Discriminator(nn.Module):
    """Says of every patch whether its colors look real."""

    def __init__(self, config: DiscriminatorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or DiscriminatorConfig()
        widths = [config.width * min(2**layer, 8) for layer in range(config.strided_layers + 1)]
        layers: list[nn.Module] = [
            nn.Conv2d(3 if config.space == "ab" else 4, widths[0], 4, stride=2, padding=1),
            nn.LeakyReLU(0.2, inplace=True),
        ]
        for number, (before, after) in enumerate(pairwise(widths), start=2):
            stride = 2 if number <= config.strided_layers else 1
            conv = nn.Conv2d(before, after, 4, stride=stride, padding=1, bias=config.spectral)
            layers += [spectral_norm(conv)] if config.spectral else [conv, nn.BatchNorm2d(after)]
            layers.append(nn.LeakyReLU(0.2, inplace=True))
        layers.append(nn.Conv2d(widths[-1], 1, 4, padding=1))
        self.layers = nn.Sequential(*layers)

    def forward(self, lightness: Tensor, colors: Tensor) -> Tensor:
        """Judge a batch.

        Args:
            lightness: (N, 1, H, W) float32, L* in [0, 100]; at least 32 x 32 pixels.
            colors: float32, (N, 2, H, W) ab, or (N, 3, H, W) RGB in [0, 1], as the space says.

        Returns:
            (N, 1, h, w) logits, one per patch, high for real.
        """
        if self.config.space == "ab":
            picture = torch.cat((lightness / 50 - 1, colors / AB_SCALE), dim=1)
        else:
            picture = 2 * torch.cat((lightness_to_gray(lightness), colors), dim=1) - 1
        judged: Tensor = self.layers(picture)
        return judged
