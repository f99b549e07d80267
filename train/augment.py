"""What is done to a batch before it is learned from: changed lightness, simulated hints."""

import torch
from torch import Tensor

from colorizer.generator import AB_SCALE

MEAN_HINTS = 8  # geometric with p = 1/8; Zhang et al. 2017, sec. 3.1
LARGEST_PATCH = 9  # pixels; ibid.


def jitter_gamma(lightness: Tensor, amount: float, random: torch.Generator) -> Tensor:
    """Raise each photo's lightness (N, 1, H, W), 0 to 100, to its own power between exp(-amount)
    and exp(amount).
    """
    power = torch.exp(amount * (2 * torch.rand(len(lightness), 1, 1, 1, generator=random) - 1))
    return 100 * (lightness.clamp(0, 100) / 100) ** power.to(lightness.device)


def simulate_hints(ab: Tensor, random: torch.Generator) -> Tensor:
    """Hints as a person could have given them: a few square patches per photo with the true mean
    color.

    Args:
        ab: (N, 2, H, W), the true colors.
        random: a CPU generator.

    Returns:
        (N, 3, H, W) planes as of `colorizer.hints.rasterize`; about one photo in eight has none.
    """
    count, _, height, width = ab.shape
    planes = ab.new_zeros(count, 3, height, width)
    for photo in range(count):
        hints = int(torch.empty(()).geometric_(1 / MEAN_HINTS, generator=random)) - 1
        for _ in range(hints):
            patch, y, x = torch.rand(3, generator=random).tolist()
            side = 1 + int(patch * LARGEST_PATCH)
            top, left = int(y * (height - side + 1)), int(x * (width - side + 1))
            rows, columns = slice(top, top + side), slice(left, left + side)
            planes[photo, :2, rows, columns] = (
                ab[photo, :, rows, columns].mean((1, 2), keepdim=True) / AB_SCALE
            )
            planes[photo, 2, rows, columns] = 1
    return planes
