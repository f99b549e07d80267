"""Alternative colorizations of a photo, made from the distribution that the network predicted.

The photo is divided into regions. Each region has its own color and a few other plausible colors
that look different. An alternative gives some regions another of their colors. Alternatives are
chosen greedily: each is plausible and looks different from those before. The logits are then raised
around the chosen colors by as much as most pixels of the region need, so the region gets one color;
pixels that clearly have another color, such as a face in front of a wall, keep it.
"""

from dataclasses import dataclass
from itertools import product

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from colorizer.imaging.arrays import Plane
from colorizer.imaging.compose import map_to_gamut
from colorizer.imaging.guided_filter import guided_filter
from colorizer.imaging.upsampling import EPSILON
from colorizer.inference.distribution import Distribution, at_stride
from colorizer.inference.regions import find_regions

SIMILAR_SIGMA = 10.0  # ab units: standard deviation of the kernel that pools similar colors
MIN_LOG_PROBABILITY = -2.5  # of a region's color, relative to its likeliest color
MIN_COLOR_DISTANCE = 25.0  # ab units between the colors of a region
MAX_COLORS = 5  # per region, with its own
MAX_REGIONS = 5  # that may change color
CENTER_SIGMA = 0.3  # of each side: standard deviation of the weight around the photo's center
MAX_COLOR_DIFFERENCE = 40.0  # ab units: larger differences count as this one
PLAUSIBILITY_WEIGHT = 1.5  # of log-probabilities, against visible differences
MIN_DIFFERENCE = 3.0  # ab units, root mean square over the photo, between two alternatives
BOOST_SIGMA = 15.0  # ab units: standard deviation of the colors raised around a chosen one
LOGIT_MARGIN = 1.5  # of the chosen color over the likeliest other color
TOLERATED_DEFICIT = 1.0  # logits that a pixel may lack beyond the region's median
DEFICIT_PENALTY = 3.0  # logits that the margin shrinks for each logit lacked beyond that
SIMILARITY_FALLOFF = 0.25  # of a region's variance: how fast similarity falls off outside it
MIN_VARIANCE = 0.002  # of a region's features
BLEND_RADIUS = 3  # pixels at the distribution's stride, over which regions blend
EDGE_RADIUS = 8  # pixels at the working size: of the filter that aligns changes with edges


@dataclass(frozen=True, eq=False)
class CoarsePhoto:
    """A photo at the stride of the distribution, h x w pixels."""

    lightness: Plane  # (h, w) L*
    features: Plane  # (h, w, C), of `find_regions`
    similar: Tensor  # (Q, h, w), unnormalized probability of each color and those similar to it
    bins: Tensor  # (2, Q) a*, b*
    ab: Tensor  # (2, h, w), the annealed mean


@dataclass(frozen=True, eq=False)
class Region:
    """A part of the photo and its plausible colors, its own color first."""

    mask: Tensor  # (h, w) bool
    weight: float  # share of the photo; the center weighs more
    bins: list[int]  # of the other colors
    scores: NDArray[np.float64]  # (k,) log-probabilities, relative to the likeliest; own color: 0
    differences: NDArray[np.float64]  # (k, k) ab units, up to `MAX_COLOR_DIFFERENCE`


def alternative_changes(lightness: Plane, distribution: Distribution, n: int) -> list[Plane]:
    """Compute alternatives to the predicted colors.

    Args:
        lightness: (h, w) float32 L* at the working size.
        distribution: the network's prediction, at stride 4.
        n: the most alternatives to return; fewer are returned if nothing else is plausible.

    Returns:
        The change to the predicted ab for each alternative, (2, h, w) float32. A larger `n` returns
        the same alternatives, then more.
    """
    coarse = at_stride(lightness)
    probabilities, bins = torch.softmax(distribution.logits, 0), distribution.bins
    labels, features = find_regions(coarse, probabilities)
    similar = torch.einsum("qhw,pq->phw", probabilities, gaussian_kernel(bins, SIMILAR_SIGMA))
    photo = CoarsePhoto(coarse, features, similar.clamp_min(1e-6), bins, distribution.mean())
    regions = [describe_region(photo, labels == label) for label in range(labels.max() + 1)]
    regions = sorted(regions, key=potential, reverse=True)[:MAX_REGIONS]
    changes = []
    for choice in choose_alternatives(regions, n + 1)[1:]:
        change = distribution.mean(boost_logits(photo, regions, choice)) - photo.ab
        change = F.interpolate(change[None], scale_factor=4.0, mode="bilinear")[0]
        change = change[:, : lightness.shape[0], : lightness.shape[1]].permute(1, 2, 0)
        smooth = guided_filter(lightness, change.numpy(), EDGE_RADIUS, EPSILON)
        changes.append(np.ascontiguousarray(smooth.transpose(2, 0, 1)))
    return changes


