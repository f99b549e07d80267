"""From the network's chroma to the full photo's: a guided filter, with the photo's own lightness as
guide.

The fast guided filter (He and Sun 2015): ab is taken to be a linear function of lightness in every
small window. Its slopes are found at the working size, and used with the lightness at full size, so
that colors follow what is finer than the network sees. Its smoothing is left out: at the working
size the colors are the network's.
"""

import cv2
import numpy as np

from colorizer.bands import Plane, enlarge_planes

RADIUS = 1  # pixels at the working size; 1 to 4 are compared in train/EXPERIMENTS.md
EPSILON = 60.0  # L* units squared: weaker lightness changes than its root leave the color alone


def box_mean(plane: Plane, radius: int) -> Plane:
    """Mean over windows of 2 * radius + 1 pixels; (H, W) or (H, W, C) float32."""
    return np.asarray(
        cv2.blur(plane, (2 * radius + 1, 2 * radius + 1), borderType=cv2.BORDER_REFLECT)
    )


def guided_coefficients(
    guide: Plane, values: Plane, radius: int, epsilon: float
) -> tuple[Plane, Plane]:
    """Slope and offset of the guided filter (He et al. 2013, eq. 5 and 6), averaged over windows.

    Args:
        guide: (H, W) float32.
        values: (H, W, C) float32.
        radius: of the window, in pixels.
        epsilon: in squared units of the guide; larger smooths more.

    Returns:
        Slope and offset, (H, W, C) each: the filtered values are slope * guide + offset.
    """
    guide = guide[:, :, None]
    mean_guide = box_mean(guide, radius).reshape(guide.shape)
    mean_values = box_mean(values, radius).reshape(values.shape)
    variance = box_mean(guide * guide, radius).reshape(guide.shape) - mean_guide**2
    covariance = box_mean(guide * values, radius).reshape(values.shape) - mean_guide * mean_values
    slope = covariance / (variance + epsilon)
    offset = mean_values - slope * mean_guide
    return box_mean(slope, radius).reshape(values.shape), box_mean(offset, radius).reshape(
        values.shape
    )


def guided_filter(guide: Plane, values: Plane, radius: int, epsilon: float) -> Plane:
    """Smooth `values` (H, W, C) while keeping the edges of `guide` (H, W); see
    `guided_coefficients`.
    """
    slope, offset = guided_coefficients(guide, values, radius, epsilon)
    return slope * guide[:, :, None] + offset


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
