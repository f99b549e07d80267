"""The loss of the color distribution: rebalanced cross entropy over ab bins."""

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from colorizer.imaging.color import rgb_to_lab

SOFT_NEIGHBORS = 5  # Zhang et al. 2016, sec. 2.2
SOFT_SIGMA = 5.0  # ab units; ibid.
MIN_SHARE = 1e-8  # of a bin; keeps the weight of bins without pixels finite
TABLE_LIMIT = 120  # |a*| and |b*| of sRGB are smaller


class BinLoss(nn.Module):
    """Class-rebalanced cross entropy between predicted and soft-encoded ab bins.

    See Zhang et al. 2016, eq. 2 to 4. The soft encoding of every integer (a, b) is tabulated once,
    so that encoding a batch is one look-up.

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
        weights = 1 / (rebalance * prior.clamp_min(MIN_SHARE) + (1 - rebalance) / len(prior))
        self.register_buffer("neighbors", neighbors)
        self.register_buffer("shares", shares)
        self.register_buffer("weights", weights / (prior * weights).sum())

    def forward(self, logits: Tensor, ab: Tensor) -> Tensor:
        """Mean loss of logits (N, Q, H, W) against the true ab (N, 2, H, W) at the same size."""
        cell = table_index(ab)  # (N, H, W)
        neighbors = self.neighbors[cell]  # (N, H, W, 5)
        # Along the last dimension nothing is copied if the logits are channels_last
        log_probabilities = torch.log_softmax(logits.permute(0, 2, 3, 1), dim=-1)
        entropy = -(log_probabilities.gather(-1, neighbors) * self.shares[cell]).sum(-1)
        return (entropy * self.weights[neighbors[..., 0]]).mean()


def soft_encoding(bins: Tensor) -> tuple[Tensor, Tensor]:
    """Tabulate the soft encoding of every integer (a, b) within +-120.

    Returns:
        The nearest bins, nearest first, and their Gaussian shares, each (241 * 241, 5).
    """
    line = torch.arange(-TABLE_LIMIT, TABLE_LIMIT + 1.0)
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
    a, b = ab.round().clamp(-TABLE_LIMIT, TABLE_LIMIT).long().add(TABLE_LIMIT).unbind(1)
    return a * (2 * TABLE_LIMIT + 1) + b


def bin_prior(bins: Tensor, crops: Iterable[Tensor]) -> Tensor:
    """Compute the share (Q,) of each ab bin among the soft-encoded pixels of crops.

    Args:
        bins: (2, Q) centers of the ab bins.
        crops: uint8 (C, H, W); the first three channels are sRGB, others are ignored.
    """
    neighbors, shares = soft_encoding(bins)
    counts = torch.zeros(bins.shape[1])
    for pixels in crops:
        cell = table_index(rgb_to_lab(pixels[:3, ::4, ::4] / 255)[None, 1:]).flatten()
        counts.index_add_(0, neighbors[cell].flatten(), shares[cell].flatten())
    return counts / counts.sum()
