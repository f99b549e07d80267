"""Measure what reference photos do to the colors: `python -m benchmarks.references PHOTOS`.

The first half of each photo is colorized without a reference, with its other half, and with the
other half of the next photo, which has nothing to do with it.
"""

import argparse
import sys
import time
from collections.abc import Sequence

import numpy as np

from benchmarks.color_sources import Pixels
from colorizer.inference.colorizer import Colorizer
from colorizer.photo.photo import Photo
from colorizer.sources.color_source import ColorSource
from colorizer.sources.evidence import find_evidence
from train.data.sources import find_source
from train.measure.metrics import delta_e00
from train.measure.tables import markdown_table

REFERENCES = ("none", "the other half", "an unrelated photo")


def halves(photo: Pixels) -> tuple[Pixels, Pixels]:
    """Cut a photo across its long side."""
    height, width = photo.shape[:2]
    if width >= height:
        return photo[:, : width // 2], photo[:, width // 2 :]
    return photo[: height // 2], photo[height // 2 :]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.references", description=__doc__)
    parser.add_argument("photos", help="color photos: a folder or a tar file")
    parser.add_argument("--count", type=int, default=200, help="of the photos (default: 200)")
    parser.add_argument("--checkpoint", help="folder or user/repo")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, mps (default: auto)")
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    options = parser.parse_args(arguments)
    colorizer = Colorizer.load(options.checkpoint, options.device)
    samples = find_source(options.photos).samples
    chosen = np.random.default_rng(options.seed).permutation(len(samples))[: options.count]
    cut = [halves(np.array(samples[int(index)].read().color)) for index in chosen]
    sources = [ColorSource.of(Photo(np.ascontiguousarray(half)), "reference") for _, half in cut]
    errors, weights, seconds = [], [], []
    for number, (half, _) in enumerate(cut):
        photo = Photo(np.ascontiguousarray(half))
        result = colorizer.colorize(photo)
        row, believed = [delta_e00(result.colorized.pixels, photo.pixels)], [0.0]
        for source in (sources[number], sources[number - 1]):
            start = time.perf_counter()
            evidence = find_evidence(photo, source, result.input_lightness, colorizer.matcher)
            seconds.append(time.perf_counter() - start)
            made = result.with_evidence(evidence).colorized
            row.append(delta_e00(made.pixels, photo.pixels))
            believed.append(evidence.share)
        errors.append(row)
        weights.append(believed)
    means, shares = np.mean(errors, axis=0), np.mean(weights, axis=0)
    rows = [
        [name, f"{mean:.2f}", f"{mean / means[0] - 1:+.1%}", f"{share:.2f}"]
        for name, mean, share in zip(REFERENCES, means, shares, strict=True)
    ]
    print(markdown_table([["reference", "delta_e00", "change", "mean weight"], *rows]))
    print(f"\n{len(cut)} photos, {np.median(seconds):.2f} s per reference")
    return 0


if __name__ == "__main__":
    sys.exit(main())
