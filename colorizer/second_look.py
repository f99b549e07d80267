"""A second, finer look at photos that are larger than the network's picture, for small faces.

At the working size a face in a group has about ten pixels, and the network leaves it gray. At a
larger size it knows the skin, but paints large areas less evenly. So its finer look counts only for
small things to which it gives skin's colors and the first look doesn't. The limits below were set
on historic photos, as train/EXPERIMENTS.md tells.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from colorizer.bands import Plane
from colorizer.chroma import box_mean
from colorizer.skin import ramp, skin_likeness

Look = tuple[Plane, Tensor]  # ab (2, h, w) and logits (Q, ceil(h / 4), ceil(w / 4)), both float32

FINER = 16 / 9  # times the working size: 288 pixels become 512
WORTHWHILE = 1.5  # times the working size: less isn't worth the time
WINDOW = 0.1  # of the short side: radius of the windows whose share of new skin is taken
SMALL = (0.2, 0.1)  # that share of large things, which stay, and of small ones
BLOTCH = (40.0, 28.0)  # chroma of the red where the finer look wavers, and of skin
LIT = (30.0, 45.0)  # L* of shadows, in which the finer look paints red, and of lit skin
COLORED = (20.0, 10.0)  # chroma of what the first look was sure of, and of what may change
FILLING = 2.0  # weights are raised by it after smoothing, so that small faces are whole


def finer_size(size: tuple[int, int], short: int) -> int | None:
    """Short side in pixels of the second look at a photo of `size`, of which the first had `short`;
    None where the photo has too few pixels for one.
    """
    finer = min(*size, round(FINER * short))
    return finer if finer >= WORTHWHILE * short else None


def merge(first: Look, second: Look, lightness: Plane) -> Look:
    """The first look, with the small faces and hands of the second.

    This knows no faces: sand, wood and straw that are small become warmer, too.

    Args:
        first: what the network said about a photo.
        second: what it said about the same photo at a larger size.
        lightness: (h, w) float32 L*, as the first look saw it.

    Returns:
        Colors and logits at the sizes of the first look.
    """
    (ab, logits), (closer_ab, closer_logits) = first, second
    closer = shrink(torch.from_numpy(closer_ab), lightness.shape)
    weight = torch.from_numpy(missed_skin(ab, closer.numpy(), lightness))[None]
    size = logits.shape[-2:]
    share = shrink(weight, size)
    merged = torch.from_numpy(ab).lerp(closer, weight).numpy()
    return merged, logits.lerp(shrink(closer_logits, size), share)


def missed_skin(first: Plane, second: Plane, lightness: Plane) -> Plane:
    """Where a second look found small pieces of skin that the first had missed.

    Args:
        first: (2, h, w) float32 ab.
        second: (2, h, w) float32 ab of the finer look, at the same size.
        lightness: (h, w) float32 L*.

    Returns:
        (h, w) float32, 0 to 1, without hard borders.
    """
    found = skin_likeness(second) * ramp(np.hypot(*second), *BLOTCH) * ramp(lightness, *LIT)
    found *= (1 - skin_likeness(first)) * ramp(np.hypot(*first), *COLORED)
    radius = max(1, round(WINDOW * min(lightness.shape)))
    small = ramp(box_mean(box_mean(found, radius), radius), *SMALL)
    smooth = box_mean(box_mean(found * small, 1), 1)
    return np.asarray(np.minimum(1, FILLING * smooth), np.float32)


def shrink(planes: Tensor, size: Sequence[int]) -> Tensor:
    """Resize (C, H, W) to (height, width), smoothly."""
    return F.interpolate(planes[None], size=tuple(size), mode="bilinear", antialias=True)[0]
