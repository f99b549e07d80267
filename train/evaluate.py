"""Measure a checkpoint: `python -m train.evaluate --checkpoint weights --data FOLDER`.

Every figure is a mean over photos of a mean over the pixels of the 8-bit output; every ratio is a
mean over a mean. Gray, the truth's lightness without color, is measured in the same run.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from colorizer import Colorizer, Photo
from train.data import find_photos
from train.metrics import Lpips, Pixels, colorfulness, delta_e00, psnr, ssim

Metric = Callable[[Pixels, Pixels], float]


def evaluate(
    colorizer: Colorizer,
    data: list[str],
    lpips_weights: Path | None = None,
    working_size: int | None = None,
    limit: int | None = None,
) -> dict[str, object]:
    """Colorize the gray version of every photo and compare with the photo.

    Args:
        colorizer: what to measure.
        data: folders or tar shards of color photos.
        lpips_weights: see `train.metrics.Lpips`; without, LPIPS is left out with a sentence.
        working_size: short side in pixels that the network sees; None takes the checkpoint's.
        limit: of the photos, evenly picked; None takes all.

    Returns:
        n, working_size, the metrics of "output", "gray" and "truth" (CF alone), and "ratios".
    """
    metrics: dict[str, Metric] = {"psnr": psnr, "ssim": ssim, "delta_e00": delta_e00}
    if lpips_weights is None:
        print("LPIPS is left out: name its weights with --lpips-weights.", file=sys.stderr)
    else:
        metrics["lpips"] = Lpips(lpips_weights)
    metrics["cf"] = lambda output, truth: colorfulness(output)
    photos = find_photos(data)
    if limit is not None:
        picked = np.linspace(0, len(photos) - 1, min(limit, len(photos))).astype(int)
        photos = [photos[index] for index in picked]
    output: dict[str, list[float]] = {name: [] for name in metrics}
    gray: dict[str, list[float]] = {name: [] for name in metrics}
    truth_cf = []
    for file in tqdm(photos, unit="photo", mininterval=5):
        try:
            truth = np.array(file.open())
        except OSError as error:
            print(f"Left out: {error}", file=sys.stderr)
            continue
        gray_photo = Photo(truth).to_gray()
        colorized = colorizer.colorize(gray_photo, working_size=working_size).colorized
        for name, metric in metrics.items():
            output[name].append(metric(colorized.pixels, truth))
            gray[name].append(metric(np.repeat(gray_photo.pixels, 3, axis=2), truth))
        truth_cf.append(colorfulness(truth))
    if not any(truth_cf):
        raise ValueError("The data holds no readable color photo; gray ones can't be compared.")
    means = {name: float(np.mean(values)) for name, values in output.items()}
    gray_means = {name: float(np.mean(values)) for name, values in gray.items()}
    ratios = {
        f"{name}_of_gray": means[name] / gray_means[name]
        for name in ("lpips", "delta_e00")
        if name in means
    }
    ratios["cf_of_truth"] = means["cf"] / float(np.mean(truth_cf))
    return {
        "n": len(truth_cf),
        "working_size": working_size or colorizer.checkpoint.working_size,
        "sha256": colorizer.checkpoint.sha256,
        "output": means,
        "gray": gray_means,
        "truth": {"cf": float(np.mean(truth_cf))},
        "ratios": ratios,
    }


def main() -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m train.evaluate", description=__doc__)
    parser.add_argument(
        "--checkpoint", required=True, help="folder, user/repo or user/repo@revision"
    )
    parser.add_argument("--data", nargs="+", required=True, help="folders or tar shards of photos")
    parser.add_argument("--lpips-weights", type=Path, help="safetensors of lpips.LPIPS(net='alex')")
    parser.add_argument("--working-size", type=int, help="short side that the network sees")
    parser.add_argument("--limit", type=int, help="of the photos, evenly picked")
    parser.add_argument("--json", type=Path, help="write the report to this file, too")
    options = parser.parse_args()
    try:
        colorizer = Colorizer.load(options.checkpoint)
        report = evaluate(
            colorizer, options.data, options.lpips_weights, options.working_size, options.limit
        )
    except ValueError as error:
        print(f"train.evaluate: {error}", file=sys.stderr)
        return 1
    command = shlex.join(["python", "-m", "train.evaluate", *sys.argv[1:]])
    text = json.dumps({"command": command} | report, indent=1)
    print(text)
    if options.json:
        options.json.write_text(text + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
