"""How a photo is turned and cropped before it is colorized."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from colorizer.photo import Photo


@dataclass(frozen=True)
class Framing:
    """How a photo is turned and cropped before it is colorized.

    Attributes:
        turns: quarter turns clockwise, 0 to 3.
        margins: what is cut off the turned photo at its left, right, top and bottom, in percent of
            its width or height.
    """

    turns: int = 0
    margins: tuple[float, float, float, float] = (0, 0, 0, 0)

    def __post_init__(self) -> None:
        if self.turns not in range(4):
            raise ValueError(f"turns is {self.turns}; give 0 to 3 quarter turns.")
        left, right, top, bottom = self.margins
        if min(self.margins) < 0 or left + right >= 100 or top + bottom >= 100:
            raise ValueError(f"The margins {self.margins} leave nothing of the photo.")

    def __call__(self, photo: Photo) -> Photo:
        """The photo, turned and cropped."""
        return self.crop(self.turn(photo))

    def turned(self, clockwise: bool) -> Self:
        """The same part of the photo after one more quarter turn."""
        left, right, top, bottom = self.margins
        margins = (bottom, top, left, right) if clockwise else (top, bottom, right, left)
        return type(self)((self.turns + (1 if clockwise else 3)) % 4, margins)

    def turn(self, photo: Photo) -> Photo:
        """The whole photo, turned."""
        if not self.turns:
            return photo
        pixels = np.rot90(photo.pixels, -self.turns)  # numpy turns counterclockwise
        return Photo(np.ascontiguousarray(pixels), photo.format)

    def box(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Left, top, right and bottom edge, in pixels, of what stays of a turned photo of (height,
        width); at least one pixel stays.
        """
        height, width = size
        left, right = (round(margin / 100 * width) for margin in self.margins[:2])
        top, bottom = (round(margin / 100 * height) for margin in self.margins[2:])
        x, y = min(left, width - 1), min(top, height - 1)
        return x, y, max(x + 1, width - right), max(y + 1, height - bottom)

    def crop(self, photo: Photo) -> Photo:
        """What stays of a turned photo."""
        if not any(self.margins):
            return photo
        left, top, right, bottom = self.box(photo.size)
        return Photo(np.ascontiguousarray(photo.pixels[top:bottom, left:right]), photo.format)
