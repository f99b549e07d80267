"""Upsample the network's chroma to the full photo, guided by the photo's lightness.

The fast guided filter (He and Sun 2015) models ab as a linear function of lightness in every small
window. Slopes are computed at the working size and applied to the lightness at full size, so colors
follow details that the network does not see. The filter's smoothing is left out: at the working
size, the result equals the network's colors.
"""

import numpy as np

from colorizer.imaging.arrays import Plane
from colorizer.imaging.guided_filter import guided_coefficients
from colorizer.imaging.resampling import enlarge_planes

RADIUS = 1  # pixels at the working size; 1 to 4 are compared in train/EXPERIMENTS.md
EPSILON = 60.0  # L* units squared; lightness changes below its root barely move the color


class ChromaUpsampler:
    """Upsamples ab from the working size, one band of the full photo at a time.

    Args:
        lightness: (h, w) float32 L* at the working size.
        ab: (2, h, w) float32 at the working size.
        size: (height, width) of the full photo.
    """

    def __init__(self, lightness: Plane, ab: Plane, size: tuple[int, int]) -> None:
        values = np.ascontiguousarray(ab.transpose(1, 2, 0))
        slope, _ = guided_coefficients(lightness, values, RADIUS, EPSILON)
        offset = values - slope * lightness[:, :, None]  # the filter's own offset would smooth
        self.coefficients = (
            np.stack((slope, offset)).transpose(0, 3, 1, 2).reshape(-1, *ab.shape[1:])
        )
        self.size = size

    def band(self, rows: slice, lightness: Plane, columns: slice = slice(None)) -> Plane:
        """Upsample ab for a band, or some columns of it.

        Args:
            rows: of the full photo.
            lightness: (rows, columns) float32 L* there.
            columns: of the full photo.

        Returns:
            (2, rows, columns) float32.
        """
        enlarged = enlarge_planes(self.coefficients, rows, self.size)[:, :, columns]
        ab, offset = enlarged[:2], enlarged[2:]
        ab *= lightness
        ab += offset
        return ab
