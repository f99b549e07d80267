"""Does a photo look like a negative?

A tiny network looks at a small copy: at tones, at what is above and below, at faces. Whatever
speaks for a positive speaks as much against its inversion: the judgment is antisymmetric by
construction, and a plain photo is neither.

Few false alarms count more than few misses. Of 500 photos that the network has not seen, inverted,
160 are recognized, and 4 of them as they are are taken for negatives; of 24 historic ones 5, and 1
(`python -m train.negatives --data PHOTOS`; the threshold was chosen on these). A logistic
regression of tones alone found half as many at as few false alarms. Negatives on film, with their
edges and a tone curve of their own, were not at hand.
"""

from functools import cache
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from colorizer.imaging.arrays import Plane
from colorizer.photo.photo import Photo

WEIGHTS = Path(__file__).with_suffix(".safetensors")
SIDE = 64  # pixels of the copy that the network sees, squeezed to a square
WIDTHS = (16, 32, 64, 64)  # channels of the layers
SURE = 3.0  # logit: as sure that it is a negative as 20 to 1


class Polarity(nn.Module):
    """Logit of a photo being a positive; of its inversion it is the opposite."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 1
        for width in WIDTHS:
            size = 5 if before == 1 else 3
            layers += [
                nn.Conv2d(before, width, size, stride=2, padding=size // 2, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            ]
            before = width
        self.layers = nn.Sequential(*layers, nn.Conv2d(before, 1, 1), nn.Flatten())

    def forward(self, gray: Tensor) -> Tensor:
        """Levels of sRGB gray (N, 1, `SIDE`, `SIDE`), -0.5 to 0.5, to logits (N,)."""
        positive, negative = self.layers(torch.cat((gray, -gray))).mean(1).chunk(2)
        return torch.as_tensor(positive - negative)


def is_negative(photo: Photo) -> bool:
    """Whether a photo is so likely a negative that a person should be asked."""
    with torch.inference_mode():
        logit = load_polarity()(torch.from_numpy(small_gray(photo))[None, None])
    return bool(logit < -SURE)


def small_gray(photo: Photo) -> Plane:
    """What the network sees of a photo of any size: (`SIDE`, `SIDE`), -0.5 to 0.5."""
    levels = photo.shrunk((SIDE, SIDE)).to_gray().pixels[:, :, 0]
    return np.asarray(levels / np.float32(255) - np.float32(0.5))


@cache
def load_polarity() -> Polarity:
    """The network with the weights that come with it."""
    network = Polarity()
    network.load_state_dict(load_file(WEIGHTS))
    return network.eval()
