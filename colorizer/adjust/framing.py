"""Straightening, turning, cropping and inverting a photo before it is colorized."""

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from colorizer.imaging import perspective
from colorizer.imaging.perspective import Coordinate
from colorizer.photo.photo import Photo

MAX_DEGREES = 15.0  # quarter turns do the rest


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
        degrees: how far the turned photo is turned further clockwise around its middle before it is
            cropped, -15 to 15. Its width and height stay; what lies outside the photo is as its
            edge, see `inside`.
    """

    turns: int = 0
    margins: tuple[float, float, float, float] = (0, 0, 0, 0)
    negative: bool = False
    corners: tuple[tuple[float, float], ...] = ()
    degrees: float = 0

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
        if not -MAX_DEGREES <= self.degrees <= MAX_DEGREES:
            raise ValueError(
                f"degrees is {self.degrees}; it goes from -{MAX_DEGREES:g} to {MAX_DEGREES:g}."
            )

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
        """Straighten a photo, turn it by quarters and invert it, without cropping it."""
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
        if self.degrees:
            x, y = perspective.moved(self._rotation((height, width)), x, y)
        left, top, _, _ = self.box((height, width))
        return x - left, y - top

    def to_photo(
        self, x: Coordinate, y: Coordinate, size: tuple[int, int]
    ) -> tuple[Coordinate, Coordinate]:
        """Which pixel of a photo of (height, width) lies there after framing; the opposite way."""
        height, width = self.turned_size(size)
        left, top, _, _ = self.box((height, width))
        x, y = x + left, y + top
        if self.degrees:
            x, y = perspective.moved(perspective.inverse(self._rotation((height, width))), x, y)
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
        """Turn a photo, already turned by quarters, by the degrees, and crop it.

        Raises:
            PhotoError: the photo is too large to turn.
        """
        left, top, right, bottom = self.box(photo.size)
        if self.degrees:
            back = perspective.inverse(perspective.rotation(self.degrees, photo.size))
            edges = ((left, top), (right, top), (right, bottom), (left, bottom))
            return photo.rectified([perspective.moved(back, float(x), float(y)) for x, y in edges])
        if not any(self.margins):
            return photo
        return photo.cropped((left, top, right, bottom))

    def inside(self, size: tuple[int, int]) -> Self:
        """Shrink the crop towards the photo's middle until it shows nothing but the photo.

        Args:
            size: (height, width) of the photo before framing.
        """
        if not self.degrees:
            return self
        height, width = self.turned_size(size)
        left, right, top, bottom = (0.5 - margin / 100 for margin in self.margins)
        back = np.array(perspective.rotation(-self.degrees, (0, 0)))[:2, :2]
        corners = [(x * width, y * height) for x in (-left, right) for y in (-top, bottom)]
        across, down = np.abs(back @ np.array(corners).T).max(1)
        room = max(width / 2 - 1, width / 4), max(height / 2 - 1, height / 4)  # edges are rounded
        share = min(1.0, room[0] / across, room[1] / down)
        shrunk = tuple(50 - share * (50 - margin) for margin in self.margins)
        return replace(self, margins=shrunk)

    def _rotation(self, size: tuple[int, int]) -> perspective.Matrix:
        """The rotation by the degrees, between the centers of pixels of a turned photo."""
        return perspective.between_centers(perspective.rotation(self.degrees, size))

    def _straight_size(self, size: tuple[int, int]) -> tuple[int, int]:
        return perspective.rectangle_size(self._pixels(size)) if self.corners else size

    def _pixels(self, size: tuple[int, int]) -> perspective.Corners:
        """The corners in pixels of a photo of (height, width)."""
        height, width = size
        return [(x / 100 * width, y / 100 * height) for x, y in self.corners]

    def _to_rectangle(self, size: tuple[int, int]) -> perspective.Matrix:
        """The homography between the centers of pixels, from a photo to what is straightened."""
        return perspective.between_centers(perspective.to_rectangle(self._pixels(size)))
