"""Losses: of the color distribution, of ab, of how the picture looks, and of the GAN."""

import warnings
from collections.abc import Iterable
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import vgg16

from colorizer.imaging.color import rgb_to_lab

SOFT_NEIGHBORS = 5  # Zhang et al. 2016, sec. 2.2
SOFT_SIGMA = 5.0  # ab units; ibid.
RAREST = 1e-8  # share of a bin that no pixel has, for a finite weight
TABLE_REACH = 120  # |a*| and |b*| of sRGB stay below it

FLATTEST = 1e-8  # added below roots, whose slope at 0 is infinite; rgb in [0, 1], squared

VGG_LAYERS = (3, 8, 15, 22)  # relu1_2, relu2_2, relu3_3, relu4_3; Johnson et al. 2016, sec. 4
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

GANS = ("bce", "least-squares", "hinge")


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
        neighbors = self.neighbors[cell]  # (N, H, W, 5)
        # Along the last dimension nothing is copied if the logits are channels_last
        log_probabilities = torch.log_softmax(logits.permute(0, 2, 3, 1), dim=-1)
        entropy = -(log_probabilities.gather(-1, neighbors) * self.shares[cell]).sum(-1)
        return (entropy * self.weights[neighbors[..., 0]]).mean()


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
    """Share (Q,) of each ab bin among the pixels of crops, softly counted. Crops are uint8
    (C, H, W) whose first three channels are sRGB; further ones, as the input of the network, don't
    count.
    """
    neighbors, shares = soft_encoding(bins)
    counts = torch.zeros(bins.shape[1])
    for pixels in crops:
        cell = table_index(rgb_to_lab(pixels[:3, ::4, ::4] / 255)[None, 1:]).flatten()
        counts.index_add_(0, neighbors[cell].flatten(), shares[cell].flatten())
    return counts / counts.sum()


def ab_loss(ab: Tensor, target: Tensor) -> Tensor:
    """Smooth L1 between predicted and true ab (N, 2, H, W), in ab units; quadratic below 5
    units.
    """
    return F.smooth_l1_loss(ab, target, beta=5.0)


def ab_gradient_loss(ab: Tensor, target: Tensor) -> Tensor:
    """L1 between the finite differences of predicted and true ab (N, 2, H, W), in ab units: the
    horizontal mean plus the vertical mean. Color that bleeds over an edge is off twice.
    """
    error = ab - target
    return error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()


def delta_e_loss(ab: Tensor, target: Tensor) -> Tensor:
    """Mean CIEDE2000 between predicted and true ab (N, 2, H, W) at equal lightness, without its hue
    terms T and R_T (Sharma, Wu and Dalal 2005, eq. 2 to 7, 10, 15, 16, 22), whose slopes jump where
    chroma vanishes. Unlike plain distances, it forgives more where colors are strong.
    """
    power = ((chroma_of(ab) + chroma_of(target)) / 2) ** 7
    a_scale = 1.5 - 0.5 * (power / (power + 25.0**7)).add(FLATTEST).sqrt()  # (N, H, W)
    stretch = torch.stack((a_scale, torch.ones_like(a_scale)), 1)
    ab, target = ab * stretch, target * stretch
    chroma, true_chroma = chroma_of(ab), chroma_of(target)
    mean = (chroma + true_chroma) / 2
    chroma_error = (chroma - true_chroma) ** 2
    hue_error = (((ab - target) ** 2).sum(1) - chroma_error).clamp_min(0)
    terms = chroma_error / (1 + 0.045 * mean) ** 2 + hue_error / (1 + 0.015 * mean) ** 2
    return (terms + FLATTEST).sqrt().mean()


def chroma_of(ab: Tensor) -> Tensor:
    """Chroma (N, H, W) of ab (N, 2, H, W), in ab units, with a finite slope at 0."""
    return ((ab**2).sum(1) + FLATTEST).sqrt()


def colorfulness_loss(rgb: Tensor) -> Tensor:
    """1 - CF / 100, with the colorfulness CF of Hasler and Suesstrunk 2003, eq. 1, on 8-bit levels,
    as DDColor (Kang et al. 2023) trains with.

    Args:
        rgb: (N, 3, H, W) sRGB in [0, 1].

    Returns:
        The mean over photos: 1 for gray ones, below 0 for garish ones.
    """
    red, green, blue = rgb.flatten(2).unbind(1)
    opponents = torch.stack((red - green, (red + green) / 2 - blue), 1)  # (N, 2, H * W)
    variance, mean = torch.var_mean(opponents, dim=2, correction=0)
    spread = (variance.sum(1) + FLATTEST).sqrt()
    offset = ((mean**2).sum(1) + FLATTEST).sqrt()
    return (1 - 255 * (spread + 0.3 * offset) / 100).mean()


