"""Curves as tables: what is looked up is what the curve gives, to half a step."""

import numpy as np
import pytest
import torch

from colorizer.imaging.curves import TABLE_STEPS, look_up, tabulate, tabulate_levels


@pytest.mark.parametrize("steps", TABLE_STEPS.values())
@pytest.mark.parametrize("shape", [(40, 30), (40, 30, 3), (1, 1)])
def test_shares_are_looked_up_to_half_a_step(steps: int, shape: tuple[int, ...]) -> None:
    where = np.random.default_rng(0).uniform(0, 1, shape).astype(np.float32)
    found = look_up(tabulate(lambda share: 7 * share, steps), where)
    assert (found.shape, found.dtype) == (shape, np.float32)
    assert np.abs(found - 7 * where).max() < 7 * 0.51 / steps + 1e-6


@pytest.mark.parametrize("steps", TABLE_STEPS.values())
def test_what_lies_beyond_gets_the_ends(steps: int) -> None:
    where = np.array([[-1e3, -1e-5, 0, 1, 1.00001, 1e3]], np.float32)
    assert look_up(tabulate(torch.sqrt, steps), where).tolist() == [[0, 0, 0, 1, 1, 1]]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [(), (3,)])
def test_levels_get_their_entries(dtype: type, channels: tuple[int, ...]) -> None:
    table = np.random.default_rng(0).permutation(np.iinfo(dtype).max + 1).astype(np.float32)
    where = np.random.default_rng(1).integers(0, len(table), (9, 7, *channels), dtype)
    assert np.array_equal(look_up(table, where), table[where])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_levels_of_a_curve_are_rounded(dtype: type) -> None:
    highest = np.iinfo(dtype).max
    levels = tabulate_levels(lambda share: share**2, 1000, dtype)
    assert levels.dtype == dtype
    assert levels[[0, -1]].tolist() == [0, highest]
    assert levels[500] == round(highest / 4)
