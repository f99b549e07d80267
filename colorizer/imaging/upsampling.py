"""From the network's chroma to the full photo's: a guided filter, with the photo's own lightness as
guide.

The fast guided filter (He and Sun 2015): ab is taken to be a linear function of lightness in every
small window. Its slopes are found at the working size, and used with the lightness at full size, so
that colors follow what is finer than the network sees. Its smoothing is left out: at the working
size the colors are the network's.
"""

import numpy as np

from colorizer.imaging.arrays import Plane
from colorizer.imaging.guided_filter import guided_coefficients
from colorizer.imaging.resampling import enlarge_planes

RADIUS = 1  # pixels at the working size; 1 to 4 are compared in train/EXPERIMENTS.md
EPSILON = 60.0  # L* units squared: weaker lightness changes than its root leave the color alone


class ChromaUpsampler:
    """ab at the working size, ready to be read at any band of the full photo.

    Args:
        lightness: (h, w) float32 L* at the working size.
        ab: (2, h, w) float32 at the working size.
        size: (height, width) of the full photo.
    """

    def __init__(self, lightness: Plane, ab: Plane, size: tuple[int, int]) -> None:
        values = np.ascontiguousarray(ab.transpose(1, 2, 0))
        slope, _ = guided_coefficients(lightness, values, RADIUS, EPSILON)
        offset = values - slope * lightness[:, :, None]  # not the filter's own, which smooths
        self.coefficients = (
            np.stack((slope, offset)).transpose(0, 3, 1, 2).reshape(-1, *ab.shape[1:])
        )
        self.size = size

    def band(self, rows: slice, lightness: Plane) -> Plane:
        """ab (2, rows, width) for a band of the full photo, given its lightness (rows, width)."""
        enlarged = enlarge_planes(self.coefficients, rows, self.size)
        ab, offset = enlarged[:2], enlarged[2:]
        ab *= lightness
        ab += offset
        return ab
