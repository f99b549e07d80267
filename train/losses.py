"""Losses of the color distribution and of ab."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.color import rgb_to_lab

SOFT_NEIGHBORS = 5  # Zhang et al. 2016, sec. 2.2
SOFT_SIGMA = 5.0  # ab units; ibid.
RAREST = 1e-8  # share of a bin that no pixel has, for a finite weight
TABLE_REACH = 120  # |a*| and |b*| of sRGB stay below it


class BinLoss(nn.Module):
    """Class-rebalanced cross entropy between predicted and soft-encoded ab bins (Zhang et al. 2016,
    eq. 2 to 4).

    The soft encoding of every whole (a, b) is tabulated once, so that encoding a batch is one
    look-up.

    Args:
        bins: (2, Q) centres of the ab bins.
        prior: (Q,) share of each bin among the training pixels.
        rebalance: 0 counts every pixel alike, 1 every bin alike.
    """

    neighbors: Tensor
    shares: Tensor
    weights: Tensor

    def __init__(self, bins: Tensor, prior: Tensor, rebalance: float) -> None:
        super().__init__()
        neighbors, shares = soft_encoding(bins)
        weights = 1 / (rebalance * prior.clamp_min(RAREST) + (1 - rebalance) / len(prior))
        self.register_buffer("neighbors", neighbors)
        self.register_buffer("shares", shares)
        self.register_buffer("weights", weights / (prior * weights).sum())

    def forward(self, logits: Tensor, ab: Tensor) -> Tensor:
        """Mean loss of logits (N, Q, H, W) against the true ab (N, 2, H, W) at the same size."""
        cell = table_index(ab)  # (N, H, W)
        log_probabilities = torch.log_softmax(logits, dim=1).permute(0, 2, 3, 1)  # (N, H, W, Q)
        picked = log_probabilities.gather(-1, self.neighbors[cell])  # (N, H, W, 5)
        entropy = -(picked * self.shares[cell]).sum(-1)
        return (entropy * self.weights[self.neighbors[cell][..., 0]]).mean()


def soft_encoding(bins: Tensor) -> tuple[Tensor, Tensor]:
    """For every whole (a, b) within +-120: its nearest bins, nearest first, and their Gaussian
    shares, each (241 * 241, 5).
    """
    line = torch.arange(-TABLE_REACH, TABLE_REACH + 1.0)
    points = torch.stack(torch.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
    distances, neighbors = torch.cdist(points, bins.T.contiguous()).topk(
        SOFT_NEIGHBORS, largest=False
    )
    nearest = distances[
        :, :1
    ]  # subtracted for colors beyond the outermost bins, where the exponential would vanish
    shares = torch.exp((nearest**2 - distances**2) / (2 * SOFT_SIGMA**2))
    return neighbors, shares / shares.sum(1, keepdim=True)


def table_index(ab: Tensor) -> Tensor:
    """Row of the soft encoding's table for ab (N, 2, H, W)."""
    a, b = ab.round().clamp(-TABLE_REACH, TABLE_REACH).long().add(TABLE_REACH).unbind(1)
    return a * (2 * TABLE_REACH + 1) + b


def bin_prior(bins: Tensor, crops: Iterable[Tensor]) -> Tensor:
    """Share (Q,) of each ab bin among the pixels of uint8 (3, H, W) crops, softly counted."""
    neighbors, shares = soft_encoding(bins)
    counts = torch.zeros(bins.shape[1])
    for pixels in crops:
        cell = table_index(rgb_to_lab(pixels / 255)[None, 1:, ::4, ::4]).flatten()
        counts.index_add_(0, neighbors[cell].flatten(), shares[cell].flatten())
    return counts / counts.sum()


def ab_loss(ab: Tensor, target: Tensor) -> Tensor:
    """Smooth L1 between predicted and true ab (N, 2, H, W), in ab units; quadratic below 5
    units.
    """
    return F.smooth_l1_loss(ab, target, beta=5.0)
