"""One palette for an album: its surest results together are a reference for all its photos."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from heapq import heappush, heappushpop
from pathlib import Path

import cv2
import numpy as np

from colorizer.errors import PhotoError
from colorizer.imaging.arrays import Pixels
from colorizer.inference.colorization import Colorization
from colorizer.inference.colorizer import Colorizer
from colorizer.photo.photo import Photo
from colorizer.sources.color_source import ColorSource
from colorizer.sources.evidence import find_evidence

TILES = 6  # photos in the reference
COLUMNS = 3
TILE_SIDE = 256  # pixels
PREVIEW_PIXELS = 150_000  # of a result, of which a tile is made
ROUNDS = 1  # in which the results take each other's colors, so that they agree


def find_shared_colors(
    colorizer: Colorizer,
    photos: Iterable[Path],
    open_photo: Callable[[Path], Photo],
    strength: float = 1.0,
) -> ColorSource | None:
    """Colorize an album once and make a reference of the results that are most certain.

    Args:
        colorizer: with a checkpoint that predicts a distribution.
        photos: of the album; those that can't be opened are left out.
        open_photo: opens one.
        strength: of the reference, 0 to 1.

    Returns:
        The reference; None if no photo can be opened.

    Raises:
        ColorSourceError: the results have no color.
        ValueError: the checkpoint predicts no distribution.
    """
    best: list[tuple[float, int, Colorization]] = []
    for number, path in enumerate(photos):
        try:
            photo = open_photo(path)
        except PhotoError:  # which is reported when its turn comes
            continue
        result = colorizer.colorize(photo).preview(PREVIEW_PIXELS)
        entry = float(result.confidence.mean()), -number, result  # no two numbers are equal
        if len(best) < TILES:
            heappush(best, entry)
        else:
            heappushpop(best, entry)
    if not best:
        return None
    results = [result for _, _, result in sorted(best, key=lambda entry: -entry[1])]
    source = make_reference(results, strength)
    for _ in range(ROUNDS):
        full = replace(source, strength=1.0)
        results = [share(colorizer, result, full) for result in results]
        source = make_reference(results, strength)
    return source


def make_reference(results: Sequence[Colorization], strength: float) -> ColorSource:
    """Make one reference of several results."""
    picture = mosaic([tile(result.colorized.pixels) for result in results])
    return ColorSource.of(Photo(picture), "reference", strength)


def share(colorizer: Colorizer, result: Colorization, source: ColorSource) -> Colorization:
    """Take the colors of the reference that a result is a part of."""
    lightness = result.input_lightness
    return result.with_evidence(find_evidence(result.photo, source, lightness, colorizer.matcher))


def tile(pixels: Pixels) -> Pixels:
    """The largest square in the middle, with 8 bits and `TILE_SIDE` pixels to each side."""
    side = min(pixels.shape[:2])
    top, left = ((length - side) // 2 for length in pixels.shape[:2])
    square = pixels[top : top + side, left : left + side]
    levels = square if square.dtype == np.uint8 else (square // 257).astype(np.uint8)
    size = (TILE_SIDE, TILE_SIDE)
    return np.asarray(cv2.resize(levels, size, interpolation=cv2.INTER_AREA), np.uint8)


def mosaic(tiles: list[Pixels]) -> Pixels:
    """Put tiles side by side, in rows of `COLUMNS`; the last row is filled up with the first."""
    columns = min(COLUMNS, len(tiles))
    rows = -(-len(tiles) // columns)
    filled = [tiles[number % len(tiles)] for number in range(rows * columns)]
    lines = [np.hstack(filled[row * columns : (row + 1) * columns]) for row in range(rows)]
    return np.vstack(lines)
