"""Pictures of a run: grids of photos, and the curves of its log."""

import csv
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from itertools import cycle, groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import LogLocator, MaxNLocator, NullLocator, StrMethodFormatter
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont, ImageOps

from colorizer.files import atomic_write
from train.measure.metrics import COLUMNS, Pixels
from train.settings.config import RENAMED, Phase, TrainConfig

Row = dict[str, Any]  # figures that the log has of a step, by name

CELL = 256  # pixels of a photo's side in a grid
GAP = 4  # pixels between the photos of a sample; four times that between samples
HEADER = 32  # pixels above the photos, for the titles
LOSSES = [
    item.name.removesuffix("_weight")
    for item in fields(TrainConfig)
    if item.name.endswith("_weight")
]
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f")  # Okabe, Ito
PHASE_COLORS = {
    Phase.RECONSTRUCTION: "#ffffff",
    Phase.DISCRIMINATOR: "#fae6bd",
    Phase.ADVERSARIAL: "#e4edf7",
}
VALIDATION_TITLES = {  # of the plotted figures
    f"val_{name}": f"Validation {COLUMNS[name].label}"
    for name in ("delta_e00", "psnr", "cf_of_truth")
}
STYLE: Any = {  # of matplotlib
    "font.size": 9,
    "axes.titlesize": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#d8d8d8",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "lines.linewidth": 1.5,
}
SMOOTHED_SHARE = 0.06  # of all points, in the running mean


def draw_grid(
    samples: Sequence[Sequence[Pixels]],
    path: Path,
    titles: Sequence[str] = ("Input", "Ground truth", "Generated"),
) -> None:
    """Draw samples as a PNG: the photos of each sample side by side, center-cropped to squares.

    The number of samples per row makes the picture about square.

    Args:
        samples: of each sample one photo per title, uint8 (H, W, 3) sRGB of any size.
        path: of the PNG; its folder is made.
        titles: written above the photos.

    Raises:
        ValueError: there is no sample, or one has another number of photos than titles.
    """
    if not samples or any(len(sample) != len(titles) for sample in samples):
        counts = sorted({len(sample) for sample in samples})
        raise ValueError(
            f"{len(samples)} samples of {counts} photos; give at least one, and of each "
            f"{len(titles)} photos: {', '.join(titles)}."
        )
    beside = round(math.sqrt(len(samples) / len(titles))) or 1
    width = len(titles) * (CELL + GAP) + 3 * GAP  # of a sample
    rows = math.ceil(len(samples) / beside)
    size = beside * width - 2 * GAP, HEADER + rows * (CELL + GAP)
    grid = Image.new("RGB", size, (255, 255, 255))
    draw, font = ImageDraw.Draw(grid), ImageFont.load_default(18)
    for column in range(beside):
        for number, title in enumerate(titles):
            center = GAP + column * width + number * (CELL + GAP) + CELL / 2
            draw.text((center, HEADER / 2), title, (0, 0, 0), font, anchor="mm")
    for index, sample in enumerate(samples):
        row, column = divmod(index, beside)
        for number, pixels in enumerate(sample):
            corner = GAP + column * width + number * (CELL + GAP), HEADER + row * (CELL + GAP)
            cell = ImageOps.fit(Image.fromarray(pixels), (CELL, CELL), Image.Resampling.LANCZOS)
            grid.paste(cell, corner)
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as part:
        grid.save(part, format="PNG")


