"""Color hints: known colors of points, and how they propagate over the photo.

Where the network is wrong at a point, it is most likely wrong in the same way wherever the photo
looks alike: close by, at similar lightness, with similar predicted colors. So the error at the
hints is extended to all pixels by a Gaussian process (kriging) with such a covariance (Rasmussen
and Williams 2006, eq. 2.23, 2.24 and 4.17); it fades to 0 where nothing resembles any hint. A
narrow term of the covariance fills the object under a hint. A wide one lets several hints that
agree shift the whole photo; a single hint hardly does.

So spread the hints of old recipes, which have no reach. The others stay near, see
`colorizer.inference.local_hints`.
"""

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from colorizer.imaging.arrays import Plane
from colorizer.imaging.bands import bands
from colorizer.imaging.color import hex_to_lab

MAX_RADIUS = 1e6  # pixels of the full photo
DEFAULT_REACH = 0.8  # short sides of the photo
MAX_REACH = 3.0
MIN_RADIUS = 2.0  # pixels at the working size, around a hint, where it replaces earlier hints
NOISE_VARIANCE = 0.005  # of a hint's color, as a share of the covariance
SMOOTHING_SIGMA = 1.0  # pixels: grain must not make pixels differ
# Terms of the covariance: share; length scales of L*, of a* and b*, of the position in short sides,
# and of the color features
COVARIANCE_TERMS = ((0.8, 9.0, 12.0, 0.25, 0.5), (0.2, 16.0, 25.0, 1.0, math.inf))
# Samples in the disc of a large hint, in radii
DISC_OFFSETS = ((0.0, 0.0), (0.7, 0.0), (-0.7, 0.0), (0.0, 0.7), (0.0, -0.7))


@dataclass(frozen=True)
class ColorHint:
    """The known color of a point.

    Attributes:
        x: column in pixels of the upright full photo, 0 at the left edge.
        y: row in pixels of the upright full photo, 0 at the top edge.
        color: sRGB as "#rrggbb". Its lightness is ignored: the photo keeps its own.
        radius: of the disc that has this color, in pixels of the full photo; 0 means only the
            point.
        reach: how far the color spreads at most, in short sides of the photo, over what is alike;
            edges shorten it. None spreads it over the whole photo, as recipes without a reach do.
    """

    x: float
    y: float
    color: str
    radius: float = 0.0
    reach: float | None = DEFAULT_REACH

    def __post_init__(self) -> None:
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", self.color):
            raise ValueError(
                f"The hint's color is {self.color!r}; write it as #rrggbb, for example #7fb2e5."
            )
        if not 0 <= self.radius <= MAX_RADIUS:
            raise ValueError(
                f"The hint's radius is {self.radius}; it goes from 0 to {MAX_RADIUS:g} pixels."
            )
        if self.reach is not None and not 0 < self.reach <= MAX_REACH:
            raise ValueError(
                f"The hint's reach is {self.reach}; give more than 0 and at most {MAX_REACH:g} "
                "short sides of the photo."
            )

    @property
    def ab(self) -> tuple[float, float]:
        """a* and b* of the color."""
        _, a, b = hex_to_lab(self.color).tolist()
        return a, b


@dataclass(frozen=True, eq=False)
class Samples:
    """Pixels at the working size whose colors are known."""

    rows: NDArray[np.intp]  # (n,)
    columns: NDArray[np.intp]  # (n,)
    ab: Plane  # (n, 2)
    reach: Plane  # (n,) in short sides; NaN: the whole photo

    def __len__(self) -> int:
        return len(self.rows)

    def take(self, chosen: NDArray[np.bool_]) -> "Samples":
        """Those that are chosen."""
        return Samples(self.rows[chosen], self.columns[chosen], self.ab[chosen], self.reach[chosen])


