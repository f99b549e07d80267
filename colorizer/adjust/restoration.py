"""Restoration of a photo's lightness: dust, grain, faded detail, softness.

A filter looks at the surroundings of a pixel on a small copy of the photo. The result is enlarged
in bands and combined with the photo's own pixels one by one. So a setting looks the same on a
preview and on the full photo, memory stays bounded, and bands meet without seams.

Every function takes the copy, (h, w) float32 L* in [0, 100] of at most about `COPY_PIXELS`, and
returns a `Filter`. Lengths are in pixels of the copy, and of photos up to its size.
"""

from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from colorizer.imaging.arrays import Plane
from colorizer.imaging.guided_filter import box_mean, guided_coefficients
from colorizer.imaging.resampling import enlarge, neighbors

Levels = NDArray[np.uint8]

COPY_PIXELS = 1_000_000  # the size of a preview

DUST_WINDOW = 9  # pixels; specks and scratches up to half as wide are found
DUST_CONTRAST = 5.0  # L* units beyond the surroundings' range, at full strength
DUST_TEXTURE = 8.0  # in mean deviations nearby, at full strength: lace, text and eyes have many
TEXTURE_RADIUS = 15
SCRATCH_LENGTH = 51  # pixels; a straight line of this length is longer than a mouth
SCRATCH_ANGLES = 20
SCRATCH_CONTRAST = 8.0  # L* units by which a scratch may be fainter than a speck
FAINTEST = 0.3  # share of the threshold, for scratches and the rims of what is found
DUST_RAMP = 0.5  # of the threshold, from what stays to what goes

GRAIN = 8.0  # L* units: stronger changes than this are detail, not grain
GRAIN_RADIUS = 2

CLIP = 3.0  # mean counts of a level, and so the steepest slope, at full strength
TILES = 8  # per side, as of OpenCV's CLAHE
LEVELS = 128  # of histograms; with 8 bits, the unequal steps of L* would leave gaps
LOOKUP_LEVELS = 2048  # of tables

BLUR = 1.2  # pixels, standard deviation
SHARP_GRAIN = 1.5  # L* units: what deviates less from the blurred picture is taken for grain
OVERSHOOT = 2.0  # L* units beyond the neighbors' range, before it is a halo


class Filter(Protocol):
    """Changes L* of a band of a photo, (rows, W) float32, in place."""

    def __call__(self, band: Plane, rows: slice, size: tuple[int, int]) -> None:
        """`rows` of a photo of `size` (H, W) are in the band."""


def remove_dust(copy: Plane, amount: float) -> Filter:
    """Replace specks, and long straight scratches, by the median of their surroundings.

    Such a pixel is darker or brighter than everything around it in the median-filtered photo, and
    by several times the mean deviation from that: where much deviates, as in lace, text, hair and
    eyes, little is dust. A small isolated thing, such as a button, a signature or a wire against
    the sky, looks like damage: settings above about 0.7 remove it, and may thin out a mouth.

    Args:
        copy: of the photo.
        amount: over 0, up to 1; the threshold is inversely proportional to it.
    """
    levels = np.rint(copy * 2.55).astype(np.uint8)
    median = cv2.medianBlur(levels, DUST_WINDOW)
    deviation = cv2.absdiff(levels, median)
    texture = box_mean(deviation.astype(np.float32), TEXTURE_RADIUS) / np.float32(2.55)
    margin = np.maximum(DUST_CONTRAST, DUST_TEXTURE * texture) / np.float32(amount)
    straight = 2 * _straight(deviation) / np.float32(2.55)  # twice: blur makes lines fainter
    margin = np.maximum(margin - np.minimum(straight, SCRATCH_CONTRAST), FAINTEST * margin)
    window = np.ones((DUST_WINDOW, DUST_WINDOW), np.uint8)
    planes = (median, cv2.erode(median, window), cv2.dilate(median, window))
    estimates = np.dstack((*(plane / np.float32(2.55) for plane in planes), margin))
    found = _dust_share(copy, estimates)
    estimates[:, :, 3] *= 1 - (1 - FAINTEST) * cv2.dilate(found, np.ones((3, 3), np.uint8))

    def filter(band: Plane, rows: slice, size: tuple[int, int]) -> None:
        surroundings = enlarge(estimates, rows, size)
        band += _dust_share(band, surroundings) * (surroundings[:, :, 0] - band)

    return filter


def reduce_grain(copy: Plane, amount: float) -> Filter:
    """Smooth grain and keep edges, with a guided filter whose guide is the photo itself.

    Args:
        copy: of the photo.
        amount: over 0, up to 1.
    """
    epsilon = (GRAIN * amount) ** 2
    coefficients = np.dstack(guided_coefficients(copy, copy[:, :, None], GRAIN_RADIUS, epsilon))
    share = np.float32(min(1.0, 2 * amount))  # so that small settings do little

    def filter(band: Plane, rows: slice, size: tuple[int, int]) -> None:
        slope, offset = np.moveaxis(enlarge(coefficients, rows, size), 2, 0)
        band += share * (slope * band + offset - band)

    return filter


