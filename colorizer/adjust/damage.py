"""Where is a photo damaged? Specks, fibers, scratches, cracks and creases.

A small U-Net looks at the photo's lightness. It has learned from photos on which damage was drawn
(`train.damage`): whatever thin line or speck was in the photo before, a wire, a twig, a necklace,
writing, it learned to leave alone.
"""

from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.imaging.arrays import Plane

WEIGHTS = Path(__file__).with_suffix(".safetensors")
CHANNELS = (8, 16, 32, 48)  # at full, half, quarter and eighth resolution


class DamageDetector(nn.Module):
    """Predicts the logit of each pixel being damaged."""

    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.ModuleList()
        before = 1
        for width in CHANNELS:
            self.encoder.append(_block(before, width, width))
            before = width
        self.decoder = nn.ModuleList(
            _block(below + width, width)
            for below, width in zip(CHANNELS[:0:-1], CHANNELS[-2::-1], strict=True)
        )
        self.head = nn.Conv2d(CHANNELS[0], 1, 1)

    def forward(self, lightness: Tensor) -> Tensor:
        """L* (N, 1, H, W), scaled to -0.5 to 0.5, to logits (N, 1, H, W); any size."""
        maps = []
        features = lightness
        for number, block in enumerate(self.encoder):
            features = block(F.avg_pool2d(features, 2, ceil_mode=True) if number else features)
            maps.append(features)
        for block, skip in zip(self.decoder, maps[-2::-1], strict=True):
            height, width = skip.shape[2:]
            larger = F.interpolate(features, scale_factor=2.0)[:, :, :height, :width]
            features = block(torch.cat((larger, skip), 1))
        return torch.as_tensor(self.head(features))


def find_damage(lightness: Plane) -> Plane:
    """The logit of each pixel being damaged.

    Of the damage drawn on 496 photos that the network had not seen, 48 % has a logit above 0, and
    of the pixels above 0, 66 % are damaged (`python -m train.damage --data PHOTOS`). Above 4 it is
    30 % and 87 %, see train/EXPERIMENTS.md.

    Args:
        lightness: (h, w) float32 L* in [0, 100].

    Returns:
        (h, w) float32.
    """
    scaled = torch.from_numpy(lightness / np.float32(100) - np.float32(0.5))[None, None]
    with torch.inference_mode():
        return np.asarray(load_detector()(scaled)[0, 0].numpy())


@cache
def load_detector() -> DamageDetector:
    """The network with its trained weights."""
    network = DamageDetector()
    network.load_state_dict(load_file(WEIGHTS))
    return network.eval()


def _block(*channels: int) -> nn.Sequential:
    """Convolutions between these numbers of channels."""
    layers: list[nn.Module] = []
    for before, after in pairwise(channels):
        layers += [
            nn.Conv2d(before, after, 3, padding=1, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(inplace=True),
        ]
    return nn.Sequential(*layers)
