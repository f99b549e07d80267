"""Other plausible versions of a colorized photo, from the distribution that the network predicted.

Each region of the photo has its own color and some others that the network holds plausible and that
look different. A version gives some of the regions others of their colors; versions are chosen one
by one, so that each is plausible and looks different from all before. The logits are then raised
around the chosen colors, as far as most pixels of a region need it, so that they agree; what surely
has another color, as a face before a wall, keeps it.
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
from colorizer.imaging.compose import in_gamut
from colorizer.imaging.guided_filter import guided_filter
from colorizer.imaging.upsampling import EPSILON
from colorizer.inference.distribution import Distribution, at_stride
from colorizer.inference.regions import find_regions

SMOOTHING = 10.0  # ab units: standard deviation of what counts as the same color
IMPLAUSIBLE = -2.5  # log-probability of a region's color as against its likeliest
DISTINCT = 25.0  # ab units between the colors of a region
COLORS = 5  # of a region at most, with its own
CHANGING = 5  # regions whose colors change, the most promising
CENTER = 0.3  # of the sides: standard deviation of what catches the eye
CONTRAST = 40.0  # ab units: colors that are further apart look no more different
PLAUSIBILITY = 1.5  # weight of the log-probabilities as against the visible difference
VISIBLE = 3.0  # ab units over the photo, root of the mean square: less is the same version
BRUSH = 15.0  # ab units: standard deviation of what is raised around a color
LEAD = 1.5  # of the color's logit over the likeliest other one's
USUAL = 1.0  # logits that a pixel may lack beyond the region's median
RELUCTANCE = 3.0  # logits by which the lead shrinks for each that a pixel lacks beyond that
FALLOFF = 0.25  # of a region's variance: how fast likeness to it falls off outside
NOISE = 0.002  # variance of a region's features that counts for nothing
BORDER = 3  # pixels at the stride of the distribution: regions blend into each other
SMOOTH = 8  # pixels at the working size: radius of the filter that takes changes to the edges


@dataclass(frozen=True, eq=False)
class Sketch:
    """What versions are made from, at the stride of the distribution, h x w pixels."""

    lightness: Plane  # (h, w) L*
    features: Plane  # (h, w, C), of `find_regions`
    similar: Tensor  # (Q, h, w), probability of each color and those like it, up to a factor
    bins: Tensor  # (2, Q) a*, b*
    ab: Tensor  # (2, h, w), the annealed mean


@dataclass(frozen=True, eq=False)
class Region:
    """A part of the photo and the colors that it may have, its own first."""

    mask: Tensor  # (h, w) bool
    weight: float  # share of the photo, as it catches the eye
    bins: list[int]  # of the other colors
    scores: NDArray[np.float64]  # (k,) log-probabilities as against the likeliest; 0 for its own
    gaps: NDArray[np.float64]  # (k, k) ab units between the colors, `CONTRAST` at most


def color_changes(lightness: Plane, distribution: Distribution, n: int) -> list[Plane]:
    """Find other versions of a photo.

    Args:
        lightness: (h, w) float32 L* at the working size.
        distribution: what was predicted, at stride 4.
        n: how many at most; there are fewer only where nothing else is plausible.

    Returns:
        What to add to the predicted ab, (2, h, w) float32 each. More versions begin with the same
        ones.
    """
    coarse = at_stride(lightness)
    probabilities, bins = torch.softmax(distribution.logits, 0), distribution.bins
    labels, features = find_regions(coarse, probabilities)
    similar = torch.einsum("qhw,pq->phw", probabilities, kernel(bins, SMOOTHING))
    sketch = Sketch(coarse, features, similar.clamp_min(1e-6), bins, distribution.mean())
    regions = [find_colors(sketch, labels == number) for number in range(labels.max() + 1)]
    regions = sorted(regions, key=promise, reverse=True)[:CHANGING]
    changes = []
    for choice in choose(regions, n + 1)[1:]:
        change = distribution.mean(raise_colors(sketch, regions, choice)) - sketch.ab
        change = F.interpolate(change[None], scale_factor=4.0, mode="bilinear")[0]
        change = change[:, : lightness.shape[0], : lightness.shape[1]].permute(1, 2, 0)
        smooth = guided_filter(lightness, change.numpy(), SMOOTH, EPSILON)
        changes.append(np.ascontiguousarray(smooth.transpose(2, 0, 1)))
    return changes


def find_colors(sketch: Sketch, mask: NDArray[np.bool_]) -> Region:
    """The colors that the mean distribution of a region holds plausible, distinct from its own and
    from each other as they look at the region's lightness, likeliest first.
    """
    inside = torch.from_numpy(mask)
    scores = sketch.similar[:, inside].mean(1).log()
    scores -= scores.max()
    order = scores.argsort(descending=True)
    order = order[scores[order] >= IMPLAUSIBLE]
    own = sketch.ab[:, inside].mean(1, keepdim=True)
    others = as_shown(sketch.bins[:, order], float(sketch.lightness[mask].mean()))
    colors = torch.cat((own, others), dim=1)
    chosen = distinct(colors, DISTINCT, COLORS)
    found = order[torch.tensor(chosen[1:], dtype=torch.int64) - 1]
    rows, columns = (cv2.getGaussianKernel(side, CENTER * side) for side in mask.shape)
    return Region(
        inside,
        float((rows @ columns.T)[mask].sum()),
        found.tolist(),
        np.concatenate(([0.0], scores[found].double().numpy())),
        torch.cdist(colors.T[chosen], colors.T[chosen]).clamp(max=CONTRAST).double().numpy(),
    )


def promise(region: Region) -> float:
    """What changing a region's color can do for a version, as in `choose`."""
    difference = region.weight**0.5 * region.gaps[0]
    return float((difference * np.exp(PLAUSIBILITY * region.weight**0.5 * region.scores)).max())


