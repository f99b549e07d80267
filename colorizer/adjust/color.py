"""Adjust colors at the working size."""

import numpy as np

from colorizer.adjust.adjustments import Adjustments
from colorizer.adjust.skin import repair_skin, skin_likeness
from colorizer.imaging.arrays import Plane
from colorizer.imaging.guided_filter import guided_filter

AB_PER_UNIT = 0.3  # ab units per unit of temperature or tint
VIBRANCE_CHROMA = 30.0  # ab units; at this chroma vibrance has half of its full effect
SKIN_PROTECTION = 0.7  # how much less vibrance affects skin, as a share
MIN_EDGE = 10.0  # L* units; noise reduction doesn't blend colors across stronger edges
NEUTRAL_SHARE = 0.5  # of the pixels: those of lowest chroma show the color cast


def adjust_color(ab: Plane, lightness: Plane, settings: Adjustments) -> Plane:
    """Apply the color settings at the working size.

    Upsampling is linear in ab, so it can follow.

    Args:
        ab: (2, h, w) float32.
        lightness: (h, w) float32 L*, the guide of noise reduction and skin repair.
        settings: which adjustments to apply.

    Returns:
        (2, h, w) float32.
    """
    if settings.chroma_noise:
        radius = 2 + round(14 * settings.chroma_noise)
        smooth = guided_filter(lightness, ab.transpose(1, 2, 0), radius, MIN_EDGE**2)
        ab = ab + settings.chroma_noise * (smooth.transpose(2, 0, 1) - ab)
    if settings.skin_repair:
        ab = repair_skin(ab, lightness, settings.skin_repair)
    if settings.auto_white_balance:
        chroma = np.hypot(ab[0], ab[1])
        neutral = chroma <= np.quantile(chroma, NEUTRAL_SHARE)
        ab = ab - settings.auto_white_balance * ab[:, neutral].mean(1)[:, None, None]
    if settings.vibrance:
        weak = 1 / (1 + (ab**2).sum(0) / VIBRANCE_CHROMA**2)
        ab = ab * (1 + settings.vibrance * weak * (1 - SKIN_PROTECTION * skin_likeness(ab)))
    shift = np.array((settings.tint, settings.temperature), np.float32) * AB_PER_UNIT
    ab = ab * np.float32(settings.saturation) + shift[:, None, None]
    return np.asarray(ab * np.float32(settings.strength), np.float32)
