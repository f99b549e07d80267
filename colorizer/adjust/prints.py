"""Find a print in a photo of it: on a table, in an album, on the wall."""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from colorizer.imaging.arrays import Plane
from colorizer.photo.photo import Photo

Corners = NDArray[np.float32]  # (4, 2), x and y: top left, top right, bottom right, bottom left

SIDE = 512  # pixels of the copy that is searched
RIM, RIM_COLORS = 6, 3  # pixels; colors of what a print lies on
MAX_DISTANCE = 60.0  # L*a*b* units from these colors
OTSU_SHARES = (0.5, 0.75, 1.0)  # of Otsu's threshold of the distance
SLOPES = (15, 30, 60)  # of edges, as Sobel's operator gives them
MAX_OUTLINES = 6  # of a mask, the largest
MIN_AREA, MAX_AREA = 0.15, 0.97  # of the photo that a print fills
MIN_SINE = 0.7  # of its angles, 45 to 135 degrees
MAX_RATIO = 3.0  # of opposite sides: perspective
EPSILONS = (0.02, 0.04, 0.07)  # of the outline's length that corners may cut
MIN_EDGE = 5.0  # L*a*b* units between inside and outside, at nine tenths of each side
CLEAR_EDGE = 20.0  # L*a*b* units
MAX_VARIATION = 10.0  # L*a*b* units, standard deviation outside along a side: a table is even
INSET = 1.5  # pixels by which edges are found too far out, as they are smoothed
STEP = 3  # pixels from a side to where inside and outside are compared
SAMPLES = 40  # along a side


class Outline(NamedTuple):
    """A candidate: its corners in pixels of the copy, and how likely it is the print."""

    corners: Corners
    score: float


def find_print(photo: Photo) -> tuple[tuple[float, float], ...] | None:
    """Find the corners of a print in a photo of it.

    `python -m benchmarks.prints` measures how often it is right.

    Returns:
        Top left, top right, bottom right and bottom left corner, x and y as shares of the photo's
        width and height; None if no print was found, or the photo is all print.
    """
    height, width = photo.size
    scale = min(1.0, SIDE / max(photo.size))
    size = max(8, round(height * scale)), max(8, round(width * scale))
    levels = photo.shrunk(size).pixels
    rgb = np.repeat(levels, 3, 2) if levels.shape[2] == 1 else levels
    lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
    smooth = np.asarray(cv2.bilateralFilter(lab, 7, 12, 5), np.float32)
    outlines = [
        Outline(corners, _score(smooth, corners))
        for mask in _masks(smooth)
        for corners in _quadrangles(mask)
    ]
    best = max(outlines, key=lambda outline: outline.score, default=None)
    if best is None or best.score <= 0:
        return None
    middle = best.corners.mean(0)
    inward = np.sign(middle - best.corners) * INSET  # so that nothing of the table is left
    corners = (best.corners + inward + 0.5) / np.array(size[::-1], np.float32)
    return tuple((float(x), float(y)) for x, y in corners.clip(0, 1))


def _masks(lab: Plane) -> list[NDArray[np.uint8]]:
    """Regions that may be the print, by difference from the photo's rim and by edges."""
    sides = (lab[:RIM], lab[-RIM:], lab[:, :RIM], lab[:, -RIM:])
    rim = np.concatenate([side.reshape(-1, 3) for side in sides])
    criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.5)
    cv2.setRNGSeed(0)
    labels = np.zeros((len(rim), 1), np.int32)
    _, _, centers = cv2.kmeans(rim, RIM_COLORS, labels, criteria, 1, cv2.KMEANS_PP_CENTERS)
    distance = np.min([np.linalg.norm(lab - center, axis=2) for center in centers], axis=0)
    levels = np.asarray(distance.clip(0, MAX_DISTANCE) * (255 / MAX_DISTANCE), np.uint8)
    otsu, _ = cv2.threshold(levels, 0, 255, cv2.THRESH_OTSU)
    masks = [levels > share * otsu for share in OTSU_SHARES]
    slopes = [
        np.hypot(cv2.Sobel(plane, cv2.CV_32F, 1, 0), cv2.Sobel(plane, cv2.CV_32F, 0, 1))
        for plane in cv2.split(lab)
    ]
    for strength in SLOPES:
        edges = cv2.dilate(np.asarray(np.max(slopes, axis=0) > strength, np.uint8), np.ones((3, 3)))
        edges[[0, -1]] = edges[:, [0, -1]] = 0
        masks.append(edges > 0)
    window = np.ones((5, 5), np.uint8)
    return [
        np.asarray(cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, window))
        for mask in masks
    ]


def _quadrangles(mask: NDArray[np.uint8]) -> list[Corners]:
    """Convex quadrangles around the regions of a mask and around holes in it."""
    found = []
    contours, _ = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)
    for contour in sorted(contours, key=cv2.contourArea, reverse=True)[:MAX_OUTLINES]:
        hull = cv2.convexHull(contour)
        if cv2.contourArea(hull) < MIN_AREA * mask.size:
            break
        for epsilon in EPSILONS:
            polygon = cv2.approxPolyDP(hull, epsilon * cv2.arcLength(hull, True), True)
            if len(polygon) == 4:
                found.append(_in_order(polygon[:, 0].astype(np.float32)))
                break
    return found


def _in_order(corners: Corners) -> Corners:
    """Clockwise from the top left."""
    middle = corners.mean(0)
    angles = np.arctan2(*(corners - middle).T[::-1])
    corners = corners[np.argsort(angles)]
    first = int(np.argmin(corners.sum(1)))
    return np.roll(corners, -first, 0)


def _score(lab: Plane, corners: Corners) -> float:
    """How likely the quadrangle is a print: its area, if it is shaped like one and has edges."""
    height, width = lab.shape[:2]
    area = cv2.contourArea(corners) / (height * width)
    sides = np.roll(corners, -1, 0) - corners
    lengths = np.hypot(*sides.T)
    if not MIN_AREA <= area <= MAX_AREA or lengths.min() < 10:
        return 0
    units = sides / lengths[:, None]
    after = np.roll(units, -1, 0)
    sines = np.abs(units[:, 0] * after[:, 1] - units[:, 1] * after[:, 0])
    ratios = lengths / np.roll(lengths, 2)
    if sines.min() < MIN_SINE or ratios.max() > MAX_RATIO:
        return 0
    contrasts, variations = [], []
    for start, side, unit in zip(corners, sides, units, strict=True):
        outward = np.array([unit[1], -unit[0]])  # as corners run clockwise
        points = start + np.linspace(0.05, 0.95, SAMPLES)[:, None] * side
        visible = ((points >= STEP) & (points < (width - STEP, height - STEP))).all(1)
        if visible.mean() >= 0.5:
            inner, outer = (_at(lab, points[visible] + step * outward) for step in (-STEP, STEP))
            contrasts.append(float(np.quantile(np.linalg.norm(inner - outer, axis=1), 0.1)))
            beyond = _at(lab, points[visible] + 2 * STEP * outward)
            variations.append(float(beyond.std(0).mean()))
    if len(contrasts) < 3:  # the photo may cut off one side
        return 0
    if min(contrasts) < MIN_EDGE or max(variations) > MAX_VARIATION:
        return 0
    return float(area**0.5 * min(1, min(contrasts) / CLEAR_EDGE))


def _at(lab: Plane, points: NDArray[np.float64]) -> Plane:
    """Colors at points, the nearest pixel's."""
    height, width = lab.shape[:2]
    x, y = np.rint(points).astype(int).T
    return np.asarray(lab[y.clip(0, height - 1), x.clip(0, width - 1)])
