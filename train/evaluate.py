"""Measure checkpoints: `python -m train.evaluate --checkpoint weights --data FOLDER`.

Every figure but FID is a mean over photos of a mean over the pixels of the 8-bit output; every
ratio is a mean over a mean. Gray, the input without color, is measured in the same run. The input
is the gray photo of a pair where the data has pairs, else the lightness of the color photo.
"""

import argparse
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor
from tqdm import tqdm

from colorizer import Colorization, Colorizer, Photo
from train.data.augment import degrade
from train.data.sources import Pair, Sample, Source, find_sources, pick
from train.measure.metrics import (
    Calibration,
    Inception,
    Lpips,
    Pixels,
    colorfulness,
    colors_right,
    delta_e00,
    frechet_distance,
    psnr,
    ssim,
)
from train.measure.report import (
    Document,
    Example,
    comparison_table,
    markdown_table,
    to_json,
    write_report,
)
from train.run.config import TrainConfig

METRICS = {"psnr": psnr, "ssim": ssim, "delta_e00": delta_e00}
SMALLEST = 32  # pixels of the short side that SSIM and LPIPS need
EXAMPLES = 16  # of the worst and of the best photos
FLAWS = TrainConfig(data=("",), output="")  # what training simulates unless told otherwise


@dataclass(frozen=True)
class Measured:
    """The figures of one photo."""

    source: str
    sample: Sample
    output: dict[str, float]  # psnr, ssim, delta_e00, lpips (where measured), cf
    gray: dict[str, float]  # the same of the input
    truth: dict[str, float]  # cf alone


@dataclass(frozen=True)
class Report:
    """What `evaluate` found.

    Attributes:
        photos: one entry per photo, in the order of the sources.
        summary: "n" and "left_out" (photos), "working_size", "sha256" of the checkpoint, the
            metrics of "output", "gray" and "truth" (CF alone), "ratios"; "calibration" where the
            checkpoint predicts a distribution (see `Calibration`); "inception" where
            FID was measured. It fits into JSON.
    """

    photos: list[Measured]
    summary: dict[str, Any]


def _prefix(photo: Measured) -> str:
    before, dash, _ = PurePosixPath(photo.sample.name).name.partition("-")
    return before if dash else "no prefix"


GROUPINGS: dict[str, Callable[[Measured], str]] = {
    "source": lambda photo: photo.source,
    "folder": lambda photo: str(PurePosixPath(photo.sample.name).parent),
    "prefix": _prefix,
}


@dataclass(frozen=True)
class Aged:
    """A photo whose gray input has an old photo's flaws, the same ones at each reading."""

    sample: Sample

    @property
    def name(self) -> str:
        return self.sample.name

    def read(self) -> Pair:
        pair = self.sample.read()
        random = np.random.default_rng(list(self.name.encode()))
        gray = degrade(pair.input().pixels[:, :, 0], FLAWS, random)
        return Pair(pair.color, Image.fromarray(gray))


def evaluate(
    colorizer: Colorizer,
    sources: Sequence[Source],
    *,
    lpips: Lpips | None = None,
    inception: Inception | None = None,
    working_size: int | None = None,
    short_side: int | None = None,
    limit: int | None = None,
    quiet: bool = False,
) -> Report:
    """Colorize the gray version of every photo and compare with the photo.

    Args:
        colorizer: what to measure.
        sources: color photos, or pairs of color and gray ones.
        lpips: None leaves LPIPS out.
        inception: None leaves FID out.
        working_size: short side in pixels that the network sees; None takes the checkpoint's.
        short_side: pixels to which larger photos are shrunk first; None leaves them as they are.
        limit: of the photos, evenly picked over all sources; None takes all.
        quiet: neither a progress bar nor a line for each photo that is left out.

    Raises:
        ValueError: there is no readable color photo, or a setting is out of range.
    """
    if limit is not None and limit < 1:
        raise ValueError(f"limit is {limit}; measure at least 1 photo.")
    photos: list[Measured] = []
    features: dict[str, list[Tensor]] = {"output": [], "gray": [], "truth": []}
    calibration = Calibration()
    picked = pick(sources, limit)
    for source, sample in tqdm(picked, unit="photo", mininterval=5, disable=quiet):
        try:
            photo, truth = _read(sample, short_side)
        except OSError as error:
            if not quiet:
                tqdm.write(f"Left out: {error}", file=sys.stderr)
            continue
        result = colorizer.colorize(photo, working_size=working_size)
        versions = {
            "output": result.colorized.pixels,
            "gray": np.repeat(photo.pixels, 3, axis=2),
            "truth": truth,
        }
        output, gray = (_figures(versions[name], truth, lpips) for name in ("output", "gray"))
        photos.append(Measured(source, sample, output, gray, {"cf": colorfulness(truth)}))
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
        "sha256": colorizer.checkpoint.sha256,
    }
    return Report(photos, about | figures)


