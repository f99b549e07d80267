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
from colorizer.adjust.strokes import Retouch
from colorizer.imaging.arrays import Plane
from colorizer.imaging.color import lightness_to_gray, luminance_to_lightness, srgb_to_linear
from colorizer.photo.photo import Photo

HIGHLIGHT_KNEE = 0.5  # luminance above which a higher exposure is rolled off
CURVE_STEPS = 1 << 16  # of the tone curve, 256 per level of 8 bits


class ToneAdjuster:
    """Adjusts the lightness of a photo band by band: repairs, then tone, then sharpness.

    Args:
        photo: the photo to adjust.
        settings: which adjustments to apply.
        retouch: strokes by hand; None if there are none.
    """

    def __init__(self, photo: Photo, settings: Adjustments, retouch: Retouch | None = None) -> None:
        self._size = photo.size
        self._filters: list[Filter] = []
        size = copy_size(photo.size)
        repair = settings.dust > 0 or (retouch is not None and retouch.mends)
        marks = retouch.marks(size) if repair and retouch else None
        curve = (settings.exposure, settings.contrast, settings.gamma) != (0, 0, 1)
        steps: list[tuple[float, Callable[[Plane, float], Filter]]] = [
            (repair, lambda copy, _: remove_dust(copy, settings.dust, marks)),
            (settings.luma_noise, reduce_grain),
            (curve, lambda copy, amount: curve_filter(settings)),
            (settings.local_contrast, raise_local_contrast),
            (settings.sharpness, sharpen),
        ]
        steps = [step for step in steps if step[0]]
        if not steps:
            return
        copy = photo.resized_lightness(size)
        for amount, prepare in steps:
            filter = prepare(copy, amount)
            filter(copy, slice(0, size[0]), size)  # the next filter starts from the result
            self._filters.append(filter)

    def band(self, rows: slice, lightness: Plane) -> Plane:
        """Adjust L* of a band of the photo, (rows, width) float32, 0 to 100."""
        if not self._filters:
            return lightness
        adjusted = lightness.copy()
        for filter in self._filters:
            filter(adjusted, rows, self._size)
        adjusted.clip(0, 100, out=adjusted)
        return adjusted


def curve_filter(settings: Adjustments) -> Filter:
    """Make a filter of exposure, gamma and contrast, which need no surroundings."""
    curve = tone_curve(settings)

    def filter(band: Plane, rows: slice, size: tuple[int, int]) -> None:
        steps = np.rint(band * np.float32(CURVE_STEPS / 100)).astype(np.intp)
        curve.take(steps, mode="clip", out=band)

    return filter


def tone_curve(settings: Adjustments) -> Plane:
    """Tabulate exposure, gamma and contrast over L* from 0 to 100: (CURVE_STEPS + 1,) L*."""
    curve = torch.linspace(0, 100, CURVE_STEPS + 1)
    if settings.exposure:
        luminance = srgb_to_linear(lightness_to_gray(curve))
        curve = luminance_to_lightness(expose(luminance, 2**settings.exposure))
    share = (curve / 100) ** (1 / settings.gamma)
    # The S-curve x (1 - x) (2x - 1) is 0 at 0, 1/2 and 1; the sum is monotone up to once of it.
    share = share + settings.contrast / 100 * share * (1 - share) * (2 * share - 1)
    return np.asarray(100 * share, np.float32)


def expose(luminance: torch.Tensor, factor: float) -> torch.Tensor:
    """Multiply luminance in [0, 1] and roll off the highlights above `HIGHLIGHT_KNEE`.

    White stays white, and highlights keep their gradation (Reinhard et al. 2002, eq. 4, above a
    knee).
    """
    exposed = luminance * factor
    if factor <= 1:
        return exposed
    above = (exposed - HIGHLIGHT_KNEE).clamp_min(0) / (1 - HIGHLIGHT_KNEE)
    white = (factor - HIGHLIGHT_KNEE) / (1 - HIGHLIGHT_KNEE)
    rolled = above * (1 + above / white**2) / (1 + above)
    return torch.where(
        exposed <= HIGHLIGHT_KNEE, exposed, HIGHLIGHT_KNEE + (1 - HIGHLIGHT_KNEE) * rolled
    )
