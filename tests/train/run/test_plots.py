"""Plots of a run: grids hold the right photos, curves what was logged and nothing else."""

import csv
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from PIL import Image

from tests.helpers.photos import Pixels, color_pixels
from train.run.plots import CELL, draw_curves, draw_grid, plot_curves, read_log

Line = dict[str, Any]


def plain(height: int, width: int, *color: int) -> Pixels:
    return np.full((height, width, 3), color, dtype=np.uint8)


def training(step: int, phase: str, **losses: float) -> Line:
    return {"step": step, "photos": 8 * step, "phase": phase, "rate": 0.1, **losses}


def adversarial_run() -> list[Line]:
    """40 steps of reconstruction, 10 of the discriminator, 10 of both; validated each tenth."""
    lines: list[Line] = []
    for step in range(1, 61):
        bins, ab = 4 / math.sqrt(step), 0.5 + 0.1 * (-1) ** step
        if step <= 40:
            lines.append(training(step, "reconstruction", bins=bins, ab=ab, generator=bins + ab))
        elif step <= 50:
            lines.append(training(step, "discriminator", discriminator=0.7))
        else:
            losses = {"bins": bins, "ab": ab, "adversarial": 0.1, "generator": bins + ab + 0.1}
            lines.append(training(step, "adversarial", **losses, discriminator=0.6))
        if step % 10 == 0:
            figures = {"val_delta_e00": 11 - step / 60, "val_delta_e00_of_gray": 1 - step / 660}
            lines.append({"step": step, **figures, "val_psnr": 22.0, "val_ssim": 0.9})
    return lines


def write_log(folder: Path, lines: list[Line]) -> Path:
    log = folder / "metrics.jsonl"
    log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return log


def panels(lines: list[Line]) -> dict[str, Axes]:
    return {axes.get_title(): axes for axes in plot_curves(lines).axes}


def test_a_grid_shows_each_photo_in_its_place(tmp_path: Path) -> None:
    samples = [[plain(30, 40, sample, cell, 200) for cell in range(3)] for sample in range(12)]
    draw_grid(samples, tmp_path / "new" / "grid.png")
    grid = np.array(Image.open(tmp_path / "new" / "grid.png"))
    found = {
        (row, column, *map(int, grid[row, column]))
        for row in range(0, grid.shape[0], 8)
        for column in range(0, grid.shape[1], 8)
        if grid[row, column, 2] == 200 and grid[row, column, 0] < 12
    }
    places: dict[tuple[int, int], tuple[float, float]] = {}
    for sample in range(12):
        for cell in range(3):
            spots = [spot[:2] for spot in found if spot[2:4] == (sample, cell)]
            places[sample, cell] = tuple(np.mean(spots, axis=0))  # type: ignore[assignment]
    for sample in range(12):
        rows, columns = zip(*(places[sample, cell] for cell in range(3)), strict=True)
        assert max(rows) - min(rows) < 8  # a sample is a row, in the given order
        assert np.diff(columns) == pytest.approx([CELL, CELL], abs=16)
    assert places[1, 0][1] > places[0, 2][1]  # two samples beside each other
    assert places[2, 0][0] > places[0, 0][0]
    assert grid.shape[0] == pytest.approx(grid.shape[1], rel=0.1)


def test_a_grid_crops_photos_around_their_center(tmp_path: Path) -> None:
    tall = np.concatenate((plain(100, 100, 255, 0, 0), plain(100, 100, 0, 0, 255)))
    draw_grid([[tall]], tmp_path / "grid.png", ["Photo"])
    grid = np.array(Image.open(tmp_path / "grid.png")).astype(int)
    red, blue = (
        (np.abs(grid - color).sum(axis=2) < 60).sum() for color in ([255, 0, 0], [0, 0, 255])
    )
    assert red == pytest.approx(CELL * CELL / 2, rel=0.05)
    assert blue == pytest.approx(CELL * CELL / 2, rel=0.05)


def test_a_grid_has_its_titles_and_leaves_no_other_file(tmp_path: Path) -> None:
    photo = color_pixels(40, 50)
    draw_grid([[photo, photo, photo]], tmp_path / "a.png")
    draw_grid([[photo, photo, photo]], tmp_path / "b.png", ["Input", "Ground truth", "Other"])
    first, second = (
        np.array(Image.open(tmp_path / name)).astype(int) for name in ("a.png", "b.png")
    )
    rows, columns = np.nonzero(np.abs(first - second).sum(axis=2))
    assert rows.size  # another title
    assert rows.max() < 40  # above the photos
    assert columns.min() > 2 * CELL  # of the third column
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "b.png"]


@pytest.mark.parametrize("counts", [[], [2], [3, 4]])
def test_a_grid_of_other_photos_than_titles(tmp_path: Path, counts: list[int]) -> None:
    samples = [[color_pixels(8, 8)] * count for count in counts]
    with pytest.raises(ValueError, match=r"of each 3 photos: Input, Ground truth, Generated\."):
        draw_grid(samples, tmp_path / "grid.png")


