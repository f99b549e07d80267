"""Adjust colors at the working size."""

import numpy as np

from colorizer.adjust.adjustments import Adjustments
from colorizer.adjust.skin import repair_skin, skin_likeness
from colorizer.imaging.arrays import Plane
from colorizer.imaging.guided_filter import guided_filter

CAST_SHIFT = 0.3  # ab units per unit of temperature or tint
WEAK_CHROMA = 30.0  # ab units: vibrance changes colors of this chroma half as much as the weakest
SKIN_SPARED = 0.7  # share of vibrance that skin is spared
COLOR_EDGE = 10.0  # L* units: a stronger edge keeps the colors on its sides apart
NEUTRAL_SHARE = 0.5  # of the pixels, those of lowest chroma, tell the color cast


def adjust_color(ab: Plane, lightness: Plane, settings: Adjustments) -> Plane:
    """Apply the color settings at the working size: upsampling is linear, so it may come later.

    Args:
        ab: (2, h, w) float32.
        lightness: (h, w) float32 L*, the guide of noise reduction and skin repair.
        settings: what to do.

    Returns:
        (2, h, w) float32.
    """
    if settings.chroma_noise:
        radius = 2 + round(14 * settings.chroma_noise)
        smooth = guided_filter(lightness, ab.transpose(1, 2, 0), radius, COLOR_EDGE**2)
        ab = ab + settings.chroma_noise * (smooth.transpose(2, 0, 1) - ab)
    if settings.skin_repair:
        ab = repair_skin(ab, lightness, settings.skin_repair)
    if settings.auto_white_balance:
        chroma = np.hypot(ab[0], ab[1])
        neutral = chroma <= np.quantile(chroma, NEUTRAL_SHARE)
        ab = ab - settings.auto_white_balance * ab[:, neutral].mean(1)[:, None, None]
    if settings.vibrance:
        weak = 1 / (1 + (ab**2).sum(0) / WEAK_CHROMA**2)
        ab = ab * (1 + settings.vibrance * weak * (1 - SKIN_SPARED * skin_likeness(ab)))
    shift = np.array((settings.tint, settings.temperature), np.float32) * CAST_SHIFT
    ab = ab * np.float32(settings.saturation) + shift[:, None, None]
    return np.asarray(ab * np.float32(settings.strength), np.float32)