def summarize(photos: Sequence[Measured]) -> dict[str, Any]:
    """Means of the figures of photos, by "output", "gray" and "truth", and their "ratios".

    A ratio whose denominator is 0, as where all photos are gray, is left out.
    """
    output = _means([photo.output for photo in photos])
    gray = _means([photo.gray for photo in photos])
    truth = _means([photo.truth for photo in photos])
    ratios = {
        f"{name}_of_gray": output[name] / gray[name]
        for name in ("lpips", "delta_e00")
        if gray.get(name)
    }
    if truth["cf"]:
        ratios["cf_of_truth"] = output["cf"] / truth["cf"]
    return {"output": output, "gray": gray, "truth": truth, "ratios": ratios}


def group(photos: Iterable[Measured], per: str) -> dict[str, dict[str, Any]]:
    """The number "n" of photos and what `summarize` says, for each group, sorted by name.

    Args:
        photos: what to group.
        per: "source"; "folder", in which the photo lies; or "prefix", the part of the file's name
            before the first dash.
    """
    groups: dict[str, list[Measured]] = {}
    for photo in photos:
        groups.setdefault(GROUPINGS[per](photo), []).append(photo)
    return {name: {"n": len(groups[name])} | summarize(groups[name]) for name in sorted(groups)}


def examples(
    colorizer: Colorizer, photos: Sequence[Measured], working_size: int
) -> dict[str, list[Example]]:
    """The "worst" and the "best" photos by delta_e00, most extreme first, colorized once more:
    keeping all would need memory without bound.
    """
    ordered = sorted(photos, key=lambda photo: photo.output["delta_e00"])
    chosen = {"worst": ordered[::-1][:EXAMPLES], "best": ordered[:EXAMPLES]}
    return {
        name: [_example(colorizer, photo, working_size) for photo in some]
        for name, some in chosen.items()
    }


def _read(sample: Sample, short_side: int | None = None) -> tuple[Photo, Pixels]:
    """The gray input and the truth in color, (H, W, 3)."""
    pair = sample.read()
    if short_side is not None:
        pair = pair.shrunk(short_side)
    truth = np.array(pair.color)
    if min(pair.color.size) < SMALLEST:
        raise OSError(
            f"{sample.name} has {pair.color.width} x {pair.color.height} pixels; "
            f"SSIM and LPIPS need {SMALLEST} on each side."
        )
    return pair.input(), truth


def _figures(version: Pixels, truth: Pixels, lpips: Lpips | None) -> dict[str, float]:
    figures = {name: metric(version, truth) for name, metric in METRICS.items()}
    if lpips is not None:
        figures["lpips"] = lpips(version, truth)
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
    return {name: float(np.mean([row[name] for row in rows])) for name in rows[0]}


def _row(photo: Measured) -> dict[str, object]:
    return {
        "source": photo.source,
        "name": photo.sample.name,
        **photo.output,
        **{f"gray_{name}": value for name, value in photo.gray.items()},
        "truth_cf": photo.truth["cf"],
    }


