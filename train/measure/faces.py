"""Measure faces by skin tone.

Faces are found by `find_faces` in the gray photo. A tone is the individual typology angle of the
face in the true colors of the photo, not of the person: shadow, exposure and the color of the
light shift it by whole groups, so read the groups as how dark or light skin is shown. All figures
are means over faces, each over the box of the face alone.
"""

import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from skimage.color import rgb2lab
from tqdm import tqdm

from colorizer import Colorizer
from colorizer.inference.faces import Face, find_faces
from train.data.samples import Source, pick
from train.measure.metrics import Pixels, colorfulness, delta_e00
from train.measure.tables import markdown_table

TONES = {  # least individual typology angle in degrees (Del Bino and Bernerd 2013)
    "very light": 55.0,
    "light": 41.0,
    "intermediate": 28.0,
    "tan": 10.0,
    "brown": -30.0,
    "dark": -90.0,
}
SKIN_HUES = (20.0, 85.0)  # degrees in the ab plane
SKIN_CHROMA = (8.0, 50.0)
MIN_SKIN = 0.4  # share of skin in the middle of a box; boxes with less are no faces
MIN_WIDTH = 12  # pixels of a face; smaller ones show too little skin

Box = tuple[slice, slice]  # rows, columns


def measure(
    colorizer: Colorizer, sources: Sequence[Source], limit: int | None = None
) -> list[dict[str, Any]]:
    """Colorize every photo with faces, and compare the faces with the truth.

    Args:
        colorizer: what to measure.
        sources: color photos.
        limit: of the photos, evenly picked; None takes all.

    Returns:
        For each face "photo", "ita" (individual typology angle in degrees), "tone", "delta_e00",
        "gray_delta_e00" of the input, "cf" and "truth_cf".

    Raises:
        ValueError: no face was found.
    """
    faces = []
    for source, sample in tqdm(pick(sources, limit), unit="photo", mininterval=5):
        try:
            pair = sample.read()
        except OSError as error:
            tqdm.write(f"Left out: {error}", file=sys.stderr)
            continue
        truth, gray = np.array(pair.color), pair.input()
        boxes = [box_of(face) for face in find_faces(gray) if face.width >= MIN_WIDTH]
        angles = [(box, typology_angle(truth[box])) for box in boxes]
        toned = [(box, angle) for box, angle in angles if angle is not None]
        if not toned:
            continue
        output = colorizer.colorize(gray).colorized.pixels
        levels = np.repeat(gray.pixels, 3, axis=2)
        faces += [
            {
                "photo": f"{source}/{sample.name}",
                "ita": angle,
                "tone": tone(angle),
                "delta_e00": delta_e00(output[box], truth[box]),
                "gray_delta_e00": delta_e00(levels[box], truth[box]),
                "cf": colorfulness(output[box]),
                "truth_cf": colorfulness(truth[box]),
            }
            for box, angle in toned
        ]
    if not faces:
        raise ValueError("The data holds no face in color; name photos of people.")
    return faces


def box_of(face: Face) -> Box:
    """The pixels of a face that lie in its photo."""
    left, top = max(0, round(face.left)), max(0, round(face.top))
    return slice(top, round(face.top + face.height)), slice(left, round(face.left + face.width))


def typology_angle(face: Pixels) -> float | None:
    """ITA of a face's skin in degrees, atan((L* - 50) / b*) (Chardon et al. 1991).

    It is the median over those pixels in the middle half of the box that have a hue and a chroma
    of skin; None where they are few.
    """
    rows, columns = (slice(side // 4, side - side // 4) for side in face.shape[:2])
    lightness, a, b = np.moveaxis(rgb2lab(face[rows, columns]), 2, 0)
    hue, chroma = np.degrees(np.arctan2(b, a)), np.hypot(a, b)
    skin = (SKIN_HUES[0] <= hue) & (hue <= SKIN_HUES[1])
    skin &= (SKIN_CHROMA[0] <= chroma) & (chroma <= SKIN_CHROMA[1])
    if skin.mean() < MIN_SKIN:
        return None
    return math.degrees(math.atan2(np.median(lightness[skin]) - 50, np.median(b[skin])))


def tone(angle: float) -> str:
    """The group of an individual typology angle in degrees."""
    return next(name for name, least in TONES.items() if angle > least)


def summarize(faces: Sequence[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Average the figures of each skin tone.

    Returns:
        For each tone with faces, their number "n", the means "delta_e00" and "gray_delta_e00", and
        the ratios of means "delta_e00_of_gray" and "cf_of_truth".
    """
    groups = {}
    for name in TONES:
        own = [face for face in faces if face["tone"] == name]
        if own:
            error, gray, cf, truth = (
                float(np.mean([face[key] for face in own]))
                for key in ("delta_e00", "gray_delta_e00", "cf", "truth_cf")
            )
            ratios = {"delta_e00_of_gray": error / gray, "cf_of_truth": cf / truth}
            groups[name] = {"n": len(own), "delta_e00": error, "gray_delta_e00": gray} | ratios
    return groups


def table(groups: dict[str, dict[str, float]]) -> str:
    """The groups in Markdown."""
    rows = [["skin tone", "faces", "delta_e00", "gray's", "delta_e00 / gray", "CF / truth"]]
    for name, found in groups.items():
        count, *figures = found.values()
        rows.append([name, str(count), *(f"{value:.2f}" for value in figures)])
    return markdown_table(rows)
