"""Turning, cropping and inverting a photo before it is colorized."""

from dataclasses import dataclass, replace
from typing import Self

from colorizer.photo.photo import Photo


@dataclass(frozen=True)
class Framing:
    """How to turn, crop and invert a photo before it is colorized.

    Attributes:
        turns: quarter turns clockwise, 0 to 3.
        margins: how much to crop from the turned photo at its left, right, top and bottom, in
            percent of its width or height.
        negative: whether the photo is a negative, which is inverted.
    """

    turns: int = 0
    margins: tuple[float, float, float, float] = (0, 0, 0, 0)
    negative: bool = False

    def __post_init__(self) -> None:
        if self.turns not in range(4):
            raise ValueError(f"turns is {self.turns}; give 0 to 3 quarter turns.")
        left, right, top, bottom = self.margins
        if min(self.margins) < 0 or left + right >= 100 or top + bottom >= 100:
            raise ValueError(f"The margins {self.margins} leave nothing of the photo.")

    def __call__(self, photo: Photo) -> Photo:
        """Turn, crop and invert a photo."""
        return self.crop(self.whole(photo))

    def turned(self, clockwise: bool) -> Self:
        """Return the framing of the same part after one more quarter turn."""
        left, right, top, bottom = self.margins
        margins = (bottom, top, left, right) if clockwise else (top, bottom, right, left)
        return replace(self, turns=(self.turns + (1 if clockwise else 3)) % 4, margins=margins)

    def whole(self, photo: Photo) -> Photo:
        """Turn and invert a photo without cropping it."""
        photo = photo.turned(self.turns)
        return photo.inverted() if self.negative else photo

    def box(self, size: tuple[int, int]) -> tuple[int, int, int, int]:
        """Return the crop's left, top, right and bottom edge, in pixels.

        At least one pixel remains.

        Args:
            size: (height, width) of the turned photo.
        """
        height, width = size
        left, right = (round(margin / 100 * width) for margin in self.margins[:2])
        top, bottom = (round(margin / 100 * height) for margin in self.margins[2:])
        x, y = min(left, width - 1), min(top, height - 1)
        return x, y, max(x + 1, width - right), max(y + 1, height - bottom)

    def to_framed(self, x: float, y: float, size: tuple[int, int]) -> tuple[float, float]:
        """Where a pixel of a photo of (height, width) lies after turning and cropping.

        The result may lie outside what the crop leaves.
        """
        height, width = size
        for _ in range(self.turns):
            x, y, height, width = height - 1 - y, x, width, height
        left, top, _, _ = self.box((height, width))
        return x - left, y - top

    def to_photo(self, x: float, y: float, size: tuple[int, int]) -> tuple[float, float]:
        """Which pixel of a photo of (height, width) lies there after framing; the opposite way."""
        height, width = size if self.turns % 2 == 0 else size[::-1]
        left, top, _, _ = self.box((height, width))
        x, y = x + left, y + top
        for _ in range(self.turns):
            x, y, height, width = y, width - 1 - x, width, height
        return x, y

    def crop(self, photo: Photo) -> Photo:
        """Crop a turned photo."""
        if not any(self.margins):
            return photo
        return photo.cropped(self.box(photo.size))
