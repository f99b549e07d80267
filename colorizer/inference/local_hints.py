"""Hints with a reach: each colors its thing, and what is of the same kind near it.

The error at the hints is divided in two. What hints on many things agree on is probably wrong in
the whole photo: a smooth Gaussian process follows it, whose noise has Student's t-distribution, so
that a hint which deviates from the others hardly moves it (Rasmussen and Williams 2006, sec. 9.3).
The rest belongs to things. It fades with the length of the shortest path from the hint, on which
edges are long ways, and ends at the hint's reach.

All this happens on a coarse grid; the result is enlarged along the edges of the lightness.
"""

import math

import numpy as np
from numpy.typing import NDArray

from colorizer.imaging.arrays import Plane
from colorizer.imaging.resampling import resize
from colorizer.imaging.upsampling import ChromaUpsampler
from colorizer.inference.hints import NOISE_VARIANCE, Samples, matern

STRIDE = 4  # pixels between cells of the grid, as of distributions
# Steps over such differences are as long as the short side: of L*, a* and b*; of color features
EDGE_LAB, EDGE_FEATURE = 24.0, 0.6
USUAL_CONTRAST = 22.0  # L* units, standard deviation: in fainter photos, fainter edges count
MIN_CONTRAST = 2.0  # L* units, so that grain is no edge
# The error that hints agree on: length scales of L*, of a* and b*, and of the position in short
# sides; its standard deviation and that of single hints, in ab units
AGREED_SCALES = (16.0, 25.0, 1.0)
AGREED_DEVIATION = 6.0
SINGLE_DEVIATION = 7.7
FREEDOM = 2.0  # degrees, of Student's t-distribution
FEW, MANY = 3.0, 6.0  # things with hints, see `_repetition`
ROUNDS = 10  # of reweighting


