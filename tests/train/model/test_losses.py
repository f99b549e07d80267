"""Losses: the soft encoding and the weights are those of the paper, and right answers cost less."""

from pathlib import Path

import lpips
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from skimage.color import deltaE_ciede2000
from torch import Tensor
from torch.nn import functional as F
from torchvision.models import vgg16
from torchvision.transforms.functional import normalize

from colorizer.imaging.color import ab_bins, lab_to_rgb, rgb_to_lab
from colorizer.networks.generator import Prediction
from tests.helpers.photos import color_pixels
from train.measure.metrics import colorfulness
from train.model.bins import BinLoss, bin_prior, soft_encoding, table_index
from train.model.gan import GANS, discriminator_loss, generator_loss, r1_penalty
from train.model.losses import (
    ab_gradient_loss,
    ab_loss,
    colorfulness_loss,
    delta_e_loss,
    ms_ssim_loss,
)
from train.model.objective import Batch, Objective
from train.model.perceptual import PerceptualLoss
from train.settings.config import TrainConfig

# lpips calls torchvision the old way
pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:torchvision")


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


@pytest.mark.slow
def test_prior_is_a_mean_over_crops(bins: Tensor, crops: list[Tensor]) -> None:
    both = bin_prior(bins, crops[:2])
    one, other = (bin_prior(bins, [crop]) for crop in crops[:2])
    assert torch.allclose(both, (one + other) / 2, atol=1e-6)


def test_prior_ignores_the_input_beside_the_colors(bins: Tensor, crops: list[Tensor]) -> None:
    beside = [torch.cat((crop, crop[:1].flip(2))) for crop in crops]
    assert torch.equal(bin_prior(bins, beside), bin_prior(bins, crops))


@pytest.mark.parametrize("rebalance", [0, 0.5, 1])
@pytest.mark.slow
def test_weights_average_to_one_under_the_prior(bins, crops, rebalance: float) -> None:
    """Zhang et al. 2016, eq. 4; also with bins that no photo has."""
    prior = bin_prior(bins, crops)
    assert (prior == 0).any()
    weights = BinLoss(bins, prior, rebalance).weights
    assert weights.isfinite().all()
    assert float((prior * weights).sum()) == pytest.approx(1, abs=1e-4)


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.slow
def test_loss_is_the_weighted_cross_entropy(bins, crops, layout: torch.memory_format) -> None:
    """Zhang et al. 2016, eq. 2, from PyTorch's cross entropy with dense targets."""
    loss = BinLoss(bins, bin_prior(bins, crops), 0.5)
    ab = torch.stack([rgb_to_lab(crop / 255)[1:, ::16, ::16] for crop in crops[:2]])
    logits = torch.randn(2, bins.shape[1], 4, 4).contiguous(memory_format=layout)
    target = encode(ab.permute(0, 2, 3, 1).reshape(-1, 2), bins)
    entropy = F.cross_entropy(
        logits.permute(0, 2, 3, 1).reshape(-1, bins.shape[1]), target, reduction="none"
    )
    nearest = soft_encoding(bins)[0][table_index(ab), 0].flatten()
    expected = (entropy * loss.weights[nearest]).mean()
    assert float(loss(logits, ab)) == pytest.approx(float(expected), rel=1e-5)


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


def test_gradient_loss_counts_steps_not_levels() -> None:
    target = torch.randn(2, 2, 6, 8)
    assert float(ab_gradient_loss(target + 30, target)) == pytest.approx(0, abs=1e-5)
    stripe = torch.zeros(1, 2, 4, 5)
    stripe[..., 2:] = 10  # one step of 10 in each row, of 4 differences; none in the columns
    assert float(ab_gradient_loss(stripe, torch.zeros_like(stripe))) == pytest.approx(10 / 4)
    assert float(
        ab_gradient_loss(stripe.mT.contiguous(), torch.zeros(1, 2, 5, 4))
    ) == pytest.approx(10 / 4)


def test_gradient_loss_sees_bleeding() -> None:
    """A soft edge costs less than none, and the gradient reaches the prediction."""
    target = torch.zeros(1, 2, 1, 12)
    target[..., 6:] = 40
    soft = F.avg_pool2d(F.pad(target, (1, 1, 0, 0), "replicate"), (1, 3), 1).requires_grad_()
    cost = ab_gradient_loss(soft.expand(-1, -1, 3, -1), target.expand(-1, -1, 3, -1))
    flat = ab_gradient_loss(torch.zeros(1, 2, 3, 12), target.expand(-1, -1, 3, -1))
    assert 0 < cost < flat * 1.5
    cost.backward()
    assert soft.grad is not None
    assert soft.grad.isfinite().all()
    assert soft.grad.any()


