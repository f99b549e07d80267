"""Faces in a photo, found by YuNet (Wu, Peng and Yu 2023), which OpenCV runs.

The network is tiny and quick, knows faces from about 10 to 300 pixels, and was trained by others:
see face_detection_yunet_2023mar.LICENSE. It is asked at two sizes, so that it finds the small faces
of a crowd, too.
"""

from pathlib import Path
from threading import Lock
from typing import NamedTuple

import cv2
import numpy as np

from colorizer.imaging.arrays import Plane
from colorizer.photo.photo import Photo

NETWORK = Path(__file__).with_name("face_detection_yunet_2023mar.onnx")
SIZES = (640, 1280)  # short side in pixels at which faces are searched; the second finds small ones
CROWD = 40  # pixels of a face's width at the first size: smaller ones are seldom alone
MAX_ENLARGED = 2.0  # beyond that there is nothing more to see
LONGEST_SIDE = 4  # of what is searched, in short sides
MIN_SIDE = 32  # pixels: the stride of the network
SCORE = 0.6  # from which on it is a face, 0 to 1
OVERLAP = 0.3  # intersection over union of finds that are one face

_silenced = Lock()  # OpenCV's level of logging is the process's
_idle: list[cv2.FaceDetectorYN] = []  # each serves one thread at once; a new one is slow at first


class Face(NamedTuple):
    """The box of a face, in pixels of the photo; it may reach beyond its borders."""

    left: float
    top: float
    width: float
    height: float
    score: float  # how surely it is one, from `SCORE` to 1


def find_faces(photo: Photo) -> list[Face]:
    """The faces of a photo, the surest first; not all of them, and at times one that is none."""
    found = _search(photo, SIZES[0])
    if len(found) and (found[:, 2] * SIZES[0] < CROWD * min(photo.size)).any():
        found = np.concatenate((found, _search(photo, SIZES[1])))
    kept = cv2.dnn.NMSBoxes(found[:, :4].tolist(), found[:, 4].tolist(), SCORE, OVERLAP)
    return [Face(*found[index].tolist()) for index in kept]


def _search(photo: Photo, short: int) -> Plane:
    """Boxes and scores (n, 5) of the faces in a photo whose short side is resized to `short`."""
    height, width = photo.size
    scale = min(short / min(photo.size), LONGEST_SIDE * short / max(photo.size), MAX_ENLARGED)
    size = round(height * scale), round(width * scale)
    if min(size) < MIN_SIDE:
        return np.empty((0, 5), np.float32)
    levels = np.rint(photo.resized_lightness(size) * np.float32(2.55)).astype(np.uint8)
    try:
        detector = _idle.pop()
    except IndexError:
        detector = _make_detector()
    detector.setInputSize(size[::-1])
    _, found = detector.detect(cv2.cvtColor(levels, cv2.COLOR_GRAY2BGR))
    _idle.append(detector)
    if found is None:
        return np.empty((0, 5), np.float32)
    return np.asarray(found[:, (0, 1, 2, 3, 14)] / np.array([scale] * 4 + [1], np.float32))


def _make_detector() -> cv2.FaceDetectorYN:
    """For pictures of any size; OpenCV 5 would warn of its own choice of an engine."""
    with _silenced:
        level = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        try:
            return cv2.FaceDetectorYN.create(str(NETWORK), "", SIZES, SCORE, OVERLAP)
        finally:
            cv2.utils.logging.setLogLevel(level)
