"""A second pass of the network over small faces.

In a group photo a face has some ten pixels at the working size, and the network leaves it gray. At
some thirty pixels it paints skin. So the network sees a window around each small face again,
enlarged, with the knowledge that it shows a face. The first pass takes over the skin that the
second one finds: all of it inside the face, and outside, as on hands, where it had left gray. The
thresholds were set on historic photos, see train/EXPERIMENTS.md.
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

AbAndLogits = tuple[Plane, Tensor]  # (2, h, w) and (Q, ceil(h / 4), ceil(w / 4)), both float32

STRIDE = 4  # pixels per logit
MAX_FACE_WIDTH = 30.0  # pixels in the first pass; the network paints larger faces well
ENLARGED_FACE_WIDTH = 32  # pixels in the second pass
WINDOW_SIZE = 160  # pixels: side of the square window in the second pass
MAX_GROUP_SHARE = 0.85  # of the window's side, for several faces in one window
MIN_WIDTH_RATIO = 0.6  # of a face to the widest face in its window
WINDOW_SHIFT = 0.3  # of a face's height: how far below its center the window's center is, for hands
FACE_RADII = (
    1.5,
    1.0,
)  # half boxes from a face's center: where its colors end, where they are full
SCORE_POWER = 0.5  # of a face's score: more than 80 of 100 detections with score 0.8 are faces
MAX_CERTAINTY = 0.999  # at 1 a face without any plausible skin color would get no color at all
WINDOW_MARGIN = (0.02, 0.15)  # of the window's side: where other skin starts, where it is full
BLOTCH_CHROMA = (40.0, 28.0)  # of the red that an uncertain network paints, and of skin
SKIN_LIGHTNESS = (30.0, 45.0)  # L* of shadows, which the network paints red, and of lit skin
CERTAIN_CHROMA = (20.0, 10.0)  # in the first pass: of colors to keep, and of colors to replace
WEIGHT_GAIN = 2.0  # after smoothing, so that small hands are painted fully


class Window(NamedTuple):
    """A square of the first pass, in pixels, aligned to the grid of the logits."""

    top: int
    left: int
    side: int
    faces: tuple[Face, ...]  # in the window, in pixels of the first pass

    def crop(self, planes: Any, stride: int = 1) -> Any:
        """A view of the window in planes (..., h, w) of the first pass, or in its logits."""
        rows, columns = (
            slice(start // stride, (start + self.side) // stride) for start in (self.top, self.left)
        )
        return planes[..., rows, columns]

    def crop_photo(self, pixels: NDArray[Any], input_size: tuple[int, int]) -> NDArray[Any]:
        """A view of the window in a photo (height, width, ...).

        Args:
            pixels: of the photo.
            input_size: (height, width) of the photo in the first pass.
        """
        rows, columns = (
            slice(round(start * full / small), round((start + self.side) * full / small))
            for start, full, small in zip(
                (self.top, self.left), pixels.shape, input_size, strict=False
            )
        )
        return pixels[rows, columns]


def face_windows(
    faces: Sequence[Face], size: tuple[int, int], input_size: tuple[int, int]
) -> Iterator[Window]:
    """Find the windows for the second pass.

    Args:
        faces: in pixels of the photo.
        size: (height, width) of the photo.
        input_size: (height, width) of the photo in the first pass.

    Yields:
        Squares around all faces that are small in the first pass; neighbors share one.
    """
    rows, columns = input_size[0] / size[0], input_size[1] / size[1]
    scaled = (
        Face(left * columns, top * rows, width * columns, height * rows, score)
        for left, top, width, height, score in faces
    )
    remaining = sorted(
        (face for face in scaled if face.width < MAX_FACE_WIDTH), key=lambda face: -face.width
    )
    while remaining:
        widest = remaining[0]
        side = WINDOW_SIZE * widest.width / ENLARGED_FACE_WIDTH
        group, box = [widest], widest
        for face in sorted(remaining[1:], key=lambda face: _distance(face, widest)):
            larger = _bounding_box(box, face)
            if (
                face.width >= MIN_WIDTH_RATIO * widest.width
                and max(larger.width, larger.height) <= MAX_GROUP_SHARE * side
            ):
                group.append(face)
                box = larger
        remaining = [face for face in remaining if face not in group]
        center = box.top + box.height / 2 + WINDOW_SHIFT * widest.height, box.left + box.width / 2
        square = STRIDE * min(round(side / STRIDE), min(input_size) // STRIDE)
        top, left = (
            STRIDE * max(0, min(round((middle - square / 2) / STRIDE), (full - square) // STRIDE))
            for middle, full in zip(center, input_size, strict=True)
        )
        yield Window(top, left, square, tuple(group))


def favor_skin(ab: Plane, distribution: Distribution, gain: float, window: Window) -> AbAndLogits:
    """Lower the probability of colors other than skin in faces.

    Plausible skin colors stay. Other colors become less likely the more certain it is that the
    pixel belongs to a face.

    Args:
        ab: (2, h, w) float32 of the second pass.
        distribution: of the second pass.
        gain: the network's chroma gain: ab varies so much more than the distribution's mean.
        window: that the second pass shows.

    Returns:
        Colors and logits, at the sizes of the second pass.
    """
    skin = torch.from_numpy(skin_likeness(distribution.bins[:, None].numpy())[0])[:, None, None]
    side = distribution.logits.shape[1]
    certainty = torch.from_numpy(
        np.max(
            [face.score**SCORE_POWER * face_mask(face, window, side) for face in window.faces],
            axis=0,
        )
    )
    change = distribution.temperature * torch.log(1 - MAX_CERTAINTY * certainty * (1 - skin))
    shift = gain * (distribution.mean(change) - distribution.mean())
    return ab + resize(shift, ab.shape[1:]).numpy(), distribution.logits + change


def blend_skin(first: AbAndLogits, second: AbAndLogits, lightness: Plane, window: Window) -> None:
    """Blend the skin that the second pass found into the first pass, in place.

    Outside of faces this recognizes no people: sand, wood and straw become warmer, too.

    Args:
        first: of the photo; changed in place.
        second: of the window.
        lightness: (h, w) float32 L*, the input of the first pass.
        window: that the second pass shows.
    """
    ab, logits = window.crop(first[0]), window.crop(first[1], STRIDE)
    second_ab = resize(torch.from_numpy(second[0]), ab.shape[1:]).numpy()
    weight = skin_weight(ab, second_ab, window.crop(lightness), window)
    ab += weight * (second_ab - ab)
    share = resize(torch.from_numpy(weight)[None], logits.shape[1:])
    logits.lerp_(resize(second[1], logits.shape[1:]), share)


def skin_weight(first: Plane, second: Plane, lightness: Plane, window: Window) -> Plane:
    """Weight of the second pass's colors.

    Args:
        first: (2, s, s) float32 ab of the first pass in the window.
        second: (2, s, s) float32 ab of the second pass, at the same size.
        lightness: (s, s) float32 L*.
        window: that they show.

    Returns:
        (s, s) float32, 0 to 1, without hard borders.
    """
    centers = np.arange(window.side, dtype=np.float32) + np.float32(0.5)
    edge = np.minimum(centers, window.side - centers) / window.side
    missed = ramp(np.minimum(edge[:, None], edge), *WINDOW_MARGIN)
    missed *= ramp(lightness, *SKIN_LIGHTNESS)
    missed *= ramp(np.hypot(*second), *BLOTCH_CHROMA) * ramp(np.hypot(*first), *CERTAIN_CHROMA)
    missed *= skin_likeness(second) * (1 - skin_likeness(first))
    weight = np.minimum(1, WEIGHT_GAIN * box_mean(box_mean(missed, 1), 1))
    faces = np.max([face_mask(face, window, window.side) for face in window.faces], axis=0)
    weight = np.maximum(weight, faces * skin_likeness(second))
    return np.asarray(weight, np.float32)


def face_mask(face: Face, window: Window, side: int) -> Plane:
    """Soft mask of a face in the window, (side, side): 1 in the face's center, 0 outside."""
    centers = (np.arange(side, dtype=np.float32) + np.float32(0.5)) * window.side / side
    rows = (window.top + centers - face.top) / face.height * 2 - 1
    columns = (window.left + centers - face.left) / face.width * 2 - 1
    return ramp(np.hypot(rows[:, None], columns), *FACE_RADII)


def resize(planes: Tensor, size: Sequence[int]) -> Tensor:
    """Resize (C, H, W) to (height, width), smoothly."""
    return F.interpolate(planes[None], size=tuple(size), mode="bilinear", antialias=True)[0]


def _distance(one: Face, other: Face) -> float:
    return float(np.hypot(one.left - other.left, one.top - other.top))


def _bounding_box(one: Face, other: Face) -> Face:
    left, top = min(one.left, other.left), min(one.top, other.top)
    right = max(one.left + one.width, other.left + other.width)
    bottom = max(one.top + one.height, other.top + other.height)
    return Face(left, top, right - left, bottom - top, min(one.score, other.score))