def raise_local_contrast(copy: Plane, amount: float) -> Filter:
    """Equalize the histogram of every tile, within limits: CLAHE (Zuiderveld 1994).

    Args:
        copy: of the photo.
        amount: over 0, up to 1; a lower amount changes less, and limits the contrast more.
    """
    changes = np.float32(amount) * _equalizing_changes(copy, 1 + (CLIP - 1) * amount)
    tile_rows, tile_columns, _ = changes.shape

    def filter(band: Plane, rows: slice, size: tuple[int, int]) -> None:
        height, width = size
        left, right, share_right = neighbors(np.arange(width), width, tile_columns)
        level = (band * np.float32(LOOKUP_LEVELS / 100)).astype(np.intp)
        np.minimum(level, LOOKUP_LEVELS - 1, out=level)
        above, below, share = neighbors(np.arange(height)[rows], height, tile_rows)
        change = np.float32(0)
        for tile_row, weight in ((above, 1 - share), (below, share)):
            line = (tile_row * tile_columns)[:, None]
            from_left = changes.take((line + left) * LOOKUP_LEVELS + level)
            from_right = changes.take((line + right) * LOOKUP_LEVELS + level)
            change = change + weight[:, None] * (from_left + share_right * (from_right - from_left))
        band += change

    return filter


def sharpen(copy: Plane, amount: float) -> Filter:
    """Unsharp mask that spares grain and keeps halos faint.

    Args:
        copy: of the photo.
        amount: over 0; how many times the detail is added.
    """
    window = np.ones((3, 3), np.uint8)
    low, high = cv2.erode(copy, window) - OVERSHOOT, cv2.dilate(copy, window) + OVERSHOOT
    estimates = np.dstack((cv2.GaussianBlur(copy, (0, 0), BLUR), low, high))

    def filter(band: Plane, rows: slice, size: tuple[int, int]) -> None:
        blurred, low, high = np.moveaxis(enlarge(estimates, rows, size), 2, 0)
        detail = band - blurred
        square = detail**2
        sharp = band + np.float32(amount) * detail * (square / (square + SHARP_GRAIN**2))
        sharp.clip(np.minimum(low, band), np.maximum(high, band), out=band)

    return filter


def copy_size(size: tuple[int, int]) -> tuple[int, int]:
    """(height, width) of the small copy of a photo of `size`; the same up to a megapixel."""
    scale = min(1.0, (COPY_PIXELS / (size[0] * size[1])) ** 0.5)
    return max(1, round(scale * size[0])), max(1, round(scale * size[1]))


def _dust_share(lightness: Plane, surroundings: Plane) -> Plane:
    """Return how likely each pixel (h, w) is dust, 0 to 1.

    `surroundings` (h, w, 4) holds the median, the darkest, the lightest, and how far beyond
    these dust begins.
    """
    _, darkest, lightest, margin = np.moveaxis(surroundings, 2, 0)
    outside = np.maximum(darkest - lightness, lightness - lightest)
    return np.asarray(((outside / margin - 1) / DUST_RAMP).clip(0, 1), np.float32)


def _straight(deviation: Levels) -> Levels:
    """Keep the parts of (h, w) on long straight lines: openings by segments in all directions."""
    window = np.ones((3, 3), np.uint8)
    soft = cv2.dilate(cv2.blur(deviation, (3, 3)), window)  # grain and slopes interrupt lines
    straight = np.zeros_like(deviation)
    middle = SCRATCH_LENGTH // 2
    for angle in np.arange(SCRATCH_ANGLES) * np.pi / SCRATCH_ANGLES:
        dx, dy = round(middle * np.cos(angle)), round(middle * np.sin(angle))
        segment = np.zeros((SCRATCH_LENGTH, SCRATCH_LENGTH), np.uint8)
        cv2.line(segment, (middle - dx, middle - dy), (middle + dx, middle + dy), 1)
        straight = np.maximum(straight, cv2.morphologyEx(soft, cv2.MORPH_OPEN, segment))
    return straight


def _equalizing_changes(copy: Plane, limit: float) -> Plane:
    """What CLAHE adds to L*: (tile rows, tile columns, LOOKUP_LEVELS).

    Args:
        copy: (h, w) float32 L*.
        limit: of a level's count, in mean counts; what exceeds it is given to all levels.
    """
    levels = (copy * np.float32(LEVELS / 100)).astype(np.intp).clip(0, LEVELS - 1)
    rows, columns = (min(TILES, side) for side in copy.shape)
    counts = [
        np.bincount(tile.ravel(), minlength=LEVELS) / tile.size
        for line in np.array_split(levels, rows)
        for tile in np.array_split(line, columns, axis=1)
    ]
    density = np.minimum(np.array(counts) * LEVELS, limit)
    density += 1 - density.mean(1, keepdims=True)
    equalized = np.cumsum(density, 1) - density / 2  # at the middle of each level
    changes = (equalized - (np.arange(LEVELS) + 0.5)) * (100 / LEVELS)
    fine = cv2.resize(changes, (LOOKUP_LEVELS, rows * columns), interpolation=cv2.INTER_LINEAR)
    return np.asarray(fine.reshape(rows, columns, LOOKUP_LEVELS), np.float32)
