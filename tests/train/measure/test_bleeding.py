"""Bleeding: what crosses a color edge is measured, on each side and in both directions."""

import numpy as np
import pytest
from numpy.typing import NDArray

from train.measure.bleeding import RADIUS, bleeding

RED, BLUE = (60.0, 40.0), (10.0, -50.0)


def two_regions(turned: bool = False) -> NDArray[np.float32]:
    ab = np.empty((40, 60, 2), np.float32)
    ab[:, :30], ab[:, 30:] = RED, BLUE
    return np.ascontiguousarray(ab.transpose(1, 0, 2)) if turned else ab


@pytest.mark.parametrize("turned", [False, True])
def test_the_truth_has_none(turned: bool) -> None:
    truth = two_regions(turned)
    assert bleeding(truth.copy(), truth) == (0.0, 0.0)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("width", [2, 4])
def test_color_that_crosses_is_spill(width: int, turned: bool) -> None:
    """The left color goes on for some pixels, all of which it fills."""
    truth = two_regions()
    output = truth.copy()
    output[:, 30 : 30 + width] = RED
    if turned:
        output, truth = (np.ascontiguousarray(ab.transpose(1, 0, 2)) for ab in (output, truth))
    found = bleeding(output, truth)
    assert found is not None
    # Edges lie at columns 29 and 30, which see 16 pixels each; width and width - 1 are wrong.
    share = (2 * width - 1) / (4 * RADIUS)
    assert found.spill == pytest.approx(share, abs=1e-6)
    step = np.hypot(RED[0] - BLUE[0], RED[1] - BLUE[1])
    assert found.error == pytest.approx(step * share, abs=1e-4)


def test_errors_away_from_the_other_color_are_no_spill() -> None:
    truth = two_regions()
    output = truth.copy()
    output[:, :30] = np.array(RED) + (np.array(RED) - BLUE) * 0.2
    found = bleeding(output.astype(np.float32), truth)
    assert found is not None
    assert found.spill == 0
    assert found.error > 5


def test_photos_without_edges_have_no_figure() -> None:
    flat = np.zeros((40, 40, 2), np.float32)
    assert bleeding(flat + 30, flat) is None
    ramp = np.linspace(0, 60, 60, dtype=np.float32)[None, :, None].repeat(40, 0).repeat(2, 2)
    assert bleeding(np.zeros_like(ramp), ramp) is None  # no sharp one
    tiny = np.zeros((5, 5, 2), np.float32)
    assert bleeding(tiny, tiny) is None
