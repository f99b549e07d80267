"""Draws damage on photos, and what looks like damage but is none, for `train.damage`."""

from itertools import pairwise
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from train.data.augment import Gray

Points = NDArray[np.float64]  # (N, 2), x and y in pixels

SPECKS = 25  # per crop at most
SPECK_RADIUS = (0.5, 4.0)  # pixels
LINES = 5  # per crop at most
LINE_WIDTH = (0.7, 4.0)  # pixels
MIN_CONTRAST = 20  # gray levels between a mark and the photo, before it fades
OPACITY = (0.3, 1.0)
FADE = 0.6  # how much of a line is faint at most
VISIBLE = 6  # gray levels: a fainter change is not to be found
INTACT = 0.15  # share of the crops without damage
WRITING = 0.35  # share of the crops with writing
BUTTONS = 0.2  # share of the crops with a row of buttons or pearls
LETTERS = "abcdefghijklmnopqrstuvwxyz" * 2 + "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 "
SUBPIXEL_BITS = 4  # of the coordinates that OpenCV draws with


class Damaged(NamedTuple):
    """A photo with damage, and where it is."""

    gray: Gray  # (H, W)
    mask: NDArray[np.bool_]  # (H, W)


def damage(gray: Gray, random: np.random.Generator) -> Damaged:
    """Draw writing and buttons, which are no damage, and then damage.

    Args:
        gray: (H, W) uint8, sRGB gray values; it is not changed.
        random: the only source of chance.
    """
    intact = gray.astype(np.float32)
    if random.random() < WRITING:
        write(intact, random)
    if random.random() < BUTTONS:
        sew_buttons(intact, random)
    damaged = intact.copy()
    if random.random() >= INTACT:
        for _ in range(random.integers(SPECKS)):
            _blend(damaged, _speck(gray.shape, random), random)
        for _ in range(random.integers(LINES)):
            draw = (scratch, crack, fiber, crease)[random.integers(4)]
            _blend(damaged, draw(gray.shape, random), random)
    mask = np.abs(damaged - intact) > VISIBLE
    return Damaged(np.asarray(np.rint(damaged.clip(0, 255)), np.uint8), mask)


def scratch(shape: tuple[int, ...], random: np.random.Generator) -> Gray:
    """Coverage (H, W), 0 to 255, of a long and nearly straight line."""
    size = np.array(shape[::-1])
    angle, length = random.uniform(0, np.pi), random.uniform(0.2, 1.5) * size.max()
    along = length / 2 * np.array([np.cos(angle), np.sin(angle)])
    middle, bend = random.uniform(0, size), random.normal(0, 0.02) * along[::-1] * (1, -1)
    return _line(shape, np.array([middle - along, middle + bend, middle + along]), random, 2.0)


def crack(shape: tuple[int, ...], random: np.random.Generator) -> Gray:
    """Coverage of a jagged line that wanders, sometimes with branches."""
    coverage = np.zeros(shape, np.uint8)
    start, heading = random.uniform(0, shape[::-1]), random.uniform(0, 2 * np.pi)
    for _ in range(1 + random.binomial(2, 0.3)):
        points = _walk(start, heading, int(random.integers(8, 50)), 0.1, 0.6, random)
        coverage = np.maximum(coverage, _line(shape, points, random, LINE_WIDTH[1]))
        start, heading = points[random.integers(len(points))], heading + random.normal(0, 1)
    return coverage


def fiber(shape: tuple[int, ...], random: np.random.Generator) -> Gray:
    """Coverage of a short smooth curve, such as a hair on the scanner's glass."""
    start, heading = random.uniform(0, shape[::-1]), random.uniform(0, 2 * np.pi)
    points = _walk(start, heading, int(random.integers(5, 20)), 0.25, 0, random)
    return _line(shape, points, random, 1.5)


