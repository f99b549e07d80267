"""Post-processing: what each slider does to the colors and the lightness of a colorized photo."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np
import torch

from colorizer.bands import Plane
from colorizer.chroma import guided_filter
from colorizer.color import lightness_to_gray, luminance_to_lightness, srgb_to_linear
from colorizer.photo import Photo
from colorizer.restore import (
    Filter,
    copy_size,
    raise_local_contrast,
    reduce_grain,
    remove_dust,
    sharpen,
)
from colorizer.skin import repair_skin, skin_likeness

CAST_SHIFT = 0.3  # ab units per unit of temperature or tint
WEAK_CHROMA = 30.0  # ab units: vibrance changes colors of this chroma half as much as the weakest
SKIN_SPARED = 0.7  # share of vibrance that skin is spared
COLOR_EDGE = 10.0  # L* units: a stronger edge keeps the colors on its sides apart
NEUTRAL_SHARE = 0.5  # of the pixels, those of lowest chroma, tell the color cast
HIGHLIGHTS = 0.5  # luminance from which a higher exposure is rolled off
CURVE_STEPS = 1 << 16  # of the tone curve, 256 times as fine as 8 bits


def slider(group: str, default: float, low: float, high: float, step: float) -> Any:
    """A field with its group, its range and the step of its slider."""
    return field(default=default, metadata={"group": group, "range": (low, high), "step": step})


@dataclass(frozen=True)
class Adjustments:
    """Settings of the post-processing; the defaults change nothing.

    Each field's metadata holds "group" ("color", "tone", "noise" or "detail"), "range" (lowest,
    highest) and "step".
    """

    strength: float = slider("color", 1, 0, 1, 0.05)  # of the color; 0 is gray
    saturation: float = slider("color", 1, 0, 2, 0.05)  # factor
    vibrance: float = slider("color", 0, -1, 1, 0.05)  # saturation of weak colors, skin spared
    temperature: float = slider("color", 0, -100, 100, 1)  # cold to warm
    tint: float = slider("color", 0, -100, 100, 1)  # green to magenta
    auto_white_balance: float = slider("color", 0, 0, 1, 0.05)  # share of the cast removed
    skin_repair: float = slider("color", 0, 0, 1, 0.05)  # of patches in hues skin never has
    exposure: float = slider("tone", 0, -2, 2, 0.1)  # stops
    contrast: float = slider("tone", 0, -100, 100, 1)
    gamma: float = slider("tone", 1, 0.5, 2, 0.05)  # of L*; more is brighter
    luma_noise: float = slider("noise", 0, 0, 1, 0.05)  # noise reduction in lightness
    chroma_noise: float = slider("noise", 0, 0, 1, 0.05)  # noise reduction in color
    dust: float = slider("noise", 0, 0, 1, 0.05)  # removal of dust and scratches
    local_contrast: float = slider("detail", 0, 0, 1, 0.05)  # CLAHE on lightness
    sharpness: float = slider("detail", 0, 0, 2, 0.1)  # factor of the detail that is added

    def __post_init__(self) -> None:
        for item in fields(self):
            value, (low, high) = getattr(self, item.name), item.metadata["range"]
            if not low <= value <= high:
                raise ValueError(f"{item.name} is {value}; it goes from {low} to {high}.")


PRESETS: Mapping[str, Adjustments] = {
    "natural": Adjustments(),
    "vivid": Adjustments(
        saturation=1.15, vibrance=0.5, auto_white_balance=0.3, contrast=20, local_contrast=0.15
    ),
    "portrait": Adjustments(
        vibrance=0.2, skin_repair=1, gamma=1.05, luma_noise=0.15, chroma_noise=0.2
    ),
    "faded_print": Adjustments(
        vibrance=0.3, auto_white_balance=0.6, contrast=40, local_contrast=0.5
    ),
    "strong_restoration": Adjustments(
        auto_white_balance=0.3,
        skin_repair=1,
        contrast=30,
        luma_noise=0.4,
        chroma_noise=0.3,
        dust=0.8,
        local_contrast=0.4,
        sharpness=0.6,
    ),
}


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


class ToneAdjuster:
    """The settings of lightness, ready for any band of a photo: repairs first, then the tone,
    sharpness last.

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
    """Multiply luminance in [0, 1]; highlights above `HIGHLIGHTS` roll off, so that white stays
    white, and the steps below it stay apart (Reinhard et al. 2002, eq. 4, above a knee).
    """
    exposed = luminance * factor
    if factor <= 1:
        return exposed
    above = (exposed - HIGHLIGHTS).clamp_min(0) / (1 - HIGHLIGHTS)
    white = (factor - HIGHLIGHTS) / (1 - HIGHLIGHTS)
    rolled = above * (1 + above / white**2) / (1 + above)
    return torch.where(exposed <= HIGHLIGHTS, exposed, HIGHLIGHTS + (1 - HIGHLIGHTS) * rolled)
