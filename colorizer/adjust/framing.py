"""Straightening, turning, cropping and inverting a photo before it is colorized."""

from dataclasses import dataclass, replace
from typing import Self

from colorizer.imaging import perspective
from colorizer.imaging.perspective import Coordinate
from colorizer.photo.photo import Photo


@dataclass(frozen=True)
class Framing:
    """How to straighten, turn, crop and invert a photo before it is colorized.

    Attributes:
        turns: quarter turns clockwise, 0 to 3.
        margins: how much to crop from the turned photo at its left, right, top and bottom, in
            percent of its width or height.
        negative: whether the photo is a negative, which is inverted.
        corners: of the part that is made a rectangle before all else, for example a print: x and y
            in percent of the photo's width and height, clockwise from the part's top left; none
            takes the whole photo.
    """

    turns: int = 0
    margins: tuple[float, float, float, float] = (0, 0, 0, 0)
    negative: bool = False
    corners: tuple[tuple[float, float], ...] = ()

    def __post_init__(self) -> None:
        if self.turns not in range(4):
            raise ValueError(f"turns is {self.turns}; give 0 to 3 quarter turns.")
        left, right, top, bottom = self.margins
        if min(self.margins) < 0 or left + right >= 100 or top + bottom >= 100:
            raise ValueError(f"The margins {self.margins} leave nothing of the photo.")
        if self.corners and (len(self.corners) != 4 or not perspective.is_convex(self.corners)):
            raise ValueError(
                f"The corners {self.corners} are no quadrangle; give four, clockwise from the top "
                "left."
            )
        if any(not 0 <= share <= 100 for corner in self.corners for share in corner):
            raise ValueError(f"The corners {self.corners} lie outside; give 0 to 100 percent.")

    def __call__(self, photo: Photo) -> Photo:
        """Straighten, turn, crop and invert a photo.

        Raises:
            PhotoError: the photo is too large to straighten.
        """
        return self.crop(self.whole(photo))

    def turned(self, clockwise: bool) -> Self:
        """Return the framing of the same part after one more quarter turn."""
        left, right, top, bottom = self.margins
        margins = (bottom, top, left, right) if clockwise else (top, bottom, right, left)
        return replace(self, turns=(self.turns + (1 if clockwise else 3)) % 4, margins=margins)

    def whole(self, photo: Photo) -> Photo:
        """Straighten, turn and invert a photo without cropping it."""
        if self.corners:
            photo = photo.rectified(self._pixels(photo.size))
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

    def to_framed(
        self, x: Coordinate, y: Coordinate, size: tuple[int, int]
    ) -> tuple[Coordinate, Coordinate]:
        """Where a pixel of a photo of (height, width) lies after framing, or where many do.

        The result may lie outside what the crop leaves.
        """
        if self.corners:
            x, y = perspective.moved(self._to_rectangle(size), x, y)
        height, width = self._straight_size(size)
        for _ in range(self.turns):
            x, y, height, width = height - 1 - y, x, width, height
        left, top, _, _ = self.box((height, width))
        return x - left, y - top

    def to_photo(
        self, x: Coordinate, y: Coordinate, size: tuple[int, int]
    ) -> tuple[Coordinate, Coordinate]:
        """Which pixel of a photo of (height, width) lies there after framing; the opposite way."""
        height, width = self.turned_size(size)
        left, top, _, _ = self.box((height, width))
        x, y = x + left, y + top
        for _ in range(self.turns):
            x, y, height, width = y, width - 1 - x, width, height
        if self.corners:
            x, y = perspective.moved(perspective.inverse(self._to_rectangle(size)), x, y)
        return x, y

    def turned_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of a photo of (height, width) after straightening and turning it."""
        height, width = self._straight_size(size)
        return (width, height) if self.turns % 2 else (height, width)

    def framed_size(self, size: tuple[int, int]) -> tuple[int, int]:
        """(height, width) of a photo of (height, width) after framing it."""
        left, top, right, bottom = self.box(self.turned_size(size))
        return bottom - top, right - left

    def crop(self, photo: Photo) -> Photo:
        """Crop a turned photo."""
        if not any(self.margins):
            return photo
        return photo.cropped(self.box(photo.size))

    def _straight_size(self, size: tuple[int, int]) -> tuple[int, int]:
        return perspective.rectangle_size(self._pixels(size)) if self.corners else size

    def _pixels(self, size: tuple[int, int]) -> perspective.Corners:
        """The corners in pixels of a photo of (height, width)."""
        height, width = size
        return [(x / 100 * width, y / 100 * height) for x, y in self.corners]

    def _to_rectangle(self, size: tuple[int, int]) -> perspective.Matrix:
        """The homography between the centers of pixels, from a photo to what is straightened."""
        return perspective.between_centers(perspective.to_rectangle(self._pixels(size)))
