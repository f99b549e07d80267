"""Color: agreement with published tables and scikit-image, round trips, gamut, bins."""

import numpy as np
import pytest
import torch
from skimage.color import lab2rgb, rgb2lab
from torch import Tensor

from colorizer.imaging.color import (
    BIN_WIDTH,
    ab_bins,
    gray_to_lightness,
    lab_to_rgb,
    lightness_to_gray,
    linear_to_srgb,
    luminance_to_lightness,
    rgb_to_lab,
    srgb_to_linear,
)

# CIELAB (D65, 2 degrees) of the sRGB primaries and secondaries, as Bruce Lindbloom's calculator and
# most textbooks give them.
PUBLISHED = {
    (1, 0, 0): (53.24, 80.09, 67.20),
    (0, 1, 0): (87.73, -86.18, 83.18),
    (0, 0, 1): (32.30, 79.19, -107.86),
    (1, 1, 0): (97.14, -21.55, 94.48),
    (0, 1, 1): (91.11, -48.09, -14.13),
    (1, 0, 1): (60.32, 98.23, -60.82),
    (1, 1, 1): (100.0, 0.0, 0.0),
    (0, 0, 0): (0.0, 0.0, 0.0),
}
# scikit-image rounds the white point to 5 digits and the matrix to 6.
LIBRARY_TOLERANCE = 0.02  # Lab units


def random_rgb(seed: int, count: int = 4000) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(3, count, 1, generator=generator)


def random_lab(seed: int, count: int = 4000) -> Tensor:
    """Any lightness with ab up to 150: most of it is out of gamut."""
    unit = random_rgb(seed, count)
    return torch.stack((100 * unit[0], 300 * unit[1] - 150, 300 * unit[2] - 150))


@pytest.mark.parametrize("rgb", PUBLISHED)
def test_primaries_have_their_published_lab(rgb: tuple[int, int, int]) -> None:
    lab = rgb_to_lab(torch.tensor(rgb, dtype=torch.float32).view(3, 1, 1)).flatten()
    assert lab.tolist() == pytest.approx(PUBLISHED[rgb], abs=0.03)


@pytest.mark.parametrize("seed", range(3))
def test_lab_agrees_with_scikit_image(seed: int) -> None:
    rgb = random_rgb(seed)
    expected = rgb2lab(rgb.permute(1, 2, 0).double().numpy())
    assert np.abs(rgb_to_lab(rgb).permute(1, 2, 0).numpy() - expected).max() < LIBRARY_TOLERANCE


def test_rgb_agrees_with_scikit_image() -> None:
    lab = rgb_to_lab(random_rgb(7))
    expected = lab2rgb(lab.permute(1, 2, 0).double().numpy())
    assert np.abs(lab_to_rgb(lab).permute(1, 2, 0).numpy() - expected).max() < 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_rgb_survives_the_way_to_lab_and_back(seed: int) -> None:
    rgb = random_rgb(seed)
    assert (lab_to_rgb(rgb_to_lab(rgb)) - rgb).abs().max() < 1e-4


def test_every_8_bit_gray_survives_as_lightness() -> None:
    levels = torch.arange(256) / 255
    back = lightness_to_gray(gray_to_lightness(levels))
    assert torch.equal((back * 255).round().int(), torch.arange(256, dtype=torch.int32))


def test_linear_round_trip_and_known_values() -> None:
    values = torch.linspace(0, 1, 1001)
    assert (linear_to_srgb(srgb_to_linear(values)) - values).abs().max() < 1e-5
    assert float(srgb_to_linear(torch.tensor(0.5))) == pytest.approx(0.21404, abs=1e-5)
    assert linear_to_srgb(torch.tensor([-0.5, 1.5])).tolist() == pytest.approx([0, 1])


def test_mid_gray_has_lightness_50() -> None:
    assert float(luminance_to_lightness(torch.tensor(0.18418652))) == pytest.approx(50, abs=1e-3)


def test_gray_has_no_chroma() -> None:
    gray = torch.linspace(0, 1, 256).expand(3, 256)[:, :, None]
    lab = rgb_to_lab(gray)
    assert lab[1:].abs().max() < 1e-3
    assert (lab[0] - gray_to_lightness(gray[0])).abs().max() < 1e-3


def test_batches_and_single_pictures_agree() -> None:
    rgb = random_rgb(3, 12).view(3, 3, 4)
    batch = rgb_to_lab(torch.stack((rgb, 1 - rgb)))
    assert torch.allclose(batch[0], rgb_to_lab(rgb), atol=1e-4)  # kernels depend on the shape
    assert batch.shape == (2, 3, 3, 4)


def test_gradients_are_finite_everywhere() -> None:
    """Black and the junctions of the curves are where a naive power has an infinite slope."""
    values = torch.tensor([0.0, 1e-9, 0.04045, 0.003, 0.5, 1.0])
    rgb = torch.cartesian_prod(values, values, values).T[:, :, None].requires_grad_()
    lab = rgb_to_lab(rgb)
    lab_to_rgb(lab).sum().backward()
    assert rgb.grad is not None
    assert rgb.grad.isfinite().all()
    (rgb_gradient,) = torch.autograd.grad(rgb_to_lab(rgb).sum(), rgb)
    assert rgb_gradient.isfinite().all()


def test_bins_are_those_of_srgb() -> None:
    """313 in Zhang et al., who took the gamut of another table; 300 to 330 by any."""
    bins = ab_bins()
    assert 230 <= len(bins) <= 330
    assert len(set(bins)) == len(bins)
    assert list(bins) == sorted(bins)
    assert (0.0, 0.0) in bins
    assert all(a % BIN_WIDTH == 0 and b % BIN_WIDTH == 0 for a, b in bins)
    assert max(max(abs(a), abs(b)) for a, b in bins) <= 110


def test_every_srgb_color_falls_into_a_bin() -> None:
    ab = rgb_to_lab(random_rgb(5, 20_000))[1:, :, 0].T
    bins = torch.tensor(ab_bins())
    nearest = (ab[:, None] - bins).abs().amax(2).amin(1)  # half a cell, if the bin is there
    assert nearest.max() <= BIN_WIDTH / 2 + 0.6  # the bins come from a grid of 65 levels
