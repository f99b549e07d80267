"""Compare engines on a CPU: `python -m benchmarks.engines PHOTO... --onnx DIR`.

Export the files first: `colorizer export --onnx DIR --precision fp32 int8`. All engines get the
same photos at the same sizes. Colors are compared with those of torch in float32.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from statistics import median

import torch

from colorizer.checkpoints.checkpoint import AnyGenerator, load_checkpoint
from colorizer.imaging.arrays import Plane
from colorizer.inference.comparison import compare
from colorizer.inference.engines import (
    Colors,
    Engine,
    make_engine,
    onnx_engine,
    openvino_engine,
    torch_engine,
)
from colorizer.networks.encoder import fold_batch_norm
from colorizer.photo.photo import Photo
from train.measure.tables import markdown_table

CPU = torch.device("cpu")
ROUNDS = 5


def folded(generator: AnyGenerator) -> AnyGenerator:
    """A copy whose decoder has its batch norm folded into the convolutions, like the encoder."""
    generator = deepcopy(generator).eval()
    fold_batch_norm(generator)
    return generator


def compiled(generator: AnyGenerator) -> Engine:
    """The network under `torch.compile`, for pictures of any size."""
    network = torch.compile(deepcopy(generator).eval(), dynamic=True)

    def run(lightness: Plane) -> Colors:
        with torch.inference_mode():
            prediction = network(torch.from_numpy(lightness)[None, None])
        return prediction.ab[0].numpy(), prediction.logits

    return make_engine("torch.compile", CPU, run)


def makers(generator: AnyGenerator, folder: Path) -> dict[str, Callable[[], Engine]]:
    """Functions that make the engines, by name.

    Args:
        generator: the network.
        folder: with the exported files.
    """
    threads = torch.get_num_threads()
    fp32, int8 = (folder / f"colorizer-{name}.onnx" for name in ("fp32", "int8"))
    return {
        "torch, fp32": lambda: torch_engine(deepcopy(generator), CPU),
        "torch, fp32, decoder folded": lambda: torch_engine(folded(generator), CPU),
        "torch, bf16": lambda: torch_engine(deepcopy(generator), CPU, "bf16"),
        "torch.compile": lambda: compiled(generator),
        "ONNX Runtime, fp32": lambda: onnx_engine(fp32, threads)[0],
        "ONNX Runtime, int8": lambda: onnx_engine(int8, threads)[0],
        "OpenVINO, fp32": lambda: openvino_engine(fp32, threads)[0],
        "OpenVINO, bf16": lambda: openvino_engine(fp32, threads, "bf16")[0],
        "OpenVINO, int8": lambda: openvino_engine(int8, threads)[0],
    }


def started(
    makers: Mapping[str, Callable[[], Engine]], picture: Plane
) -> tuple[dict[str, Engine], dict[str, float]]:
    """Start the engines and run each once; report those that fail on stderr.

    Returns:
        The engines that work, and the seconds that each took.
    """
    engines, seconds = {}, {}
    for name, make in makers.items():
        start = time.perf_counter()
        try:
            engine = make()
            engine(picture)
        except Exception as error:  # each has its own
            print(f"{name} is left out: {str(error).splitlines()[0]}", file=sys.stderr)
            continue
        engines[name], seconds[name] = engine, time.perf_counter() - start
    return engines, seconds


def measure_seconds(
    engines: Mapping[str, Engine], pictures: Sequence[Plane]
) -> dict[str, list[float]]:
    """Seconds per picture in each round, by engine; they take turns, to share disturbances."""
    seconds: dict[str, list[float]] = {name: [] for name in engines}
    for _ in range(ROUNDS):
        for name, engine in engines.items():
            start = time.perf_counter()
            for picture in pictures:
                engine(picture)
            seconds[name].append((time.perf_counter() - start) / len(pictures))
    return seconds


def benchmark(
    engines: Mapping[str, Engine], pictures: Sequence[Plane], start_seconds: Mapping[str, float]
) -> list[list[str]]:
    """The rows of a table: differences from the first engine and times."""
    differences = compare(engines, pictures)  # which warms up, too
    times = measure_seconds(engines, pictures)
    header = ["", "mean difference of ab", "maximum"]
    rows = [[*header, f"ms per photo, {torch.get_num_threads()} threads", "s to start"]]
    for name, difference in differences.items():
        middle, low, high = (1000 * value(times[name]) for value in (median, min, max))
        rows.append(
            [
                name,
                f"{difference.mean:.3f}",
                f"{difference.maximum:.2f}",
                f"{middle:.0f} ({low:.0f} to {high:.0f})",
                f"{start_seconds[name]:.1f}",
            ]
        )
    return rows


def parse_size(text: str) -> tuple[int, int]:
    """(height, width), written as 288x384."""
    height, width = map(int, text.split("x"))
    return height, width


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__)
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument(
        "--onnx", type=Path, required=True, metavar="DIR", help="folder with the exported files"
    )
    parser.add_argument(
        "--engines", nargs="+", metavar="NAME", help="as the table names them (default: all)"
    )
    parser.add_argument("--checkpoint", help="folder, user/repo or user/repo@revision")
    parser.add_argument(
        "--sizes",
        type=parse_size,
        nargs="+",
        default=[(288, 384), (384, 384)],
        help="sizes of the network's input, height x width (default: 288x384 384x384)",
    )
    options = parser.parse_args(arguments)
    possible = makers(load_checkpoint(options.checkpoint).generator, options.onnx)
    unknown = set(options.engines or []) - set(possible)
    if unknown:
        parser.error(f"{min(unknown)} is no engine; use some of {'; '.join(possible)}.")
    photos = [Photo.open(path) for path in options.photos]
    chosen = {name: possible[name] for name in options.engines or possible}
    engines, seconds = started(chosen, photos[0].resized_lightness(options.sizes[0]))
    for size in options.sizes:
        pictures = [photo.resized_lightness(size) for photo in photos]
        print(f"\n{size[0]} x {size[1]} pixels\n")
        print(markdown_table(benchmark(engines, pictures, seconds)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
