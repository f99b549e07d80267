"""Faces in a photo, found by YuNet (Wu, Peng and Yu 2023), which OpenCV runs.

The network is tiny and fast and finds faces of about 10 to 300 pixels. Others trained it, see
face_detection_yunet_2023mar.LICENSE. It searches at two sizes to find the small faces of a crowd,
too.
"""

from pathlib import Path
from threading import Lock
from typing import NamedTuple

import cv2
import numpy as np

from colorizer.imaging.arrays import Plane
from colorizer.photo.photo import Photo

NETWORK = Path(__file__).with_name("face_detection_yunet_2023mar.onnx")
SEARCH_SIZES = (640, 1280)  # pixels of the short side; the second finds small faces
MAX_CROWD_WIDTH = 40  # pixels at the first size: narrower faces are rarely alone
MAX_SCALE = 2.0  # a larger copy shows nothing more
MAX_ASPECT_RATIO = 4  # of the searched copy at full search size
MIN_SIDE = 32  # pixels: the network's stride
MIN_SCORE = 0.6  # of a face, 0 to 1
MAX_OVERLAP = 0.3  # intersection over union of two faces

_logging_lock = Lock()  # OpenCV's log level is shared by the process
_idle: list[cv2.FaceDetectorYN] = []  # one thread may use each; creating one is slow


class Face(NamedTuple):
    """The box of a face, in pixels of the photo; it may extend beyond the photo."""

    left: float
    top: float
    width: float
    height: float
    score: float  # of the detection, `MIN_SCORE` to 1


def find_faces(photo: Photo) -> list[Face]:
    """Find faces in a photo, highest score first. Some are missed, and some are no faces."""
    found = _search(photo, SEARCH_SIZES[0])
    if len(found) and (found[:, 2] * SEARCH_SIZES[0] < MAX_CROWD_WIDTH * min(photo.size)).any():
        found = np.concatenate((found, _search(photo, SEARCH_SIZES[1])))
    kept = cv2.dnn.NMSBoxes(found[:, :4].tolist(), found[:, 4].tolist(), MIN_SCORE, MAX_OVERLAP)
    return [Face(*found[index].tolist()) for index in kept]


def _search(photo: Photo, short: int) -> Plane:
    """Boxes and scores (n, 5) of the faces in a photo whose short side is resized to `short`."""
    height, width = photo.size
    scale = min(short / min(photo.size), MAX_ASPECT_RATIO * short / max(photo.size), MAX_SCALE)
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
    """A detector for pictures of any size, without OpenCV 5's warning about its engine."""
    with _logging_lock:
        level = cv2.utils.logging.getLogLevel()
        cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        try:
            return cv2.FaceDetectorYN.create(str(NETWORK), "", SEARCH_SIZES, MIN_SCORE, MAX_OVERLAP)
        finally:
            cv2.utils.logging.setLogLevel(level)