def crease(shape: tuple[int, ...], random: np.random.Generator) -> Gray:
    """Coverage of a fold: a straight line across the photo, of scattered flakes."""
    coverage = scratch(shape, random)
    wide = cv2.dilate(coverage, np.ones((3, 3), np.uint8))
    noise = cv2.GaussianBlur(random.random(shape, dtype=np.float32), (0, 0), 1.2)
    flakes = noise > np.quantile(noise, random.uniform(0.3, 0.7))
    return np.asarray(np.maximum(coverage // 2, wide * flakes), np.uint8)


def write(gray: NDArray[np.float32], random: np.random.Generator) -> None:
    """Write a few words, half the time on a strip of blank paper."""
    height, width = gray.shape
    dark = random.random() < 0.6
    scale, x = random.uniform(0.3, 1.4), random.uniform(-0.2, 0.7) * width
    y = random.uniform(0.1, 1) * height
    if random.random() < 0.5:
        top = random.choice((0.0, y - 40 * scale))
        paper = random.uniform(180, 255) if dark else random.uniform(0, 60)
        gray[max(0, int(top)) : int(y + 20 * scale)] = paper
    ink = random.uniform(0, 110) if dark else random.uniform(170, 255)
    coverage = np.zeros(gray.shape, np.uint8)
    if random.random() < 0.5:
        points = _handwriting(scale, random) + np.array([x, y])
        pen = max(1, round(random.uniform(0.6, 2.5) * scale))
        cv2.polylines(coverage, [_subpixels(points)], False, 255, pen, cv2.LINE_AA, SUBPIXEL_BITS)
    else:
        letters = "".join(random.choice(list(LETTERS), random.integers(3, 14)))
        font, pen = cv2.FONT_HERSHEY_SIMPLEX, int(random.integers(1, 3))
        cv2.putText(coverage, letters, (int(x), int(y)), font, scale, 255, pen, cv2.LINE_AA)
    slant = random.normal(0, 0.15)
    shear = np.array([[1, slant, -slant * y], [random.normal(0, 0.05), 1, 0]])
    slanted = cv2.warpAffine(coverage, shear, (width, height))
    share = slanted / np.float32(255) * np.float32(random.uniform(0.5, 1))
    gray += share * (np.float32(ink) - gray)


def sew_buttons(gray: NDArray[np.float32], random: np.random.Generator) -> None:
    """Draw a row of equal discs: buttons, pearls, rivets."""
    radius = random.uniform(1, 5)
    center, step = random.uniform(0, gray.shape[::-1]), random.normal(0, 1, 2)
    step *= radius * random.uniform(2.2, 8) / np.hypot(*step)
    level = np.float32(random.uniform(0, 255))
    coverage = np.zeros(gray.shape, np.uint8)
    for number in range(int(random.integers(3, 10))):
        _disc(coverage, center + number * step, radius, radius, 0)
    gray += coverage / np.float32(255) * np.float32(random.uniform(0.5, 1)) * (level - gray)


def _speck(shape: tuple[int, ...], random: np.random.Generator) -> Gray:
    """Coverage of a spot of dust, of up to three overlapping ellipses."""
    coverage = np.zeros(shape, np.uint8)
    center = random.uniform(0, shape[::-1])
    radius = np.exp(random.uniform(*np.log(SPECK_RADIUS)))
    for _ in range(random.integers(1, 4)):
        spot = center + random.normal(0, 0.6 * radius, 2)
        long, short = radius * random.uniform(0.5, 1.2, 2)
        _disc(coverage, spot, long, short, random.uniform(0, 180))
    return coverage


def _blend(gray: NDArray[np.float32], coverage: Gray, random: np.random.Generator) -> None:
    """Blend a light or a dark mark into the photo, in place, unevenly along its length."""
    covered = gray[coverage > 127]
    around = float(covered.mean()) if covered.size else 128.0
    light = random.random() < (0.65 if around < 170 else 0.3)
    if light:
        level = random.uniform(min(around + MIN_CONTRAST, 250), 255)
    else:
        level = random.uniform(0, max(around - MIN_CONTRAST, 5))
    height, width = gray.shape
    rough = random.random((height // 16 + 2, width // 16 + 2), dtype=np.float32)
    fade = 1 - np.float32(random.uniform(0, FADE)) * cv2.resize(rough, (width, height))
    share = coverage / np.float32(255) * np.float32(random.uniform(*OPACITY)) * fade
    gray += share * (np.float32(level) - gray)


def _handwriting(scale: float, random: np.random.Generator) -> Points:
    """Points (N, 2) of a connected scrawl with loops, ascenders and descenders, from (0, 0)."""
    time = np.arange(0, random.uniform(15, 60), 0.15)
    knots = np.arange(0, time[-1] + 3, 1.5)
    height, loop, drift = (
        np.interp(time, knots, random.uniform(low, high, len(knots)))
        for low, high in ((2.0, 12.0), (0.5, 4.0), (-5.0, 5.0))
    )
    x = 1.7 * time + loop * np.sin(2 * time + random.uniform(0, 6))
    y = height * np.sin(2 * time) + drift
    return np.asarray(scale * np.column_stack((x, y)), np.float64)


def _walk(
    start: Points,
    heading: float,
    steps: int,
    turn: float,
    jitter: float,
    random: np.random.Generator,
) -> Points:
    """Points of a path that turns by `turn` a step, with `jitter`; both are deviations, radians."""
    headings = heading + np.cumsum(random.normal(0, turn, steps)) + random.normal(0, jitter, steps)
    lengths = random.uniform(2, 7, steps)
    moves = lengths[:, None] * np.column_stack((np.cos(headings), np.sin(headings)))
    return np.asarray(start + np.cumsum(moves, 0), np.float64)


def _line(
    shape: tuple[int, ...], points: Points, random: np.random.Generator, max_width: float
) -> Gray:
    """Coverage of a line whose width varies; below a pixel, its opacity does."""
    width = np.exp(random.uniform(np.log(LINE_WIDTH[0]), np.log(max_width)))
    coverage = np.zeros(shape, np.uint8)
    for first, last in pairwise(points):
        here = width * random.uniform(0.6, 1.4)
        ends = _subpixels(np.array([first, last]))
        level = 255 * min(1.0, here)
        thickness = max(1, round(here))
        cv2.polylines(coverage, [ends], False, level, thickness, cv2.LINE_AA, SUBPIXEL_BITS)
    return coverage


def _disc(coverage: Gray, center: Points, long: float, short: float, angle: float) -> None:
    middle, axes = _subpixels(np.array([center, (long, short)])).tolist()
    cv2.ellipse(coverage, middle, axes, angle, 0, 360, 255, cv2.FILLED, cv2.LINE_AA, SUBPIXEL_BITS)


def _subpixels(points: Points) -> NDArray[np.int32]:
    return np.asarray(np.rint(points * 2**SUBPIXEL_BITS), np.int32)