def choose(regions: list[Region], n: int) -> list[tuple[int, ...]]:
    """Choose versions greedily: visibly different from all before, and plausible.

    Returns:
        The number of each region's color, for at most `n` versions; the first has their own.
    """
    options = list(product(*(range(len(region.scores)) for region in regions)))
    colors = np.array(options).T  # (regions, versions)
    score = np.zeros(len(options))
    for region, color in zip(regions, colors, strict=True):
        score += PLAUSIBILITY * region.weight**0.5 * region.scores[color]
    chosen, different = [0], np.full(len(options), np.inf)
    while len(chosen) < n:
        squares = np.zeros(len(options))
        for region, color in zip(regions, colors, strict=True):
            squares += region.weight * region.gaps[color, color[chosen[-1]]] ** 2
        different = np.minimum(different, squares**0.5)
        worth = np.where(different >= VISIBLE, different * np.exp(score), 0)
        if not worth.any():
            break
        chosen.append(int(worth.argmax()))
    return [options[index] for index in chosen]


def raise_colors(sketch: Sketch, regions: list[Region], choice: tuple[int, ...]) -> Tensor:
    """What to add to the logits (Q, h, w), so that regions get the chosen colors."""
    likely = sketch.similar.log()
    brush = kernel(sketch.bins, BRUSH)
    changing = [(region, color) for region, color in zip(regions, choice, strict=True) if color]
    total = torch.zeros_like(likely)
    for region, color in changing:
        index = region.bins[color - 1]
        missing = likely.amax(0) - likely[index]
        beyond = (missing - missing[region.mask].median() - USUAL).clamp_min(0)
        needed = (missing + LEAD - RELUCTANCE * beyond).clamp_min(0)
        share = likeness(sketch.features, region.mask)
        for other, _ in changing:
            share[other.mask] = float(other is region)
        soft = guided_filter(sketch.lightness, share.numpy()[:, :, None], BORDER, EPSILON)
        total += brush[index][:, None, None] * torch.from_numpy(soft[:, :, 0]).clamp(0, 1) * needed
    return total


def likeness(features: Plane, mask: Tensor) -> Tensor:
    """How much pixels are like those of a mask (h, w): 1 within the variance of these, then falling
    off to 0.
    """
    values = torch.from_numpy(features)
    distance = ((values - values[mask].mean(0)) ** 2).sum(2)
    within = distance[mask].mean().clamp_min(NOISE)
    return torch.exp(-(distance / within - 1).clamp_min(0) / FALLOFF)


def kernel(bins: Tensor, deviation: float) -> Tensor:
    """Gaussian (Q, Q) of the distances between colors (2, Q), 1 for a color and itself."""
    return torch.exp(torch.cdist(bins.T, bins.T) ** 2 / (-2 * deviation**2))


def as_shown(ab: Tensor, lightness: float) -> Tensor:
    """Colors (2, n) as they look at a lightness: nearer to gray at the ends of the gamut."""
    plane = np.full((1, ab.shape[1]), lightness, np.float32)
    return torch.from_numpy(in_gamut(plane, ab[:, None].numpy())[:, 0])


def distinct(colors: Tensor, apart: float, n: int) -> list[int]:
    """Indices of the colors (2, k) that lie `apart` ab units from all chosen before, `n` at
    most.
    """
    chosen: list[int] = []
    for index, color in enumerate(colors.T):
        if not chosen or torch.cdist(color[None], colors.T[chosen]).min() >= apart:
            chosen.append(index)
        if len(chosen) == n:
            break
    return chosen
