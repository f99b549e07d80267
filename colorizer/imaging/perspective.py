"""Make a rectangle of a quadrangle, as of a print that was photographed at an angle.

Corners are (4, 2), x and y in pixels from the left and the upper edge, so that a whole photo's are
(0, 0), (width, 0), (width, height) and (0, height): clockwise from the top left. Matrices are 3x3
homographies of such coordinates.
"""

import math
from collections.abc import Sequence
from typing import Any, TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

Corners = Sequence[tuple[float, float]]
Matrix = NDArray[np.float64]
Coordinate = TypeVar("Coordinate", float, NDArray[np.float64])


def is_convex(corners: Corners) -> bool:
    """Whether four corners run clockwise around a convex quadrangle that isn't empty."""
    points = np.array(corners, np.float64)
    sides = np.roll(points, -1, 0) - points
    after = np.roll(sides, -1, 0)
    return bool((sides[:, 0] * after[:, 1] - sides[:, 1] * after[:, 0] > 0).all())


def rectangle_size(corners: Corners) -> tuple[int, int]:
    """(height, width) in pixels of the rectangle: the means of opposite sides."""
    points = np.array(corners, np.float64)
    top, right, bottom, left = np.hypot(*(np.roll(points, -1, 0) - points).T)
    return max(1, round((left + right) / 2)), max(1, round((top + bottom) / 2))


def to_rectangle(corners: Corners) -> Matrix:
    """The homography from the photo to the rectangle."""
    height, width = rectangle_size(corners)
    target = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    return np.asarray(
        cv2.getPerspectiveTransform(np.array(corners, np.float32), target), np.float64
    )


def rotation(degrees: float, size: tuple[int, int]) -> Matrix:
    """The homography that turns a photo of (height, width) clockwise around its middle."""
    across, down = size[1] / 2, size[0] / 2
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return np.array(
        [
            (cosine, -sine, across - cosine * across + sine * down),
            (sine, cosine, down - sine * across - cosine * down),
            (0, 0, 1),
        ]
    )


def between_centers(matrix: Matrix) -> Matrix:
    """The same homography for coordinates that are whole at pixels' centers, as OpenCV's."""
    half = np.array([(1, 0, 0.5), (0, 1, 0.5), (0, 0, 1)])
    return np.asarray(inverse(half) @ matrix @ half)


def inverse(matrix: Matrix) -> Matrix:
    """The homography back."""
    return np.asarray(np.linalg.inv(matrix), np.float64)


def moved(matrix: Matrix, x: Coordinate, y: Coordinate) -> tuple[Coordinate, Coordinate]:
    """A point, or many, after a homography."""
    across, down, share = (a * x + b * y + c for a, b, c in matrix.tolist())
    return across / share, down / share


def rectify(pixels: NDArray[Any], corners: Corners) -> NDArray[Any]:
    """The rectangle's pixels, (height, width) or (height, width, channels), of the same type.

    What lies outside the photo is as its edge.
    """
    height, width = rectangle_size(corners)
    warped = cv2.warpPerspective(
        pixels,
        between_centers(to_rectangle(corners)),
        (width, height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(warped).reshape(height, width, *pixels.shape[2:])
