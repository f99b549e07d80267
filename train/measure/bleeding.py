"""Bleeding: color errors beside the edges between regions of different color."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RADIUS = 8  # pixels on each side of an edge
MIN_STEP = 20.0  # ab units between the mean colors of both sides
SHARPNESS = 0.5  # share of the step that lies between the edge's two neighbors

Ab = NDArray[np.float32]  # (H, W, 2)


class Bleeding(NamedTuple):
    """Errors near the edges of one photo."""

    error: float  # mean distance in ab units from the truth
    spill: float  # mean share of the color step that crosses, 0 to 1


def bleeding(output: Ab, truth: Ab) -> Bleeding | None:
    """Measure a photo within `RADIUS` pixels of its strong color edges.

    An edge is a pixel where the true mean colors of the `RADIUS` pixels on both sides differ by at
    least `MIN_STEP`, and at least half of that difference lies between its direct neighbors. The
    error of a pixel beside it is projected on the direction to the other side's color: 0 is no
    spill, 1 is the other side's color.

    Args:
        output: (H, W, 2) predicted ab.
        truth: (H, W, 2) true ab.

    Returns:
        None if there are no such edges.
    """
    wrong = output - truth
    errors: list[NDArray[np.float32]] = []
    spills: list[NDArray[np.float32]] = []
    for colors, error in (
        (truth, wrong),
        (truth.transpose(1, 0, 2), wrong.transpose(1, 0, 2)),
    ):
        rows, columns, steps = _edges(colors)
        toward = steps / (steps**2).sum(1, keepdims=True)  # of an error along the step, its share
        for distance in range(1, RADIUS + 1):
            for place, sign in ((columns - distance, 1), (columns + distance, -1)):
                near = error[rows, place]
                errors.append(np.linalg.norm(near, axis=1))
                spills.append((sign * (near * toward).sum(1)).clip(0, 1))
    error_values, spill_values = np.concatenate(errors), np.concatenate(spills)
    if not len(error_values):
        return None
    return Bleeding(float(error_values.mean()), float(spill_values.mean()))


def _edges(ab: Ab) -> tuple[NDArray[np.intp], NDArray[np.intp], Ab]:
    """Rows and columns of edges between left and right, and the steps (n, 2) in ab."""
    height, width = ab.shape[:2]
    if width < 2 * RADIUS + 1:
        nothing = np.empty(0, np.intp)
        return nothing, nothing, np.empty((0, 2), np.float32)
    sums = np.zeros((height, width + 1, 2))
    np.cumsum(ab, axis=1, out=sums[:, 1:])
    means = (sums[:, RADIUS:] - sums[:, :-RADIUS]) / RADIUS  # from each column on
    steps = means[:, RADIUS + 1 :] - means[:, : -RADIUS - 1]  # right minus left mean
    middle = slice(RADIUS, width - RADIUS)
    slope = np.zeros_like(ab)
    slope[:, 1:-1] = ab[:, 2:] - ab[:, :-2]
    size = np.linalg.norm(steps, axis=2)
    sharp = np.linalg.norm(slope[:, middle], axis=2) >= SHARPNESS * size
    rows, columns = np.nonzero((size >= MIN_STEP) & sharp)
    return rows, columns + RADIUS, steps[rows, columns].astype(np.float32)
