"""The guided filter: smooths values but keeps the edges of a guide (He et al. 2013)."""

import cv2
import numpy as np

from colorizer.imaging.arrays import Plane


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
    """Smooth `values` (H, W, C) while keeping the edges of `guide` (H, W).

    See `guided_coefficients`.
    """
    slope, offset = guided_coefficients(guide, values, radius, epsilon)
    return slope * guide[:, :, None] + offset
