"""The distribution over colors that a network predicts for each pixel."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from colorizer.imaging.arrays import Plane
from colorizer.inference.regions import describe


@dataclass(frozen=True, eq=False)
class Distribution:
    """A distribution over colors for each of h x w pixels."""

    logits: Tensor  # (Q, h, w) float32
    bins: Tensor  # (2, Q) float32, a* and b* of the colors
    temperature: float  # of the annealed mean

    def mean(self, change: Tensor | float = 0.0) -> Tensor:
        """The annealed mean (Zhang et al. 2016, sec. 2.3): a* and b*, (2, h, w).

        Args:
            change: added to the logits, (Q, h, w).
        """
        sharp = torch.softmax((self.logits + change) / self.temperature, 0)
        return torch.einsum("qhw,cq->chw", sharp, self.bins)

    def features(self, lightness: Plane) -> Plane:
        """Return features (h, w, C), close for pixels with similar distributions and lightness.

        See `colorizer.inference.regions.describe`.

        Args:
            lightness: (H, W) L* at four times the resolution.
        """
        return describe(at_stride(lightness), torch.softmax(self.logits, 0))


def at_stride(lightness: Plane) -> Plane:
    """L* (H, W) averaged to the distribution's stride, 4."""
    return F.avg_pool2d(torch.from_numpy(lightness)[None], 4, ceil_mode=True)[0].numpy()
