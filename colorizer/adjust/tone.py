"""Adjust lightness: repairs, exposure, gamma, contrast and sharpness."""

from collections.abc import Callable

import numpy as np
import torch

from colorizer.adjust.adjustments import Adjustments
from colorizer.adjust.restoration import (
    Filter,
    copy_size,
    raise_local_contrast,
    reduce_grain,
    remove_dust,
    sharpen,
)
from colorizer.imaging.arrays import Plane
from colorizer.imaging.color import lightness_to_gray, luminance_to_lightness, srgb_to_linear
from colorizer.photo.photo import Photo

HIGHLIGHTS = 0.5  # luminance from which a higher exposure is rolled off
CURVE_STEPS = 1 << 16  # of the tone curve, 256 times as fine as 8 bits


class ToneAdjuster:
    """The settings of lightness, ready for any band of a photo.

    Repairs come first, then the tone, and sharpness last.

    Args:
        photo: whose lightness is to be adjusted.
        settings: what to do.
    """

    def __init__(self, photo: Photo, settings: Adjustments) -> None:
        self._size = photo.size
        self._filters: list[Filter] = []
        curve = (settings.exposure, settings.contrast, settings.gamma) != (0, 0, 1)
        steps: list[tuple[float, Callable[[Plane, float], Filter]]] = [
            (settings.dust, remove_dust),
            (settings.luma_noise, reduce_grain),
            (curve, lambda copy, amount: curve_filter(settings)),
            (settings.local_contrast, raise_local_contrast),
            (settings.sharpness, sharpen),
        ]
        steps = [step for step in steps if step[0]]
        if not steps:
            return
        size = copy_size(photo.size)
        copy = photo.resized_lightness(size)
        for amount, prepare in steps:
            filter = prepare(copy, amount)
            filter(copy, slice(0, size[0]), size)  # what the next one finds
            self._filters.append(filter)

    def band(self, rows: slice, lightness: Plane) -> Plane:
        """Adjusted L*, (rows, width) float32, 0 to 100, of a band of the photo, given its L*."""
        if not self._filters:
            return lightness
        adjusted = lightness.copy()
        for filter in self._filters:
            filter(adjusted, rows, self._size)
        adjusted.clip(0, 100, out=adjusted)
        return adjusted


def curve_filter(settings: Adjustments) -> Filter:
    """Exposure, gamma and contrast, which look at nothing but the pixel itself."""
    curve = tone_curve(settings)

    def filter(band: Plane, rows: slice, size: tuple[int, int]) -> None:
        steps = np.rint(band * np.float32(CURVE_STEPS / 100)).astype(np.intp)
        curve.take(steps, mode="clip", out=band)

    return filter


def tone_curve(settings: Adjustments) -> Plane:
    """What exposure, gamma and contrast make of L* from 0 to 100: (CURVE_STEPS + 1,) L*."""
    curve = torch.linspace(0, 100, CURVE_STEPS + 1)
    if settings.exposure:
        luminance = srgb_to_linear(lightness_to_gray(curve))
        curve = luminance_to_lightness(expose(luminance, 2**settings.exposure))
    share = (curve / 100) ** (1 / settings.gamma)
    # The S-curve x (1 - x) (2x - 1) keeps 0, 1/2 and 1; added up to once, it stays monotone.
    share = share + settings.contrast / 100 * share * (1 - share) * (2 * share - 1)
    return np.asarray(100 * share, np.float32)


def expose(luminance: torch.Tensor, factor: float) -> torch.Tensor:
    """Multiply luminance in [0, 1] and roll off the highlights above `HIGHLIGHTS`.

    White stays white, and the steps below it stay apart (Reinhard et al. 2002, eq. 4, above a
    knee).
    """
    exposed = luminance * factor
    if factor <= 1:
        return exposed
    above = (exposed - HIGHLIGHTS).clamp_min(0) / (1 - HIGHLIGHTS)
    white = (factor - HIGHLIGHTS) / (1 - HIGHLIGHTS)
    rolled = above * (1 + above / white**2) / (1 + above)
    return torch.where(exposed <= HIGHLIGHTS, exposed, HIGHLIGHTS + (1 - HIGHLIGHTS) * rolled)
