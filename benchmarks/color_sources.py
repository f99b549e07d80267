"""Measure how well colors of the same photo are taken: `python -m benchmarks.color_sources PHOTOS`.

Each photo is cropped, turned, warped, resized, given another tone curve and noise, painted over in
one place and saved as JPEG. The colors taken from this picture are compared with the photo's own.
As many pictures of other photos must be refused.
"""

import argparse
import io
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from colorizer.errors import ColorSourceError
from colorizer.imaging.arrays import Plane
from colorizer.imaging.color import rgb_to_lab
from colorizer.imaging.compose import compose
from colorizer.imaging.resampling import resize
from colorizer.inference.colorizer import network_size
from colorizer.photo.photo import Photo
from colorizer.sources.color_source import ColorSource
from colorizer.sources.evidence import Evidence, take_same
from train.data.sources import find_source
from train.measure.tables import markdown_table

SCALES = (0.4, 2.0)
SMALLEST_CROP = 0.8  # of each side
LARGEST_TURN = 10.0  # degrees
PERSPECTIVE = 0.03  # of a side, by which each corner moves at most
WARP = 0.02  # of the short side: largest shift of the smooth warp
WARP_SIGMA = 0.08  # of the short side
GAMMA = (0.7, 1.4)
NOISE = 5.0  # levels, standard deviation at most
JPEG_QUALITY = 60
PAINTED = (0.12, 0.25)  # radii of the painted region, in short sides
TOLERANCE = 5.0  # ab units
TAKEN = 0.5  # weight from which a color counts as taken

Pixels = NDArray[np.uint8]  # (H, W, 3) sRGB
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Pair:
    """A picture made of a photo."""

    photo: Pixels
    picture: Pixels
    painted: Mask  # (H, W) where the photo is painted over in the picture
    visible: Mask  # (H, W) what of the photo the picture shows


def make_pair(photo: Pixels, other: Pixels, random: np.random.Generator) -> Pair:
    """Make a picture of a photo.

    Args:
        photo: with known colors.
        other: photo from which every second painted region is taken; the rest get one color.
        random: decides about all changes.
    """
    height, width = photo.shape[:2]
    painted = _blob((height, width), random)
    paint = np.asarray(cv2.resize(other, (width, height)), np.uint8)
    if random.random() < 0.5:
        paint = np.broadcast_to(random.integers(30, 226, 3), photo.shape).astype(np.uint8)
    changed = _toned(np.where(painted[:, :, None], paint, photo).astype(np.uint8), random)
    columns, rows = _positions((height, width), random)
    moved = cv2.remap(changed, columns, rows, cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
    scale = random.uniform(*SCALES)
    size = round(moved.shape[1] * scale), round(moved.shape[0] * scale)
    interpolation = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    smaller = cv2.resize(moved, size, interpolation=interpolation)
    noisy = smaller + random.normal(0, random.uniform(0, NOISE), smaller.shape)
    file = io.BytesIO()
    Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(file, "JPEG", quality=JPEG_QUALITY)
    visible = np.zeros((height, width), np.uint8)
    x, y = (positions.round().astype(int).ravel() for positions in (columns, rows))
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    visible[y[inside], x[inside]] = 1
    closed = np.asarray(cv2.morphologyEx(visible, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8)))
    return Pair(photo, np.array(Image.open(file)), painted, closed > 0)


def _blob(size: tuple[int, int], random: np.random.Generator) -> Mask:
    """A region with a wavy outline."""
    height, width = size
    short = min(size)
    y, x = np.mgrid[:height, :width]
    radii = random.uniform(*PAINTED, 2) * short
    center = random.uniform(0.2, 0.8, 2) * size
    down, right = (y - center[0]) / radii[0], (x - center[1]) / radii[1]
    angle, waves = np.arctan2(down, right), random.integers(2, 5)
    outline = 1 + 0.15 * np.sin(waves * angle + random.uniform(0, 2 * np.pi))
    return np.asarray(np.hypot(down, right) < outline)


def _toned(pixels: Pixels, random: np.random.Generator) -> Pixels:
    """Another tone curve for the lightness; ab stays, as far as it is displayable."""
    lightness, ab = _lab(pixels)
    share = (lightness / 100) ** random.uniform(*GAMMA)
    contrast = random.uniform(-0.3, 0.3)
    curve = share + contrast * np.sin(2 * np.pi * share) / (2 * np.pi)
    low, high = random.uniform(0, 0.1), random.uniform(0.9, 1)
    return compose((100 * (low + (high - low) * curve)).astype(np.float32), ab)


