"""Where is writing in a photo? Captions, signatures, signs.

PP-OCRv6 (PaddleOCR 2026), a text detector, finds lines of print and of handwriting; OpenCV runs it.
Others trained it, see pp_ocrv6_det_small.LICENSE.
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from colorizer.imaging.arrays import Plane

NETWORK = Path(__file__).with_name("pp_ocrv6_det_small.onnx")
SIDE = 736  # pixels of the long side; letters of a smaller photo are enlarged
STRIDE = 32  # pixels: the network's
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of its training photos, 0 to 1
MIN_PROBABILITY = 0.2  # of a pixel being on writing
MIN_AREA = 20  # pixels of a line
MIN_ASPECT = 1.8  # of a line: what is as wide as high is rather a speck than a word
MIN_MEAN = 0.4  # probability within a line's box
MARGIN = 0.6  # heights of a line: the network marks its core, and swashes reach beyond it

_idle: list[cv2.dnn.Net] = []  # one thread may use each; reading one is slow


def find_writing(lightness: Plane) -> NDArray[np.bool_]:
    """Mark lines of writing: (h, w). Some are missed, and some are none.

    Args:
        lightness: (h, w) float32 L* in [0, 100].
    """
    probability = _probability(lightness)
    mask = np.zeros(probability.shape, np.uint8)
    lines, _ = cv2.findContours(
        np.asarray(probability > MIN_PROBABILITY, np.uint8),
        cv2.RETR_EXTERNAL,
        cv2.CHAIN_APPROX_SIMPLE,
    )
    for line in lines:
        center, sides, angle = cv2.minAreaRect(line)
        core = cv2.boxPoints((center, sides, angle))
        if min(sides) * MIN_ASPECT > max(sides) or sides[0] * sides[1] < MIN_AREA:
            continue
        if _mean_within(probability, core) >= MIN_MEAN:
            margin = 2 * MARGIN * min(sides)
            box = cv2.boxPoints((center, (sides[0] + margin, sides[1] + margin), angle))
            cv2.fillConvexPoly(mask, np.rint(box).astype(np.int32), 1)
    size = lightness.shape[::-1]
    return np.asarray(cv2.resize(mask, size, interpolation=cv2.INTER_NEAREST) > 0)


def _mean_within(plane: Plane, box: NDArray[Any]) -> float:
    """Mean of the plane within a box of four corners (4, 2), x and y in pixels."""
    corners = np.rint(box).astype(np.int32)
    low, high = corners.min(0).clip(0), corners.max(0) + 1
    inside = np.zeros(high[::-1] - low[::-1], np.uint8)
    cv2.fillConvexPoly(inside, corners - low, 1)
    part = plane[low[1] : high[1], low[0] : high[0]]
    return float(part[inside[: part.shape[0], : part.shape[1]] > 0].mean())


def _probability(lightness: Plane) -> Plane:
    """How likely each pixel of the network's copy is the core of a line of writing, 0 to 1."""
    scale = SIDE / max(lightness.shape)
    height, width = (max(1, round(scale * side / STRIDE)) * STRIDE for side in lightness.shape)
    gray = cv2.resize(lightness, (width, height), interpolation=cv2.INTER_AREA) / np.float32(100)
    planes = [(gray - mean) / spread for mean, spread in zip(MEAN, DEVIATION, strict=True)]
    try:
        network = _idle.pop()
    except IndexError:
        network = cv2.dnn.readNetFromONNX(str(NETWORK))
    network.setInput(np.stack(planes)[None].astype(np.float32))
    probability = network.forward()[0, 0]
    _idle.append(network)
    return np.asarray(probability)
