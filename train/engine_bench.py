"""Compare what can run the network on a CPU: `python -m train.engine_bench PHOTO...`, after
`colorizer export --onnx DIR --precision fp32 int8`.

Every engine sees the same photos at the same sizes; colors are compared with those of torch in
float32, which `Colorizer` uses.
"""

import argparse
import sys
import time
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import torch
from torch import nn

from colorizer.bands import Plane
from colorizer.checkpoints import AnyGenerator, load_checkpoint
from colorizer.encoder import fold_batch_norm
from colorizer.engines import Colors, Engine, onnx_engine, openvino_engine, torch_engine
from colorizer.export_check import compare, titles
from colorizer.photo import Photo
from train.report import markdown_table

CPU = torch.device("cpu")


def folded(generator: AnyGenerator) -> AnyGenerator:
    """With the batch norms of the decoder folded into its convolutions, as the encoder's are."""
    generator = deepcopy(generator).eval()
    fold_batch_norm(generator)
    return generator


def with_autocast(generator: AnyGenerator) -> Engine:
    """In bfloat16, where torch holds that for safe."""
    run = torch_engine(deepcopy(generator), CPU)

    def run_in_bfloat16(lightness: Plane) -> Colors:
        with torch.autocast("cpu", torch.bfloat16):
            return run(lightness)

    return run_in_bfloat16


def compiled(generator: AnyGenerator) -> Engine:
    """By `torch.compile`, for pictures of any size."""
    network = torch.compile(deepcopy(generator).eval(), dynamic=True)

    def run(lightness: Plane) -> Colors:
        with torch.inference_mode():
            prediction = network(torch.from_numpy(lightness)[None, None])
        return prediction.ab[0].numpy(), prediction.logits

    return run


def optimized(generator: AnyGenerator) -> Engine:
    """Traced by TorchScript, with its convolutions fused by oneDNN."""

    class Traced(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.generator = deepcopy(generator).eval()

        def forward(self, lightness: torch.Tensor) -> torch.Tensor:
            ab: torch.Tensor = self.generator(lightness).ab
            return ab

    graphs: dict[tuple[int, ...], Callable[[torch.Tensor], torch.Tensor]] = {}

    def run(lightness: Plane) -> Colors:
        picture = torch.from_numpy(lightness)[None, None]
        with torch.inference_mode():
            if lightness.shape not in graphs:  # attention is traced for one size
                traced = torch.jit.trace(Traced().eval(), picture)
                graphs[lightness.shape] = torch.jit.optimize_for_inference(traced)
            return np.asarray(graphs[lightness.shape](picture)[0]), None

    return run


def build_engines(generator: AnyGenerator, folder: Path) -> dict[str, tuple[Engine, float]]:
    """The engines by name, each with the seconds that it took until it had run once."""
    threads = torch.get_num_threads()
    fp32, int8 = (folder / f"colorizer-{name}.onnx" for name in ("fp32", "int8"))
    makers: dict[str, Callable[[], Engine]] = {
        "torch, fp32": lambda: torch_engine(deepcopy(generator), CPU),
        "torch, fp32, decoder folded": lambda: torch_engine(folded(generator), CPU),
        "torch, bf16 autocast": lambda: with_autocast(generator),
        "torch.jit.optimize_for_inference": lambda: optimized(generator),
        "torch.compile": lambda: compiled(generator),
        "ONNX Runtime, fp32": lambda: onnx_engine(fp32, threads)[0],
        "ONNX Runtime, int8": lambda: onnx_engine(int8, threads)[0],
        "OpenVINO, fp32": lambda: openvino_engine(fp32, threads)[0],
        "OpenVINO, bf16": lambda: openvino_engine(fp32, threads, bfloat16=True)[0],
        "OpenVINO, int8": lambda: openvino_engine(int8, threads)[0],
    }
    picture = np.full((288, 384), 50, np.float32)
    built = {}
    for name, make in makers.items():
        start = time.perf_counter()
        try:
            engine = make()
            engine(picture)
        except Exception as error:  # of any of them
            print(f"{name} failed: {str(error).splitlines()[0]}", file=sys.stderr)
            continue
        built[name] = engine, time.perf_counter() - start
    return built


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m train.engine_bench", description=__doc__)
    parser.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    parser.add_argument("--onnx", type=Path, required=True, metavar="DIR", help="what was exported")
    parser.add_argument("--checkpoint", help="folder, user/repo or user/repo@revision")
    parser.add_argument(
        "--sizes",
        nargs="+",
        default=["288x384", "384x384"],
        help="of what the network sees, height x width (default: 288x384 384x384)",
    )
    options = parser.parse_args(arguments)
    photos = [Photo.open(path) for path in options.photos]
    engines = build_engines(load_checkpoint(options.checkpoint).generator, options.onnx)
    for text in options.sizes:
        height, width = map(int, text.split("x"))
        pictures = [photo.resized_lightness((height, width)) for photo in photos]
        found = compare({name: engine for name, (engine, _) in engines.items()}, pictures)
        rows = [
            [name, *comparison.cells(), f"{engines[name][1]:.1f}"]
            for name, comparison in found.items()
        ]
        print(f"\n{height} x {width} pixels\n")
        print(markdown_table([["", *titles(), "s to start"], *rows]), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
