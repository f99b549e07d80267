"""Find validation photos that are also in the training data.

Photos count as the same even if one was resized, recompressed, mirrored, or slightly cropped.
They are compared by their largest centered square. A perceptual hash (which of 64 DCT coefficients
exceed their median, by `imagehash`) finds candidates, and their correlation after alignment
confirms them. This finds all copies that lost up to 5 % at each side, and about half of those that
lost up to 10 %.
"""

import sys
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import cv2
import imagehash
import numpy as np
from PIL import Image, ImageOps
from tqdm import tqdm

from train.data.samples import Sample, Source, pick

MAX_DISTANCE = 16  # of 64 bits; photos cropped by up to 5 % a side came to 14
MIN_CORRELATION = 0.98  # cropped photos came to 0.99, look-alikes among 20 million pairs to 0.97
THUMBNAIL = 64  # pixels of a thumbnail's side
STOP_CRITERIA = (cv2.TERM_CRITERIA_COUNT + cv2.TERM_CRITERIA_EPS, 50, 1e-4)  # of the alignment


class Leak(NamedTuple):
    """A photo that both sets hold."""

    val: str  # source/name
    train: str  # source/name
    mirrored: bool
    distance: int  # bits in which the hashes differ, 0 to 64
    correlation: float  # of the aligned gray levels, up to 1


def find_leaks(
    train: Sequence[Source],
    val: Sequence[Source],
    max_distance: int = MAX_DISTANCE,
    min_correlation: float = MIN_CORRELATION,
) -> list[Leak]:
    """Pairs of the same photo, most alike first; unreadable photos are named on stderr.

    Only hashes are kept of the training photos, 8 bytes each; candidates are read once more.

    Args:
        train: photos to train on, any number.
        val: photos to validate on.
        max_distance: between hashes, in bits. Different photos are about 32 apart.
        min_correlation: between aligned gray thumbnails, 0 to 1.

    Raises:
        ValueError: a limit is out of range, or a set holds no readable photo.
    """
    if not 0 <= max_distance < 32:
        raise ValueError(f"max_distance is {max_distance}; it goes from 0 to 31 of 64 bits.")
    if not 0 <= min_correlation <= 1:
        raise ValueError(f"min_correlation is {min_correlation}; it goes from 0 to 1.")
    hashed = [
        (name, sample, perceptual_hash(square))
        for name, sample, square in _thumbnails(train, "train")
    ]
    hashes = np.array([found for _, _, found in hashed])
    leaks = []
    for val_name, _, upright in _thumbnails(val, "val"):
        for mirrored in (False, True):
            square = ImageOps.mirror(upright) if mirrored else upright
            distances = np.bitwise_count(hashes ^ perceptual_hash(square))
            for index in np.flatnonzero(distances <= max_distance):
                name, sample, _ = hashed[index]
                match = correlation(square, center_square(sample.read().color))
                if match >= min_correlation:
                    leaks.append(Leak(val_name, name, mirrored, int(distances[index]), match))
    return sorted(leaks, key=lambda leak: -leak.correlation)


def center_square(image: Image.Image) -> Image.Image:
    """The largest centered square in gray, as a thumbnail."""
    return ImageOps.fit(image.convert("L"), (THUMBNAIL, THUMBNAIL))


def perceptual_hash(square: Image.Image) -> np.uint64:
    """64 bits that change little when the picture is resized or recompressed."""
    return np.uint64(int(str(imagehash.phash(square)), 16))


def correlation(one: Image.Image, other: Image.Image) -> float:
    """Correlate the gray levels of two thumbnails after aligning them.

    The second is moved, scaled and sheared to match the first (Evangelidis and Psarakis 2008).

    Returns:
        Up to 1; 0 if no alignment is found.
    """
    start = np.eye(2, 3, dtype=np.float32)
    try:
        found, _ = cv2.findTransformECC(
            np.array(one), np.array(other), start, cv2.MOTION_AFFINE, STOP_CRITERIA
        )
    except cv2.error:  # nothing in common, or a flat picture
        return 0.0
    return float(found)


def _thumbnails(sources: Sequence[Source], label: str) -> Iterator[tuple[str, Sample, Image.Image]]:
    found = False
    for source, sample in tqdm(pick(sources, None), label, unit="photo", mininterval=5):
        try:
            square = center_square(sample.read().color)
        except OSError as error:
            tqdm.write(f"Left out: {error}", file=sys.stderr)
            continue
        found = True
        yield f"{source}/{sample.name}", sample, square
    if not found:
        raise ValueError(f"--{label} holds no readable photo; check the paths.")
