"""Time each stage from file to file: `python -m colorizer.benchmark`. A benchmark, not a test."""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from itertools import pairwise
from pathlib import Path

import torch
from PIL import Image

from colorizer.photo import Photo
from colorizer.pipeline import Colorizer

STAGES = ("decode", "network", "compose", "encode")


def time_stages(colorizer: Colorizer, path: Path, target: Path) -> list[float]:
    """Seconds of each of `STAGES` for one photo, from file to file."""
    marks = [time.perf_counter()]
    photo = Photo.open(path)
    marks.append(time.perf_counter())
    result = colorizer.colorize(photo)
    marks.append(time.perf_counter())
    colorized = result.colorized
    marks.append(time.perf_counter())
    colorized.save(target)
    marks.append(time.perf_counter())
    return [after - before for before, after in pairwise(marks)]


def make_photo(source: Path, megapixels: float, target: Path) -> None:
    """Enlarge a photo to a size in megapixels and save it as JPEG, quality 90."""
    with Image.open(source) as image:
        scale = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
        size = round(image.width * scale), round(image.height * scale)
        image.convert("RGB").resize(size, Image.Resampling.BICUBIC).save(target, quality=90)


def peak_memory() -> str:
    """The largest resident size of this process so far, where the system tells it."""
    if sys.platform == "win32":
        return "is not told by Windows"
    import resource

    unit = 1024**2 if sys.platform == "darwin" else 1024
    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit:.0f} MiB"


def print_table(times: Mapping[str, Sequence[float]]) -> None:
    """Print the median, the lowest and the highest of the seconds that each thing took."""
    width = max(map(len, times))
    for name, seconds in times.items():
        median, low, high = statistics.median(seconds), min(seconds), max(seconds)
        print(f"{name:<{width}} {median:6.2f} s  ({low:.2f} to {high:.2f})")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m colorizer.benchmark", description=__doc__)
    parser.add_argument("photo", type=Path, help="enlarged to the size asked for")
    parser.add_argument("--megapixels", type=float, default=12.0, help="default: 12")
    parser.add_argument("--repeats", type=int, default=5, help="default: 5, after one to warm up")
    parser.add_argument("--checkpoint", help="folder, user/repo or user/repo@revision")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        path, target = Path(folder) / "photo.jpg", Path(folder) / "photo_color.jpg"
        make_photo(options.photo, options.megapixels, path)
        colorizer = Colorizer.load(options.checkpoint)
        rounds = [time_stages(colorizer, path, target) for _ in range(options.repeats + 1)][1:]
    times = dict(zip(STAGES, zip(*rounds, strict=True), strict=True))
    times["total"] = tuple(map(sum, rounds))
    print(f"{options.megapixels:g} megapixels, JPEG to JPEG, {torch.get_num_threads()} threads")
    print_table(times)
    print(f"peak memory of the process {peak_memory()}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