def test_curves_as_a_table(tmp_path: Path) -> None:
    draw_curves(write_log(tmp_path, adversarial_run()), tmp_path)
    with (tmp_path / "curves.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [int(row["step"]) for row in rows] == list(range(1, 61))
    first = ["step", "photos", "phase", "generator", "discriminator", "bins", "ab", "adversarial"]
    validation = ["val_delta_e00", "val_delta_e00_of_gray", "val_psnr", "val_ssim"]
    assert list(rows[0]) == [*first, *validation, "rate"]
    assert (rows[0]["generator"], rows[0]["discriminator"], rows[0]["val_psnr"]) == ("4.4", "", "")
    assert (rows[49]["phase"], rows[49]["bins"], rows[49]["val_psnr"]) == (
        "discriminator",
        "",
        "22.0",
    )
    assert (rows[59]["discriminator"], rows[59]["val_delta_e00"]) == ("0.6", "10.0")


def test_curves_as_a_picture(tmp_path: Path) -> None:
    draw_curves(write_log(tmp_path, adversarial_run()), tmp_path)
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.format == "PNG"
        assert picture.width >= 1200
    names = ["curves.csv", "curves.png", "metrics.jsonl"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names


def test_panels_of_an_adversarial_run() -> None:
    figure = plot_curves(adversarial_run())
    shown = {axes.get_title().partition(" (")[0]: axes for axes in figure.axes}
    assert list(shown) == [
        "Generator loss", "Discriminator loss", "Validation CIEDE2000", "Validation PSNR",
    ]  # fmt: skip
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts == ["reconstruction phase", "discriminator phase", "adversarial phase"]
    legend = shown["Generator loss"].get_legend()
    assert legend is not None
    losses = [text.get_text() for text in legend.get_texts()]
    assert losses == ["total", "bins", "ab", "adversarial"]
    assert shown["Discriminator loss"].get_xlim() == (40, 60)
    gray = shown["Validation CIEDE2000"].get_lines()[1]
    assert gray.get_ydata() == pytest.approx([11, 11])


def test_panels_of_a_run_without_discriminator_and_validation() -> None:
    lines = [training(step, "reconstruction", ab=0.5, generator=0.5) for step in (1, 2, 3)]
    figure = plot_curves(lines)
    assert [axes.get_title().partition(" (")[0] for axes in figure.axes] == ["Generator loss"]
    assert not figure.legends


def test_raw_and_smoothed_lines() -> None:
    """Each phase apart: the loss may jump between them."""
    values = np.random.default_rng(0).uniform(1, 2, 200)
    lines = [training(step, "reconstruction", generator=y) for step, y in enumerate(values[:150])]
    lines += [
        training(150 + step, "adversarial", generator=10 + y, discriminator=1.0)
        for step, y in enumerate(values[150:])
    ]
    axes = next(axes for title, axes in panels(lines).items() if title.startswith("Generator"))
    drawn = [np.array(line.get_ydata()) for line in axes.get_lines()]
    assert [len(line) for line in drawn] == [150, 150, 50, 50]
    for raw, smooth, expected in ((*drawn[:2], values[:150]), (*drawn[2:], values[150:] + 10)):
        assert raw == pytest.approx(expected)
        assert smooth.mean() == pytest.approx(expected.mean(), rel=0.02)
        assert smooth.std() < 0.5 * expected.std()


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_was_not_a_number_is_a_gap_in_the_raw_line(
    tmp_path: Path, value: float
) -> None:
    lines = [training(step, "reconstruction", generator=1.0) for step in range(1, 30)]
    lines[9]["generator"] = value
    draw_curves(write_log(tmp_path, lines), tmp_path)
    axes = next(iter(panels(lines).values()))
    assert all(np.isfinite(line.get_ydata()).all() for line in axes.get_lines())


def test_phases_of_earlier_versions_are_read(tmp_path: Path) -> None:
    log = write_log(tmp_path, [training(1, "critic", discriminator=1.0)])
    assert read_log(log)[0]["phase"] == "discriminator"


def test_a_log_is_read_in_order_and_its_last_word_counts(tmp_path: Path) -> None:
    lines = [
        training(step, "discriminator", discriminator=loss) for step, loss in ((2, 2.0), (1, 1.0))
    ]
    lines += [training(2, "discriminator", discriminator=3.0), {"step": 2, "val_psnr": 20.0}]
    log = write_log(tmp_path, lines)
    log.write_bytes(
        log.read_bytes() + b'\n{"step": 3, "disc\n[3]\n\xff\n{"rate": 1}\n{"step": "x"}\n'
    )
    rows = read_log(log)
    assert [(row["step"], row["discriminator"]) for row in rows] == [(1, 1.0), (2, 3.0)]
    assert rows[1]["val_psnr"] == 20.0


@pytest.mark.parametrize("text", ["", "broken\n", '{"step": 1, "val_psnr": 20}\n'])
def test_a_log_without_steps(tmp_path: Path, text: str) -> None:
    (tmp_path / "metrics.jsonl").write_text(text)
    with pytest.raises(ValueError, match=r"metrics\.jsonl holds no step of training; train first"):
        draw_curves(tmp_path / "metrics.jsonl", tmp_path)
    assert not (tmp_path / "curves.png").exists()
