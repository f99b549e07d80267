"""Compare the results of a checkpoint with the true colors.

Every figure but FID is a mean over photos of a mean over the pixels of the 8-bit output; every
ratio is a mean over a mean. Gray, the input without color, is measured in the same run. The input
is the gray photo of a pair where the data has pairs, else the lightness of the color photo.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from colorizer import Colorization, Colorizer, Photo
from train.data.augment import degrade
from train.data.flaws import draw_flaws
from train.data.samples import Pair, Sample, Source, pick
from train.measure.bleeding import bleeding
from train.measure.calibration import Calibration, colors_right
from train.measure.metrics import (
    RELATIVE_METRICS,
    Pixels,
    ab_of,
    colorfulness,
    delta_e00,
    ms_ssim_ab,
    psnr,
    ssim,
)
from train.measure.networks import Inception, Lpips, frechet_distance
from train.settings.config import TrainConfig

COMPARISONS = {"psnr": psnr, "ssim": ssim, "delta_e00": delta_e00}
MIN_SIDE = 32  # pixels of the short side that SSIM and LPIPS need
DEGRADATION = TrainConfig(data=("",), output="")  # what training simulates unless told otherwise


@dataclass(frozen=True)
class Measurement:
    """The figures of one photo."""

    source: str
    sample: Sample
    output: dict[str, float]  # by name in `METRICS`; without those that were not measured
    gray: dict[str, float]  # the same of the input
    truth: dict[str, float]  # cf alone


@dataclass(frozen=True)
class Report:
    """What `evaluate` found.

    Attributes:
        photos: one entry per photo, in the order of the sources.
        summary: "n" and "left_out" (photos), "working_size", "views", "sha256" of the checkpoint,
            the metrics of "output", "gray" and "truth" (CF alone), "ratios"; "calibration" where
            the checkpoint predicts a distribution (see `Calibration`); "inception" where FID was
            measured. It fits into JSON.
    """

    photos: list[Measurement]
    summary: dict[str, Any]


@dataclass(frozen=True)
class DegradedSample:
    """A photo whose gray input has an old photo's flaws, the same ones at each reading."""

    sample: Sample

    @property
    def name(self) -> str:
        """Name of the photo."""
        return self.sample.name

    def read(self) -> Pair:
        """Decode the photo and degrade its gray version."""
        pair = self.sample.read()
        random = np.random.default_rng(list(self.name.encode()))
        gray = pair.input().pixels[:, :, 0]
        old = degrade(gray, draw_flaws(gray.shape, DEGRADATION, random))
        return Pair(pair.color, Image.fromarray(old))

    def files(self) -> tuple[Path, ...]:
        """Return the files of the photo."""
        return self.sample.files()


