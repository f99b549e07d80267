"""How often is a print found in a photo of it, and where there is none?

python -m benchmarks.prints old_photos/ --others other_photos/

Prints are made of the photos of a folder: most with a white margin, on plain, wooden and cloth
tables, turned, in perspective, with a shadow, uneven light and noise. A print counts as found if
all corners are within 1.5 % of the short side.
"""

import argparse
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from colorizer import Photo
from colorizer.adjust.prints import find_print
from train.data.samples import pick
from train.data.sources import find_sources

COUNT = 40
TOLERANCE = 0.015  # short sides
SIZES = ((900, 1200), (1200, 900))

Levels = NDArray[np.float64]


class Made(NamedTuple):
    """A photo of a print, and the print's corners as shares of width and height."""

    photo: Photo
    corners: NDArray[np.float64]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path, help="of which prints are made")
    parser.add_argument("--others", nargs="*", default=[], help="photos that show no print")
    options = parser.parse_args()
    paths = sorted(options.photos.glob("*.jpg"))
    errors = [error(make(Photo.open(paths[seed % len(paths)]), seed)) for seed in range(COUNT)]
    found = sum(value <= TOLERANCE for value in errors)
    near = sum(value <= 2 * TOLERANCE for value in errors)
    print(f"{found} of {COUNT} prints within {TOLERANCE:.1%}, {near} within {2 * TOLERANCE:.1%}")
    if options.others:
        samples = [sample for _, sample in pick(find_sources(options.others), None)]
        alarms = sum(find_print(Photo(np.array(item.read().color))) is not None for item in samples)
        print(f"{alarms} of {len(samples)} other photos taken for photos of prints")


def error(made: Made) -> float:
    """The largest distance of a corner, in short sides; infinite if no print is found."""
    found = find_print(made.photo)
    if found is None:
        return float("inf")
    height, width = made.photo.size
    distance = np.abs(np.array(found) - made.corners) * (width, height)
    return float(distance.max() / min(made.photo.size))


def make(photo: Photo, seed: int) -> Made:
    """Lay a print of the photo on a table and photograph it."""
    random = np.random.default_rng(seed)
    height, width = SIZES[random.integers(2)]
    picture = np.asarray(photo.to_image().convert("RGB"), np.float32)
    if random.random() < 0.7:
        margin, paper = int(0.05 * min(photo.size)), random.uniform(200, 250)
        color = (paper, 0.97 * paper, 0.92 * paper)
        sides = (margin,) * 4
        bordered = cv2.copyMakeBorder(picture, *sides, cv2.BORDER_CONSTANT, value=color)
        picture = np.asarray(bordered, np.float32)
    rows, columns = picture.shape[:2]
    source = np.array([(0, 0), (columns, 0), (columns, rows), (0, rows)], np.float64)
    angle, scale = random.normal(0, 0.12), random.uniform(0.5, 0.85)
    turn = np.array([(np.cos(angle), -np.sin(angle)), (np.sin(angle), np.cos(angle))])
    corners = (source - (columns / 2, rows / 2)) * scale * min(width / columns, height / rows)
    corners = corners @ turn.T * (1 + random.uniform(-0.06, 0.06, (4, 1)))
    corners += np.array([width / 2, height / 2]) + random.normal(0, 20, 2)
    matrix = cv2.getPerspectiveTransform(source.astype(np.float32), corners.astype(np.float32))
    laid = cv2.warpPerspective(picture, matrix, (width, height), flags=cv2.INTER_AREA)
    inside = cv2.warpPerspective(np.ones((rows, columns), np.float32), matrix, (width, height))
    shadow = np.roll(cv2.GaussianBlur(inside, (0, 0), 12), (8, 8), (0, 1))
    seen = _table((height, width), random) * (1 - 0.35 * shadow[:, :, None])
    seen += inside[:, :, None] * (laid - seen)
    y, x = np.mgrid[-0.5 : 0.5 : 1j * height, -0.5 : 0.5 : 1j * width]
    light = 1 + random.uniform(-0.25, 0.25) * x + random.uniform(-0.25, 0.25) * y
    tint = np.array([random.uniform(0.9, 1.1), 1, random.uniform(0.8, 1)])
    seen = seen * light[:, :, None] * tint + random.normal(0, 3, seen.shape)
    return Made(Photo(np.asarray(seen.clip(0, 255), np.uint8)), corners / (width, height))


def _table(size: tuple[int, int], random: np.random.Generator) -> Levels:
    """A plain, a wooden or a cloth surface, (height, width, 3)."""
    kind = random.integers(3)
    if kind == 0:
        return np.full((*size, 3), random.uniform(20, 230)) + random.normal(0, 10, 3)
    noise = random.normal(0, 1, size).astype(np.float32)
    if kind == 1:
        grain = cv2.GaussianBlur(noise, (0, 0), sigmaX=60, sigmaY=1.5)
        color, contrast = np.array([140, 90, 60]) * random.uniform(0.6, 1.3), 14.0
    else:
        grain = cv2.GaussianBlur(noise, (0, 0), 3)
        color, contrast = random.uniform(40, 200, 3), random.uniform(4, 14)
    return np.asarray(color + contrast * grain[:, :, None] / grain.std(), np.float64)


if __name__ == "__main__":
    main()
