"""Evaluation: what is measured on three small photos, and the report that says so."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorizer import Colorizer, Photo
from train.evaluate import evaluate, main
from train.metrics import colorfulness, delta_e00, psnr, ssim

Report = dict[str, dict[str, float]]


@pytest.fixture(scope="module")
def three(photo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("three")
    for letter in "abc":
        shutil.copy(photo_folder / f"{letter}.png", folder)
    return folder


@pytest.fixture(scope="module")
def report(tiny_colorizer: Colorizer, three: Path) -> Report:
    return evaluate(tiny_colorizer, [str(three)])  # type: ignore[return-value]


def test_the_report_has_every_figure(report: Report, tiny_colorizer: Colorizer) -> None:
    assert report["n"] == 3
    assert report["working_size"] == 192
    assert report["sha256"] == tiny_colorizer.checkpoint.sha256
    assert set(report["output"]) == set(report["gray"]) == {"psnr", "ssim", "delta_e00", "cf"}
    assert set(report["ratios"]) == {"delta_e00_of_gray", "cf_of_truth"}


def test_figures_are_means_over_the_photos(
    report: Report, tiny_colorizer: Colorizer, three: Path
) -> None:
    truths = [np.array(Image.open(path)) for path in sorted(three.iterdir())]
    outputs = [tiny_colorizer.colorize(Photo(truth).to_gray()).colorized.pixels for truth in truths]
    for name, metric in (("psnr", psnr), ("ssim", ssim), ("delta_e00", delta_e00)):
        values = [metric(output, truth) for output, truth in zip(outputs, truths, strict=True)]
        assert report["output"][name] == pytest.approx(np.mean(values), rel=1e-3)
    assert report["output"]["cf"] == pytest.approx(
        np.mean([colorfulness(output) for output in outputs]), rel=1e-3
    )
    assert report["truth"]["cf"] == pytest.approx(
        np.mean([colorfulness(truth) for truth in truths])
    )


def test_gray_has_no_color_and_ratios_are_of_means(report: Report) -> None:
    assert report["gray"]["cf"] == pytest.approx(0, abs=1e-6)
    assert report["gray"]["delta_e00"] > 5
    ratio = report["output"]["delta_e00"] / report["gray"]["delta_e00"]
    assert report["ratios"]["delta_e00_of_gray"] == pytest.approx(ratio)
    assert report["ratios"]["cf_of_truth"] == pytest.approx(
        report["output"]["cf"] / report["truth"]["cf"]
    )


def test_leaving_out_lpips_is_said(tiny_colorizer: Colorizer, three: Path, capsys) -> None:
    evaluate(tiny_colorizer, [str(three)], limit=1)
    assert "LPIPS is left out: name its weights with --lpips-weights." in capsys.readouterr().err


@pytest.mark.parametrize(("limit", "n"), [(1, 1), (2, 2), (3, 3), (10, 3)])
def test_limit_counts_each_photo_once(
    tiny_colorizer: Colorizer, three: Path, limit: int, n: int
) -> None:
    assert evaluate(tiny_colorizer, [str(three)], limit=limit)["n"] == n


def test_working_size_is_used_and_reported(tiny_colorizer, three, report) -> None:
    large = evaluate(tiny_colorizer, [str(three)], working_size=320)
    assert large["working_size"] == 320
    assert large["output"] != report["output"]
    assert large["gray"] == report["gray"]


def run_main(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["evaluate", *map(str, arguments)])
    return main()


def test_the_command_prints_and_writes_the_report(
    tiny_checkpoint, three, report, tmp_path, monkeypatch, capsys
) -> None:
    target = tmp_path / "report.json"
    arguments = ("--checkpoint", tiny_checkpoint, "--data", three, "--json", target)
    assert run_main(monkeypatch, *arguments) == 0
    written = json.loads(target.read_text())
    assert written["n"] == 3
    assert written["gray"] == pytest.approx(report["gray"])
    assert json.loads(capsys.readouterr().out) == written


def test_errors_are_one_sentence(tiny_checkpoint, three, tmp_path, monkeypatch, capsys) -> None:
    assert run_main(monkeypatch, "--checkpoint", "none", "--data", three) == 1
    assert "none is neither a folder nor a Hub name" in capsys.readouterr().err
    missing = tmp_path / "none"
    assert run_main(monkeypatch, "--checkpoint", tiny_checkpoint, "--data", missing) == 1
    assert "is neither a folder nor a tar archive" in capsys.readouterr().err


def test_a_damaged_photo_is_one_sentence(tiny_checkpoint, tmp_path, monkeypatch, capsys) -> None:
    (tmp_path / "a.png").write_text("no photo")
    assert run_main(monkeypatch, "--checkpoint", tiny_checkpoint, "--data", tmp_path) == 1
    assert "a.png can't be read as a photo" in capsys.readouterr().err


def test_gray_photos_alone_are_no_crash(tiny_checkpoint, tmp_path, monkeypatch, capsys) -> None:
    """Gray has no error against them: there is no ratio."""
    Image.new("L", (32, 32), 99).save(tmp_path / "a.png")
    code = run_main(monkeypatch, "--checkpoint", tiny_checkpoint, "--data", tmp_path)
    captured = capsys.readouterr()
    assert code == 0 or "train.evaluate: " in captured.err
