"""Time each stage from file to file: `python -m benchmarks.photo PHOTO`."""

import argparse
import multiprocessing
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from colorizer.adjust.adjustments import PRESETS
from colorizer.imaging.bands import bands, map_bands
from colorizer.imaging.upsampling import ChromaUpsampler
from colorizer.inference.colorizer import Colorizer
from colorizer.photo.photo import Photo

MIN_16_BIT_MEGAPIXELS = 50.0  # megapixels; larger photos are 16-bit TIFF, smaller ones JPEG
GRAIN = 600  # levels of 65535, standard deviation: as of a scanned print
PRESET = "vivid"
FLOOR = "floor: Pillow decodes, and encodes"


@dataclass
class Times:
    """Seconds of each stage, one value per round."""

    seconds: dict[str, list[float]] = field(default_factory=dict)

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        """Time the block."""
        start = time.perf_counter()
        yield
        self.seconds.setdefault(stage, []).append(time.perf_counter() - start)


def time_stages(colorizer: Colorizer, path: Path, target: Path, times: Times) -> None:
    """Time one photo from file to file, then each pass over its pixels alone."""
    with times.of("file to file"):
        with times.of("decode"):
            photo = Photo.open(path)
        with times.of("network"):
            result = colorizer.colorize(photo)
        with times.of("lightness, upsample and compose"):
            colorized = result.colorized
        with times.of("encode"):
            colorized.save(target)
    del colorized
    with times.of("  lightness alone"):
        map_bands(lambda rows: len(photo.lightness_band(rows)), photo.size)
    small = (192, 288)
    upsampler = ChromaUpsampler(
        photo.resized_lightness(small), np.zeros((2, *small), np.float32), photo.size
    )

    with times.of("  lightness and upsample alone"):
        map_bands(lambda rows: len(upsampler.band(rows, photo.lightness_band(rows))), photo.size)
    with times.of(f"  composed with the preset {PRESET}"):
        result.adjust(PRESETS[PRESET])


def time_floor(path: Path, target: Path, times: Times) -> None:
    """Time Pillow: decode the input and encode our output, with our settings.

    Pillow has no 16-bit color, so it reads and writes 8 bits.
    """
    with Image.open(target) as image:
        output, options = image.convert("RGB"), {}
        if image.format == "JPEG":
            options = {"quality": 95, "subsampling": "4:4:4"}
        else:
            options = {"compression": "tiff_adobe_deflate"}
        format = image.format
    with times.of(FLOOR):
        with Image.open(path) as image:
            image.load()
        output.save(target.with_name("floor"), format, **options)


def make_photo(source: Path, megapixels: float, target: Path) -> None:
    """Enlarge a photo to a size in megapixels, add grain, and save it.

    The suffix of the target chooses a JPEG of quality 90 or a 16-bit gray TIFF.
    """
    with Image.open(source) as image:
        scale = (megapixels * 1e6 / (image.width * image.height)) ** 0.5
        size = round(image.width * scale), round(image.height * scale)
        mode = "RGB" if target.suffix == ".jpg" else "L"
        large = image.convert(mode).resize(size, Image.Resampling.BICUBIC)
    random = np.random.default_rng(0)
    pixels = np.asarray(large, np.uint16).reshape(size[1], size[0], -1) * np.uint16(257)
    for rows in bands((size[1], size[0])):
        grain = random.normal(0, GRAIN, (*pixels[rows].shape[:2], 1))
        pixels[rows] = np.clip(pixels[rows] + grain, 0, 65535)
    Photo(pixels).save(target, quality=90)


def peak_memory() -> str:
    """The largest resident size of this process so far."""
    if sys.platform == "win32":
        return "unknown on Windows"
    if sys.platform == "linux":  # getrusage's value survives exec
        status = Path("/proc/self/status").read_text()
        return f"{int(status.split('VmHWM:')[1].split()[0]) / 1024:.0f} MiB"
    import resource

    return f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2:.0f} MiB"


def print_table(times: Mapping[str, Sequence[float]]) -> None:
    """Print median, lowest and highest seconds by name."""
    width = max(map(len, times))
    for name, seconds in times.items():
        median, low, high = statistics.median(seconds), min(seconds), max(seconds)
        print(f"{name:<{width}} {median:6.2f} s  ({low:.2f} to {high:.2f})")


def measure(path: Path, repeats: int, checkpoint: str | None) -> tuple[Times, str]:
    """Time a photo, and measure the peak memory of a process that colorizes it."""
    times, target = Times(), path.with_name(f"color{path.suffix}")
    colorizer = Colorizer.load(checkpoint)
    colorizer.colorize(Photo.open(path)).colorized.save(target)  # warms up
    memory = peak_memory()
    for _ in range(repeats):
        time_stages(colorizer, path, target, times)
        time_floor(path, target, times)
    return times, memory


def time_command(path: Path, checkpoint: str | None) -> float:
    """Seconds of the command line, from start to first result."""
    command = [sys.executable, "-m", "colorizer", "colorize", path, "-o", path.parent]
    more = ["--overwrite", *(["--checkpoint", checkpoint] if checkpoint else [])]
    start = time.perf_counter()
    subprocess.run([*map(str, command), *more], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.photo", description=__doc__)
    parser.add_argument("photo", type=Path, help="enlarged to the given sizes")
    parser.add_argument(
        "--megapixels",
        type=float,
        nargs="+",
        default=[1, 12, 100],
        help=f"default: 1 12 100; JPEG, from {MIN_16_BIT_MEGAPIXELS:g} on gray TIFF of 16 bits",
    )
    parser.add_argument("--repeats", type=int, default=5, help="default: 5, after one to warm up")
    parser.add_argument("--checkpoint", help="folder, user/repo or user/repo@revision")
    options = parser.parse_args(arguments)
    for megapixels in options.megapixels:
        name = "photo.tif" if megapixels >= MIN_16_BIT_MEGAPIXELS else "photo.jpg"
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            alone = multiprocessing.get_context("spawn")  # so that memory is one photo's
            with ProcessPoolExecutor(1, alone, max_tasks_per_child=1) as pool:
                pool.submit(make_photo, options.photo, megapixels, path).result()
                work = pool.submit(measure, path, options.repeats, options.checkpoint)
                times, memory = work.result()
            print(f"{megapixels:g} megapixels, {path.suffix}, {torch.get_num_threads()} threads")
            print_table(times.seconds)
            pairs = zip(*(times.seconds[key] for key in ("file to file", FLOOR)), strict=True)
            print(f"{statistics.median(ours / floor for ours, floor in pairs):.1f} times the floor")
            print(f"peak memory {memory}")
            if megapixels <= 1:
                seconds = [time_command(path, options.checkpoint) for _ in range(options.repeats)]
                print_table({"command line, with its start": seconds})
            print(flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
