"""Discriminators on CIELAB or RGB.

"patch" is the 70x70 PatchGAN (Isola et al. 2017, appendix 6.1.2), "unet" a U-Net with a logit for
each pixel (Schonfeld et al. 2020), as DDColor and ColorFormer train with.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import spectral_norm

from colorizer.imaging.color import lightness_to_gray
from colorizer.networks.generator import AB_SCALE

SPACES = ("ab", "rgb")
KINDS = ("patch", "unet")
MAX_STRIDED_LAYERS = 8


@dataclass(frozen=True)
class DiscriminatorConfig:
    """Everything needed to rebuild the network exactly."""

    space: str = "ab"  # of the colors: "ab" beside L, or "rgb" beside gray
    width: int = 64  # channels of the first layer, doubled by each of the next
    strided_layers: int = 3  # three see patches of 70 x 70 pixels
    spectral: bool = False  # spectral norm instead of batch norm
    kind: str = "patch"  # one logit per patch, or per pixel ("unet")

    def __post_init__(self) -> None:
        if self.space not in SPACES:
            raise ValueError(f"space is {self.space!r}; use one of {', '.join(SPACES)}.")
        if self.kind not in KINDS:
            raise ValueError(f"kind is {self.kind!r}; use one of {', '.join(KINDS)}.")
        if self.width < 1 or not 1 <= self.strided_layers <= MAX_STRIDED_LAYERS:
            raise ValueError(
                f"width is {self.width} and strided_layers {self.strided_layers}; "
                f"both must be at least 1, the latter at most {MAX_STRIDED_LAYERS}."
            )


class Discriminator(nn.Module):
    """Logits that tell real colors from predicted ones."""

    def __init__(self, config: DiscriminatorConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or DiscriminatorConfig()
        channels = 3 if config.space == "ab" else 4
        widths = [config.width * min(2**layer, 8) for layer in range(config.strided_layers + 1)]
        self.layers = (
            _UNet(channels, widths, config.spectral)
            if config.kind == "unet"
            else _patch_layers(channels, widths, config.spectral)
        )

    def forward(self, lightness: Tensor, colors: Tensor) -> Tensor:
        """Classify a batch.

        Args:
            lightness: (N, 1, H, W) float32, L* in [0, 100]; at least 32 x 32 pixels.
            colors: float32, (N, 2, H, W) ab, or (N, 3, H, W) RGB in [0, 1], as the space says.

        Returns:
            (N, 1, h, w) logits, one per patch or pixel, high for real.
        """
        if self.config.space == "ab":
            picture = torch.cat((lightness / 50 - 1, colors / AB_SCALE), dim=1)
        else:
            picture = 2 * torch.cat((lightness_to_gray(lightness), colors), dim=1) - 1
        logits: Tensor = self.layers(picture)
        return logits


class _UNet(nn.Module):
    """An encoder that halves the size with each width, and a decoder with skips back to pixels."""

    def __init__(self, channels: int, widths: Sequence[int], spectral: bool) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(channels, widths[0], 3, padding=1), nn.LeakyReLU(0.2, inplace=True)
        )
        self.down = nn.ModuleList(
            nn.Sequential(*_block(nn.Conv2d(before, after, 4, 2, 1, bias=spectral)))
            for before, after in pairwise(widths)
        )
        self.up = nn.ModuleList(
            nn.Sequential(*_block(nn.Conv2d(before + after, after, 3, 1, 1, bias=spectral)))
            for after, before in reversed([*pairwise(widths)])
        )
        self.head = nn.Conv2d(widths[0], 1, 3, padding=1)

    def forward(self, picture: Tensor) -> Tensor:
        """(N, 1, H, W) logits of a picture (N, C, H, W)."""
        skips = [self.stem(picture)]
        for down in self.down:
            skips.append(down(skips[-1]))
        features = skips.pop()
        for up in self.up:
            skip = skips.pop()
            larger = F.interpolate(features, skip.shape[-2:], mode="bilinear", align_corners=False)
            features = up(torch.cat((larger, skip), dim=1))
        logits: Tensor = self.head(features)
        return logits


def _patch_layers(channels: int, widths: Sequence[int], spectral: bool) -> nn.Sequential:
    layers: list[nn.Module] = [
        nn.Conv2d(channels, widths[0], 4, stride=2, padding=1),
        nn.LeakyReLU(0.2, inplace=True),
    ]
    for number, (before, after) in enumerate(pairwise(widths), start=2):
        stride = 2 if number < len(widths) else 1
        layers += _block(nn.Conv2d(before, after, 4, stride=stride, padding=1, bias=spectral))
    layers.append(nn.Conv2d(widths[-1], 1, 4, padding=1))
    return nn.Sequential(*layers)


def _block(conv: nn.Conv2d) -> list[nn.Module]:
    """A convolution, normalized by its spectrum if it has a bias, else by batch norm."""
    normalized = (
        [conv, nn.BatchNorm2d(conv.out_channels)] if conv.bias is None else [spectral_norm(conv)]
    )
    return [*normalized, nn.LeakyReLU(0.2, inplace=True)]