def sample(
    hints: Iterable[ColorHint], photo_size: tuple[int, int], size: tuple[int, int]
) -> Samples:
    """Sample hints: their points, and four more points in the discs of large ones.

    Args:
        hints: later ones replace earlier ones at the same place.
        photo_size: (height, width) of the upright full photo, which the coordinates refer to.
        size: (height, width) at the working size.

    Raises:
        ValueError: a hint lies outside the photo.
    """
    scale_y, scale_x = size[0] / photo_size[0], size[1] / photo_size[1]
    found: list[tuple[float, float, ColorHint]] = []
    for hint in hints:
        if not (0 <= hint.x < photo_size[1] and 0 <= hint.y < photo_size[0]):
            raise ValueError(
                f"The hint at x={hint.x:g}, y={hint.y:g} lies outside the photo of "
                f"{photo_size[1]} x {photo_size[0]} pixels."
            )
        # Half a pixel is added because a click means the center of its pixel.
        y, x = (hint.y + 0.5) * scale_y, (hint.x + 0.5) * scale_x
        radius = hint.radius * (scale_x * scale_y) ** 0.5
        covered = max(radius, MIN_RADIUS)
        found = [other for other in found if np.hypot(other[0] - y, other[1] - x) > covered]
        for down, right in DISC_OFFSETS if radius > MIN_RADIUS else DISC_OFFSETS[:1]:
            row, column = y + down * radius, x + right * radius
            if 0 <= row < size[0] and 0 <= column < size[1]:
                found.append((row, column, hint))
    points = np.array([point[:2] for point in found]).reshape(-1, 2).astype(np.intp)
    rows, columns = np.minimum(points, np.array(size) - 1).T
    ab = np.array([hint.ab for *_, hint in found], np.float32).reshape(-1, 2)
    reach = [math.nan if hint.reach is None else hint.reach for *_, hint in found]
    return Samples(rows, columns, ab, np.array(reach, np.float32))


class HintPropagation:
    """Propagates the known colors of some pixels to all pixels, whatever their reach.

    Args:
        lightness: (h, w) float32 L*.
        colors: (2, h, w) float32 ab by which pixels are compared.
        samples: of the same h and w; at least one.
        color_features: (rows, columns, C) float32 by which pixels are compared, too, of any size;
            see `Distribution.features`. None for networks without a distribution.
    """

    def __init__(
        self, lightness: Plane, colors: Plane, samples: Samples, color_features: Plane | None = None
    ) -> None:
        self._samples = samples
        self._features, self._terms = _features(lightness, colors, color_features)
        self._known = self._features[samples.rows, samples.columns]
        noise = NOISE_VARIANCE * np.eye(len(samples))
        self._covariance = self._covary(self._known) + noise

    def apply(self, ab: Plane) -> Plane:
        """Give the samples in ab (2, h, w) their colors, and change similar pixels alike."""
        samples = self._samples
        error = samples.ab - ab[:, samples.rows, samples.columns].T
        weights = np.linalg.solve(self._covariance, error).astype(np.float32)
        corrected = np.empty_like(ab)
        for rows in self._bands():
            change = self._covary(self._features[rows]) @ weights
            corrected[:, rows] = ab[:, rows] + np.moveaxis(change, 2, 0)
        return corrected

    def certainty(self) -> Plane:
        """How well the samples determine each pixel, (h, w): 0 not at all, almost 1 at samples."""
        certainty = np.empty(self._features.shape[:2], np.float32)
        for rows in self._bands():
            near = self._covary(self._features[rows]).astype(np.float64)
            shares = np.linalg.solve(self._covariance, near.reshape(-1, len(self._known)).T)
            certainty[rows] = (near * shares.T.reshape(near.shape)).sum(2)
        return certainty.clip(0, 1)

    def _bands(self) -> Iterator[slice]:
        """Bands of rows whose covariance with all samples takes little memory."""
        height, width, _ = self._features.shape
        return bands((height, width * len(self._samples)))

    def _covary(self, features: Plane) -> Plane:
        """Covariance of features (..., C) with those of the n samples: (..., n), 1 if equal."""
        terms = [
            share * matern(features / scale, self._known / scale) for share, scale in self._terms
        ]
        return np.asarray(np.sum(terms, axis=0), np.float32)


def _features(
    lightness: Plane, colors: Plane, color_features: Plane | None
) -> tuple[Plane, list[tuple[float, Plane]]]:
    """Features for comparing pixels, (h, w, C); share and length scales (C,) of each term."""
    height, width = lightness.shape
    y, x = np.mgrid[:height, :width] / min(height, width)
    smooth = cv2.GaussianBlur(np.dstack((lightness, *colors)), (0, 0), SMOOTHING_SIGMA)
    channels = [smooth, y, x]
    if color_features is not None:
        channels.append(cv2.resize(color_features, (width, height), interpolation=cv2.INTER_LINEAR))
    features = np.dstack(channels).astype(np.float32)
    count = features.shape[2] - 5
    scales = [
        (share, np.array([light, color, color, place, place, *[feature] * count], np.float32))
        for share, light, color, place, feature in COVARIANCE_TERMS
    ]
    return features, scales


def matern(features: Plane, others: Plane) -> Plane:
    """Compute the Matern covariance of order 3/2 between features (..., C) and others (n, C).

    Both are in length scales; the result is (..., n). Smoother covariances overshoot between
    neighboring hints of different colors.
    """
    squares = (features**2).sum(-1, keepdims=True) + (others**2).sum(1)
    distances = np.sqrt(3 * (squares - 2 * features @ others.T).clip(0))
    return np.asarray((1 + distances) * np.exp(-distances), np.float32)