def _example(colorizer: Colorizer, photo: Measured, working_size: int) -> Example:
    gray, truth = _read(photo.sample)
    output = colorizer.colorize(gray, working_size=working_size).colorized
    caption = f"{photo.sample.name}, delta_e00 {photo.output['delta_e00']:.2f}"
    return Example(caption, (gray.to_image(), Image.fromarray(truth), output.to_image()))


def main() -> int:
    """Run the command line; returns the exit code."""
    options = _parser().parse_args()
    try:
        documents = _measure(options)
    except (OSError, ValueError) as error:
        print(f"train.evaluate: {error}", file=sys.stderr)
        return 1
    print(
        to_json(documents) if len(documents) == 1 else markdown_table(comparison_table(documents))
    )
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m train.evaluate", description=__doc__)
    parser.add_argument(
        "--checkpoint",
        nargs="+",
        required=True,
        help="folder, user/repo or user/repo@revision; several are compared",
    )
    parser.add_argument(
        "--data", nargs="+", required=True, help="color photos or pairs, as for train.fit"
    )
    parser.add_argument("--lpips-weights", type=Path, help="safetensors of lpips.LPIPS(net='alex')")
    parser.add_argument("--inception", type=Path, help="TorchScript of an Inception, for FID")
    parser.add_argument("--working-size", type=int, help="short side that the network sees")
    parser.add_argument("--limit", type=int, help="of the photos, evenly picked")
    parser.add_argument(
        "--aged",
        action="store_true",
        help="give the inputs an old photo's flaws, as training does by default",
    )
    parser.add_argument(
        "--per",
        choices=GROUPINGS,
        default="source",
        help="groups of the second table: each --data, each folder in them, or each prefix, the "
        "part of a file's name before the first dash (default: source)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        help="folder for the report as JSON, Markdown and HTML, with every photo's figures and "
        "pictures of the worst and best",
    )
    parser.add_argument("--json", type=Path, help="write the JSON to this file, too")
    return parser


def _measure(options: argparse.Namespace) -> Sequence[Document]:
    """What the command line asks for; written, and returned for printing."""
    for folder in (options.output, options.json and options.json.parent):
        if folder:
            folder.mkdir(parents=True, exist_ok=True)  # now, not after hours of measuring
    colorizers = [Colorizer.load(checkpoint) for checkpoint in options.checkpoint]
    sources = find_sources(options.data)
    if options.aged:
        sources = [Source(source.name, [*map(Aged, source.samples)]) for source in sources]
    lpips = Lpips(options.lpips_weights) if options.lpips_weights else None
    inception = Inception(options.inception) if options.inception else None
    for metric, name, flag in ((lpips, "LPIPS", "lpips-weights"), (inception, "FID", "inception")):
        if metric is None:
            print(f"{name} is left out: name its weights with --{flag}.", file=sys.stderr)
    reports = [
        evaluate(
            colorizer,
            sources,
            lpips=lpips,
            inception=inception,
            working_size=options.working_size,
            limit=options.limit,
        )
        for colorizer in colorizers
    ]
    command = shlex.join(["python", "-m", "train.evaluate", *sys.argv[1:]])
    documents = [
        {"command": command, "checkpoint": checkpoint}
        | report.summary
        | {"per": options.per, "groups": group(report.photos, options.per)}
        for checkpoint, report in zip(options.checkpoint, reports, strict=True)
    ]
    if options.json:
        options.json.write_text(to_json(documents) + "\n")
    if options.output:
        shown = [
            examples(colorizer, report.photos, report.summary["working_size"])
            for colorizer, report in zip(colorizers, reports, strict=True)
        ]
        rows = [
            {"checkpoint": checkpoint} | _row(photo)
            for checkpoint, report in zip(options.checkpoint, reports, strict=True)
            for photo in report.photos
        ]
        write_report(options.output, documents, shown, rows)
    return documents


if __name__ == "__main__":
    sys.exit(main())
