"""Compare ways to enlarge colors to the full photo: `python -m benchmarks.upsampling PHOTO...`.

The true colors of color photos are reduced to the working size, as if the network had predicted
them, and enlarged again with the photo's lightness as guide.
"""

import argparse
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import torch

from colorizer.imaging.arrays import Plane
from colorizer.imaging.bands import bands
from colorizer.imaging.color import rgb_to_lab
from colorizer.imaging.guided_filter import guided_coefficients
from colorizer.imaging.resampling import enlarge, neighbors, resize
from colorizer.imaging.upsampling import EPSILON, RADIUS, ChromaUpsampler
from colorizer.inference.colorizer import network_size
from colorizer.photo.photo import Photo
from train.measure.tables import markdown_table

EDGE_SHARE = 0.05  # of the pixels: those where ab changes most count as color edges
EDGE_RADIUS = 4  # pixels of the full photo around an edge, where bleeding is measured
BILATERAL_RADIUS = 2  # cells, and
BILATERAL_SPREAD = 0.5  # cells: Kopf et al. 2007, sec. 4
BILATERAL_RANGE = 10.0  # L* units

Upsample = Callable[[Plane, Plane, slice, Plane, tuple[int, int]], Plane]


def bilinear(lightness: Plane, ab: Plane, rows: slice, band: Plane, size: tuple[int, int]) -> Plane:
    """ab (rows, width, 2) of a band, without guidance.

    Args:
        lightness: (h, w) L* at the working size.
        ab: (h, w, 2) at the working size.
        rows: of the full photo.
        band: (rows, width) its L* there.
        size: (height, width) of the full photo.
    """
    return enlarge(ab, rows, size)


def guided(lightness: Plane, ab: Plane, rows: slice, band: Plane, size: tuple[int, int]) -> Plane:
    """The fast guided filter as published (He and Sun 2015); as `bilinear`."""
    slope, offset = guided_coefficients(lightness, ab, RADIUS, EPSILON)
    return enlarge(slope, rows, size) * band[:, :, None] + enlarge(offset, rows, size)


def slopes(lightness: Plane, ab: Plane, rows: slice, band: Plane, size: tuple[int, int]) -> Plane:
    """Our way: only the slopes of the guided filter, around the given colors; as `bilinear`."""
    upsampler = ChromaUpsampler(lightness, np.ascontiguousarray(ab.transpose(2, 0, 1)), size)
    return upsampler.band(rows, band).transpose(1, 2, 0)


def joint_bilateral(
    lightness: Plane, ab: Plane, rows: slice, band: Plane, size: tuple[int, int]
) -> Plane:
    """Joint bilateral upsampling (Kopf et al. 2007); as `bilinear`."""
    (height, width), (h, w) = size, lightness.shape
    above, _, below_share = neighbors(np.arange(rows.start, rows.stop), height, h)
    left, _, right_share = neighbors(np.arange(width), width, w)
    total, sums = np.zeros(band.shape, np.float32), np.zeros((*band.shape, 2), np.float32)
    for dy in range(-BILATERAL_RADIUS, BILATERAL_RADIUS + 1):
        for dx in range(-BILATERAL_RADIUS, BILATERAL_RADIUS + 1):
            place = np.ix_((above + dy).clip(0, h - 1), (left + dx).clip(0, w - 1))
            far = (dy - below_share)[:, None] ** 2 + (dx - right_share)[None] ** 2
            unlike = (band - lightness[place]) ** 2
            weight = np.exp(
                -far / (2 * BILATERAL_SPREAD**2) - unlike / (2 * BILATERAL_RANGE**2)
            ).astype(np.float32)
            total += weight + np.float32(1e-20)
            sums += (weight + np.float32(1e-20))[:, :, None] * ab[place]
    return np.asarray(sums / total[:, :, None], np.float32)


METHODS: Mapping[str, Upsample] = {
    "bilinear": bilinear,
    "joint bilateral": joint_bilateral,
    "guided filter": guided,
    "guided filter, slopes only (default)": slopes,
}


def errors(photo: Photo, working_size: int) -> dict[str, tuple[float, float]]:
    """By method: mean distance in ab from the truth over all pixels, and around color edges."""
    size = photo.size
    lab = rgb_to_lab(torch.from_numpy(photo.pixels / np.float32(255)).permute(2, 0, 1)).numpy()
    lightness, ab = lab[0], np.ascontiguousarray(lab[1:].transpose(1, 2, 0))
    small = network_size(size, working_size)
    small_ab = np.dstack([resize(ab[:, :, i], small) for i in range(2)])
    small_lightness = resize(lightness, small)
    near = around_edges(ab)
    found = {}
    for name, upsample in METHODS.items():
        step = partial(upsample, small_lightness, small_ab)
        wrong = np.concatenate(
            [
                np.linalg.norm(step(rows, lightness[rows], size) - ab[rows], axis=2)
                for rows in bands(size)
            ]
        )
        found[name] = float(wrong.mean()), float(wrong[near].mean())
    return found


def around_edges(ab: Plane) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """(H, W): which pixels of ab (H, W, 2) lie around the strongest color edges."""
    gradients = [cv2.Sobel(ab, cv2.CV_32F, *axis, ksize=3) for axis in ((1, 0), (0, 1))]
    strength = np.sqrt(sum((gradient**2).sum(2) for gradient in gradients))
    edges = (strength > np.quantile(strength, 1 - EDGE_SHARE)).astype(np.uint8)
    window = np.ones((2 * EDGE_RADIUS + 1, 2 * EDGE_RADIUS + 1), np.uint8)
    return np.asarray(cv2.dilate(edges, window)) > 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.upsampling", description=__doc__)
    parser.add_argument("photos", type=Path, nargs="+", help="color photos")
    parser.add_argument("--working-size", type=int, default=288, help="default: 288")
    parser.add_argument(
        "--megapixels", type=float, nargs="+", default=[2, 4, 12], help="default: 2 4 12"
    )
    options = parser.parse_args(arguments)
    table = [["method", "megapixels", "photos", "ab error", "around color edges"]]
    photos = [Photo.open(path) for path in options.photos]
    for megapixels in options.megapixels:
        large = [photo for photo in photos if photo.pixels.size / 3e6 >= 0.99 * megapixels]
        found = [errors(shrunk(photo, megapixels), options.working_size) for photo in large]
        for name in METHODS if found else ():
            means = np.mean([result[name] for result in found], axis=0)
            figures = [f"{value:.2f}" for value in means]
            table.append([name, f"{megapixels:g}", str(len(found)), *figures])
    print(markdown_table(table))
    return 0


def shrunk(photo: Photo, megapixels: float) -> Photo:
    """The photo with three channels, shrunk to at most a size in megapixels."""
    scale = min(1.0, (megapixels * 1e6 / (photo.size[0] * photo.size[1])) ** 0.5)
    small = photo.shrunk((round(photo.size[0] * scale), round(photo.size[1] * scale)))
    return Photo(np.ascontiguousarray(np.broadcast_to(small.pixels, (*small.size, 3))))


if __name__ == "__main__":
    sys.exit(main())
