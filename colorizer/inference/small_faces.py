"""A second look at small faces.

In a photo of a group a face has some ten pixels at the working size, and the network leaves it
gray. Enlarged to some thirty it is painted as skin. So a window around each small face is seen once
more, alone, with the knowledge that a face is there, and the skin that shows is taken: all of it in
the face, and around it, as for hands, what the first look left gray. The limits were set on
historic photos, as train/EXPERIMENTS.md tells.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from colorizer.adjust.skin import skin_likeness
from colorizer.imaging.arrays import Plane
from colorizer.imaging.curves import ramp
from colorizer.imaging.guided_filter import box_mean
from colorizer.inference.distribution import Distribution
from colorizer.inference.faces import Face

Look = tuple[Plane, Tensor]  # ab (2, h, w) and logits (Q, ceil(h / 4), ceil(w / 4)), both float32

STRIDE = 4  # pixels of a look for one of its logits
SMALL = 30.0  # pixels of a face's width in the first look; the network knows larger ones
ENLARGED = 32  # pixels of its width in the second
SIDE = 160  # pixels of the square window that is seen then
FILLED = 0.85  # share of the window's side that several faces may take together
SIMILAR = 0.6  # of the widest face in a window, the least width of others
BELOW = 0.3  # of a face's height, from its middle to the middle of a window: hands are lower
FACE = (1.5, 1.0)  # half boxes from a face's middle: where its colors end, and where all are taken
SURER = 0.5  # power of a face's score: of 100 finds with 0.8 more than 80 are faces
SUREST = 0.999  # 1 would leave no color for a face in which the network holds no skin for plausible
BORDER = (0.02, 0.15)  # of the window's side: where other skin starts, and where all is taken
BLOTCH = (40.0, 28.0)  # chroma of the red where the network wavers, and of skin
LIT = (30.0, 45.0)  # L* of shadows, which it paints red, and of lit skin
COLORED = (20.0, 10.0)  # chroma of what the first look was sure of, and of what may change
FILLING = 2.0  # weights are raised by it after smoothing, so that small hands are whole


class Window(NamedTuple):
    """A square of the first look, in its pixels, on the grid of its logits."""

    top: int
    left: int
    side: int
    faces: tuple[Face, ...]  # for which it is seen again, in the same pixels

    def of(self, planes: Any, stride: int = 1) -> Any:
        """The view of it in planes (..., h, w) of the first look, or of its logits."""
        rows, columns = (
            slice(start // stride, (start + self.side) // stride) for start in (self.top, self.left)
        )
        return planes[..., rows, columns]

    def cut(self, pixels: NDArray[Any], shown: tuple[int, int]) -> NDArray[Any]:
        """The view of it in a photo (height, width, ...) that the first look saw as `shown`."""
        rows, columns = (
            slice(round(start * full / seen), round((start + self.side) * full / seen))
            for start, full, seen in zip((self.top, self.left), pixels.shape, shown, strict=False)
        )
        return pixels[rows, columns]


def windows(
    faces: Sequence[Face], size: tuple[int, int], shown: tuple[int, int]
) -> Iterator[Window]:
    """What to see again.

    Args:
        faces: in pixels of the photo.
        size: (height, width) of the photo.
        shown: (height, width) at which the first look saw it.

    Yields:
        Squares around all faces that are small in the first look; neighbors share one.
    """
    rows, columns = shown[0] / size[0], shown[1] / size[1]
    scaled = (
        Face(left * columns, top * rows, width * columns, height * rows, score)
        for left, top, width, height, score in faces
    )
    todo = sorted((face for face in scaled if face.width < SMALL), key=lambda face: -face.width)
    while todo:
        widest = todo[0]
        side = SIDE * widest.width / ENLARGED
        group, box = [widest], widest
        for face in sorted(todo[1:], key=lambda face: _distance(face, widest)):
            both = _around(box, face)
            if (
                face.width >= SIMILAR * widest.width
                and max(both.width, both.height) <= FILLED * side
            ):
                group.append(face)
                box = both
        todo = [face for face in todo if face not in group]
        middle = box.top + box.height / 2 + BELOW * widest.height, box.left + box.width / 2
        square = STRIDE * min(round(side / STRIDE), min(shown) // STRIDE)
        top, start = (
            STRIDE * max(0, min(round((center - square / 2) / STRIDE), (full - square) // STRIDE))
            for center, full in zip(middle, shown, strict=True)
        )
        yield Window(top, start, square, tuple(group))


def expect_faces(ab: Plane, distribution: Distribution, gain: float, window: Window) -> Look:
    """What a look at a window says once it is known that there are faces.

    Of the colors that the network holds plausible in a face those of skin stay, and others only as
    far as it may be no face.

    Args:
        ab: (2, h, w) float32 of the look.
        distribution: of the look.
        gain: by which ab differ more than the mean of the distribution does.
        window: that was seen.

    Returns:
        Colors and logits at the sizes of the look.
    """
    skin = torch.from_numpy(skin_likeness(distribution.bins[:, None].numpy())[0])[:, None, None]
    side = distribution.logits.shape[1]
    sure = torch.from_numpy(
        np.max([face.score**SURER * inside(face, window, side) for face in window.faces], axis=0)
    )
    change = distribution.temperature * torch.log(1 - SUREST * sure * (1 - skin))
    shift = gain * (distribution.mean(change) - distribution.mean())
    return ab + resize(shift, ab.shape[1:]).numpy(), distribution.logits + change


def take_skin(first: Look, closer: Look, lightness: Plane, window: Window) -> None:
    """Put the skin that a window shows into the first look.

    Outside of faces this knows no people: sand, wood and straw beside them become warmer, too.

    Args:
        first: what the network said about a photo; it is changed in place.
        closer: what it said about the window.
        lightness: (h, w) float32 L*, as the first look saw it.
        window: that was seen again.
    """
    ab, logits = window.of(first[0]), window.of(first[1], STRIDE)
    closer_ab = resize(torch.from_numpy(closer[0]), ab.shape[1:]).numpy()
    weight = new_skin(ab, closer_ab, window.of(lightness), window)
    ab += weight * (closer_ab - ab)
    share = resize(torch.from_numpy(weight)[None], logits.shape[1:])
    logits.lerp_(resize(closer[1], logits.shape[1:]), share)


def new_skin(first: Plane, closer: Plane, lightness: Plane, window: Window) -> Plane:
    """How far to go from the first look's colors to a closer one's.

    Args:
        first: (2, s, s) float32 ab of the first look in the window.
        closer: (2, s, s) float32 ab of the closer look, at the same size.
        lightness: (s, s) float32 L*.
        window: that they show.

    Returns:
        (s, s) float32, 0 to 1, without hard borders.
    """
    centers = np.arange(window.side, dtype=np.float32) + np.float32(0.5)
    edge = np.minimum(centers, window.side - centers) / window.side
    missed = ramp(np.minimum(edge[:, None], edge), *BORDER) * ramp(lightness, *LIT)
    missed *= ramp(np.hypot(*closer), *BLOTCH) * ramp(np.hypot(*first), *COLORED)
    missed *= skin_likeness(closer) * (1 - skin_likeness(first))
    weight = np.minimum(1, FILLING * box_mean(box_mean(missed, 1), 1))
    faces = np.max([inside(face, window, window.side) for face in window.faces], axis=0)
    weight = np.maximum(weight, faces * skin_likeness(closer))
    return np.asarray(weight, np.float32)


def inside(face: Face, window: Window, side: int) -> Plane:
    """Where a face is in the window, shown in (side, side) pixels: 1 in its middle, 0 outside."""
    centers = (np.arange(side, dtype=np.float32) + np.float32(0.5)) * window.side / side
    rows = (window.top + centers - face.top) / face.height * 2 - 1
    columns = (window.left + centers - face.left) / face.width * 2 - 1
    return ramp(np.hypot(rows[:, None], columns), *FACE)


def resize(planes: Tensor, size: Sequence[int]) -> Tensor:
    """Resize (C, H, W) to (height, width), smoothly."""
    return F.interpolate(planes[None], size=tuple(size), mode="bilinear", antialias=True)[0]


def _distance(one: Face, other: Face) -> float:
    return float(np.hypot(one.left - other.left, one.top - other.top))


def _around(one: Face, other: Face) -> Face:
    """The box around two others."""
    left, top = min(one.left, other.left), min(one.top, other.top)
    right = max(one.left + one.width, other.left + other.width)
    bottom = max(one.top + one.height, other.top + other.height)
    return Face(left, top, right - left, bottom - top, min(one.score, other.score))
