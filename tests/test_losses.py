"""Losses: the soft encoding and the weights are those of the paper, and right answers cost less."""

import pytest
import torch
from torch import Tensor

from colorizer.color import ab_bins, rgb_to_lab
from tests.conftest import color_pixels
from train.losses import BinLoss, ab_loss, bin_prior, soft_encoding, table_index


@pytest.fixture(scope="module")
def bins() -> Tensor:
    return torch.tensor(ab_bins()).T.contiguous()


@pytest.fixture(scope="module")
def crops() -> list[Tensor]:
    return [torch.from_numpy(color_pixels(64, 64, seed)).permute(2, 0, 1) for seed in range(6)]


def encode(ab: Tensor, bins: Tensor) -> Tensor:
    """Soft encoding (P, Q) of ab (P, 2)."""
    neighbors, shares = soft_encoding(bins)
    cell = table_index(ab.T[None, :, None])[0, 0]
    return torch.zeros(len(ab), bins.shape[1]).scatter_(1, neighbors[cell], shares[cell])


def test_soft_encoding_is_a_distribution_over_near_bins(bins: Tensor) -> None:
    neighbors, shares = soft_encoding(bins)
    assert neighbors.shape == shares.shape == (241 * 241, 5)
    assert shares.isfinite().all()
    assert torch.allclose(shares.sum(1), torch.ones(241 * 241), atol=1e-5)
    assert (shares >= 0).all()
    assert (shares.diff(dim=1) <= 1e-6).all()  # nearest first


def test_soft_encoding_follows_the_paper(bins: Tensor) -> None:
    """Zhang et al. 2016, sec. 2.2: the 5 nearest bins, weighted by a Gaussian of sigma 5."""
    ab = torch.tensor([[13.0, -4.0]])
    expected = torch.zeros(bins.shape[1])
    distances = (bins - ab.T).norm(dim=0)
    nearest = distances.argsort()[:5]
    expected[nearest] = torch.exp(-(distances[nearest] ** 2) / (2 * 5.0**2))
    expected /= expected.sum()
    assert torch.allclose(encode(ab, bins)[0], expected, atol=1e-5)


def test_the_mean_of_the_encoding_is_near_the_color(bins: Tensor, crops: list[Tensor]) -> None:
    ab = rgb_to_lab(torch.cat(crops, 2) / 255)[1:].flatten(1).T[::7]
    error = (encode(ab, bins) @ bins.T - ab).norm(dim=1)
    assert error.mean() < 2.5
    assert error.max() < 12  # at the gamut's border the neighbors are on one side


def test_colors_beyond_the_table_go_to_its_border(bins: Tensor) -> None:
    far, border = (encode(torch.tensor([[a, 0.0]]), bins) for a in (500.0, 120.0))
    assert torch.equal(far, border)


def test_prior_counts_pixels(bins: Tensor) -> None:
    gray = torch.full((3, 32, 32), 128, dtype=torch.uint8)
    prior = bin_prior(bins, [gray])
    assert float(prior.sum()) == pytest.approx(1, abs=1e-5)
    assert tuple(bins[:, prior.argmax()].tolist()) == (0, 0)
    assert torch.allclose(prior, encode(torch.zeros(1, 2), bins)[0], atol=1e-5)


def test_prior_is_a_mean_over_crops(bins: Tensor, crops: list[Tensor]) -> None:
    both = bin_prior(bins, crops[:2])
    one, other = (bin_prior(bins, [crop]) for crop in crops[:2])
    assert torch.allclose(both, (one + other) / 2, atol=1e-6)


@pytest.mark.parametrize("rebalance", [0, 0.5, 1])
def test_weights_average_to_one_under_the_prior(bins, crops, rebalance: float) -> None:
    """Zhang et al. 2016, eq. 4; also with bins that no photo has."""
    prior = bin_prior(bins, crops)
    assert (prior == 0).any()
    weights = BinLoss(bins, prior, rebalance).weights
    assert weights.isfinite().all()
    assert float((prior * weights).sum()) == pytest.approx(1, abs=1e-4)


def test_the_ends_of_rebalancing(bins, crops) -> None:
    """0 counts every pixel alike, 1 every bin alike."""
    prior = bin_prior(bins, crops).clamp_min(1e-4)
    prior /= prior.sum()
    assert torch.allclose(BinLoss(bins, prior, 0).weights, torch.ones_like(prior), atol=1e-4)
    per_bin = prior * BinLoss(bins, prior, 1).weights
    assert torch.allclose(per_bin, torch.full_like(prior, 1 / len(prior)), rtol=1e-3)


def test_rare_colors_weigh_more(bins, crops) -> None:
    prior = bin_prior(bins, crops)
    weights = BinLoss(bins, prior, 0.5).weights
    order = prior.argsort()
    assert (weights[order].diff() <= 1e-4).all()


def logits_for(ab: Tensor, bins: Tensor) -> Tensor:
    """(1, Q, 1, P): the distribution that the loss asks for."""
    return encode(ab, bins).clamp_min(1e-9).log().T[None, :, None]


def test_the_right_answer_costs_least(bins: Tensor) -> None:
    loss = BinLoss(bins, torch.full((bins.shape[1],), 1 / bins.shape[1]), 1.0)
    ab = torch.tensor([[20.0, 30.0], [-31.0, 14.0], [0.0, 0.0]])
    target = ab.T[None, :, None]
    right = loss(logits_for(ab, bins), target)
    uniform = loss(torch.zeros(1, bins.shape[1], 1, 3), target)
    wrong = loss(logits_for(ab.flip(0), bins), target)
    shares = encode(ab, bins)
    entropy = -(shares * shares.clamp_min(1e-9).log()).sum(1).mean()
    assert float(right) == pytest.approx(float(entropy), abs=1e-3)  # no loss can be below it
    assert float(uniform) == pytest.approx(
        torch.tensor(float(bins.shape[1])).log().item(), abs=0.01
    )
    assert right < uniform < wrong


def test_each_pixel_is_weighted_by_its_own_bin(bins: Tensor) -> None:
    prior = torch.full((bins.shape[1],), 1.0)
    rare = int((bins - torch.tensor([[40.0], [20.0]])).norm(dim=0).argmin())
    prior[rare] = 0.01
    loss = BinLoss(bins, prior / prior.sum(), 1.0)
    logits = torch.zeros(1, bins.shape[1], 1, 1)
    rare_cost = loss(logits, bins[:, rare].view(1, 2, 1, 1))
    common_cost = loss(logits, torch.zeros(1, 2, 1, 1))
    assert float(rare_cost / common_cost) == pytest.approx(100, rel=0.01)


def test_loss_has_a_gradient_for_every_logit(bins, crops) -> None:
    loss = BinLoss(bins, bin_prior(bins, crops), 0.5)
    logits = torch.randn(2, bins.shape[1], 4, 4, requires_grad=True)
    loss(logits, 60 * torch.randn(2, 2, 4, 4)).backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()
    assert (logits.grad.abs().sum((0, 2, 3)) > 0).all()


def test_ab_loss_is_quadratic_then_linear() -> None:
    zero = torch.zeros(1, 2, 2, 2)
    assert float(ab_loss(zero, zero)) == 0
    assert float(ab_loss(zero + 2, zero)) == pytest.approx(2**2 / (2 * 5))
    assert float(ab_loss(zero - 20, zero)) == pytest.approx(20 - 2.5)
