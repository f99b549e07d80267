"""Adjustments of a colorized photo: one field per slider, and presets."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any


def slider(group: str, default: float, low: float, high: float, step: float) -> Any:
    """Define a field with its group, its range and the step of its slider."""
    return field(default=default, metadata={"group": group, "range": (low, high), "step": step})


@dataclass(frozen=True)
class Adjustments:
    """Adjustments of color and lightness; the defaults change nothing.

    Each field's metadata holds "group" ("color", "tone", "noise" or "detail"), "range" (lowest,
    highest) and "step".
    """

    strength: float = slider("color", 1, 0, 1, 0.05)  # of the color; 0 is gray
    saturation: float = slider("color", 1, 0, 2, 0.05)  # factor
    vibrance: float = slider("color", 0, -1, 1, 0.05)  # saturation of weak colors, less on skin
    temperature: float = slider("color", 0, -100, 100, 1)  # cold to warm
    tint: float = slider("color", 0, -100, 100, 1)  # green to magenta
    auto_white_balance: float = slider("color", 0, 0, 1, 0.05)  # share of the cast removed
    skin_repair: float = slider("color", 0, 0, 1, 0.05)  # of patches in hues that skin never has
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
