"""Compare what can run the network on a CPU: `python -m benchmarks.engines PHOTO...`, after
`colorizer export --onnx DIR --precision fp32 int8`.

Every engine sees the same photos at the same sizes; colors are compared with those of torch in
float32, which `Colorizer` uses.
"""

import argparse
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path

import torch

from colorizer.checkpoints.checkpoint import AnyGenerator, load_checkpoint
from colorizer.imaging.arrays import Plane
from colorizer.inference.comparison import compare, titles
from colorizer.inference.engines import Colors, Engine, onnx_engine, openvino_engine, torch_engine
from colorizer.networks.encoder import fold_batch_norm
from colorizer.photo.photo import Photo
from train.measure.report import markdown_table

CPU = torch.device("cpu")


def folded(generator: AnyGenerator) -> AnyGenerator:
    """With the batch norms of the decoder folded into its convolutions, as the encoder's are."""
    generator = deepcopy(generator).eval()
    fold_batch_norm(generator)
    return generator


def compiled(generator: AnyGenerator) -> Engine:
    """By `torch.compile`, for pictures of any size."""
    network = torch.compile(deepcopy(generator).eval(), dynamic=True)

    def run(lightness: Plane) -> Colors:
        with torch.inference_mode():
            prediction = network(torch.from_numpy(lightness)[None, None])
        return prediction.ab[0].numpy(), prediction.logits

    return run


def makers(generator: AnyGenerator, folder: Path) -> dict[str, Callable[[], Engine]]:
    """What makes each engine, by name.

    Args:
        generator: as loaded.
        folder: of the exported files.
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
        "OpenVINO, bf16": lambda: openvino_engine(fp32, threads, bfloat16=True)[0],
        "OpenVINO, int8": lambda: openvino_engine(int8, threads)[0],
    }


def started(
    makers: Mapping[str, Callable[[], Engine]], picture: Plane
) -> tuple[dict[str, Engine], dict[str, float]]:
    """The engines that work, and the seconds that each took until it had run once; of those that
    don't, it is said why.
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


def size(text: str) -> tuple[int, int]:
    """(height, width), written as 288x384."""
    height, width = map(int, text.split("x"))
    return height, width


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.engines", description=__doc__)
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument("--onnx", type=Path, required=True, metavar="DIR", help="what was exported")
    parser.add_argument(
        "--engines", nargs="+", metavar="NAME", help="as the table names them (default: all)"
    )
    parser.add_argument("--checkpoint", help="folder, user/repo or user/repo@revision")
    parser.add_argument(
        "--sizes",
        type=size,
        nargs="+",
        default=[(288, 384), (384, 384)],
        help="of what the network sees, height x width (default: 288x384 384x384)",
    )
    options = parser.parse_args(arguments)
    possible = makers(load_checkpoint(options.checkpoint).generator, options.onnx)
    unknown = set(options.engines or []) - set(possible)
    if unknown:
        parser.error(f"{min(unknown)} is no engine; use some of {'; '.join(possible)}.")
    photos = [Photo.open(path) for path in options.photos]
    chosen = {name: possible[name] for name in options.engines or possible}
    engines, seconds = started(chosen, photos[0].resized_lightness(options.sizes[0]))
    for seen in options.sizes:
        found = compare(engines, [photo.resized_lightness(seen) for photo in photos])
        rows = [
            [name, *comparison.cells(), f"{seconds[name]:.1f}"]
            for name, comparison in found.items()
        ]
        print(f"\n{seen[0]} x {seen[1]} pixels\n")
        print(markdown_table([["", *titles(), "s to start"], *rows]), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
