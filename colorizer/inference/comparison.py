"""Compare the colors of engines, such as an exported file's with torch's."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from colorizer.checkpoints.checkpoint import Checkpoint
from colorizer.imaging.arrays import Plane
from colorizer.inference.engines import Colors, onnx_engine, torch_engine
from colorizer.inference.export import network_inputs
from colorizer.photo.photo import Photo

Run = Callable[[Plane], Colors]


@dataclass(frozen=True)
class Difference:
    """How far an engine's ab is from another one's, in ab units.

    Attributes:
        mean: over all pictures, pixels, a* and b*; every picture has the same weight.
        maximum: of a* or b* of a pixel.
    """

    mean: float
    maximum: float


def compare(engines: Mapping[str, Run], pictures: Sequence[Plane]) -> dict[str, Difference]:
    """Compare the colors of engines with those of the first one.

    Args:
        engines: by name.
        pictures: L* (h, w) each, at least one.
    """
    differences: dict[str, list[Plane]] = {name: [] for name in engines}
    for picture in pictures:
        colors = {name: engine(picture)[0] for name, engine in engines.items()}
        expected = next(iter(colors.values()))
        for name, ab in colors.items():
            differences[name].append(np.abs(ab - expected))
    return {
        name: Difference(
            float(np.mean([plane.mean() for plane in planes])),
            float(max(plane.max() for plane in planes)),
        )
        for name, planes in differences.items()
    }


def compare_files(
    checkpoint: Checkpoint, files: Mapping[str, Path], photos: Sequence[Photo]
) -> str:
    """Compare exported files in ONNX Runtime with torch.

    Args:
        checkpoint: that was exported.
        files: by name.
        photos: at least one.

    Returns:
        A Markdown table with the differences of ab and the sizes of the files.
    """
    engines: dict[str, Run] = {
        "torch, fp32": torch_engine(checkpoint.generator, torch.device("cpu"))
    }
    for name, path in files.items():
        engines[f"ONNX Runtime, {name}"], _ = onnx_engine(path, torch.get_num_threads())
    found = compare(engines, list(network_inputs(photos, checkpoint.working_size)))
    sizes = ["", *(f"{path.stat().st_size / 1e6:.1f}" for path in files.values())]
    rows = [
        f"| {name} | {difference.mean:.3f} | {difference.maximum:.2f} | {size} |"
        for (name, difference), size in zip(found.items(), sizes, strict=True)
    ]
    header = "| engine | mean difference of ab | maximum | MB |"
    return "\n".join([header, "|---|---|---|---|", *rows])
