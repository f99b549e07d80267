"""Evaluation: what is measured on a few small photos, and the report that says so."""

import csv
import json
import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from colorizer import Colorizer, Photo
from tests.helpers.photos import color_pixels
from train.data.samples import Source
from train.data.sources import find_sources
from train.evaluate import main
from train.measure.evaluate import Report, evaluate
from train.measure.groups import group
from train.measure.metrics import colorfulness, delta_e00, psnr, ssim
from train.measure.sheets import examples


class StandIn:
    """In place of an Inception: the mean color is the feature."""

    sha256 = "5" * 64

    def __call__(self, pixels: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(pixels.mean((0, 1)))


class Gray:
    """In place of LPIPS: 0 for any two photos."""

    def __call__(self, output: np.ndarray, truth: np.ndarray) -> float:
        return 0.0


@pytest.fixture(scope="module")
def three(photo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("three")
    for letter in "abc":
        shutil.copy(photo_folder / f"{letter}.png", folder)
    return folder


@pytest.fixture(scope="module")
def sources(three: Path) -> list[Source]:
    return find_sources([str(three)])


@pytest.fixture(scope="module")
def report(tiny_colorizer: Colorizer, sources: list[Source]) -> Report:
    return evaluate(tiny_colorizer, sources, inception=StandIn())  # type: ignore[arg-type]


def save(folder: Path, name: str, pixels: np.ndarray) -> None:
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(folder / name)


def test_the_summary_has_every_figure(report: Report, tiny_colorizer: Colorizer) -> None:
    summary = report.summary
    assert (summary["n"], summary["left_out"], summary["working_size"]) == (3, 0, 192)
    assert summary["sha256"] == tiny_colorizer.checkpoint.sha256
    assert set(summary["output"]) == {
        *("psnr", "ssim", "delta_e00", "ms_ssim_ab", "edge_error", "spill", "cf", "fid")
    }
    assert list(summary["gray"]) == list(summary["output"])
    assert set(summary["ratios"]) == {"delta_e00_of_gray", "cf_of_truth", "fid_of_gray"}
    assert summary["inception"] == {"sha256": "5" * 64, "reference": "paired"}
    assert json.loads(json.dumps(summary)) == summary


def test_figures_are_means_over_the_photos(
    report: Report, tiny_colorizer: Colorizer, three: Path
) -> None:
    truths = [np.array(Image.open(path)) for path in sorted(three.iterdir())]
    outputs = [tiny_colorizer.colorize(Photo(truth).to_gray()).colorized.pixels for truth in truths]
    found = report.summary["output"]
    for name, metric in (("psnr", psnr), ("ssim", ssim), ("delta_e00", delta_e00)):
        values = [metric(output, truth) for output, truth in zip(outputs, truths, strict=True)]
        assert found[name] == pytest.approx(np.mean(values), rel=1e-3)
        assert [photo.output[name] for photo in report.photos] == pytest.approx(values, rel=1e-3)
    assert found["cf"] == pytest.approx(np.mean([colorfulness(pixels) for pixels in outputs]), 1e-3)
    assert report.summary["truth"]["cf"] == pytest.approx(
        np.mean([colorfulness(truth) for truth in truths])
    )


def test_gray_has_no_color_and_ratios_are_of_means(report: Report) -> None:
    output, gray = report.summary["output"], report.summary["gray"]
    ratios = report.summary["ratios"]
    assert gray["cf"] == pytest.approx(0, abs=1e-6)
    assert gray["delta_e00"] > 5
    assert ratios["delta_e00_of_gray"] == pytest.approx(output["delta_e00"] / gray["delta_e00"])
    assert ratios["cf_of_truth"] == pytest.approx(output["cf"] / report.summary["truth"]["cf"])
    assert ratios["fid_of_gray"] == pytest.approx(output["fid"] / gray["fid"])


def test_lpips_is_measured_and_a_ratio_of_0_is_left_out(tiny_colorizer, sources) -> None:
    summary = evaluate(tiny_colorizer, sources, lpips=Gray()).summary  # type: ignore[arg-type]
    assert summary["output"]["lpips"] == 0
    assert "lpips_of_gray" not in summary["ratios"]
    assert "fid" not in summary["output"]
    assert "inception" not in summary


@pytest.mark.parametrize(("limit", "names"), [(1, "a"), (2, "ac"), (3, "abc"), (10, "abc")])
def test_limit_picks_evenly(tiny_colorizer, sources, limit: int, names: str) -> None:
    photos = evaluate(tiny_colorizer, sources, limit=limit).photos
    assert [photo.sample.name for photo in photos] == [f"{name}.png" for name in names]


def test_limit_must_be_positive(tiny_colorizer, sources) -> None:
    with pytest.raises(ValueError, match="limit is 0"):
        evaluate(tiny_colorizer, sources, limit=0)


def test_working_size_is_used_and_reported(tiny_colorizer, sources, report) -> None:
    large = evaluate(tiny_colorizer, sources, working_size=320).summary
    assert large["working_size"] == 320
    assert large["output"] != report.summary["output"]
    assert large["gray"]["psnr"] == report.summary["gray"]["psnr"]


def test_two_views_are_measured_and_reported(tiny_colorizer, sources, report) -> None:
    twice = evaluate(tiny_colorizer, sources, views=2).summary
    assert (report.summary["views"], twice["views"]) == (1, 2)
    assert twice["output"] != report.summary["output"]
    assert twice["gray"]["psnr"] == report.summary["gray"]["psnr"]


def test_the_given_gray_of_a_pair_is_the_input(tiny_colorizer: Colorizer, tmp_path: Path) -> None:
    """It shows another photo than the color one."""
    gray = color_pixels(48, 64, seed=9)[:, :, 0]
    truth = color_pixels(48, 64)
    save(tmp_path, "color/a.png", truth)
    save(tmp_path, "gray/a.png", gray)
    (photo,) = evaluate(tiny_colorizer, find_sources([str(tmp_path)])).photos
    expected = tiny_colorizer.colorize(Photo(gray[:, :, None])).colorized.pixels
    assert photo.output["psnr"] == pytest.approx(psnr(expected, truth), abs=0.01)
    assert photo.gray["psnr"] == pytest.approx(psnr(np.repeat(gray[:, :, None], 3, axis=2), truth))


def test_calibration_finds_the_colors_right_that_are(tiny_colorizer, tmp_path: Path) -> None:
    """The truth is what the network paints."""
    gray = color_pixels(48, 64)[:, :, :1]
    save(tmp_path, "gray/a.png", gray[:, :, 0])
    result = tiny_colorizer.colorize(Photo(gray))
    save(tmp_path, "color/a.png", result.colorized.pixels)
    calibration = evaluate(tiny_colorizer, find_sources([str(tmp_path)])).summary["calibration"]
    assert calibration["accuracy"] > 0.98
    assert calibration["confidence"] == pytest.approx(result.confidence.mean(), abs=1e-3)
    assert calibration["pixels"] == 192 * 256


def test_without_a_distribution_there_is_no_calibration(tanh_colorizer, sources, report) -> None:
    assert "calibration" in report.summary
    assert "calibration" not in evaluate(tanh_colorizer, sources, limit=1).summary


def test_unusable_photos_are_counted_and_named(tiny_colorizer, tmp_path, capsys) -> None:
    (tmp_path / "a.png").write_text("no photo")
    save(tmp_path, "b.png", color_pixels(20, 40))
    save(tmp_path, "c.png", color_pixels(40, 40))
    sources = find_sources([str(tmp_path)])
    assert evaluate(tiny_colorizer, sources, quiet=True).summary["left_out"] == 2
    captured = capsys.readouterr()
    assert captured.err == captured.out == ""
    assert evaluate(tiny_colorizer, sources).summary["n"] == 1
    said = capsys.readouterr().err
    assert "Left out: a.png" in said
    assert "Left out: b.png has 40 x 20 pixels; SSIM and LPIPS need 32" in said


def test_groups_hold_their_own_means(tiny_colorizer, tmp_path) -> None:
    names = {"one/in/cat-1.png": 0, "one/in/dog-1.png": 1, "one/cat-2.png": 2, "two/x.png": 3}
    for name, seed in names.items():
        save(tmp_path, name, color_pixels(32, 32, seed))
    sources = find_sources([str(tmp_path / "one"), str(tmp_path / "two")])
    photos = evaluate(tiny_colorizer, sources).photos
    counts = {
        per: {name: found["n"] for name, found in group(photos, per).items()}
        for per in ("source", "folder", "prefix")
    }
    assert counts == {
        "source": {"one": 3, "two": 1},
        "folder": {".": 2, "in": 2},
        "prefix": {"cat": 2, "dog": 1, "no prefix": 1},
    }
    cats = [photo.output["psnr"] for photo in photos if "cat" in photo.sample.name]
    assert group(photos, "prefix")["cat"]["output"]["psnr"] == pytest.approx(np.mean(cats))


def test_a_group_of_gray_photos_has_no_ratios(tiny_colorizer, tmp_path) -> None:
    save(tmp_path, "a-1.png", color_pixels(32, 32)[:, :, 0])
    save(tmp_path, "b-1.png", color_pixels(32, 32))
    photos = evaluate(tiny_colorizer, find_sources([str(tmp_path)])).photos
    groups = group(photos, "prefix")
    assert groups["a"]["ratios"] == {}
    assert set(groups["b"]["ratios"]) == {"delta_e00_of_gray", "cf_of_truth"}


def test_examples_are_ordered_by_their_error(tiny_colorizer, report) -> None:
    found = examples(tiny_colorizer, report.photos, 192)
    captions = [example.caption for example in found["worst"]]
    errors = {photo.sample.name: photo.output["delta_e00"] for photo in report.photos}
    ordered = sorted(errors, key=errors.__getitem__, reverse=True)
    assert captions == [f"{name}, delta_e00 {errors[name]:.2f}" for name in ordered]
    assert [example.caption for example in found["best"]] == captions[::-1]
    gray, truth, output = found["worst"][0].pictures
    assert (gray.mode, truth.mode, output.mode) == ("L", "RGB", "RGB")
    assert delta_e00(np.array(output), np.array(truth)) == pytest.approx(errors[ordered[0]], 1e-6)


def run_main(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["evaluate", *map(str, arguments)])
    return main()


def test_the_command_prints_and_writes_the_report(
    tiny_checkpoint, three, report, tmp_path, monkeypatch, capsys
) -> None:
    target = tmp_path / "new" / "report.json"
    arguments = ("--checkpoint", tiny_checkpoint, "--data", three, "--json", target)
    assert run_main(monkeypatch, *arguments) == 0
    written = json.loads(target.read_text())
    captured = capsys.readouterr()
    assert json.loads(captured.out) == written
    assert written["command"].endswith(f"--json {target}")
    assert written["n"] == written["groups"][three.name]["n"] == 3
    assert written["gray"]["psnr"] == pytest.approx(report.summary["gray"]["psnr"])
    assert "LPIPS is left out: name its weights with --lpips-weights." in captured.err
    assert "FID is left out: name its weights with --inception." in captured.err


def test_several_checkpoints_become_a_table_and_a_list(
    tiny_checkpoint, three, tmp_path, monkeypatch, capsys
) -> None:
    other = shutil.copytree(tiny_checkpoint, tmp_path / "other")
    config = json.loads((other / "config.json").read_text())
    (other / "config.json").write_text(json.dumps(config | {"working_size": 256}))
    arguments = ("--checkpoint", tiny_checkpoint, other, "--data", three, "--limit", 1)
    assert run_main(monkeypatch, *arguments, "--output", tmp_path / "out") == 0
    table = capsys.readouterr().out
    first_cells = [line.split("|")[1].strip() for line in table.splitlines()]
    assert first_cells == ["", "---", "gray", str(tiny_checkpoint), str(other), "truth"]
    documents: list[dict[str, Any]] = json.loads((tmp_path / "out" / "report.json").read_text())
    assert [document["working_size"] for document in documents] == [192, 256]
    assert f"{documents[1]['output']['delta_e00']:.2f}" in table.splitlines()[4]


def test_the_folder_holds_all_of_the_report(tiny_checkpoint, three, tmp_path, monkeypatch) -> None:
    arguments = ("--checkpoint", tiny_checkpoint, "--data", three, "--output", tmp_path / "out")
    assert run_main(monkeypatch, *arguments) == 0
    names = {path.name for path in (tmp_path / "out").iterdir()}
    pictures = {"best.png", "worst.png", "reliability.png"}
    assert names == {"report.json", "report.md", "report.html", "photos.csv"} | pictures
    with (tmp_path / "out" / "photos.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["source"], row["name"]) for row in rows] == [
        (three.name, f"{letter}.png") for letter in "abc"
    ]
    document = json.loads((tmp_path / "out" / "report.json").read_text())
    for version, column in (("output", "delta_e00"), ("gray", "gray_delta_e00")):
        mean = np.mean([float(row[column]) for row in rows])
        assert document[version]["delta_e00"] == pytest.approx(mean)


def test_errors_are_one_sentence(tiny_checkpoint, three, tmp_path, monkeypatch, capsys) -> None:
    assert run_main(monkeypatch, "--checkpoint", "none", "--data", three) == 1
    assert "none is neither a folder nor a Hub name" in capsys.readouterr().err
    good = ("--checkpoint", tiny_checkpoint, "--data", three)
    assert run_main(monkeypatch, *good[:3], tmp_path / "none") == 1
    assert "is neither a folder nor a tar archive" in capsys.readouterr().err
    assert run_main(monkeypatch, *good, "--inception", tmp_path / "none.pt") == 1
    assert "none.pt can't be read" in capsys.readouterr().err
    (tmp_path / "file").write_text("")
    assert run_main(monkeypatch, *good, "--output", tmp_path / "file") == 1
    assert "File exists" in capsys.readouterr().err


def test_data_without_color_is_one_sentence(tiny_checkpoint, tmp_path, monkeypatch, capsys) -> None:
    save(tmp_path, "a.png", np.full((32, 32), 99, np.uint8))
    assert run_main(monkeypatch, "--checkpoint", tiny_checkpoint, "--data", tmp_path) == 1
    assert "holds no readable color photo" in capsys.readouterr().err
    (tmp_path / "a.png").write_text("no photo")
    assert run_main(monkeypatch, "--checkpoint", tiny_checkpoint, "--data", tmp_path) == 1
    assert "holds no readable color photo" in capsys.readouterr().err


def test_aged_inputs_have_flaws_and_the_same_ones_each_time(
    tiny_checkpoint, three, tmp_path, monkeypatch, capsys
) -> None:
    found = []
    for number, flags in enumerate(([], ["--aged"], ["--aged"])):
        file = tmp_path / f"{number}.json"
        command = ["evaluate", "--checkpoint", str(tiny_checkpoint), "--data", str(three)]
        monkeypatch.setattr(sys, "argv", [*command, "--json", str(file), *flags])
        assert main() == 0
        found.append(json.loads(file.read_text()))
    clean, aged, again = found
    assert clean["truth"] == aged["truth"]
    assert aged["gray"]["psnr"] < clean["gray"]["psnr"]
    assert aged["output"] == again["output"]
