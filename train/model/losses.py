"""Losses of predicted colors against the true ones."""

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

EPSILON = 1e-8  # added before square roots, whose slope at 0 is infinite
MS_SSIM_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al. 2003, sec. 3.2


def ab_loss(ab: Tensor, target: Tensor) -> Tensor:
    """Smooth L1 between predicted and true ab (N, 2, H, W); quadratic below 5 ab units."""
    return F.smooth_l1_loss(ab, target, beta=5.0)


def ab_gradient_loss(ab: Tensor, target: Tensor) -> Tensor:
    """L1 between the finite differences of predicted and true ab (N, 2, H, W), in ab units.

    It is the horizontal mean plus the vertical mean. Color that bleeds over an edge counts twice.
    """
    error = ab - target
    return error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()


def delta_e_loss(ab: Tensor, target: Tensor) -> Tensor:
    """Mean CIEDE2000 between predicted and true ab (N, 2, H, W) at equal lightness.

    See Sharma, Wu and Dalal 2005, eq. 2 to 7, 10, 15, 16 and 22. The hue terms T and R_T are left
    out, as their slopes are discontinuous at zero chroma. Unlike Euclidean distances, it weighs
    errors of strong colors less.
    """
    power = ((chroma_of(ab) + chroma_of(target)) / 2) ** 7
    a_scale = 1.5 - 0.5 * (power / (power + 25.0**7)).add(EPSILON).sqrt()  # (N, H, W)
    stretch = torch.stack((a_scale, torch.ones_like(a_scale)), 1)
    ab, target = ab * stretch, target * stretch
    chroma, true_chroma = chroma_of(ab), chroma_of(target)
    mean = (chroma + true_chroma) / 2
    chroma_error = (chroma - true_chroma) ** 2
    hue_error = (((ab - target) ** 2).sum(1) - chroma_error).clamp_min(0)
    terms = chroma_error / (1 + 0.045 * mean) ** 2 + hue_error / (1 + 0.015 * mean) ** 2
    return (terms + EPSILON).sqrt().mean()


def chroma_of(ab: Tensor) -> Tensor:
    """Chroma (N, H, W) of ab (N, 2, H, W), in ab units, with a finite slope at 0."""
    return ((ab**2).sum(1) + EPSILON).sqrt()


def ms_ssim_loss(ab: Tensor, target: Tensor) -> Tensor:
    """1 - MS-SSIM of predicted and true ab (N, 2, H, W), with every scale's value v as (1 + v) / 2.

    The measure cuts negative values off at 0, where its slope is infinite.
    """
    return 1 - ms_ssim(ab, target, "simple")


def ms_ssim(ab: Tensor, target: Tensor, normalize: Literal["relu", "simple"] = "relu") -> Tensor:
    """Mean multi-scale SSIM (Wang et al. 2003) of a* and b*, offset and scaled to [0, 1]; up to 1.

    Photos with a short side below 176 pixels have fewer than its five scales.

    Args:
        ab: (N, 2, H, W) in ab units, at least 11 pixels high and wide.
        target: the same.
        normalize: what becomes of negative values: torchmetrics' name.
    """
    from torchmetrics.functional.image import multiscale_structural_similarity_index_measure

    scales = min(5, 1 + math.isqrt(min(ab.shape[2:]) // 11))  # those that torchmetrics allows
    weights = MS_SSIM_WEIGHTS[:scales]
    shares = tuple(weight / sum(weights) for weight in weights)
    output, truth = ((colors + 128) / 255 for colors in (ab, target))
    return multiscale_structural_similarity_index_measure(
        output, truth, data_range=1.0, betas=shares, normalize=normalize
    )


def colorfulness_loss(rgb: Tensor) -> Tensor:
    """Return 1 - CF / 100, with the colorfulness CF of Hasler and Suesstrunk 2003, eq. 1.

    CF is computed on 8-bit levels. DDColor trains with this loss (Kang et al. 2023).

    Args:
        rgb: (N, 3, H, W) sRGB in [0, 1].

    Returns:
        The mean over photos: 1 for gray ones, below 0 for garish ones.
    """
    red, green, blue = rgb.flatten(2).unbind(1)
    opponents = torch.stack((red - green, (red + green) / 2 - blue), 1)  # (N, 2, H * W)
    variance, mean = torch.var_mean(opponents, dim=2, correction=0)
    spread = (variance.sum(1) + EPSILON).sqrt()
    offset = ((mean**2).sum(1) + EPSILON).sqrt()
    return (1 - 255 * (spread + 0.3 * offset) / 100).mean()
