"""Strokes by hand: where restoration leaves a photo alone, and where it mends it."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, get_args

import cv2
import numpy as np
from numpy.typing import NDArray

from colorizer.adjust.framing import Framing
from colorizer.imaging.arrays import Plane

Effect = Literal["protect", "mend"]

MAX_STROKES = 200  # of an edit; they may come from strangers
MAX_POINTS = 10_000  # of all strokes of an edit
MAX_RADIUS = 0.5  # short sides of the photo
DIGITS = 5  # of a share: a tenth of a pixel on a side of 10,000 pixels

SHIFT = 4  # bits of a pixel's fraction when OpenCV draws
RIM = 5  # pixels of a window: enlarged, a mask is soft at its edge, and all below is protected
FAR = 1e6  # pixels: farther out, nothing is seen, and OpenCV's integers would overflow
MAX_THICKNESS = 32_767  # pixels: OpenCV's limit


@dataclass(frozen=True)
class Stroke:
    """A stroke of a brush over a photo.

    Attributes:
        effect: "protect" keeps restoration off, "mend" fills what is covered from its surroundings.
        points: x and y of the line that the brush follows, in shares of the photo's width and
            height from its top left corner, 0 to 1; one point is a dot.
        radius: of the brush, in short sides of the photo, above 0 and up to 0.5.

    Raises:
        ValueError: a value is out of range.
    """

    effect: Effect
    points: tuple[tuple[float, float], ...]
    radius: float

    def __post_init__(self) -> None:
        if self.effect not in get_args(Effect):
            raise ValueError(
                f"The stroke's effect is {self.effect!r}; use one of {', '.join(get_args(Effect))}."
            )
        if not 1 <= len(self.points) <= MAX_POINTS:
            raise ValueError(f"A stroke has {len(self.points)} points; give 1 to {MAX_POINTS}.")
        for point in self.points:
            if len(point) != 2 or not all(0 <= share <= 1 for share in point):
                raise ValueError(
                    f"The stroke's point {point} lies outside the photo; give x and y from 0 to 1."
                )
        if not 0 < self.radius <= MAX_RADIUS:
            raise ValueError(
                f"The stroke's radius is {self.radius}; give more than 0 and at most {MAX_RADIUS} "
                "short sides of the photo."
            )


@dataclass(frozen=True, eq=False)
class Line:
    """A stroke on a framed photo, in its pixels.

    Attributes:
        effect: of the stroke.
        points: (n, 2), x and y of its points, whole at pixels' centers; they may lie outside.
        radius: of the brush.
    """

    effect: Effect
    points: Plane
    radius: float


@dataclass(frozen=True, eq=False)
class Marks:
    """What strokes cover: two masks, bool (h, w), without overlap inside the strokes."""

    protected: NDArray[np.bool_]
    mended: NDArray[np.bool_]


@dataclass(frozen=True)
class Retouch:
    """Strokes over a photo, and how the photo is framed.

    Attributes:
        strokes: later ones cover earlier ones.
        framing: of the photo.
        size: (height, width) of the photo before framing.
    """

    strokes: tuple[Stroke, ...]
    framing: Framing
    size: tuple[int, int]

    @property
    def mends(self) -> bool:
        """Whether a stroke mends."""
        return any(stroke.effect == "mend" for stroke in self.strokes)

    def lines(self) -> Iterator[Line]:
        """The strokes on the framed photo."""
        height, width = self.size
        for stroke in self.strokes:
            x, y = (np.array(stroke.points) * (width, height) - 0.5).T
            points = np.stack(self.framing.to_framed(x, y, self.size), 1).astype(np.float32)
            yield Line(stroke.effect, points, stroke.radius * min(self.size))

    def marks(self, size: tuple[int, int]) -> Marks:
        """What the strokes cover on a copy of the framed photo of (height, width) `size`."""
        framed = np.array(self.framing.framed_size(self.size))
        down, across = np.array(size) / framed
        effects = np.zeros(size, np.uint8)
        for line in self.lines():
            points = ((line.points + 0.5) * (across, down) - 0.5).clip(-FAR, FAR)
            fixed = np.rint(points * (1 << SHIFT)).astype(np.int32)
            thickness = min(
                max(1, round(2 * line.radius * math.sqrt(across * down))), MAX_THICKNESS
            )
            ends = fixed if len(fixed) > 1 else np.repeat(fixed, 2, 0)
            number = get_args(Effect).index(line.effect) + 1
            cv2.polylines(effects, [ends], False, number, thickness, shift=SHIFT)
        rim = np.ones((RIM, RIM), np.uint8)
        protected = cv2.dilate(np.asarray(effects == 1, np.uint8), rim)
        return Marks(protected > 0, effects == 2)


def on_photo(stroke: Stroke, framing: Framing, size: tuple[int, int]) -> Stroke:
    """The stroke over a photo that was painted as `stroke` over the framed photo.

    Args:
        stroke: in shares of the framed photo.
        framing: of the photo.
        size: (height, width) of the photo before framing.
    """
    height, width = framing.framed_size(size)
    x, y = (np.array(stroke.points) * (width, height) - 0.5).T
    points = (np.stack(framing.to_photo(x, y, size), 1) + 0.5) / size[::-1]
    radius = stroke.radius * min(height, width) / min(size)
    return Stroke(
        stroke.effect,
        tuple((x, y) for x, y in points.clip(0, 1).round(DIGITS).tolist()),
        round(min(radius, MAX_RADIUS), DIGITS) or 10**-DIGITS,
    )
