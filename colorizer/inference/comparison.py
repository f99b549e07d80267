"""Compare engines: how far their colors are from the first one's, and how long they take."""

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from colorizer.checkpoints.checkpoint import Checkpoint
from colorizer.imaging.arrays import Plane
from colorizer.inference.engines import Engine, onnx_engine, torch_engine
from colorizer.inference.export import seen
from colorizer.photo.photo import Photo

ROUNDS = 5


@dataclass
class Comparison:
    """What was measured of an engine."""

    means: list[float] = field(default_factory=list)  # of the difference of ab, for each picture
    highest: float = 0.0  # difference of a* or b* of a pixel
    seconds: list[float] = field(default_factory=list)  # per picture, for each round

    def add(self, ab: Plane, expected: Plane) -> None:
        """Take up a picture's ab (2, h, w)."""
        difference = np.abs(ab - expected)
        self.means.append(float(difference.mean()))
        self.highest = max(self.highest, float(difference.max()))

    def cells(self) -> list[str]:
        """Of `titles`."""
        middle, low, high = (1000 * value(self.seconds) for value in (statistics.median, min, max))
        mean = statistics.fmean(self.means)
        return [f"{mean:.3f}", f"{self.highest:.2f}", f"{middle:.0f} ({low:.0f} to {high:.0f})"]


def titles() -> list[str]:
    """Of the columns that `Comparison.cells` fills."""
    threads = torch.get_num_threads()
    return ["mean difference of ab", "highest", f"ms per photo, {threads} threads"]


def compare(engines: Mapping[str, Engine], pictures: Sequence[Plane]) -> dict[str, Comparison]:
    """Run every engine over the same pictures, in turns, so that what disturbs hits all.

    Args:
        engines: by name; the first one's colors are what the others' are compared with.
        pictures: L* (h, w) each, at least one.
    """
    found = {name: Comparison() for name in engines}
    for picture in pictures:  # which also warms up
        results = {name: engine(picture)[0] for name, engine in engines.items()}
        expected = next(iter(results.values()))
        for name, ab in results.items():
            found[name].add(ab, expected)
    for _ in range(ROUNDS):
        for name, engine in engines.items():
            start = time.perf_counter()
            for picture in pictures:
                engine(picture)
            found[name].seconds.append((time.perf_counter() - start) / len(pictures))
    return found


def check(checkpoint: Checkpoint, files: Mapping[str, Path], photos: Sequence[Photo]) -> str:
    """Compare exported files in ONNX Runtime with torch, as a Markdown table.

    Args:
        checkpoint: what was exported.
        files: by what to call them.
        photos: at least one.
    """
    threads = torch.get_num_threads()
    engines = {"torch, fp32": torch_engine(checkpoint.generator, torch.device("cpu"))}
    for name, path in files.items():
        engines[f"ONNX Runtime, {name}"], _ = onnx_engine(path, threads)
    found = compare(engines, list(seen(photos, checkpoint.working_size)))
    sizes = ["", *(f"{path.stat().st_size / 1e6:.1f}" for path in files.values())]
    rows = [
        [name, *comparison.cells(), size]
        for (name, comparison), size in zip(found.items(), sizes, strict=True)
    ]
    return markdown([["", *titles(), "MB"], *rows])


def markdown(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as a Markdown table; the first holds the titles."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|---" * len(rows[0]) + "|", *lines[1:]])
