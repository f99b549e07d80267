"""Measure how hints help and how far their color leaks.

Correct hints: how much the mean CIEDE2000 of photos falls with one hint where the result is most
wrong, and with ten at random points. Leakage: in made pictures of two gray regions, how much of a
hint's color crosses to the other region.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab
from tqdm import tqdm

from colorizer import ColorHint, Colorizer, Photo
from colorizer.imaging.color import rgb_to_lab
from colorizer.imaging.compose import map_to_gamut
from colorizer.inference.hints import MIN_RADIUS
from train.data.samples import Source, pick
from train.measure.metrics import Pixels, delta_e00
from train.measure.tables import markdown_table

BLUR = 16  # pixels, sigma: a person sees wrong regions, not wrong pixels
RANDOM_HINTS = 10
SIDE = 256  # pixels of a made picture
EDGE = 4  # pixels on each side of an edge that belong to neither region
FOLLOWS_WITHIN = 15.0  # ab units between a hint and what took its color
CONTRASTS = ((110, 145), (90, 165), (60, 200))  # gray levels of the two regions
HINT_COLORS = ("#c03a2b", "#2f6fb5", "#4f9a3c")
TEXTURE = 4.0  # gray levels, standard deviation

Mask = NDArray[np.bool_]


class Scene(NamedTuple):
    """A made picture of two regions."""

    edge: str  # its shape
    contrast: int  # gray levels
    photo: Photo
    inside: Mask  # (SIDE, SIDE), the region that holds the point
    outside: Mask  # (SIDE, SIDE), the other
    point: tuple[int, int]  # x, y of the hint


def benefit(
    colorizer: Colorizer, sources: Sequence[Source], limit: int | None = None
) -> dict[str, Any]:
    """What correct hints, whose colors are those of the photo itself, bring.

    Args:
        colorizer: what to measure.
        sources: color photos.
        limit: of the photos, evenly picked; None takes all.

    Returns:
        "n" photos; mean "delta_e00" of "none", "worst" (one hint where the error, blurred
        with a sigma of `BLUR` pixels, is largest) and "random" (ten hints); "lowered_percent" of
        the latter two against none.

    Raises:
        ValueError: there is no readable photo.
    """
    rows = []
    picked = pick(sources, limit)
    for index, (_, sample) in enumerate(tqdm(picked, unit="photo", mininterval=5)):
        try:
            pair = sample.read()
        except OSError as error:
            tqdm.write(f"Left out: {error}", file=sys.stderr)
            continue
        gray, truth = pair.input(), np.array(pair.color)
        plain = colorizer.colorize(gray).colorized.pixels
        random = np.random.default_rng(index)
        y, x = (random.integers(side, size=RANDOM_HINTS) for side in truth.shape[:2])
        radius = MIN_RADIUS * min(truth.shape[:2]) / colorizer.checkpoint.working_size
        versions = [plain]
        for points in ([worst_point(plain, truth)], list(zip(x, y, strict=True))):
            hints = correct_hints(truth, points, round(radius))
            versions.append(colorizer.colorize(gray, hints).colorized.pixels)
        rows.append([delta_e00(pixels, truth) for pixels in versions])
    if not rows:
        raise ValueError("The data holds no readable photo; check --data.")
    none, worst, ten = np.mean(rows, axis=0).tolist()
    return {
        "n": len(rows),
        "delta_e00": {"none": none, "worst": worst, "random": ten},
        "lowered_percent": {"worst": 100 * (1 - worst / none), "random": 100 * (1 - ten / none)},
    }


def leakage(colorizer: Colorizer) -> list[dict[str, Any]]:
    """What a hint in one of two regions does to both.

    Returns:
        For each edge and contrast of the `scenes`: "edge"; "contrast" in gray levels; "change", the
        mean change of ab inside; "leaked", that outside over it; and "followed", the share of
        pixels inside that come within 15 ab units of the hint, or of what the gamut leaves of it at
        their lightness.
    """
    found: dict[tuple[str, int], list[list[float]]] = {}
    for scene in tqdm(list(scenes()), unit="scene", mininterval=5):
        x, y = scene.point
        before = _ab(colorizer.colorize(scene.photo).colorized.pixels)
        for color in HINT_COLORS:
            hint = ColorHint(x, y, color)
            after = _ab(colorizer.colorize(scene.photo, [hint]).colorized.pixels)
            change = np.hypot(*(after - before))
            near = np.hypot(*(after - painted(scene.photo, hint))) <= FOLLOWS_WITHIN
            means = (change[scene.outside], change[scene.inside], near[scene.inside])
            row = found.setdefault((scene.edge, scene.contrast), [])
            row.append([float(values.mean()) for values in means])
    rows = []
    for (edge, contrast), figures in found.items():
        outside, inside, followed = np.mean(figures, axis=0).tolist()
        shares = {"change": inside, "leaked": outside / inside, "followed": followed}
        rows.append({"edge": edge, "contrast": contrast} | shares)
    return rows


def scenes() -> Iterator[Scene]:
    """Two gently textured gray regions, with each edge and contrast, either one hinted."""
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2 + 0.5
    distances = {  # in pixels to the edge, negative on one side
        "vertical": x,
        "diagonal": (x + y) / np.sqrt(2),
        "curved": np.hypot(x, y) - SIDE / 4,
    }
    noise = np.random.default_rng(0).normal(0, 1, (SIDE, SIDE))
    texture = cv2.GaussianBlur(noise, (0, 0), 2)
    texture *= TEXTURE / texture.std()
    for edge, distance in distances.items():
        for levels in CONTRASTS:
            gray = np.where(distance < 0, *levels) + texture
            photo = Photo(gray.round().clip(0, 255).astype(np.uint8)[:, :, None])
            for side in (distance, -distance):
                inside, outside = side < -EDGE, side > EDGE
                framed = np.pad(inside, 1).astype(np.uint8)  # so that borders count as edges
                depth = cv2.distanceTransform(framed, cv2.DIST_L2, 5)[1:-1, 1:-1]
                row, column = np.unravel_index(int(depth.argmax()), depth.shape)
                point = (int(column), int(row))
                yield Scene(edge, levels[1] - levels[0], photo, inside, outside, point)


def worst_point(output: Pixels, truth: Pixels) -> tuple[int, int]:
    """x and y of where the blurred CIEDE2000 of two photos is largest."""
    error = deltaE_ciede2000(rgb2lab(truth), rgb2lab(output))
    blurred = cv2.GaussianBlur(error, (0, 0), BLUR)
    row, column = np.unravel_index(int(blurred.argmax()), blurred.shape)
    return int(column), int(row)


def correct_hints(truth: Pixels, points: Sequence[tuple[int, int]], radius: int) -> list[ColorHint]:
    """Hints that the points have the colors that they have, as means of a square around them.

    Args:
        truth: the photo in its true colors.
        points: x and y of each.
        radius: half a side of the square, in pixels.
    """
    colors = cv2.blur(truth, (2 * radius + 1, 2 * radius + 1))
    return [
        ColorHint(int(x), int(y), "#{:02x}{:02x}{:02x}".format(*colors[y, x])) for x, y in points
    ]


def painted(photo: Photo, hint: ColorHint) -> NDArray[np.float32]:
    """(2, H, W) a* and b* of a gray photo all in the hint's color, as far as the gamut has it."""
    lightness = photo.lightness
    ab = np.stack([np.full_like(lightness, value) for value in hint.ab])
    return map_to_gamut(lightness, ab)


def _ab(pixels: Pixels) -> NDArray[np.float32]:
    return rgb_to_lab(torch.from_numpy(pixels).permute(2, 0, 1) / 255)[1:].numpy()


def tables(document: Mapping[str, Any]) -> str:
    """What was found, in Markdown."""
    benefit_table = [["hints", "delta_e00", "lowered by"]]
    for name, title in (("none", "none"), ("worst", "1, worst point"), ("random", "10, random")):
        lowered = document["lowered_percent"].get(name)
        share = "" if lowered is None else f"{lowered:.1f} %"
        benefit_table.append([title, f"{document['delta_e00'][name]:.2f}", share])
    leakage_table = [["edge", "contrast", "change", "leaked", "followed"]]
    for row in document["leakage"]:
        shares = [f"{100 * row[name]:.1f} %" for name in ("leaked", "followed")]
        figures = [str(row["contrast"]), f"{row['change']:.1f}", *shares]
        leakage_table.append([row["edge"], *figures])
    return markdown_table(benefit_table) + "\n\n" + markdown_table(leakage_table)
