"""Regions: they cover the photo, and follow what the network says and the photo's edges."""

import numpy as np
import pytest
import torch

from colorizer.inference.regions import MAX_REGIONS, divide, find_regions

BINS = 5


def certain(color: np.ndarray) -> torch.Tensor:
    """Probabilities (BINS, h, w) of pixels (h, w) that are sure of one color."""
    return torch.nn.functional.one_hot(torch.from_numpy(color), BINS).permute(2, 0, 1).float()


def test_regions_are_what_has_the_same_distribution() -> None:
    color = np.zeros((24, 32), np.int64)
    color[:, 16:], color[:8, 16:] = 1, 2
    labels, features = find_regions(np.full((24, 32), 50, np.float32), certain(color))
    assert features.shape[:2] == labels.shape == (24, 32)
    assert labels.min() == 0
    assert labels.max() < MAX_REGIONS
    for label in range(labels.max() + 1):
        assert len(np.unique(color[labels == label])) == 1
    whole = [np.unique(labels[color == number]) for number in range(3)]
    assert not set(whole[0]) & set(whole[1]) & set(whole[2])


def test_regions_follow_the_photos_edges() -> None:
    """Where the network says the same, lightness alone parts them."""
    random = np.random.default_rng(0)
    probabilities = torch.softmax(torch.from_numpy(random.normal(0, 0.1, (BINS, 24, 32))), 0)
    lightness = np.full((24, 32), 30, np.float32)
    lightness[6:18, 8:24] = 90
    labels, _ = find_regions(lightness, probabilities.float())
    assert not set(labels[lightness == 30]) & set(labels[lightness == 90])


@pytest.mark.parametrize("size", [(1, 1), (1, 2), (2, 2), (1, 192), (192, 1), (2, 90), (5, 3)])
def test_the_smallest_pictures(size: tuple[int, int]) -> None:
    random = np.random.default_rng(0)
    probabilities = torch.softmax(torch.from_numpy(random.normal(0, 1, (BINS, *size))), 0).float()
    labels, _ = find_regions(random.uniform(0, 100, size).astype(np.float32), probabilities)
    assert labels.shape == size
    assert sorted(set(labels.ravel())) == list(range(labels.max() + 1))
    assert labels.max() < MAX_REGIONS


def test_patches_are_compact() -> None:
    """In a flat picture they are a grid."""
    patches = divide(np.zeros((30, 40, 3), np.float32))
    assert 80 <= len(np.unique(patches)) <= 110
    for number in np.unique(patches):
        y, x = np.nonzero(patches == number)
        assert np.ptp(y) <= 5
        assert np.ptp(x) <= 5
