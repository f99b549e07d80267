"""How well a checkpoint's confidence matches how often it is right."""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from colorizer.imaging.color import rgb_to_lab
from colorizer.imaging.resampling import resize
from colorizer.inference.colorization import CONFIDENT_WITHIN
from train.measure.metrics import Pixels

CALIBRATION_BINS = 15  # Guo et al. 2017, table 1


def colors_right(output: Pixels, truth: Pixels, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Where a photo, shrunk by area to `size`, has the truth's (a*, b*) to within 10 units.

    Args:
        output: the photo as it is shown: with the edges of the full photo and inside the gamut.
        truth: the photo in its true colors, of the same size.
        size: (height, width), for comparison with `Colorization.confidence` at its own size.

    Returns:
        bool (height, width).
    """
    planes = [
        rgb_to_lab(torch.from_numpy(pixels).permute(2, 0, 1) / 255)[1:].numpy()
        for pixels in (output, truth)
    ]
    a, b = (resize(plane, size) for plane in planes[0] - planes[1])
    return np.asarray(np.hypot(a, b) <= CONFIDENT_WITHIN)


class Calibration:
    """A histogram over confidence: how often the network is right at each level."""

    def __init__(self) -> None:
        self.pixels, self.confidence, self.right = np.zeros((3, CALIBRATION_BINS))  # sums per bin

    def add(self, confidence: NDArray[np.float32], right: NDArray[np.bool_]) -> None:
        """Count the pixels of a photo.

        Args:
            confidence: (H, W), 0 to 1.
            right: (H, W), whether the color is right.
        """
        self.pixels += np.histogram(confidence, CALIBRATION_BINS, (0, 1))[0]
        for total, weights in ((self.confidence, confidence), (self.right, right)):
            total += np.histogram(
                confidence, CALIBRATION_BINS, (0, 1), weights=weights.astype(np.float64)
            )[0]

    def summary(self) -> dict[str, Any]:
        """The expected calibration error (Guo et al. 2017, eq. 3), for JSON.

        Returns:
            "ece", the mean "confidence" and "accuracy" over all pixels, "pixels", "within" (ab
            units that count as right), and "bins": from, to, pixels, confidence and accuracy of
            each that holds pixels.
        """
        pixels = self.pixels.sum()
        edges = np.linspace(0, 1, CALIBRATION_BINS + 1)
        return {
            "ece": float(np.abs(self.right - self.confidence).sum() / pixels),
            "confidence": float(self.confidence.sum() / pixels),
            "accuracy": float(self.right.sum() / pixels),
            "pixels": int(pixels),
            "within": CONFIDENT_WITHIN,
            "bins": [
                {
                    "from": float(edges[i]),
                    "to": float(edges[i + 1]),
                    "pixels": int(self.pixels[i]),
                    "confidence": float(self.confidence[i] / self.pixels[i]),
                    "accuracy": float(self.right[i] / self.pixels[i]),
                }
                for i in np.flatnonzero(self.pixels)
            ],
        }