def _positions(size: tuple[int, int], random: np.random.Generator) -> tuple[Plane, Plane]:
    """Column and row in the photo of each pixel of the picture."""
    short = min(size)
    sides = random.uniform(SMALLEST_CROP, 1, 2) * size
    top, left = random.uniform(0, 1, 2) * (size - sides)
    corners = np.array([[0, 0], [1, 0], [1, 1], [0, 1]]) * sides[::-1] + (left, top)
    corners += random.uniform(-PERSPECTIVE, PERSPECTIVE, (4, 2)) * short
    turn = np.radians(random.uniform(-LARGEST_TURN, LARGEST_TURN))
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    center = corners.mean(0)
    corners = (corners - center) @ rotation.T + center
    lines, width = (max(8, round(side)) for side in sides)
    frame = np.array([[0, 0], [width, 0], [width, lines], [0, lines]], np.float32)
    matrix = cv2.getPerspectiveTransform(frame, corners.astype(np.float32))
    y, x = np.mgrid[:lines, :width].astype(np.float32)
    moved = cv2.perspectiveTransform(np.stack((x, y), axis=2).reshape(-1, 1, 2), matrix)
    moved = moved.reshape(lines, width, 2)
    field = random.normal(size=(lines, width, 2)).astype(np.float32)
    warp = np.asarray(cv2.GaussianBlur(field, (0, 0), WARP_SIGMA * short), np.float32)
    largest = max(float(np.linalg.norm(warp, axis=2).max()), 1e-6)
    moved = moved + warp * (random.uniform(0, WARP) * short / largest)
    columns, rows = np.ascontiguousarray(moved.transpose(2, 0, 1), np.float32)
    return columns, rows


def _lab(pixels: Pixels) -> tuple[Plane, Plane]:
    lab = rgb_to_lab(torch.from_numpy(pixels / np.float32(255)).permute(2, 0, 1)).numpy()
    return np.ascontiguousarray(lab[0]), np.ascontiguousarray(lab[1:])


def take(photo: Pixels, picture: Pixels, working_size: int) -> Evidence | None:
    """The colors that are taken from a picture; None if it is refused."""
    gray = Photo(photo).to_gray()
    working = gray.resized_lightness(network_size(gray.size, working_size))
    source = ColorSource.of(Photo(picture))
    try:
        return take_same(gray, source, working)
    except ColorSourceError:
        return None


@dataclass(frozen=True)
class Score:
    """Shares of the pixels of one pair."""

    right: float  # of the pixels taken outside of the painted region: within the tolerance
    rejected: float  # of the painted region that the picture shows
    taken: float  # of what the picture shows of the photo


def score(pair: Pair, evidence: Evidence) -> Score:
    """Compare the colors taken with the photo's own, at the working size."""
    size = evidence.weight.shape[1], evidence.weight.shape[0]
    _, ab = _lab(pair.photo)
    truth = np.stack([resize(plane, size[::-1]) for plane in ab])
    painted, visible = (
        cv2.resize(mask.astype(np.uint8), size, interpolation=cv2.INTER_NEAREST) > 0
        for mask in (pair.painted, pair.visible)
    )
    taken = evidence.weight > TAKEN
    near = np.linalg.norm(evidence.ab - truth, axis=0) <= TOLERANCE
    hidden, shown = painted & visible, visible & ~painted
    return Score(
        float(near[taken & ~painted].mean()) if (taken & ~painted).any() else 0.0,
        float((~taken)[hidden].mean()) if hidden.any() else 1.0,
        float(taken[shown].mean()) if shown.any() else 0.0,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.color_sources", description=__doc__)
    parser.add_argument("photos", help="color photos: a folder or a tar file")
    parser.add_argument("--pairs", type=int, default=300, help="default: 300")
    parser.add_argument("--working-size", type=int, default=288, help="default: 288")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    options = parser.parse_args(arguments)
    samples = find_source(options.photos).samples
    random = np.random.default_rng(options.seed)
    order = random.permutation(len(samples))
    scores: list[Score] = []
    refused = accepted = 0
    seconds: list[float] = []
    for number in range(options.pairs):
        indices = (order[(number + step) % len(order)] for step in (0, 1))
        photo, other = (np.array(samples[int(index)].read().color) for index in indices)
        pair = make_pair(photo, other, random)
        start = time.perf_counter()
        evidence = take(photo, pair.picture, options.working_size)
        seconds.append(time.perf_counter() - start)
        if evidence is None:
            refused += 1
        else:
            scores.append(score(pair, evidence))
        accepted += take(other, pair.picture, options.working_size) is not None
    rows = [
        ["pairs", str(options.pairs)],
        ["right pairs refused", str(refused)],
        ["wrong pairs accepted", str(accepted)],
        [f"taken colors within {TOLERANCE:g} ab, median", _share([s.right for s in scores])],
        ["painted region rejected, mean", f"{np.mean([s.rejected for s in scores]):.1%}"],
        ["visible rest taken, median", _share([s.taken for s in scores])],
        ["seconds, median", f"{np.median(seconds):.2f}"],
    ]
    print(markdown_table([["figure", "value"], *rows]))
    return 0


def _share(values: Sequence[float]) -> str:
    return f"{np.median(values):.1%}"


if __name__ == "__main__":
    sys.exit(main())