@pytest.mark.parametrize("chroma", [5.0, 20.0, 40.0])
def test_delta_e_loss_is_ciede2000_but_for_the_hue_terms(chroma: float) -> None:
    random = torch.Generator().manual_seed(0)
    truth = chroma * torch.randn(1, 2, 64, 64, generator=random)
    ab = truth + 0.5 * chroma * torch.randn(1, 2, 64, 64, generator=random)
    gray = torch.full((1, 1, 64, 64), 50.0)
    lab = (torch.cat((gray, color), 1)[0].movedim(0, 2).numpy() for color in (truth, ab))
    expected = float(deltaE_ciede2000(*lab).mean())
    assert float(delta_e_loss(ab, truth)) == pytest.approx(expected, rel=0.03)


def test_delta_e_loss_forgives_more_where_colors_are_strong() -> None:
    weak, strong = torch.tensor([10.0, 0.0]), torch.tensor([60.0, 0.0])
    error = torch.tensor([5.0, 0.0])
    losses = [
        float(delta_e_loss((color + error).view(1, 2, 1, 1), color.view(1, 2, 1, 1)))
        for color in (weak, strong)
    ]
    assert losses[1] < 0.5 * losses[0]


def test_delta_e_loss_has_a_finite_gradient_everywhere() -> None:
    for start, truth in ((0.0, 0.0), (0.0, 10.0), (10.0, 0.0), (10.0, 10.0)):
        ab = torch.full((1, 2, 4, 4), start, requires_grad=True)
        delta_e_loss(ab, torch.full((1, 2, 4, 4), truth)).backward()
        assert ab.grad is not None
        assert ab.grad.isfinite().all()
        assert (ab.grad.abs().sum() > 0) == (start != truth)


def test_ms_ssim_loss_of_the_truth_is_0() -> None:
    truth = 20 * torch.randn(1, 2, 48, 48, generator=torch.Generator().manual_seed(0))
    assert float(ms_ssim_loss(truth, truth)) == pytest.approx(0, abs=1e-6)
    assert float(ms_ssim_loss(0.5 * truth, truth)) > 0.05


def test_ms_ssim_loss_leads_from_opposite_colors_to_the_truth() -> None:
    """The measure itself has no finite gradient there."""
    truth = 40 * torch.randn(1, 2, 48, 48, generator=torch.Generator().manual_seed(0))
    ab = (-truth).requires_grad_()
    loss = ms_ssim_loss(ab, truth)
    loss.backward()
    assert ab.grad is not None
    assert ab.grad.isfinite().all()
    assert ms_ssim_loss(ab.detach() - ab.grad / ab.grad.norm(), truth) < loss


def test_colorfulness_loss_agrees_with_the_metric() -> None:
    pixels = [color_pixels(32, 40, seed) for seed in range(3)]
    rgb = torch.from_numpy(np.stack(pixels)).permute(0, 3, 1, 2) / 255
    expected = 1 - np.mean([colorfulness(photo) for photo in pixels]) / 100
    assert float(colorfulness_loss(rgb)) == pytest.approx(expected, abs=1e-4)


def test_colorfulness_loss_of_gray_is_1_with_a_finite_gradient() -> None:
    for gray in (torch.full((2, 1, 8, 8), 0.5), torch.zeros(2, 1, 8, 8), torch.rand(2, 1, 8, 8)):
        rgb = gray.expand(2, 3, 8, 8).clone().requires_grad_()
        loss = colorfulness_loss(rgb)
        loss.backward()
        assert float(loss.detach()) == pytest.approx(1, abs=1e-3)
        assert rgb.grad is not None
        assert rgb.grad.isfinite().all()


def test_colorfulness_loss_asks_for_more_color() -> None:
    rgb = torch.from_numpy(color_pixels(16, 16)).permute(2, 0, 1)[None] / 255
    rgb = (0.5 * rgb + 0.5 * rgb.mean(1, keepdim=True)).requires_grad_()
    loss = colorfulness_loss(rgb)
    loss.backward()
    assert rgb.grad is not None
    assert colorfulness_loss(rgb.detach() - 0.01 * rgb.grad / rgb.grad.norm()) < loss


