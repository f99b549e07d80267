"""Augmentation: lightness stays lightness; simulated hints tell the truth."""

import pytest
import torch

from colorizer.generator import AB_SCALE
from train.augment import LARGEST_PATCH, MEAN_HINTS, jitter_gamma, simulate_hints


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_jitter_keeps_black_white_and_order() -> None:
    ramp = torch.linspace(0, 100, 101).view(1, 1, 1, -1).expand(16, 1, 1, -1)
    changed = jitter_gamma(ramp, 0.5, seeded())
    assert changed[..., 0].abs().max() == 0
    assert (changed[..., -1] - 100).abs().max() < 1e-4
    assert (changed.diff(dim=-1) > 0).all()


def test_jitter_gives_each_photo_its_own_power_within_bounds() -> None:
    half = torch.full((500, 1, 1, 1), 50.0)
    powers = (jitter_gamma(half, 0.3, seeded()) / 100).log().flatten() / torch.tensor(0.5).log()
    logs = powers.log()
    assert logs.abs().max() <= 0.3 + 1e-4
    assert logs.min() < -0.28
    assert logs.max() > 0.28
    assert abs(float(logs.mean())) < 0.03


def test_no_jitter_changes_nothing_and_seeds_repeat() -> None:
    lightness = 100 * torch.rand(3, 1, 4, 5, generator=seeded())
    assert torch.allclose(jitter_gamma(lightness, 0, seeded()), lightness, atol=1e-4)
    assert torch.equal(
        jitter_gamma(lightness, 0.3, seeded(1)), jitter_gamma(lightness, 0.3, seeded(1))
    )


def test_rounding_beyond_the_range_is_no_nan() -> None:
    edge = torch.tensor([-1e-5, 100.00001]).view(2, 1, 1, 1)
    assert jitter_gamma(edge, 0.3, seeded()).isfinite().all()


def test_hints_tell_the_true_color_where_the_mask_is() -> None:
    ab = torch.empty(4, 2, 64, 48)
    ab[:, 0], ab[:, 1] = 30, -50
    planes = simulate_hints(ab, seeded())
    mask = planes[:, 2] == 1
    assert planes.shape == (4, 3, 64, 48)
    assert mask.any()
    assert planes[:, 0][mask].unique().tolist() == pytest.approx([30 / AB_SCALE])
    assert planes[:, 1][mask].unique().tolist() == pytest.approx([-50 / AB_SCALE])
    assert not planes[:, :2].permute(0, 2, 3, 1)[~mask].any()
    assert set(planes[:, 2].unique().tolist()) == {0, 1}


def test_a_patch_has_the_mean_of_its_pixels() -> None:
    ab = 50 * torch.randn(64, 2, 9, 9, generator=seeded())
    planes = simulate_hints(ab, seeded())
    whole = (planes[:, 2] == 1).flatten(1).all(1)  # the one patch that fills the picture
    assert whole.any()
    found = planes[whole][:, :2, 4, 4] * AB_SCALE
    covered = (found - ab[whole].mean((2, 3))).abs().amax(1) < 1e-3
    assert covered.any()


def test_number_and_size_of_hints_follow_the_paper() -> None:
    """Geometric with p = 1/8, so one photo in eight has none; patches of 1 to 9 pixels."""
    planes = simulate_hints(torch.zeros(800, 2, 96, 96), seeded())
    none = float((planes[:, 2].sum((1, 2)) == 0).float().mean())
    assert none == pytest.approx(1 / MEAN_HINTS, abs=0.04)
    area = float(planes[:, 2].sum((1, 2)).mean())
    mean_patch = sum(side**2 for side in range(1, LARGEST_PATCH + 1)) / LARGEST_PATCH
    assert area == pytest.approx((MEAN_HINTS - 1) * mean_patch, rel=0.15)  # few overlap
    for rest in ((0, 1), (0, 2)):  # anywhere, the borders too
        assert planes[:, 2].sum(rest).min() > 0


def test_hints_repeat_with_the_seed_and_do_not_change_the_truth() -> None:
    ab = torch.randn(3, 2, 32, 32, generator=seeded())
    before = ab.clone()
    assert torch.equal(simulate_hints(ab, seeded(5)), simulate_hints(ab, seeded(5)))
    assert torch.equal(ab, before)
