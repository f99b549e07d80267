"""Measure how alike an album's photos are colored: `python -m benchmarks.albums PHOTOS`.

An album is made of one photo: crops of it with other exposures, contrasts and noise. Each is
colorized alone, and with the colors that the album shares. Of each place that several crops show,
the standard deviation of its ab over the crops is taken.
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.color_sources import Pixels
from colorizer.batch.shared_colors import find_shared_colors
from colorizer.inference.colorization import Colorization
from colorizer.inference.colorizer import Colorizer
from colorizer.photo.photo import Photo
from colorizer.sources.evidence import find_evidence
from train.data.sources import find_source
from train.measure.metrics import ab_of
from train.measure.tables import markdown_table

CROPS = 12
SMALLEST_CROP = 0.6  # of each side
GAMMA = (0.6, 1.6)
NOISE = 8.0  # levels, standard deviation at most
BLUR = 1.5  # pixels, at most
GRID = 64  # places along each side of the photo
MIN_SEEN = 6  # crops that must show a place


@dataclass(frozen=True)
class Crop:
    """A part of a photo, degraded."""

    photo: Photo
    top: float
    left: float
    height: float
    width: float  # all in sides of the photo


def make_album(photo: Pixels, random: np.random.Generator) -> list[Crop]:
    """Make an album of gray crops."""
    height, width = photo.shape[:2]
    gray = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    crops = []
    for _ in range(CROPS):
        sides = random.uniform(SMALLEST_CROP, 1, 2)
        top, left = random.uniform(0, 1, 2) * (1 - sides)
        y, x = round(top * height), round(left * width)
        part = gray[y : y + round(sides[0] * height), x : x + round(sides[1] * width)]
        levels = 255 * (part / 255) ** random.uniform(*GAMMA)
        soft = cv2.GaussianBlur(levels, (0, 0), random.uniform(0.1, BLUR))
        noisy = soft + random.normal(0, random.uniform(0, NOISE), part.shape)
        pixels = noisy.clip(0, 255).astype(np.uint8)[:, :, None]
        crops.append(Crop(Photo(pixels), top, left, sides[0], sides[1]))
    return crops


def on_grid(crop: Crop, result: Colorization) -> NDArray[np.float32]:
    """The ab of the places of the whole photo, (2, GRID, GRID); NaN outside of the crop."""
    places = (np.arange(GRID, dtype=np.float32) + 0.5) / GRID
    ab = ab_of(result.colorized.pixels)
    height, width = ab.shape[:2]
    rows = (places - crop.top) / crop.height
    columns = (places - crop.left) / crop.width
    y, x = np.meshgrid(rows * height - 0.5, columns * width - 0.5, indexing="ij")
    smooth = cv2.GaussianBlur(ab, (0, 0), 2.0)
    seen = cv2.remap(smooth, x.astype(np.float32), y.astype(np.float32), cv2.INTER_LINEAR)
    inside = ((rows > 0) & (rows < 1))[:, None] & ((columns > 0) & (columns < 1))
    return np.where(inside, seen.transpose(2, 0, 1), np.nan).astype(np.float32)


def deviation(planes: Sequence[NDArray[np.float32]]) -> float:
    """Mean over places of the standard deviation of ab over the crops."""
    stack = np.stack(planes)
    often = (~np.isnan(stack[:, 0])).sum(0) >= MIN_SEEN
    return float(np.sqrt(np.nanvar(stack[:, :, often], axis=0).sum(0)).mean())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.albums", description=__doc__)
    parser.add_argument("photos", help="photos: a folder or a tar file")
    parser.add_argument("--count", type=int, default=20, help="of the albums (default: 20)")
    parser.add_argument("--checkpoint", help="folder or user/repo")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    options = parser.parse_args(arguments)
    colorizer = Colorizer.load(options.checkpoint, "cpu")
    samples = find_source(options.photos).samples
    random = np.random.default_rng(options.seed)
    alone, shared, colorful = [], [], []
    for index in random.permutation(len(samples))[: options.count]:
        album = make_album(np.array(samples[int(index)].read().color), random)
        opened = {Path(str(number)): crop.photo for number, crop in enumerate(album)}
        source = find_shared_colors(colorizer, opened, opened.__getitem__)
        assert source is not None
        before, after = [], []
        for crop in album:
            result = colorizer.colorize(crop.photo)
            before.append(on_grid(crop, result))
            lightness = result.input_lightness
            evidence = find_evidence(crop.photo, source, lightness, colorizer.matcher)
            after.append(on_grid(crop, result.with_evidence(evidence)))
        alone.append(deviation(before))
        shared.append(deviation(after))
        colorful.append([np.nanmean(np.linalg.norm(planes, axis=1)) for planes in (before, after)])
        print(f"{alone[-1]:.2f} {shared[-1]:.2f}", file=sys.stderr, flush=True)
    chroma = np.mean(colorful, axis=0)
    rows = [
        ["alone", f"{np.mean(alone):.2f}", f"{chroma[0]:.1f}"],
        ["with shared colors", f"{np.mean(shared):.2f}", f"{chroma[1]:.1f}"],
    ]
    print(markdown_table([["colorized", "deviation of ab", "chroma"], *rows]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
