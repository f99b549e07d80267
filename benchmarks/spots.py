"""Measure how far the color of a spot spreads: `python -m benchmarks.spots FOLDER`.

The folder holds old photos; `spots.json` names them and marks three things in each, with a spot and
a color. Outlines are drawn by hand around the thing and what is of its kind near it. Pixels move
when their ab changes by more than 5 units. Few should outside the outline, and many inside.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from colorizer import ColorHint, Colorization, Colorizer, Photo
from colorizer.imaging.color import rgb_to_lab
from colorizer.inference.hints import DEFAULT_REACH

MOVED = 5.0  # ab units
MARGIN = 0.02  # short sides around an outline, which hands don't draw more exactly
OUTLINES = Path(__file__).with_suffix(".json")  # x, y and regions in percent of width and height

Mask = NDArray[np.bool_]


class Spread(NamedTuple):
    """What spots did to a photo."""

    photo: str
    thing: str
    outside: float  # share of the pixels outside of the outline that moved
    inside: float  # the same inside


def measure(colorizer: Colorizer, folder: Path, reach: float | None) -> list[Spread]:
    """Measure each spot alone, and the three of a photo together.

    Args:
        colorizer: what to measure.
        folder: the photos.
        reach: of the spots, in short sides; None: the whole photo.
    """
    rows = []
    for name, spots in json.loads(OUTLINES.read_text()).items():
        photo = Photo.open(folder / name)
        plain = colorizer.colorize(photo)
        hints = [_hint(spot, photo.size, reach) for spot in spots]
        masks = [_inside(spot["regions"], photo.size) for spot in spots]
        for spot, hint, inside in zip(spots, hints, masks, strict=True):
            rows.append(Spread(name, spot["thing"], *_shares(plain, [hint], inside)))
        rows.append(Spread(name, "all three", *_shares(plain, hints, np.logical_or.reduce(masks))))
    return rows


def _hint(spot: dict[str, Any], size: tuple[int, int], reach: float | None) -> ColorHint:
    height, width = size
    x, y = spot["x"] / 100 * width, spot["y"] / 100 * height
    return ColorHint(x, y, spot["color"], reach=reach)


def _inside(regions: list[list[tuple[float, float]]], size: tuple[int, int]) -> Mask:
    """Whether pixels (height, width) lie inside of the regions."""
    height, width = size
    mask = np.zeros(size, np.uint8)
    for region in regions:
        cv2.fillPoly(mask, [np.rint(np.array(region) / 100 * (width, height)).astype(int)], 1)
    return mask.astype(bool)


def _shares(plain: Colorization, hints: list[ColorHint], inside: Mask) -> tuple[float, float]:
    """Shares of the pixels that moved, outside and inside."""
    before, after = _ab(plain), _ab(plain.with_hints(hints))
    moved = np.hypot(*(after - before)) > MOVED
    margin = 2 * round(MARGIN * min(inside.shape)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (margin, margin))
    outside = cv2.dilate(inside.astype(np.uint8), disc) == 0
    return float(moved[outside].mean()), float(moved[inside].mean())


def _ab(colorization: Colorization) -> NDArray[np.float32]:
    """(2, H, W)."""
    pixels = torch.from_numpy(colorization.colorized.pixels)
    return rgb_to_lab(pixels.permute(2, 0, 1) / 255)[1:].numpy()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.spots", description=__doc__)
    parser.add_argument("folder", type=Path, help="the photos that spots.json names")
    spread = parser.add_mutually_exclusive_group()
    spread.add_argument(
        "--reach", type=float, default=DEFAULT_REACH, help=f"default: {DEFAULT_REACH}"
    )
    spread.add_argument(
        "--everywhere", action="store_true", help="spread as spots of old recipes do"
    )
    parser.add_argument("--checkpoint", help="folder, user/repo or user/repo@revision")
    options = parser.parse_args(arguments)
    colorizer = Colorizer.load(options.checkpoint)
    rows = measure(colorizer, options.folder, None if options.everywhere else options.reach)
    print("| photo | spot | moved outside | moved inside |\n| :--- | :--- | ---: | ---: |")
    for row in rows:
        print(f"| {row.photo} | {row.thing} | {row.outside:.1%} | {row.inside:.0%} |")
    for title, chosen in (
        ("one spot", [row for row in rows if row.thing != "all three"]),
        ("all three", [row for row in rows if row.thing == "all three"]),
    ):
        outside, inside = np.mean([row[2:] for row in chosen], axis=0)
        most = max(row.outside for row in chosen)
        print(f"{title}: outside {outside:.2%} (at most {most:.1%}), inside {inside:.0%}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
