"""Cut squares out of photos and resize them all at once, wherever the photos lie.

Resizing is separable, so it is two matrix products per crop: one along the rows, one along the
columns. Weights are those of Pillow's bicubic filter, which blurs where it shrinks. They are whole
multiples of 2**-14: so all sums of weight times gray level stay below 2**24, float32 holds them
exactly, and a crop doesn't depend on the order of summation, on the device or on its neighbors.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

WEIGHT_ONE = 2**14  # the weight 1 as an integer
BICUBIC_A = -0.5  # Keys 1981; Pillow's choice
BICUBIC_REACH = 2.0  # pixels, of the smaller of both images


def cut_squares(photos: Sequence[Tensor], boxes: Tensor, mirrored: Tensor, size: int) -> Tensor:
    """Cut a box out of each photo, resize it to a square and maybe mirror it.

    Args:
        photos: N times uint8 (C, H, W), of any sizes, on one device.
        boxes: float64 (N, 4) on the CPU: left, top, width and height, in pixels of the photo.
        mirrored: bool (N,) on the CPU.
        size: pixels of the squares.

    Returns:
        float32 (N, C, size, size) on that device, whole numbers from 0 to 255. Where a photo has
        fewer channels than another, its last ones are 0.
    """
    device = photos[0].device
    limits = torch.tensor([[photo.shape[2], photo.shape[1]] for photo in photos])
    starts, lengths = boxes[:, :2], boxes[:, 2:]
    margin = BICUBIC_REACH * (lengths / size).clamp_min(1)
    firsts = (starts - margin).floor().clamp_min(0).long()
    ends = torch.minimum((starts + lengths + margin).ceil().long(), limits)
    width, height = (ends - firsts).amax(0).tolist()
    channels = max(len(photo) for photo in photos)
    windows = torch.zeros(len(photos), channels, height, width, dtype=torch.uint8, device=device)
    for window, photo, (left, top), (right, bottom) in zip(
        windows, photos, firsts.tolist(), ends.tolist(), strict=True
    ):
        part = photo[:, top:bottom, left:right]
        window[: len(part), : part.shape[1], : part.shape[2]] = part
    stretches = torch.stack((starts - firsts, lengths, ends - firsts)).float().to(device)
    across, down = (
        bicubic_weights(start, length, limit, size, count)  # (N, size, count)
        for (start, length, limit), count in zip(stretches.unbind(-1), (width, height), strict=True)
    )
    across = torch.where(mirrored.to(device)[:, None, None], across.flip(1), across)
    rows = windows.flatten(1, 2).float() @ across.mT  # (N, C * height, size)
    rows = _to_levels(rows).view(len(photos), channels, height, size)
    return _to_levels(down[:, None] @ rows)


def bicubic_weights(
    starts: Tensor, lengths: Tensor, limits: Tensor, size: int, count: int
) -> Tensor:
    """Weights of `count` pixels in the `size` pixels that a stretch of them is resized to.

    Args:
        starts: (N,) where the stretch begins, in pixels.
        lengths: (N,) of the stretch, in pixels.
        limits: (N,) pixels that exist; those behind get the weight 0.
        size: pixels that are made.
        count: pixels that weights are made for.

    Returns:
        float32 (N, size, count), whole multiples of 1 / `WEIGHT_ONE` times that; each row has a
        sum of about `WEIGHT_ONE`.
    """
    scale = (lengths / size)[:, None, None]
    made = torch.arange(size, device=starts.device)[:, None] + 0.5
    given = torch.arange(count, device=starts.device) + 0.5
    centers = starts[:, None, None] + made * scale
    weights = _bicubic(((given - centers) / scale.clamp_min(1)).abs())
    weights = weights * (given < limits[:, None, None])
    return (weights / weights.sum(-1, keepdim=True) * WEIGHT_ONE).round()


def _bicubic(x: Tensor) -> Tensor:
    near = ((BICUBIC_A + 2) * x - (BICUBIC_A + 3)) * x * x + 1
    far = BICUBIC_A * (((x - 5) * x + 8) * x - 4)
    return torch.where(x < 1, near, torch.where(x < BICUBIC_REACH, far, 0))


def _to_levels(sums: Tensor) -> Tensor:
    return (sums / WEIGHT_ONE + 0.5).floor().clamp(0, 255)  # as Pillow rounds