def draw_curves(log: Path, folder: Path) -> None:
    """Draw a run's log as `curves.png`: losses, raw and smoothed, and validation, by phase.

    Also write it as `curves.csv`, one row per step.

    Args:
        log: the run's metrics.jsonl; lines that can't be read are left out.
        folder: to write to.

    Raises:
        ValueError: the log holds no step.
        OSError: the log can't be read.
    """
    rows = read_log(log)
    if not any("phase" in row for row in rows):
        raise ValueError(f"{log} holds no step of training; train first.")
    with atomic_write(folder / "curves.csv") as part, part.open("w", newline="") as file:
        writer = csv.DictWriter(file, _columns(rows), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    with atomic_write(folder / "curves.png") as part:
        plot_curves(rows).savefig(part, format="png", dpi=160)


def read_log(log: Path) -> list[Row]:
    """Read a metrics.jsonl, by rising step; broken lines are left out.

    Raises:
        OSError: the log can't be read.
    """
    steps: dict[int, Row] = {}
    for line in log.read_text(errors="replace").splitlines():
        try:
            values = {name: value for name, value in json.loads(line).items() if value is not None}
            if "phase" in values:
                values["phase"] = RENAMED.get(values["phase"], values["phase"])
            steps.setdefault(int(values["step"]), {}).update(values)
        except (ValueError, TypeError, KeyError, AttributeError):  # half a line, after a power cut
            continue
    return [steps[step] for step in sorted(steps)]


@matplotlib.rc_context(STYLE)
def plot_curves(rows: list[Row]) -> Figure:
    """Plot the losses of a run and its validation figures.

    The losses are those of the generator and, if it was trained, of the discriminator.

    Args:
        rows: as of `read_log`, at least one of them of training.
    """
    segments = _segments(rows)
    logged = {name for row in rows for name in row}
    networks = [name for name in ("generator", "discriminator") if name in logged]
    validation = [name for name in VALIDATION_TITLES if name in logged]
    phases = list(dict.fromkeys(segment.phase for segment in segments))
    lines = [names for names in (networks, validation) if names]
    figure = Figure(figsize=(10, 0.4 + 2.8 * len(lines)), layout="constrained")
    grid = figure.add_gridspec(len(lines), math.lcm(*map(len, lines)))
    for line, names in enumerate(lines):
        width = grid.ncols // len(names)
        for number, name in enumerate(names):
            axes = figure.add_subplot(grid[line, number * width : (number + 1) * width])
            axes.set(xlabel="Step", xlim=(0, rows[-1]["step"]))
            axes.xaxis.set_major_locator(MaxNLocator(5, steps=[1, 2, 5, 10], integer=True))
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
            for segment in segments if len(phases) > 1 else ():
                axes.axvspan(
                    segment.start, segment.end, color=PHASE_COLORS[segment.phase], linewidth=0
                )
            if names is networks:
                _draw_losses(axes, name, segments)
            else:
                _draw_validation(axes, name, rows)
    if len(phases) > 1:
        patches = [
            Patch(facecolor=PHASE_COLORS[phase], edgecolor="#a0a0a0", label=f"{phase} phase")
            for phase in phases
        ]
        figure.legend(handles=patches, loc="outside upper center", ncols=len(patches))
    return figure


def _columns(rows: list[Row]) -> list[str]:
    """Names in the log: progress, the networks' losses, their terms, then the rest."""
    names = dict.fromkeys(name for row in rows for name in row)
    first = ["step", "photos", "phase", "generator", "discriminator", *LOSSES]
    kept = [name for name in first if name in names or name not in LOSSES]
    others = [name for name in names if name not in first]
    validation = [name for name in others if name.startswith("val_")]
    return kept + validation + [name for name in others if name not in validation]


@dataclass(frozen=True)
class _Segment:
    """A segment of the run in one phase: its steps, and the log's rows of training."""

    phase: Phase
    start: int
    end: int
    rows: list[Row]


def _segments(rows: list[Row]) -> list[_Segment]:
    training = [row for row in rows if "phase" in row]
    segments: list[_Segment] = []
    for phase, group in groupby(training, key=itemgetter("phase")):
        own = list(group)
        start = segments[-1].end if segments else 0
        segments.append(_Segment(Phase(phase), start, own[-1]["step"], own))
    return segments


def _draw_losses(axes: Axes, network: str, segments: list[_Segment]) -> None:
    """Draw a network's loss and the generator's terms, raw (faint) and smoothed."""
    trained = [segment for segment in segments if any(network in row for row in segment.rows)]
    rows = [row for segment in segments for row in segment.rows]
    names = [network]
    if network == "generator":
        terms = [name for name in LOSSES if any(name in row for row in rows)]
        names += terms if len(terms) > 1 else []
    for name, color in zip(names, cycle(COLORS), strict=False):
        label: str | None = "total" if name == network else name
        for segment in trained:
            points = [(row["step"], row[name]) for row in segment.rows if name in row]
            points = [point for point in points if math.isfinite(point[1])]
            if points:
                steps, values = np.array(points, dtype=np.float64).T
                smooth = _running_mean(values, round(SMOOTHED_SHARE * len(rows)))
                axes.plot(steps, values, color=color, alpha=0.25, linewidth=0.7)
                axes.plot(steps, smooth, color=color, label=label)
                label = None  # once in the legend
    axes.set_xlim(left=trained[0].start)
    axes.set_title(f"{network.capitalize()} loss (thick: running mean)")
    if len(names) > 1:
        axes.legend(ncols=2)
        if axes.dataLim.y0 > 0:
            axes.set_yscale("log")  # terms differ by orders of magnitude
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_minor_locator(NullLocator())
            axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))


def _draw_validation(axes: Axes, name: str, rows: list[Row]) -> None:
    points = [(row["step"], row[name]) for row in rows if name in row]
    steps, values = np.array(points, dtype=np.float64).T
    axes.plot(steps, values, "o-", color=COLORS[0], markersize=3, clip_on=False)
    axes.set_title(VALIDATION_TITLES[name])
    gray = [
        row["val_delta_e00"] / row["val_delta_e00_of_gray"]
        for row in rows
        if "val_delta_e00_of_gray" in row
    ]
    if name == "val_delta_e00" and gray:
        axes.axhline(gray[-1], color="#7f7f7f", linestyle="--", label="gray input")
        axes.legend()


def _running_mean(values: NDArray[np.float64], width: int) -> NDArray[np.float64]:
    """The mean of `width` values around each; of fewer at the ends."""
    window = np.ones(min(max(width, 5), len(values)))
    return np.convolve(values, window, "same") / np.convolve(np.ones_like(values), window, "same")
