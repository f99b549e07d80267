"""Fit a checkpoint's confidence to how often it is right.

Raw probabilities of the network are off, because training gives rare colors more weight. A slope
and an offset of the confidence's logit are fitted (Platt 1999), so that of all pixels with a
confidence of 80 % four in five are right. Both are written into the checkpoint's settings.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from tqdm import tqdm

from colorizer import Colorizer
from colorizer.checkpoints.checkpoint import CONFIG_FILE, write_json
from colorizer.inference.colorization import scale_confidence
from train.data.samples import Sample, pick
from train.data.sources import find_sources
from train.measure.calibration import Calibration, colors_right

PIXELS = 2000  # drawn from each photo


class PixelSample(NamedTuple):
    """Random pixels of photos."""

    confidence: NDArray[np.float32]  # (n,), 0 to 1
    right: NDArray[np.bool_]  # (n,), whether the color is within 10 ab units of the truth

    def error(self) -> float:
        """The expected calibration error (Guo et al. 2017, eq. 3)."""
        calibration = Calibration()
        calibration.add(*self)
        return float(calibration.summary()["ece"])


def sample_pixels(colorizer: Colorizer, samples: Sequence[Sample]) -> PixelSample:
    """Colorize photos and pick random pixels of each, the same ones every time.

    Raises:
        ValueError: the checkpoint predicts no distribution.
    """
    drawn: list[PixelSample] = []
    for number, sample in enumerate(tqdm(samples, unit="photo", mininterval=5)):
        pair = sample.read()
        result = colorizer.colorize(pair.input())
        right = colors_right(
            result.colorized.pixels, np.array(pair.color), result.confidence.shape
        ).ravel()
        chosen = np.random.default_rng(number).integers(right.size, size=PIXELS)
        drawn.append(PixelSample(result.confidence.ravel()[chosen], right[chosen]))
    return PixelSample(*(np.concatenate(parts) for parts in zip(*drawn, strict=True)))


def fit(pixels: PixelSample) -> tuple[float, float]:
    """Slope and offset of the logit that make the confidence most likely."""

    def negative_log_likelihood(scaling: NDArray[np.float64]) -> float:
        confidence = scale_confidence(pixels.confidence.astype(np.float64), *scaling)
        likelihood = np.where(pixels.right, confidence, 1 - confidence).clip(1e-9)
        return float(-np.log(likelihood).mean())

    start = [(1.0, 0.0), (0.5, 0.0), (1.0, -1.0)]  # scipy's own steps are lost in rounding
    options = {"initial_simplex": start}
    slope, offset = minimize(
        negative_log_likelihood, start[0], method="Nelder-Mead", options=options
    ).x
    return float(slope), float(offset)


def calibrate(folder: Path, sources: Sequence[str], limit: int | None = None) -> dict[str, float]:
    """Fit a checkpoint's confidence and write it into its settings.

    Every other photo is fitted, the rest measured.

    Args:
        folder: of the checkpoint.
        sources: color photos that it has not seen, as for `train.fit`.
        limit: of the photos, evenly picked; None takes all.

    Returns:
        The slope and offset that were written, and the expected calibration error "before" and
        "after" on the photos that were not fitted.

    Raises:
        ValueError: the checkpoint can't be read or predicts no distribution, or there are fewer
            than two photos.
    """
    samples = [sample for _, sample in pick(find_sources(sources), limit)]
    if len(samples) < 2:
        raise ValueError("Calibration needs at least two photos; name more with --data.")
    colorizer = Colorizer.load(folder)
    fitted, measured = (
        sample_pixels(colorizer, samples[::2]),
        sample_pixels(colorizer, samples[1::2]),
    )
    slope, offset = fit(fitted)
    scaled = scale_confidence(measured.confidence, slope, offset)
    path = folder / CONFIG_FILE
    config = json.loads(path.read_text())
    earlier_slope, earlier_offset = config["generator"].get("confidence", (1.0, 0.0))
    scaling = slope * earlier_slope, slope * earlier_offset + offset
    config["generator"]["confidence"] = scaling
    write_json(path, config)
    return {
        "slope": scaling[0],
        "offset": scaling[1],
        "before": measured.error(),
        "after": measured._replace(confidence=scaled).error(),
    }
