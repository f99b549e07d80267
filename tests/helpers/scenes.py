"""Made-up scenes with structure, and pictures of them that were changed elsewhere."""

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]


def scene(height: int, width: int, seed: int = 0) -> Pixels:
    """Overlapping shapes in many colors on a background, with fine texture."""
    random = np.random.default_rng(seed)
    pixels = np.full((height, width, 3), random.integers(60, 200, 3), np.uint8)
    for _ in range(60):
        color = tuple(int(level) for level in random.integers(20, 236, 3))
        center = int(random.integers(0, width)), int(random.integers(0, height))
        axes = tuple(int(side) for side in random.integers(4, min(height, width) // 5, 2))
        angle = float(random.uniform(0, 180))
        cv2.ellipse(pixels, center, axes, angle, 0, 360, color, -1, cv2.LINE_AA)
    grain = cv2.GaussianBlur(random.normal(0, 20, (height, width)), (0, 0), 1.5)
    return (pixels + 3 * grain[:, :, None]).clip(0, 255).astype(np.uint8)


def changed(pixels: Pixels, turn: float = 4.0, margin: float = 0.06, scale: float = 0.8) -> Pixels:
    """A picture of a scene: turned by some degrees, cropped, resized, with other contrast."""
    height, width = pixels.shape[:2]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, 1.0)
    turned = cv2.warpAffine(pixels, matrix, (width, height), borderMode=cv2.BORDER_REFLECT)
    top, left = round(margin * height), round(margin * width)
    cropped = turned[top : height - top, left : width - left]
    size = round(cropped.shape[1] * scale), round(cropped.shape[0] * scale)
    small = cv2.resize(cropped, size, interpolation=cv2.INTER_AREA)
    return (255 * (small / 255) ** 0.85).round().astype(np.uint8)