class LocalPropagation:
    """Propagates the known colors of some pixels to what is alike within their reach.

    Args:
        lightness: (h, w) float32 L*.
        colors: (2, h, w) float32 ab by which pixels are compared.
        samples: of the same h and w; at least one, all with a reach.
        color_features: (rows, columns, C) float32 by which pixels are compared, too, on a coarser
            grid; see `Distribution.features`. None for networks without a distribution.
    """

    def __init__(
        self, lightness: Plane, colors: Plane, samples: Samples, color_features: Plane | None = None
    ) -> None:
        self._lightness, self._samples = lightness, samples
        height, width = lightness.shape
        if color_features is None:
            color_features = np.zeros((-(-height // STRIDE), -(-width // STRIDE), 0), np.float32)
        rows, columns, _ = color_features.shape
        lab = np.dstack([resize(plane, (rows, columns)) for plane in (lightness, *colors)])
        self._grid_lightness = lab[:, :, 0]
        self._rows = samples.rows * rows // height
        self._columns = samples.columns * columns // width

        y, x = np.mgrid[:rows, :columns] / min(rows, columns)
        light, color, place = AGREED_SCALES
        self._agreed = np.dstack((lab / (light, color, color), y / place, x / place))
        contrast = min(1.0, max(MIN_CONTRAST, float(lightness.std())) / USUAL_CONTRAST)
        edges = np.dstack((lab / EDGE_LAB, color_features / EDGE_FEATURE))
        edges[:, :, 0] /= contrast
        self._nearness = nearness(edges, self._rows, self._columns, samples.reach)
        self._covariance = _positive(self._nearness[:, self._rows, self._columns])

    def apply(self, ab: Plane) -> Plane:
        """Give the samples in ab (2, h, w) their colors, and change what is alike within reach."""
        error = self._samples.ab - ab[:, self._samples.rows, self._samples.columns].T
        change, agreed = self._agree(error)
        weights = np.linalg.solve(self._covariance, error - agreed)
        change += np.tensordot(weights, self._nearness, (0, 0))
        upsampler = ChromaUpsampler(
            self._grid_lightness, change.astype(np.float32), self._lightness.shape
        )
        return ab + upsampler.band(slice(0, len(self._lightness)), self._lightness)

    def certainty(self) -> Plane:
        """How well the samples determine each pixel, (h, w): 0 not at all, almost 1 at samples."""
        near = self._nearness.reshape(len(self._samples), -1)
        certainty = (near * np.linalg.solve(self._covariance, near)).sum(0).clip(0, 1)
        return resize(certainty.reshape(self._grid_lightness.shape), self._lightness.shape)

    def _agree(self, error: Plane) -> tuple[Plane, Plane]:
        """Find what the errors (n, 2) have in common, (2, rows, columns), and that at the samples.

        The second result is (n, 2), as the errors are.
        """
        known = self._agreed[self._rows, self._columns]
        covariance = AGREED_DEVIATION**2 * matern(known, known)
        noise = SINGLE_DEVIATION * math.sqrt(self._repetition())
        deviations = np.full(len(error), noise)
        for _ in range(ROUNDS):
            # Hints on the same thing err alike, so many of them count as one
            single = self._covariance * np.outer(deviations, deviations)
            weights = np.linalg.solve(covariance + single, error)
            agreed = covariance @ weights
            squares = ((error - agreed) ** 2).sum(1)
            deviations = np.sqrt((FREEDOM * noise**2 + squares) / (FREEDOM + 2))
        on_grid = AGREED_DEVIATION**2 * matern(self._agreed, known) @ weights
        return np.moveaxis(on_grid, 2, 0), agreed

    def _repetition(self) -> float:
        """How many hints count as one.

        People begin where the colors are worst, so that hints on `FEW` things say as little of the
        rest as one. Between `FEW` and `MANY` things this changes until each counts.
        """
        things = len(self._samples) ** 2 / float(self._covariance.sum())
        return float(np.interp(things, (1, FEW, MANY), (1, FEW, 1)))


def nearness(
    edges: Plane, rows: NDArray[np.intp], columns: NDArray[np.intp], reach: Plane
) -> Plane:
    """Compute how near n points are: (n, h, w), 1 at the point, 0 from its reach on.

    Args:
        edges: (h, w, C) features. A step between neighbors has its length in short sides plus the
            squared difference of their features, so that an edge is longer than the same difference
            over many pixels.
        rows: of the points, (n,).
        columns: of the points, (n,).
        reach: lengths of paths in short sides, (n,).
    """
    lengths = np.empty((len(rows), *edges.shape[:2]), np.float32)
    lengths[:] = reach[:, None, None]
    lengths[np.arange(len(rows)), rows, columns] = 0
    sides = [
        (np.rot90(lengths, turn, (1, 2)), _step_lengths(np.rot90(edges, turn))) for turn in range(4)
    ]
    total = math.inf
    while lengths.sum(dtype=np.float64) < total:  # until no path gets shorter
        total = lengths.sum(dtype=np.float64)
        for turned, steps in sides:
            _walk_down(turned, *steps)
    return np.asarray((1 - (lengths / reach[:, None, None]) ** 2) ** 2, np.float32)


def _step_lengths(edges: Plane) -> tuple[Plane, Plane, Plane]:
    """Lengths of the steps to each row from the one above: straight, to the right, to the left."""
    short = min(edges.shape[:2])

    def steps(above: Plane, below: Plane, cells: float) -> Plane:
        return np.asarray(((above - below) ** 2).sum(2) + cells / short, np.float32)

    above, below = edges[:-1], edges[1:]
    return (
        steps(above, below, 1),
        steps(above[:, :-1], below[:, 1:], math.sqrt(2)),
        steps(above[:, 1:], below[:, :-1], math.sqrt(2)),
    )


def _walk_down(lengths: Plane, straight: Plane, right: Plane, left: Plane) -> None:
    """Shorten lengths (n, h, w), in place, by paths from row to row."""
    for row in range(1, lengths.shape[1]):
        above, here = lengths[:, row - 1], lengths[:, row]
        np.minimum(here, above + straight[row - 1], out=here)
        np.minimum(here[:, 1:], above[:, :-1] + right[row - 1], out=here[:, 1:])
        np.minimum(here[:, :-1], above[:, 1:] + left[row - 1], out=here[:, :-1])


def _positive(nearness: Plane) -> Plane:
    """Make a covariance of nearness (n, n), which paths may have left indefinite; add noise."""
    values, vectors = np.linalg.eigh((nearness + nearness.T) / 2)
    return np.asarray((vectors * (values.clip(0) + NOISE_VARIANCE)) @ vectors.T)
