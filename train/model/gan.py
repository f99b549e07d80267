"""Adversarial losses of generator and discriminator."""

import torch
from torch import Tensor
from torch.nn import functional as F

GANS = ("bce", "least-squares", "hinge")


def discriminator_loss(kind: str, real: Tensor, fake: Tensor) -> Tensor:
    """Compute the discriminator's loss: the mean of the losses for real and for fake photos.

    So it is halved, as in pix2pix (Isola et al. 2017, sec. 3.3).

    Args:
        kind: "bce" (Goodfellow et al. 2014), "least-squares" (Mao et al. 2017) or "hinge" (Lim and
            Ye 2017).
        real: (N, 1, h, w) logits for true colors, high for real.
        fake: (N, 1, h, w) logits for predicted colors; detach these from the generator.
    """
    match kind:
        case "bce":
            losses = F.softplus(-real), F.softplus(fake)
        case "least-squares":
            losses = (real - 1) ** 2, fake**2
        case "hinge":
            losses = F.relu(1 - real), F.relu(1 + fake)
        case _:
            raise ValueError(f"{kind!r} is no adversarial loss; use {' or '.join(GANS)}.")
    return (losses[0].mean() + losses[1].mean()) / 2


def generator_loss(kind: str, fake: Tensor) -> Tensor:
    """The generator's adversarial loss; "bce" is the non-saturating form.

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


def r1_penalty(logits: Tensor, real: Tensor, scale: float = 1.0) -> Tensor:
    """The R1 penalty (Mescheder et al. 2018, eq. 9), per pixel, so that it doesn't grow with size.

    Args:
        logits: (N, 1, h, w) for the real colors.
        real: (N, C, H, W) colors that `logits` were computed from, requiring a gradient.
        scale: by which the discriminator divides them.

    Returns:
        Half of the mean squared gradient, differentiable.
    """
    (gradient,) = torch.autograd.grad(logits.float().sum(), real, create_graph=True)
    return (scale * gradient).square().sum(1).mean() / 2