def describe_region(photo: CoarsePhoto, mask: NDArray[np.bool_]) -> Region:
    """Find the colors that the region's mean distribution makes plausible, likeliest first.

    They differ from the region's own color and from each other, at the region's lightness.
    """
    inside = torch.from_numpy(mask)
    scores = photo.similar[:, inside].mean(1).log()
    scores -= scores.max()
    order = scores.argsort(descending=True)
    order = order[scores[order] >= MIN_LOG_PROBABILITY]
    own = photo.ab[:, inside].mean(1, keepdim=True)
    others = displayable(photo.bins[:, order], float(photo.lightness[mask].mean()))
    colors = torch.cat((own, others), dim=1)
    chosen = select_distinct(colors, MIN_COLOR_DISTANCE, MAX_COLORS)
    found = order[torch.tensor(chosen[1:], dtype=torch.int64) - 1]
    rows, columns = (cv2.getGaussianKernel(side, CENTER_SIGMA * side) for side in mask.shape)
    distances = torch.cdist(colors.T[chosen], colors.T[chosen])
    return Region(
        inside,
        float((rows @ columns.T)[mask].sum()),
        found.tolist(),
        np.concatenate(([0.0], scores[found].double().numpy())),
        distances.clamp(max=MAX_COLOR_DIFFERENCE).double().numpy(),
    )


def potential(region: Region) -> float:
    """The highest value, as `choose_alternatives` computes it, of changing this region alone."""
    difference = region.weight**0.5 * region.differences[0]
    plausibility = np.exp(PLAUSIBILITY_WEIGHT * region.weight**0.5 * region.scores)
    return float((difference * plausibility).max())


def choose_alternatives(regions: list[Region], n: int) -> list[tuple[int, ...]]:
    """Choose alternatives greedily: plausible, and visibly different from those before.

    Returns:
        For at most `n` alternatives, the number of each region's color. The first one has every
        region's own color.
    """
    options = list(product(*(range(len(region.scores)) for region in regions)))
    colors = np.array(options).T  # (regions, options)
    score = np.zeros(len(options))
    for region, color in zip(regions, colors, strict=True):
        score += PLAUSIBILITY_WEIGHT * region.weight**0.5 * region.scores[color]
    chosen, difference = [0], np.full(len(options), np.inf)
    while len(chosen) < n:
        squares = np.zeros(len(options))
        for region, color in zip(regions, colors, strict=True):
            squares += region.weight * region.differences[color, color[chosen[-1]]] ** 2
        difference = np.minimum(difference, squares**0.5)
        value = np.where(difference >= MIN_DIFFERENCE, difference * np.exp(score), 0)
        if not value.any():
            break
        chosen.append(int(value.argmax()))
    return [options[index] for index in chosen]


def boost_logits(photo: CoarsePhoto, regions: list[Region], choice: tuple[int, ...]) -> Tensor:
    """The change to the logits, (Q, h, w), that gives regions their chosen colors."""
    likely = photo.similar.log()
    kernel = gaussian_kernel(photo.bins, BOOST_SIGMA)
    changing = [(region, color) for region, color in zip(regions, choice, strict=True) if color]
    total = torch.zeros_like(likely)
    for region, color in changing:
        index = region.bins[color - 1]
        deficit = likely.amax(0) - likely[index]
        excess = (deficit - deficit[region.mask].median() - TOLERATED_DEFICIT).clamp_min(0)
        boost = (deficit + LOGIT_MARGIN - DEFICIT_PENALTY * excess).clamp_min(0)
        share = similarity(photo.features, region.mask)
        for other, _ in changing:
            share[other.mask] = float(other is region)
        soft = guided_filter(photo.lightness, share.numpy()[:, :, None], BLEND_RADIUS, EPSILON)
        total += kernel[index][:, None, None] * torch.from_numpy(soft[:, :, 0]).clamp(0, 1) * boost
    return total


def similarity(features: Plane, mask: Tensor) -> Tensor:
    """Return how similar pixels (h, w) are to those of a mask.

    The similarity is 1 within the mask's variance, then falls off to 0.
    """
    values = torch.from_numpy(features)
    distance = ((values - values[mask].mean(0)) ** 2).sum(2)
    variance = distance[mask].mean().clamp_min(MIN_VARIANCE)
    return torch.exp(-(distance / variance - 1).clamp_min(0) / SIMILARITY_FALLOFF)


def gaussian_kernel(bins: Tensor, sigma: float) -> Tensor:
    """Gaussian (Q, Q) of the distances between colors (2, Q)."""
    return torch.exp(torch.cdist(bins.T, bins.T) ** 2 / (-2 * sigma**2))


def displayable(ab: Tensor, lightness: float) -> Tensor:
    """Colors (2, n) mapped into the gamut at a lightness: the darkest and lightest are paler."""
    plane = np.full((1, ab.shape[1]), lightness, np.float32)
    return torch.from_numpy(map_to_gamut(plane, ab[:, None].numpy())[:, 0])


def select_distinct(colors: Tensor, distance: float, n: int) -> list[int]:
    """Return indices of at most `n` colors (2, k), from the first.

    Each is `distance` ab units or more from all that were selected before it.
    """
    selected: list[int] = []
    for index, color in enumerate(colors.T):
        if not selected or torch.cdist(color[None], colors.T[selected]).min() >= distance:
            selected.append(index)
        if len(selected) == n:
            break
    return selected
