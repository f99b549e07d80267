"""Register a picture to a photo: where in the picture each pixel of the photo is.

Features (SIFT, Lowe 2004) give a homography (MAGSAC++, Barath et al. 2020), a dense flow (DIS,
Kroeger et al. 2016) the rest, such as the small warps of pictures that a generator made. Both are
checked: a homography by its shape and its inliers, the flow by `agreement`.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from colorizer.imaging.arrays import Plane
from colorizer.imaging.resampling import resize
from colorizer.sources.agreement import agreement, structure, textured

MATCH_SIDE = 320  # pixels: short side at which pictures are compared
MAX_MATCH_SIDE = 1024  # pixels: long side, of strips
NARROWEST = 32  # pixels: narrower strips show too little
MAX_FEATURES = 1200
CONTRAST_THRESHOLD = 0.02  # of SIFT, half of Lowe's: old photos are soft
RATIO = 0.85  # of the distances of the best and the second best match; Lowe 2004, sec. 7.1
MIN_INLIERS = 12
INLIER_DISTANCE = 6.0  # pixels: small warps must not make a match an outlier
SCALES = (0.3, 3.0)  # of the photo in the picture, relative to the short sides
MAX_STRETCH = 1.6  # largest scale of an edge, relative to the smallest
MIN_CORNER_SINE = 0.8  # of the corners of the photo in the picture
FLOW_SIGMA = 8.0  # pixels: over which the flow is smoothed
RETURN_ERROR = 1.5  # pixels, there and back, by which a flow loses weight
SHARP = 10.0  # L* units per pixel: stronger edges weigh no more
NORMALIZED_SIGMA = 24.0  # pixels: windows in which contrast is made equal
MAX_FLOW = 0.05  # of the short side; more is no warp of the same photo
MIN_OVERLAP = 0.2  # of the photo
MIN_STRUCTURE = 0.6  # mean correlation of what has texture; benchmarks/color_sources.py

Points = NDArray[np.float32]  # (n, 2), x and y


@dataclass(frozen=True, eq=False)
class Registration:
    """Where in a picture each pixel of a photo is.

    Attributes:
        columns: (h, w) float32, 0 to 1 from the left to the right edge of the picture.
        rows: (h, w) float32, 0 to 1 from the top to the bottom edge.
        agreement: (h, w) float32, 0 where the picture shows something else or nothing, 1 where it
            shows the same.
        structure: mean correlation of the textured parts, up to 1.
    """

    columns: Plane
    rows: Plane
    agreement: Plane
    structure: float

    @property
    def span(self) -> float:
        """Share of the picture that the whole photo would cover; above 1 if it is cropped."""
        (down_y, right_y), (down_x, right_x) = np.gradient(self.rows), np.gradient(self.columns)
        areas = np.abs(right_x * down_y - right_y * down_x)
        return float(np.median(areas) * areas.size)


def register(photo: Plane, picture: Plane) -> Registration | None:
    """Register a picture to a photo.

    Args:
        photo: (h, w) float32 L*.
        picture: (H, W) float32 L*, of any size: the same photo cropped, turned by some degrees,
            slightly warped, with other contrast, or in part painted over.

    Returns:
        The registration, of any size; None if the picture shows something else.
    """
    photo, picture = (resize(plane, match_size(plane.shape)) for plane in (photo, picture))
    if min(*photo.shape, *picture.shape) < NARROWEST:
        return None
    best: Registration | None = None
    for homography in _homographies(photo, picture):
        found = _refine(photo, picture, homography)
        if found and (best is None or found.structure > best.structure):
            best = found
        if best and best.structure >= MIN_STRUCTURE:
            return best
    return None


def match_size(size: tuple[int, ...]) -> tuple[int, int]:
    """(height, width) at which a picture of some size is compared."""
    scale = min(MATCH_SIDE / min(size), MAX_MATCH_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def _homographies(photo: Plane, picture: Plane) -> Iterator[NDArray[np.float64]]:
    """Plausible homographies from the photo to the picture: by features, then frame to frame."""
    if (found := _by_features(photo, picture)) is not None:
        yield found
    yield np.diag([picture.shape[1] / photo.shape[1], picture.shape[0] / photo.shape[0], 1.0])


def _by_features(photo: Plane, picture: Plane) -> NDArray[np.float64] | None:
    sift = cv2.SIFT.create(MAX_FEATURES, contrastThreshold=CONTRAST_THRESHOLD)
    equalize = cv2.createCLAHE(2.0, (8, 8))
    points, descriptors = [], []
    for lightness in (photo, picture):
        found, described = sift.detectAndCompute(equalize.apply(_levels(lightness)), None)
        if len(found) < MIN_INLIERS:
            return None
        points.append(np.array([point.pt for point in found], np.float32))
        root = described / np.maximum(described.sum(1, keepdims=True), 1e-6)
        descriptors.append(np.sqrt(root))  # RootSIFT, Arandjelovic and Zisserman 2012
    pairs = cv2.BFMatcher(cv2.NORM_L2).knnMatch(descriptors[0], descriptors[1], k=2)
    matches = [one for one, other in pairs if one.distance < RATIO * other.distance]
    if len(matches) < MIN_INLIERS:
        return None
    source = points[0][[match.queryIdx for match in matches]]
    target = points[1][[match.trainIdx for match in matches]]
    homography, inliers = cv2.findHomography(
        source, target, cv2.USAC_MAGSAC, INLIER_DISTANCE, maxIters=5000, confidence=0.999
    )
    if homography is None or int(inliers.sum()) < MIN_INLIERS:
        return None
    matrix = np.asarray(homography, np.float64)
    return matrix if _plausible(matrix, photo.shape, picture.shape) else None


def _plausible(
    homography: NDArray[np.float64], size: tuple[int, ...], picture_size: tuple[int, ...]
) -> bool:
    """Whether a homography scales and shears the photo no more than it may; any turn may be."""
    height, width = size
    corners = np.array([[0, 0, 1], [width, 0, 1], [width, height, 1], [0, height, 1]], np.float64)
    moved = corners @ homography.T
    if (moved[:, 2] * moved[0, 2] <= 0).any():
        return False
    points = moved[:, :2] / moved[:, 2:]
    edges = np.roll(points, -1, axis=0) - points
    lengths = np.hypot(*edges.T)
    following, following_lengths = np.roll(edges, -1, axis=0), np.roll(lengths, -1)
    sine = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    scales = lengths / (width, height, width, height) * min(size) / min(picture_size)
    low, high = SCALES
    return bool(
        (sine > MIN_CORNER_SINE * lengths * following_lengths).all()
        and (scales > low).all()
        and (scales < high).all()
        and scales.max() < MAX_STRETCH * scales.min()
    )


def _refine(photo: Plane, picture: Plane, homography: NDArray[np.float64]) -> Registration | None:
    """Add the dense flow to a homography; None if the two show different things."""
    height, width = photo.shape
    y, x = np.mgrid[:height, :width].astype(np.float32)
    flow = np.zeros((height, width, 2), np.float32)
    for _ in range(2):
        columns, rows = _through(homography, x + flow[:, :, 0], y + flow[:, :, 1])
        seen, inside = _look_up(picture, columns, rows)
        if inside.mean() < MIN_OVERLAP:
            return None
        flow += _smooth_flow(photo, seen, inside)
    limit = MAX_FLOW * min(height, width)
    flow = flow.clip(-limit, limit)
    columns, rows = _through(homography, x + flow[:, :, 0], y + flow[:, :, 1])
    seen, inside = _look_up(picture, columns, rows)
    correlation = structure(photo, seen, inside)
    where = textured(photo) & inside
    score = float(correlation[where].mean()) if where.any() else 0.0
    return Registration(
        (columns + 0.5) / picture.shape[1],
        (rows + 0.5) / picture.shape[0],
        agreement(photo, seen, inside),
        score,
    )


def _smooth_flow(photo: Plane, seen: Plane, inside: NDArray[np.bool_]) -> Plane:
    """Flow (h, w, 2) from the photo to what is seen of the picture, smooth where it is unsure."""
    one, other = (_levels(_normalized(plane)) for plane in (photo, np.where(inside, seen, photo)))
    estimator = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    height, width = photo.shape
    start = np.zeros((height, width, 2), np.float32)
    flow = np.asarray(estimator.calc(one, other, start.copy()), np.float32)
    back = np.asarray(estimator.calc(other, one, start), np.float32)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    returned = cv2.remap(back, x + flow[:, :, 0], y + flow[:, :, 1], cv2.INTER_LINEAR)
    error = np.linalg.norm(flow + returned, axis=2)
    gradient = cv2.GaussianBlur(cv2.magnitude(*_gradients(photo)), (0, 0), 2.0)
    weight = inside * np.exp(-((error / RETURN_ERROR) ** 2)) * np.minimum(gradient, SHARP) + 1e-4
    weight = weight.astype(np.float32)[:, :, None]
    total = cv2.GaussianBlur(weight, (0, 0), FLOW_SIGMA)
    return np.asarray(cv2.GaussianBlur(weight * flow, (0, 0), FLOW_SIGMA) / total[:, :, None])


def _gradients(lightness: Plane) -> tuple[Plane, Plane]:
    smooth = cv2.GaussianBlur(lightness, (0, 0), 1.0)
    across, down = (
        np.asarray(cv2.Scharr(smooth, cv2.CV_32F, x, 1 - x, scale=1 / 16), np.float32)
        for x in (1, 0)
    )
    return across, down


def _normalized(lightness: Plane) -> Plane:
    """L* with its local mean and contrast made equal, about 0 to 100."""
    mean = cv2.GaussianBlur(lightness, (0, 0), NORMALIZED_SIGMA)
    deviation = np.sqrt(cv2.GaussianBlur((lightness - mean) ** 2, (0, 0), NORMALIZED_SIGMA))
    return np.asarray(50 + 20 * (lightness - mean) / (deviation + 3.0), np.float32)


def _through(homography: NDArray[np.float64], x: Plane, y: Plane) -> tuple[Plane, Plane]:
    points = np.stack((x, y), axis=2).reshape(-1, 1, 2)
    moved = np.asarray(cv2.perspectiveTransform(points, homography), np.float32)
    moved = moved.reshape(-1, 2)
    return moved[:, 0].reshape(x.shape).copy(), moved[:, 1].reshape(x.shape).copy()


def _look_up(picture: Plane, columns: Plane, rows: Plane) -> tuple[Plane, NDArray[np.bool_]]:
    """The picture at positions in pixels, and which of them are inside of it."""
    seen = cv2.remap(picture, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    height, width = picture.shape
    inside = (columns >= 0) & (columns <= width - 1) & (rows >= 0) & (rows <= height - 1)
    return np.asarray(seen, np.float32), inside


def _levels(lightness: Plane) -> NDArray[np.uint8]:
    return np.asarray((2.55 * lightness).clip(0, 255).round(), np.uint8)
