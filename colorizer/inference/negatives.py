"""Does a photo look like a negative?

A tiny network looks at a small copy: at tones, at the upper and the lower part, at faces. It is
antisymmetric by construction: evidence for a positive is equal evidence against its inversion, and
a uniform photo counts as neither.

False alarms cost more than misses. The network had not seen 500 test photos: of their inversions it
recognizes 138, and of the photos themselves it takes 2 for negatives; of 24 historic ones 3 and 0
(`python -m train.negatives --data PHOTOS`; the threshold was chosen on these). At a lower
threshold, with 4 false alarms, it finds 160, and a logistic regression of tones alone half as many.
Negatives on film, with their edges and their own tone curve, were not available.
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
SIDE = 64  # pixels of the network's square input
CHANNELS = (16, 32, 64, 64)  # of the layers
MIN_LOGIT = 3.25  # for a negative: odds of 26 to 1


class Polarity(nn.Module):
    """Predicts the logit of a photo being a positive; its inversion has the opposite logit."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 1
        for width in CHANNELS:
            size = 5 if before == 1 else 3
            layers += [
                nn.Conv2d(before, width, size, stride=2, padding=size // 2, bias=False),
                nn.BatchNorm2d(width),
                nn.ReLU(),
            ]
            before = width
        self.layers = nn.Sequential(*layers, nn.Conv2d(before, 1, 1), nn.Flatten())

    def forward(self, gray: Tensor) -> Tensor:
        """sRGB gray (N, 1, `SIDE`, `SIDE`), -0.5 to 0.5, to logits (N,)."""
        positive, negative = self.layers(torch.cat((gray, -gray))).mean(1).chunk(2)
        return torch.as_tensor(positive - negative)


def is_negative(photo: Photo) -> bool:
    """Whether a photo is likely enough a negative to ask the user."""
    with torch.inference_mode():
        logit = load_polarity()(torch.from_numpy(small_gray(photo))[None, None])
    return bool(logit < -MIN_LOGIT)


def small_gray(photo: Photo) -> Plane:
    """The network's input for a photo of any size: (`SIDE`, `SIDE`), -0.5 to 0.5."""
    levels = photo.shrunk((SIDE, SIDE)).to_gray().pixels[:, :, 0]
    return np.asarray(levels / np.float32(255) - np.float32(0.5))


@cache
def load_polarity() -> Polarity:
    """The network with its trained weights."""
    network = Polarity()
    network.load_state_dict(load_file(WEIGHTS))
    return network.eval()