def evaluate(
    colorizer: Colorizer,
    sources: Sequence[Source],
    *,
    lpips: Lpips | None = None,
    lpips_vgg: Lpips | None = None,
    inception: Inception | None = None,
    working_size: int | None = None,
    views: int = 1,
    short_side: int | None = None,
    limit: int | None = None,
    quiet: bool = False,
) -> Report:
    """Colorize the gray version of every photo and compare with the photo.

    Args:
        colorizer: what to measure.
        sources: color photos, or pairs of color and gray ones.
        lpips: with AlexNet; None leaves it out.
        lpips_vgg: with VGG16; None leaves it out.
        inception: None leaves FID out.
        working_size: short side in pixels that the network sees; None takes the checkpoint's.
        views: how often the network sees each photo, 1 or 2.
        short_side: pixels to which larger photos are shrunk first; None leaves them as they are.
        limit: of the photos, evenly picked over all sources; None takes all.
        quiet: neither a progress bar nor a line for each photo that is left out.

    Raises:
        ValueError: there is no readable color photo, or a setting is out of range.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit is {limit}; measure at least 1 photo.")
    photos: list[Measurement] = []
    features: dict[str, list[Tensor]] = {"output": [], "gray": [], "truth": []}
    calibration = Calibration()
    networks = {"lpips": lpips, "lpips_vgg": lpips_vgg}
    picked = pick(sources, limit)
    for source, sample in tqdm(picked, unit="photo", mininterval=5, disable=quiet):
        try:
            photo, truth = read_photo(sample, short_side)
        except OSError as error:
            if not quiet:
                tqdm.write(f"Left out: {error}", file=sys.stderr)
            continue
        result = colorizer.colorize(photo, working_size=working_size, views=views)
        versions = {
            "output": result.colorized.pixels,
            "gray": np.repeat(photo.pixels, 3, axis=2),
            "truth": truth,
        }
        output, gray = (_figures(versions[name], truth, networks) for name in ("output", "gray"))
        photos.append(Measurement(source, sample, output, gray, {"cf": colorfulness(truth)}))
        if inception is not None:
            for name, pixels in versions.items():
                features[name].append(inception(pixels))
        confidence = _confidence(result)
        if confidence is not None:
            right = colors_right(versions["output"], truth, confidence.shape)
            calibration.add(confidence, right)

    if not any(photo.truth["cf"] for photo in photos):
        raise ValueError("The data holds no readable color photo; gray ones can't be compared.")
    figures = summarize(photos)
    if inception is not None:
        _add_fid(figures, {name: torch.stack(rows) for name, rows in features.items()})
        figures["inception"] = {"sha256": inception.sha256, "reference": "paired"}
    if calibration.pixels.any():
        figures["calibration"] = calibration.summary()
    about = {
        "n": len(photos),
        "left_out": len(picked) - len(photos),
        "working_size": working_size or colorizer.checkpoint.working_size,
        "views": views,
        "sha256": colorizer.checkpoint.sha256,
    }
    return Report(photos, about | figures)


def summarize(photos: Sequence[Measurement]) -> dict[str, Any]:
    """Means of the figures of photos, by "output", "gray" and "truth", and their "ratios".

    A ratio whose denominator is 0, as where all photos are gray, is left out.
    """
    output = _means([photo.output for photo in photos])
    gray = _means([photo.gray for photo in photos])
    truth = _means([photo.truth for photo in photos])
    ratios = {
        f"{name}_of_gray": output[name] / gray[name] for name in RELATIVE_METRICS if gray.get(name)
    }
    if truth["cf"]:
        ratios["cf_of_truth"] = output["cf"] / truth["cf"]
    return {"output": output, "gray": gray, "truth": truth, "ratios": ratios}


def read_photo(sample: Sample, short_side: int | None = None) -> tuple[Photo, Pixels]:
    """The gray input and the truth in color, (H, W, 3)."""
    pair = sample.read()
    if short_side is not None:
        pair = pair.shrunk(short_side)
    truth = np.array(pair.color)
    if min(pair.color.size) < MIN_SIDE:
        raise OSError(
            f"{sample.name} has {pair.color.width} x {pair.color.height} pixels; "
            f"SSIM and LPIPS need {MIN_SIDE} on each side."
        )
    return pair.input(), truth


def _figures(
    version: Pixels, truth: Pixels, networks: Mapping[str, Lpips | None]
) -> dict[str, float]:
    figures = {name: metric(version, truth) for name, metric in COMPARISONS.items()}
    figures |= {name: lpips(version, truth) for name, lpips in networks.items() if lpips}
    ab, true_ab = ab_of(version), ab_of(truth)
    figures["ms_ssim_ab"] = ms_ssim_ab(ab, true_ab)
    edges = bleeding(ab, true_ab)
    if edges is not None:
        figures |= {"edge_error": edges.error, "spill": edges.spill}
    return figures | {"cf": colorfulness(version)}


def _confidence(result: Colorization) -> NDArray[np.float32] | None:
    try:
        return result.confidence
    except ValueError:  # the checkpoint predicts no distribution
        return None


def _add_fid(figures: dict[str, Any], features: dict[str, Tensor]) -> None:
    for version in ("output", "gray"):
        figures[version]["fid"] = frechet_distance(features[version], features["truth"])
    if figures["gray"]["fid"]:
        figures["ratios"]["fid_of_gray"] = figures["output"]["fid"] / figures["gray"]["fid"]


def _means(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Means by name, over the photos that have the figure."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: float(np.mean([row[name] for row in rows if name in row])) for name in names}
