"""Regions of a photo: neighboring pixels with similar color distributions."""

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from colorizer.imaging.arrays import Plane

Labels = NDArray[np.int64]

COMPONENTS = 6  # principal components for comparing distributions
LIGHTNESS_WEIGHT = 0.008  # per L* unit; disjoint distributions are sqrt(2) apart
VARIANCE_FLOOR = 1e-9  # the solver fails on denormal numbers
PATCHES = 96  # that a photo is divided into first
COMPACTNESS = 0.2  # of a patch: weight of its width
MAX_REGIONS = 10
MAX_MERGE_COST = 0.3  # of merging regions once there are few enough


def find_regions(lightness: Plane, probabilities: Tensor) -> tuple[Labels, Plane]:
    """Divide a photo into at most `MAX_REGIONS` regions.

    Args:
        lightness: (h, w) float32 L*.
        probabilities: (Q, h, w) float32, of each pixel's colors.

    Returns:
        The label of each pixel's region (h, w), from 0; and features (h, w, C) float32, which are
        close for similar pixels.
    """
    features = describe(lightness, probabilities)
    return merge(divide(features), features, lightness), features


def describe(lightness: Plane, probabilities: Tensor) -> Plane:
    """Return features (h, w, C): lightness and components of the probabilities.

    These are principal components of the square roots of the probabilities, so that distances
    are Hellinger distances.
    """
    roots = probabilities.flatten(1).sqrt().T  # (pixels, Q)
    roots = (roots - roots.mean(0)).double()
    covariance = roots.T @ roots / len(roots)
    covariance.diagonal().add_(VARIANCE_FLOOR)
    axes = torch.linalg.eigh(covariance).eigenvectors[:, -COMPONENTS:]
    components = (roots @ axes).view(*lightness.shape, -1)
    return np.dstack((components.numpy(), LIGHTNESS_WEIGHT * lightness)).astype(np.float32)


def divide(features: Plane) -> Labels:
    """Divide features (h, w, C) into about `PATCHES` compact patches of similar pixels.

    This is k-means from a regular grid (after Achanta et al. 2012).
    """
    height, width, channels = features.shape
    cells = min(PATCHES, height * width)
    down = max(1, round((cells * height / width) ** 0.5))
    across = max(1, round(cells / down))
    y, x = np.mgrid[:height, :width]
    grid = (y * down // height * across + x * across // width).astype(np.int32)
    place = np.dstack((y, x)) * COMPACTNESS * (cells / (height * width)) ** 0.5
    samples = np.dstack((features, place)).astype(np.float32).reshape(-1, 1, channels + 2)
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 8, 1e-3)
    _, labels, _ = cv2.kmeans(
        samples, down * across, grid.reshape(-1, 1), stop, 1, cv2.KMEANS_USE_INITIAL_LABELS
    )
    return np.asarray(labels.reshape(height, width), np.int64)


def merge(patches: Labels, features: Plane, lightness: Plane) -> Labels:
    """Merge neighboring patches into at most `MAX_REGIONS` regions that differ.

    Similar and small patches (after Ward 1963) without an edge of the photo between them are merged
    first.
    """
    flat = patches.ravel()
    n = int(flat.max()) + 1
    size = np.bincount(flat, minlength=n).astype(np.float64)
    columns = features.reshape(flat.size, -1).T
    sums = np.stack([np.bincount(flat, column, n) for column in columns], axis=1)
    mean = sums / np.maximum(size, 1)[:, None]
    steps, length = _borders(patches, lightness, n)
    region = np.arange(n)
    for left in range(np.count_nonzero(size), 1, -1):
        difference = ((mean[:, None] - mean) ** 2).sum(2)
        shared = size[:, None] * size / np.maximum(size[:, None] + size, 1) / flat.size
        edge = steps / np.maximum(length, 1)
        cost = np.where(length > 0, (difference * shared) ** 0.5 * (1 + edge), np.inf)
        i, j = divmod(int(cost.argmin()), n)
        if left <= MAX_REGIONS and cost[i, j] > MAX_MERGE_COST:
            break
        mean[i] = (size[i] * mean[i] + size[j] * mean[j]) / (size[i] + size[j])
        size[i], size[j] = size[i] + size[j], 0
        for table in (steps, length):
            table[i] += table[j]
            table[:, i] += table[:, j]
            table[j] = table[:, j] = table[i, i] = 0
        region[region == j] = i
    return np.unique(region[patches], return_inverse=True)[1].reshape(patches.shape)


def _borders(
    patches: Labels, lightness: Plane, n: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return, for each pair of patches (n, n), lightness steps and length of their border.

    The steps are summed across the border; the length is in pixels.
    """
    steps, length = np.zeros((2, n * n))
    for labels, values in ((patches, lightness), (patches.T, lightness.T)):
        pairs = (labels[:-1] * n + labels[1:]).ravel()
        steps += np.bincount(pairs, np.abs(np.diff(values, axis=0)).ravel(), n * n)
        length += np.bincount(pairs, minlength=n * n)
    steps, length = (table.reshape(n, n) + table.reshape(n, n).T for table in (steps, length))
    np.fill_diagonal(length, 0)
    return steps, length
