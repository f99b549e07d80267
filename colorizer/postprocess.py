"""Post-processing: what each slider does to the colors and the lightness of a colorized photo."""

from dataclasses import dataclass, field, fields
from typing import Any

import cv2
import numpy as np

from colorizer.bands import bands
from colorizer.chroma import Plane, guided_filter

TEMPERATURE_SHIFT = 0.3  # ab units per unit of temperature
COLOR_EDGE = 10.0  # L* units: a stronger edge keeps the colors on its sides apart
GRAIN = 12.0  # L* units: stronger changes than this are detail, not grain
CLAHE_TILES = 8  # per side
NEUTRAL_SHARE = 0.5  # of the pixels, those of lowest chroma, tell the color cast
NOT_YET = ("vibrance", "tint", "exposure", "gamma", "dust", "sharpness", "skin_repair")


def slider(default: float, low: float, high: float) -> Any:
    """A field with its range."""
    return field(default=default, metadata={"range": (low, high)})


@dataclass(frozen=True)
class Adjustments:
    """Settings of the post-processing; the defaults change nothing."""

    strength: float = slider(1, 0, 1)  # of the color; 0 is gray
    saturation: float = slider(1, 0, 2)  # factor
    vibrance: float = slider(0, -1, 1)  # saturation of the weak colors
    temperature: float = slider(0, -100, 100)  # cold to warm
    tint: float = slider(0, -100, 100)  # green to magenta
    auto_white_balance: float = slider(0, 0, 1)  # share of the color cast that is removed
    exposure: float = slider(0, -2, 2)  # stops
    contrast: float = slider(0, -100, 100)
    local_contrast: float = slider(0, 0, 1)  # CLAHE on lightness
    gamma: float = slider(1, 0.5, 2)
    luma_noise: float = slider(0, 0, 1)  # noise reduction in lightness
    chroma_noise: float = slider(0, 0, 1)  # noise reduction in color
    dust: float = slider(0, 0, 1)  # removal of dust and scratches
    sharpness: float = slider(0, 0, 2)
    skin_repair: float = slider(0, 0, 1)  # of hues that skin never has

    def __post_init__(self) -> None:
        for item in fields(self):
            value, (low, high) = getattr(self, item.name), item.metadata["range"]
            if not low <= value <= high:
                raise ValueError(f"{item.name} is {value}; it goes from {low} to {high}.")
            if item.name in NOT_YET and value != item.default:
                raise ValueError(f"{item.name} is not available yet; leave it at {item.default}.")


def adjust_color(ab: Plane, lightness: Plane, settings: Adjustments) -> Plane:
    """Apply the color settings at the working size: upsampling is linear, so it may come later.

    Args:
        ab: (2, h, w) float32.
        lightness: (h, w) float32 L*, the guide of noise reduction.
        settings: what to do.

    Returns:
        (2, h, w) float32.
    """
    if settings.chroma_noise:
        radius = 2 + round(14 * settings.chroma_noise)
        smooth = guided_filter(lightness, ab.transpose(1, 2, 0), radius, COLOR_EDGE**2).transpose(
            2, 0, 1
        )
        ab = ab + settings.chroma_noise * (smooth - ab)
    if settings.auto_white_balance:
        chroma = np.hypot(ab[0], ab[1])
        neutral = chroma <= np.quantile(chroma, NEUTRAL_SHARE)
        ab = ab - settings.auto_white_balance * ab[:, neutral].mean(1)[:, None, None]
    ab = ab * np.float32(settings.saturation)
    if settings.temperature:
        ab = np.stack((ab[0], ab[1] + np.float32(TEMPERATURE_SHIFT * settings.temperature)))
    return np.asarray(ab * np.float32(settings.strength), np.float32)


def adjust_tone(lightness: Plane, settings: Adjustments) -> Plane:
    """Apply the settings of lightness.

    Args:
        lightness: (H, W) float32 L*, 0 to 100.
        settings: what to do.

    Returns:
        (H, W) float32; the same plane where nothing changes.
    """
    if settings.luma_noise:
        radius = max(2, round(2 * (lightness.size / 1e6) ** 0.5))  # as it looks at a megapixel
        smooth = _smooth(lightness, radius, (GRAIN * settings.luma_noise) ** 2)
        lightness = lightness + np.float32(min(1.0, 2 * settings.luma_noise)) * (smooth - lightness)
    if settings.contrast:
        share = lightness / 100
        s_curve = share * (1 - share) * (2 * share - 1)  # added up to once, it stays monotone
        lightness = np.asarray(lightness + settings.contrast * s_curve, np.float32)
    if settings.local_contrast:
        clahe = cv2.createCLAHE(
            clipLimit=1 + 3 * settings.local_contrast, tileGridSize=(CLAHE_TILES, CLAHE_TILES)
        )
        levels = (lightness * 2.55).round().clip(0, 255).astype(np.uint8)
        change = (clahe.apply(levels).astype(np.float32) - levels) * np.float32(100 / 255)
        lightness = (lightness + np.float32(settings.local_contrast) * change).clip(0, 100)
    return lightness.astype(np.float32, copy=False)


def _smooth(plane: Plane, radius: int, epsilon: float) -> Plane:
    """Filter a plane (H, W), guided by itself, in bands that overlap as far as windows reach."""
    smooth = np.empty_like(plane)
    reach = 2 * radius  # two means, one after the other
    for rows in bands((plane.shape[0], plane.shape[1])):
        top = max(0, rows.start - reach)
        part = plane[top : rows.stop + reach]
        filtered = guided_filter(part, part[:, :, None], radius, epsilon)[:, :, 0]
        smooth[rows] = filtered[rows.start - top : rows.stop - top]
    return smooth
