"""A second view of a photo: the network sees it again, mirrored and larger, and both are averaged.

The mean of ab was better than ab of the mean distribution. Against one view, MS-SSIM of ab rises a
little, the colors are a little paler, and LPIPS is worse: see train/EXPERIMENTS.md.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from colorizer.checkpoints.files import WORKING_SIZES
from colorizer.imaging.arrays import Plane
from colorizer.inference.colorization import NetworkOutput
from colorizer.inference.distribution import Distribution
from colorizer.inference.small_faces import STRIDE, resize

MAX_VIEWS = 2
SCALE = 10 / 9  # of the second view's working size to the first's: 320 for 288


def second_size(first: tuple[int, int], working_size: int) -> tuple[int, int]:
    """Return the (height, width) of the second view.

    Both are multiples of the distribution's stride, so that its mirrored grid fits the photo.

    Args:
        first: (height, width) of the first view.
        working_size: short side in pixels that was asked for; the second view's is not larger than
            the largest allowed.
    """
    scale = min(SCALE, WORKING_SIZES[1] / working_size)
    rows, columns = (STRIDE * max(1, round(scale * side / STRIDE)) for side in first)
    return rows, columns


def mirror(planes: Plane) -> Plane:
    """Swap left and right of planes (..., h, w), in memory of their own."""
    return np.ascontiguousarray(planes[..., ::-1])


def average_views(first: NetworkOutput, second: NetworkOutput) -> NetworkOutput:
    """Average what the network predicted for two views of a photo.

    Args:
        first: of the photo.
        second: of the photo mirrored, at any size, its sides multiples of 4.

    Returns:
        The means of the ab and of the probabilities, if the network predicts any, for the input
        and at the sizes of `first`.
    """
    again = resize(torch.from_numpy(mirror(second.ab)), first.ab.shape[1:])
    ab = (first.ab + again.numpy()) / 2
    return replace(first, ab=ab, distribution=_average(first.distribution, second.distribution))


def _average(first: Distribution | None, second: Distribution | None) -> Distribution | None:
    if first is None or second is None:
        return None
    again = torch.softmax(second.logits, 0).flip(2)
    likely: Tensor = torch.softmax(first.logits, 0) + resize(again, first.logits.shape[1:])
    smallest = torch.finfo(likely.dtype).tiny  # a color that both exclude has no logarithm
    return replace(first, logits=(likely / 2).clamp_min(smallest).log())
