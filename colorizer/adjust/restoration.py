"""Restoration of a photo's lightness: dust, grain, faded detail, softness.

A filter looks at the surroundings of a pixel on a small copy of the photo. The result is enlarged
in bands and combined with the photo's own pixels one by one. So a setting looks the same on a
preview and on the full photo, memory stays bounded, and bands meet without seams.

Every function takes the copy, (h, w) float32 L* in [0, 100] of at most about `COPY_PIXELS`, and
returns a `Filter`. Lengths are in pixels of the copy, and of photos up to its size.
"""

import hashlib
from threading import Lock
from typing import Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from colorizer.adjust.damage import find_damage
from colorizer.adjust.strokes import Marks
from colorizer.adjust.writing import find_writing
from colorizer.imaging.arrays import Plane
from colorizer.imaging.guided_filter import box_mean, guided_coefficients
from colorizer.imaging.resampling import enlarge, neighbors

COPY_PIXELS = 1_000_000  # the size of a preview

DUST_LOGITS = (7.0, 3.5)  # of damage that is mended, at no and at full strength
DUST_RAMP = 1.0  # logits, from what stays to what goes
RIM = 3  # pixels of a window: marks are blurred beyond what is found
INPAINT_RADIUS = 4  # pixels
SPECK_WINDOW = 9  # pixels; specks up to half as wide are found
SPECK_CONTRAST = 5.0  # L* units beyond the surroundings' range, at full strength
SPECK_TEXTURE = 8.0  # in mean deviations nearby, at full strength: lace, text and eyes have many
TEXTURE_RADIUS = 15
BEYOND = 1000.0  # L* units, which nothing reaches
SPECK_RAMP = 0.5  # of the threshold, from what stays to what goes
SPECK_LOGIT = -4.0  # of damage: what is surely none, such as a button, is no speck
CLEAR_SPECK = 2.0  # margins at full strength, from which the network sees it in the copy

MAX_KEPT = 4  # photos whose findings are kept, 3 MB of each at most

GRAIN = 8.0  # L* units: stronger changes than this are detail, not grain
GRAIN_RADIUS = 2

CLIP = 3.0  # mean counts of a level, and so the steepest slope, at full strength
TILES = 8  # per side, as of OpenCV's CLAHE
LEVELS = 128  # of histograms; with 8 bits, the unequal steps of L* would leave gaps
LOOKUP_LEVELS = 2048  # of tables

BLUR = 1.2  # pixels, standard deviation
SHARP_GRAIN = 1.5  # L* units: what deviates less from the blurred picture is taken for grain
OVERSHOOT = 2.0  # L* units beyond the neighbors' range, before it is a halo


_kept: dict[bytes, tuple[NDArray[np.float16], NDArray[np.bool_]]] = {}  # by the hash of the copy
_kept_lock = Lock()


class Filter(Protocol):
    """Changes L* of a band of a photo, (rows, W) float32, in place."""

    def __call__(self, band: Plane, rows: slice, size: tuple[int, int]) -> None:
        """`rows` of a photo of `size` (H, W) are in the band."""


def remove_dust(copy: Plane, amount: float, marks: Marks | None = None) -> Filter:
    """Mend specks, fibers, scratches and cracks from their surroundings, and spare writing.

    A network finds the damage (`colorizer.adjust.damage`), another the writing
    (`colorizer.adjust.writing`), and OpenCV continues the surroundings into what is damaged
    (Telea 2004). Specks that are too fine for the copy are found in the photo's own pixels: they
    are darker or brighter than everything around them.

    Args:
        copy: of the photo.
        amount: 0 to 1; more mends what is less surely damaged.
        marks: by hand, which overrule what the networks find; None if there are none.
    """
    share, (darkest, lightest, margin) = _damage_share(copy, amount)
    if marks is not None:
        share[marks.protected] = 0
        margin[marks.protected] = BEYOND
        share[marks.mended] = 1
    filled = cv2.inpaint(copy, np.asarray(share > 0, np.uint8), INPAINT_RADIUS, cv2.INPAINT_TELEA)
    estimates = np.dstack((filled, share, darkest, lightest, margin)).astype(np.float32)

    def filter(band: Plane, rows: slice, size: tuple[int, int]) -> None:
        filled, share, darkest, lightest, margin = np.moveaxis(enlarge(estimates, rows, size), 2, 0)
        outside = np.maximum(darkest - band, band - lightest)
        specks = ((outside / margin - 1) / SPECK_RAMP).clip(0, 1)
        middle = (darkest + lightest) / 2
        band += share * (filled - band)
        band += specks * (1 - share) * (middle - band)

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


def _damage_share(copy: Plane, amount: float) -> tuple[Plane, tuple[Plane, Plane, Plane]]:
    """How far each pixel is mended, 0 to 1, and what `_speck_limits` returns."""
    if not amount:
        return np.zeros_like(copy), (copy, copy, np.full_like(copy, BEYOND))
    logits, writing = _findings(copy)
    threshold = np.interp(amount, (0, 1), DUST_LOGITS)
    excess = (logits - np.float32(threshold)) / np.float32(DUST_RAMP)
    share = np.asarray(cv2.dilate(excess.clip(0, 1), np.ones((RIM, RIM), np.uint8)), np.float32)
    share[writing] = 0
    darkest, lightest, margin = _speck_limits(copy, amount)
    clear = np.maximum(darkest - copy, copy - lightest) > CLEAR_SPECK * amount * margin
    margin[writing | (clear & (logits < SPECK_LOGIT))] = BEYOND
    return share, (darkest, lightest, margin)


def _findings(copy: Plane) -> tuple[Plane, NDArray[np.bool_]]:
    """Logits of damage, and where writing is; kept for the next setting of the slider."""
    key = hashlib.sha256(repr(copy.shape).encode() + copy.tobytes()).digest()
    with _kept_lock:
        found = _kept.pop(key, None)
    if found is None:
        found = find_damage(copy).astype(np.float16), find_writing(copy)
    with _kept_lock:
        _kept[key] = found
        while len(_kept) > MAX_KEPT:
            del _kept[next(iter(_kept))]
    return found[0].astype(np.float32), found[1]


def _speck_limits(copy: Plane, amount: float) -> tuple[Plane, Plane, Plane]:
    """The range of L* around each pixel, and how far beyond it a speck begins."""
    levels = np.rint(copy * 2.55).astype(np.uint8)
    median = cv2.medianBlur(levels, SPECK_WINDOW)
    texture = box_mean(cv2.absdiff(levels, median).astype(np.float32), TEXTURE_RADIUS)
    margin = np.maximum(SPECK_CONTRAST, SPECK_TEXTURE * texture / np.float32(2.55))
    window = np.ones((SPECK_WINDOW, SPECK_WINDOW), np.uint8)
    darkest, lightest = (
        np.asarray(change(median, window) / np.float32(2.55)) for change in (cv2.erode, cv2.dilate)
    )
    return darkest, lightest, margin / np.float32(amount)


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
