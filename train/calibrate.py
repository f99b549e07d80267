"""Make a checkpoint's confidence mean something: `python -m train.calibrate CHECKPOINT --data
FOLDER`.

The network's own probabilities are off, not least because rare colors count more in training. A
slope and an offset of the confidence's logit are fitted (Platt 1999), so that of the pixels at 80 %
four in five are right. They go into the checkpoint's settings.
"""

import argparse
import json
import sys
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
from train.data.sources import Sample, find_sources, pick
from train.measure.metrics import Calibration, colors_right

PIXELS = 2000  # drawn from each photo


class Drawn(NamedTuple):
    """Pixels that were drawn from photos."""

    confidence: NDArray[np.float32]  # (n,), 0 to 1
    right: NDArray[np.bool_]  # (n,), whether the color is within 10 ab units of the truth

    def error(self) -> float:
        """The expected calibration error (Guo et al. 2017, eq. 3)."""
        calibration = Calibration()
        calibration.add(*self)
        return float(calibration.summary()["ece"])


def gather(colorizer: Colorizer, samples: Sequence[Sample]) -> Drawn:
    """Colorize photos and draw some pixels of each, the same ones every time.

    Raises:
        ValueError: the checkpoint predicts no distribution.
    """
    drawn: list[Drawn] = []
    for number, sample in enumerate(tqdm(samples, unit="photo", mininterval=5)):
        pair = sample.read()
        result = colorizer.colorize(pair.input())
        right = colors_right(
            result.colorized.pixels, np.array(pair.color), result.confidence.shape
        ).ravel()
        chosen = np.random.default_rng(number).integers(right.size, size=PIXELS)
        drawn.append(Drawn(result.confidence.ravel()[chosen], right[chosen]))
    return Drawn(*(np.concatenate(parts) for parts in zip(*drawn, strict=True)))


def fit(pixels: Drawn) -> tuple[float, float]:
    """Slope and offset of the logit that make the confidence most likely."""

    def surprise(scaling: NDArray[np.float64]) -> float:
        confidence = scale_confidence(pixels.confidence.astype(np.float64), *scaling)
        wrong_by = np.where(pixels.right, confidence, 1 - confidence).clip(1e-9)
        return float(-np.log(wrong_by).mean())

    start = [(1.0, 0.0), (0.5, 0.0), (1.0, -1.0)]  # scipy's own steps are lost in rounding
    options = {"initial_simplex": start}
    slope, offset = minimize(surprise, start[0], method="Nelder-Mead", options=options).x
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
    fitted, measured = gather(colorizer, samples[::2]), gather(colorizer, samples[1::2])
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


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m train.calibrate",
        description="Fit a checkpoint's confidence to how often it is right.",
    )
    parser.add_argument("checkpoint", type=Path, help="folder, whose settings are rewritten")
    parser.add_argument("--data", nargs="+", required=True, help="color photos, not trained on")
    parser.add_argument("--limit", type=int, help="of the photos, evenly picked")
    options = parser.parse_args(arguments)
    try:
        found = calibrate(options.checkpoint, options.data, options.limit)
    except (OSError, ValueError) as error:
        print(f"train.calibrate: {error}", file=sys.stderr)
        return 1
    print(json.dumps(found, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