@pytest.fixture(scope="module")
def perceptual_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Random weights of the right shapes; LPIPS has its own linear layers."""
    folder = tmp_path_factory.mktemp("perceptual")
    files = {kind: folder / f"{kind}.safetensors" for kind in ("lpips", "vgg16")}
    random = torch.Generator().manual_seed(0)
    with torch.device("meta"):
        shapes = vgg16(init_weights=False).features.state_dict()
    state = {
        f"features.{name}": (
            torch.randn(value.shape, generator=random) * (2 / value[0].numel()) ** 0.5
            if value.ndim == 4
            else torch.zeros(value.shape)
        )
        for name, value in shapes.items()
    }
    save_file(state, files["vgg16"])
    torch.manual_seed(0)
    network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    state = {name: value.clone() for name, value in network.state_dict().items()}
    save_file(state, files["lpips"])
    return files


@pytest.fixture(scope="module", params=["lpips", "vgg16"])
def perceptual(request: pytest.FixtureRequest, perceptual_files: dict[str, Path]) -> PerceptualLoss:
    return PerceptualLoss(request.param, perceptual_files[request.param])


@pytest.fixture(scope="module")
def truth() -> Tensor:
    """Two photos (2, 3, 64, 48) in [0, 1]."""
    pixels = np.stack([color_pixels(64, 48, seed) for seed in range(2)])
    return torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255


def test_perceptual_loss_is_0_for_equal_photos_and_grows(
    perceptual: PerceptualLoss, truth: Tensor
) -> None:
    gray = truth.mean(1, keepdim=True).expand_as(truth)
    costs = [float(perceptual(truth.lerp(gray, share), truth)) for share in (0, 0.3, 1)]
    assert costs[0] == pytest.approx(0, abs=1e-6)
    assert costs[0] < costs[1] < costs[2]


def test_perceptual_loss_sees_a_batch_as_the_mean_of_its_photos(
    perceptual_files: dict[str, Path], truth: Tensor
) -> None:
    """Exactly so for LPIPS, which normalizes each pixel by itself."""
    loss = PerceptualLoss("lpips", perceptual_files["lpips"])
    apart = [float(loss(1 - photo[None], photo[None])) for photo in truth]
    assert float(loss(1 - truth, truth)) == pytest.approx(np.mean(apart), rel=1e-4)


def test_lpips_is_that_of_the_package(perceptual_files: dict[str, Path], truth: Tensor) -> None:
    """Which wants [-1, 1]."""
    loss = PerceptualLoss("lpips", perceptual_files["lpips"])
    expected = loss.network(1 - 2 * truth, 2 * truth - 1).mean()
    assert float(loss(1 - truth, truth)) == pytest.approx(float(expected), rel=1e-5)


def test_vgg16_compares_torchvision_features(
    perceptual_files: dict[str, Path], truth: Tensor
) -> None:
    """Of the normalized photo, after the ReLUs that Johnson et al. 2016 name."""
    loss = PerceptualLoss("vgg16", perceptual_files["vgg16"])
    with torch.device("meta"):
        whole = vgg16(init_weights=False)
    state = load_file(perceptual_files["vgg16"])
    whole.load_state_dict(state, strict=False, assign=True)
    whole.requires_grad_(False)
    ours, true = (
        normalize(photos, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        for photos in (1 - truth, truth)
    )
    ratios = []
    for end in (4, 9, 16, 23):
        first, second = whole.features[:end](ours), whole.features[:end](true)
        ratios.append(float((first - second).abs().mean() / second.mean()))
    assert float(loss(1 - truth, truth)) == pytest.approx(np.mean(ratios), rel=1e-4)


def test_perceptual_gradients_flow_to_the_prediction_only(
    perceptual: PerceptualLoss, truth: Tensor
) -> None:
    rgb, target = (1 - truth).requires_grad_(), truth.clone().requires_grad_()
    perceptual(rgb, target).backward()
    assert rgb.grad is not None
    assert rgb.grad.isfinite().all()
    assert (rgb.grad.flatten(1).norm(dim=1) > 0).all()
    assert target.grad is None
    assert not perceptual.training
    assert not any(value.requires_grad for value in perceptual.parameters())


@pytest.mark.parametrize("kind", ["lpips", "vgg16"])
def test_perceptual_loss_names_a_file_that_does_not_fit(
    perceptual_files: dict[str, Path], tmp_path: Path, kind: str
) -> None:
    other = perceptual_files["vgg16" if kind == "lpips" else "lpips"]
    with pytest.raises(ValueError, match=rf"{other.name} doesn't hold the weights of {kind};"):
        PerceptualLoss(kind, other)
    with pytest.raises(ValueError, match=r"missing\.safetensors can't be read .*; name a"):
        PerceptualLoss(kind, tmp_path / "missing.safetensors")
    text = tmp_path / "text.safetensors"
    text.write_text("no weights")
    with pytest.raises(ValueError, match=r"text\.safetensors can't be read .*; name a"):
        PerceptualLoss(kind, text)


@pytest.mark.parametrize(
    ("kind", "discriminator", "generator"),
    [  # of logits 2 for real and -1 for fake colors
        ("bce", (np.log1p(np.exp(-2)) + np.log1p(np.exp(-1))) / 2, np.log1p(np.exp(1))),
        ("least-squares", (1 + 1) / 2, 4),
        ("hinge", 0, 1),
    ],
)
def test_gan_losses_have_their_values(kind: str, discriminator: float, generator: float) -> None:
    real, fake = torch.full((3, 1, 5, 4), 2.0), torch.full((3, 1, 5, 4), -1.0)
    assert float(discriminator_loss(kind, real, fake)) == pytest.approx(discriminator, abs=1e-6)
    assert float(generator_loss(kind, fake)) == pytest.approx(generator, abs=1e-6)


def test_bce_is_that_of_pix2pix() -> None:
    real, fake = torch.randn(2, 1, 6, 6), torch.randn(2, 1, 6, 6)
    ones, zeros = torch.ones_like(real), torch.zeros_like(real)
    entropy = F.binary_cross_entropy_with_logits
    expected = 0.5 * (entropy(real, ones) + entropy(fake, zeros))
    assert torch.isclose(discriminator_loss("bce", real, fake), expected)
    assert torch.isclose(generator_loss("bce", fake), entropy(fake, ones))


@pytest.mark.parametrize("kind", GANS)
def test_gan_losses_are_lower_when_the_verdict_is_right(kind: str) -> None:
    real, fake = torch.full((1, 1, 2, 2), 0.8), torch.full((1, 1, 2, 2), 0.1)
    assert discriminator_loss(kind, real, fake) < discriminator_loss(kind, fake, real)
    assert generator_loss(kind, real) < generator_loss(kind, fake)  # it wants to pass for real


@pytest.mark.parametrize("kind", GANS)
def test_gan_gradients_pull_the_right_way_however_sure_the_verdict(kind: str) -> None:
    real = torch.full((1, 1, 2, 2), -50.0, requires_grad=True)
    fake = torch.full((1, 1, 2, 2), 50.0, requires_grad=True)
    discriminator_loss(kind, real, fake).backward()
    assert real.grad is not None
    assert fake.grad is not None
    assert (real.grad < 0).all()  # a step down the gradient raises the logits of real photos
    assert (fake.grad > 0).all()
    seen = torch.full((1, 1, 2, 2), -50.0, requires_grad=True)
    generator_loss(kind, seen).backward()
    assert seen.grad is not None
    assert (seen.grad < -0.1).all()  # it doesn't fade when the discriminator wins
    assert seen.grad.isfinite().all()


def test_unknown_gan_is_named() -> None:
    logits = torch.zeros(1, 1, 2, 2)
    with pytest.raises(ValueError, match="'wasserstein' is no adversarial loss; use bce or"):
        discriminator_loss("wasserstein", logits, logits)
    with pytest.raises(ValueError, match="'wasserstein' is no adversarial loss; use bce or"):
        generator_loss("wasserstein", logits)


def test_r1_is_half_of_the_mean_squared_gradient() -> None:
    """Of logits a + 3 b, each pixel has the gradient (1, 3); it can be learned from."""
    weight = torch.tensor(3.0, requires_grad=True)
    real = torch.randn(2, 2, 8, 8, requires_grad=True)
    penalty = r1_penalty(real[:, :1] + weight * real[:, 1:], real)
    assert penalty.item() == pytest.approx((1 + 9) / 2)
    assert r1_penalty(2 * real[:, :1], real, scale=5.0).item() == pytest.approx(50.0)
    penalty.backward()
    assert weight.grad is not None
    assert weight.grad.item() == pytest.approx(3)


def test_lpips_and_vgg16_are_used_together(
    perceptual_files: dict[str, Path], truth: Tensor
) -> None:
    config = TrainConfig(
        ab_weight=0.0,
        perceptual_weight=2.0,
        perceptual_weights=str(perceptual_files["lpips"]),
        vgg_weight=0.5,
        vgg_weights=str(perceptual_files["vgg16"]),
    )
    lab = rgb_to_lab(truth)
    batch = Batch(lab[:, :1], lab[:, :1], lab[:, 1:], truth)
    prediction = Prediction(ab=lab[:, 1:] / 2, logits=None, rgb=None)
    losses = Objective(config, torch.zeros(2, 3), None)(prediction, batch)
    rgb = lab_to_rgb(torch.cat((batch.lightness, prediction.ab), 1))
    for name, kind, weight in (("perceptual", "lpips", 2.0), ("vgg", "vgg16", 0.5)):
        expected = weight * PerceptualLoss(kind, perceptual_files[kind])(rgb, truth)
        assert losses[name].item() == pytest.approx(expected.item(), rel=1e-4)
    assert set(losses) == {"perceptual", "vgg"}
