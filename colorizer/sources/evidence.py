"""What another picture says of a photo's colors, and how far it is believed."""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import cv2
import numpy as np
from numpy.typing import NDArray

from colorizer.errors import ColorSourceError
from colorizer.imaging.arrays import Plane
from colorizer.imaging.guided_filter import guided_filter
from colorizer.imaging.resampling import resize
from colorizer.photo.photo import Photo
from colorizer.sources.agreement import Mask
from colorizer.sources.color_source import ColorSource, Region, Use
from colorizer.sources.reference import ReferenceMatcher
from colorizer.sources.registration import Registration, match_size, register

FILTER_RADIUS = 2  # pixels at the working size, over which the picture's noise is smoothed
FILTER_EPSILON = 20.0  # L* units squared
HALF = 0.5  # from which on a picture is believed, where regions are told apart
SMALLEST_REGION = 9  # pixels at the working size, about; smaller ones belong to what surrounds them
MARGIN = 5  # pixels: width of what a chosen region gets from its surroundings
SOFTNESS = 1.5  # pixels: sigma of a chosen region's edge


@dataclass(frozen=True, eq=False)
class Evidence:
    """Colors that another picture gives to a photo, at the working size.

    Attributes:
        ab: (2, h, w) float32.
        belief: (h, w) float32, 0 where the picture shows something else, 1 where it shows the same.
        known: (h, w) whether the picture has a color for that pixel.
        source: the picture, how strongly it counts, and the regions chosen by hand.
        size: (height, width) of the photo, in whose pixels these regions are.
    """

    ab: Plane
    belief: Plane
    known: Mask
    source: ColorSource
    size: tuple[int, int]

    def using(self, source: ColorSource) -> Self:
        """The same picture for the same use, with another strength or other regions."""
        return replace(self, source=source)

    @property
    def use(self) -> Use:
        """Of the picture, as of `ColorSource`."""
        return self.source.use

    @property
    def picture(self) -> str:
        """SHA-256 of the picture's pixels, in hexadecimal; empty if nothing is taken of it."""
        return self.source.sha256 if self.source.strength else ""

    @property
    def share(self) -> float:
        """Of the photo that takes colors, at full strength, 0 to 1."""
        return float(self.taken.mean())

    @cached_property
    def taken(self) -> Plane:
        """(h, w) float32: the belief, but 0 or 1 in regions that were chosen by hand."""
        taken, window = self.belief, np.ones((MARGIN, MARGIN), np.uint8)
        for region in self.source.regions:
            if (label := self._label(region.x, region.y)) is None:
                continue
            inside = cv2.dilate((self.regions == label).astype(np.float32), window)
            edge = np.asarray(cv2.GaussianBlur(inside, (0, 0), SOFTNESS), np.float32)
            taken = np.maximum(taken, edge * self.known) if region.take else taken * (1 - edge)
        return taken

    @property
    def weight(self) -> Plane:
        """(h, w) float32, 0 where the photo keeps its own colors, 1 where it takes these."""
        return np.float32(self.source.strength) * self.taken

    @cached_property
    def regions(self) -> NDArray[np.int32]:
        """(h, w) labels of connected regions in which the picture is believed, or not."""
        believed = cv2.medianBlur((self.belief > HALF).astype(np.uint8), SMALLEST_REGION)
        count, labels = cv2.connectedComponents(believed, connectivity=4)
        _, others = cv2.connectedComponents(1 - believed, connectivity=4)
        return np.where(believed > 0, labels, others + count).astype(np.int32)

    def toggled(self, x: float, y: float) -> ColorSource:
        """The source once a region takes colors that it didn't take, or the other way round.

        Args:
            x: column in pixels of the photo.
            y: row in pixels of the photo.

        Raises:
            ValueError: the point is outside the photo, or the picture doesn't show that region.
        """
        label = self._label(x, y)
        if label is None:
            raise ValueError(f"The point x={x:g}, y={y:g} lies outside the photo.")
        inside = self.regions == label
        shown = inside & self.known
        if not shown.any():
            raise ValueError(f"The other picture doesn't show what is at x={x:g}, y={y:g}.")
        take = bool(self.taken[shown].mean() <= HALF)
        chosen = [
            region
            for region in self.source.regions
            if self._label(region.x, region.y) not in (label, None)
        ]
        if take != bool(self.belief[shown].mean() > HALF):
            chosen.append(Region(x, y, take))
        return replace(self.source, regions=tuple(chosen))

    def join(self, ab: Plane) -> Plane:
        """Put the colors into those of a photo, (2, h, w)."""
        return np.asarray(ab + self.weight * (self.ab - ab), np.float32)

    def _label(self, x: float, y: float) -> int | None:
        """The label of the region at a pixel of the photo; None outside of the photo."""
        (height, width), (rows, columns) = self.size, self.belief.shape
        if not (0 <= x < width and 0 <= y < height):
            return None
        return int(self.regions[int(y * rows / height), int(x * columns / width)])


def find_evidence(
    photo: Photo, source: ColorSource, working: Plane, matcher: ReferenceMatcher
) -> Evidence:
    """Find the colors that a source gives to a photo.

    Args:
        photo: of any size.
        source: another picture.
        working: (h, w) float32 L* of the photo at the working size.
        matcher: compares the photo with a reference.

    Raises:
        ColorSourceError: the picture shall show the same photo and shows another one, its copy is
            damaged, or the checkpoint can't compare photos.
    """
    if source.use == "reference":
        ab, belief = matcher.match(working, source.lab)
        return Evidence(ab, belief, np.ones(working.shape, np.bool_), source, photo.size)
    return take_same(photo, source, working)


def take_same(photo: Photo, source: ColorSource, working: Plane) -> Evidence:
    """Find the colors of the same photo that was colored elsewhere; see `find_evidence`."""
    lightness, ab = source.lab[0], source.lab[1:]
    found = register(photo.resized_lightness(match_size(photo.size)), lightness)
    if found is None:
        raise ColorSourceError(
            "The other picture does not show this photo, so its colors can't be put in place. "
            "Use another version of the same photo, or take this picture as a reference.",
            "other",
        )
    belief = resize(found.agreement, working.shape).clip(0, 1)
    columns, rows = (resize(plane, working.shape) for plane in (found.columns, found.rows))
    known = (columns > 0) & (columns < 1) & (rows > 0) & (rows < 1)
    return Evidence(taken(found, ab, working), belief, known, source, photo.size)


def taken(found: Registration, picture_ab: Plane, working: Plane) -> Plane:
    """The picture's ab where each pixel of the photo is, (2, h, w), noise removed."""
    height, width = picture_ab.shape[1:]
    columns = resize(found.columns, working.shape) * width - 0.5
    rows = resize(found.rows, working.shape) * height - 0.5
    scale = (found.span * height * width / working.size) ** 0.5  # its pixels per pixel of ours
    planes = np.ascontiguousarray(picture_ab.transpose(1, 2, 0))
    if scale > 1:
        planes = np.asarray(cv2.GaussianBlur(planes, (0, 0), 0.4 * scale), np.float32)
    moved = cv2.remap(planes, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    smooth = guided_filter(working, np.asarray(moved, np.float32), FILTER_RADIUS, FILTER_EPSILON)
    return np.ascontiguousarray(smooth.transpose(2, 0, 1))
