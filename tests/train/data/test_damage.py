"""Drawn damage: the mask marks what changed, and writing is no damage."""

import numpy as np
import pytest

from train.data import damage as drawing
from train.data.damage import VISIBLE, crack, crease, damage, fiber, scratch, sew_buttons, write

SIZE = (96, 128)
SEEDS = range(40)


def test_the_mask_marks_what_changed(monkeypatch) -> None:
    monkeypatch.setattr(drawing, "WRITING", 0)
    monkeypatch.setattr(drawing, "BUTTONS", 0)
    gray = np.full(SIZE, 128, np.uint8)
    shares = []
    for seed in SEEDS:
        damaged, mask = damage(gray, np.random.default_rng(seed))
        assert damaged.dtype == np.uint8
        assert (np.abs(damaged[mask].astype(int) - 128) >= VISIBLE).all()
        shares.append(mask.mean())
    assert 0 in shares, "some photos stay intact"
    assert 0.005 < np.mean(shares) < 0.2
    assert (gray == 128).all()


def test_equal_seeds_damage_equally() -> None:
    gray = np.random.default_rng(0).integers(0, 256, SIZE, dtype=np.uint8)
    one, other = (damage(gray, np.random.default_rng(7)) for _ in range(2))
    np.testing.assert_array_equal(one.gray, other.gray)
    np.testing.assert_array_equal(one.mask, other.mask)


@pytest.mark.parametrize("draw", [scratch, crack, fiber, crease])
def test_lines_are_thin(draw) -> None:
    coverages = [draw(SIZE, np.random.default_rng(seed)) for seed in SEEDS]
    assert {coverage.shape for coverage in coverages} == {SIZE}
    covered = np.array([(coverage > 0).mean() for coverage in coverages])
    assert (covered > 0).mean() > 0.9
    assert covered.max() < 0.25


@pytest.mark.parametrize(("chance", "draw"), [("WRITING", write), ("BUTTONS", sew_buttons)])
def test_writing_and_buttons_are_no_damage(chance: str, draw, monkeypatch) -> None:
    gray = np.full(SIZE, 128, np.float32)
    draw(gray, np.random.default_rng(2))
    assert (gray != 128).mean() > 0.003
    for name in ("WRITING", "BUTTONS"):
        monkeypatch.setattr(drawing, name, float(name == chance))
    monkeypatch.setattr(drawing, "INTACT", 1.0)
    for seed in SEEDS:
        drawn, mask = damage(np.full(SIZE, 128, np.uint8), np.random.default_rng(seed))
        assert not mask.any()
        if (drawn != 128).any():
            return
    pytest.fail("nothing was drawn")