class PerceptualLoss(nn.Module):
    """How different two photos look to a network that was trained on others.

    "lpips" is LPIPS v0.1 with AlexNet (Zhang et al. 2018). "vgg16" is the L1 between features of
    VGG16 (Johnson et al. 2016) as a share of the mean magnitude of the true ones, so that each of
    the four layers counts alike. The VGG16 is of torchvision's kind, not Keras': its input is RGB,
    normalized here by the ImageNet mean and standard deviation.

    Args:
        kind: "lpips" or "vgg16".
        weights: safetensors with the state of `lpips.LPIPS(net="alex")`, or with the
            `features.*` of `torchvision.models.vgg16()`.

    Raises:
        ValueError: the file can't be read or holds something else.
    """

    def __init__(self, kind: str, weights: Path) -> None:
        super().__init__()
        try:
            state = load_file(weights)
        except (OSError, SafetensorError) as error:
            raise ValueError(
                f"The perceptual weights {weights} can't be read ({error}); "
                "name a safetensors file with --perceptual-weights."
            ) from error
        self.kind = kind
        try:
            self.network = lpips_network(state) if kind == "lpips" else _VggFeatures(state)
        except RuntimeError as error:
            raise ValueError(
                f"{weights} doesn't hold the weights of {kind}; name a file that does with "
                "--perceptual-weights, or choose the other network with --perceptual."
            ) from error
        self.eval().requires_grad_(False)

    def forward(self, rgb: Tensor, target: Tensor) -> Tensor:
        """Mean distance of predicted and true (N, 3, H, W) sRGB in [0, 1], a scalar; gradients flow
        to `rgb` only.
        """
        target = target.detach()
        if self.kind == "lpips":
            distances: Tensor = self.network(rgb, target, normalize=True)
        else:
            pairs = zip(self.network(rgb), self.network(target), strict=True)
            distances = torch.stack([F.l1_loss(ours, true) / true.mean() for ours, true in pairs])
        return distances.mean()


def lpips_network(state: dict[str, Tensor]) -> nn.Module:
    """LPIPS v0.1 with AlexNet, in evaluation mode. Raises RuntimeError if the state doesn't fit."""
    import lpips  # takes a second, and few runs need it

    with warnings.catch_warnings():  # it calls torchvision the old way
        warnings.simplefilter("ignore", UserWarning)
        network: nn.Module = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False)
    network.load_state_dict(state)
    return network.eval()


class _VggFeatures(nn.Module):
    """The features of VGG16 after `VGG_LAYERS`, of (N, 3, H, W) sRGB in [0, 1]."""

    mean: Tensor
    std: Tensor

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        with torch.device("meta"):  # its classifier would be 0.5 GB of random numbers
            layers: nn.Sequential = vgg16(init_weights=False).features
        layers.to_empty(device="cpu").load_state_dict(
            {
                name.removeprefix("features."): value
                for name, value in state.items()
                if name.startswith("features.")
            }
        )
        self.layers = layers[: VGG_LAYERS[-1] + 1]
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(3, 1, 1))

    def forward(self, rgb: Tensor) -> list[Tensor]:
        features, picture = [], (rgb - self.mean) / self.std
        for number, layer in enumerate(self.layers):
            picture = layer(picture)
            if number in VGG_LAYERS:
                features.append(picture)
        return features


def discriminator_loss(kind: str, real: Tensor, fake: Tensor) -> Tensor:
    """What the discriminator pays for its verdicts: the mean of its cost for real and for fake
    photos, so halved as in pix2pix (Isola et al. 2017, sec. 3.3).

    Args:
        kind: "bce" (Goodfellow et al. 2014), "least-squares" (Mao et al. 2017) or "hinge" (Lim and
            Ye 2017).
        real: (N, 1, h, w) logits for true colors, high for real.
        fake: (N, 1, h, w) logits for predicted colors; detach these from the generator.
    """
    match kind:
        case "bce":
            costs = F.softplus(-real), F.softplus(fake)
        case "least-squares":
            costs = (real - 1) ** 2, fake**2
        case "hinge":
            costs = F.relu(1 - real), F.relu(1 + fake)
        case _:
            raise ValueError(f"{kind!r} is no adversarial loss; use {' or '.join(GANS)}.")
    return (costs[0].mean() + costs[1].mean()) / 2


def generator_loss(kind: str, fake: Tensor) -> Tensor:
    """What the generator pays when the discriminator sees through it; "bce" is the non-saturating
    form.

    Args:
        kind: as of `discriminator_loss`.
        fake: (N, 1, h, w) logits for predicted colors, high for real.
    """
    match kind:
        case "bce":
            return F.softplus(-fake).mean()
        case "least-squares":
            return ((fake - 1) ** 2).mean()
        case "hinge":
            return -fake.mean()
    raise ValueError(f"{kind!r} is no adversarial loss; use {' or '.join(GANS)}.")
