"""The benchmark of hints: stand-ins that treat hints perfectly or badly get the figures due."""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from colorizer import ColorHint, Photo
from tests.helpers.photos import color_pixels
from train.data.sources import find_sources
from train.hint_bench import main
from train.measure.hints import benefit, correct_hints, leakage, painted, scenes, worst_point
from train.measure.metrics import delta_e00


class Painter:
    """In place of a Colorizer: paints all, or the hinted side, in the last hint's color."""

    checkpoint = SimpleNamespace(working_size=192)

    def __init__(self, leaks: bool) -> None:
        self.leaks = leaks

    def colorize(self, photo: Photo, hints: list[ColorHint] | tuple[()] = ()) -> SimpleNamespace:
        pixels = np.repeat(photo.pixels, 3, axis=2)
        for hint in hints:
            flat = np.array([int(hint.color[i : i + 2], 16) for i in (1, 3, 5)], np.uint8)
            gray = photo.pixels[:, :, 0].astype(int)
            same = np.abs(gray - gray[hint.y, hint.x]) < 18
            pixels[same | self.leaks] = flat
        return SimpleNamespace(colorized=Photo(pixels))


class Oracle:
    """In place of a Colorizer: knows one half of the photo, and hinted, all of it."""

    checkpoint = SimpleNamespace(working_size=192)

    def __init__(self, truth: np.ndarray) -> None:
        self.truth = truth
        self.hints: list[list[ColorHint]] = []

    def colorize(self, photo: Photo, hints: list[ColorHint] | tuple[()] = ()) -> SimpleNamespace:
        self.hints += [list(hints)] if hints else []
        pixels = self.truth.copy()
        if len(hints) < 2:
            rows = len(pixels) // (4 if hints else 2)
            pixels[:rows] = np.repeat(photo.pixels[:rows], 3, axis=2)
        return SimpleNamespace(colorized=Photo(pixels))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    Image.fromarray(color_pixels(96, 128, 3)).save(tmp_path / "data" / "a.png")
    return tmp_path / "data"


@pytest.fixture
def few_scenes(monkeypatch: pytest.MonkeyPatch) -> None:
    """One contrast and one color, as all of them take a while."""
    monkeypatch.setattr("train.measure.hints.CONTRASTS", ((90, 165),))
    monkeypatch.setattr("train.measure.hints.HINT_COLORS", ("#4f9a3c",))


def test_benefit_is_the_share_of_the_error_that_goes(data: Path) -> None:
    truth = np.array(Image.open(data / "a.png"))
    oracle = Oracle(truth)
    found = benefit(oracle, find_sources([str(data)]))  # type: ignore[arg-type]
    gray = np.repeat(Photo(truth).to_gray().pixels, 3, axis=2)
    half, quarter = truth.copy(), truth.copy()
    half[:48], quarter[:24] = gray[:48], gray[:24]
    none, one = delta_e00(half, truth), delta_e00(quarter, truth)
    assert found["n"] == 1
    assert found["delta_e00"] == pytest.approx({"none": none, "worst": one, "random": 0})
    percent = {"worst": 100 * (1 - one / none), "random": 100}
    assert found["lowered_percent"] == pytest.approx(percent)
    worst, random = oracle.hints
    assert (len(worst), len(random)) == (1, 10)
    assert worst[0].y < 48  # in the gray half
    for hint in worst + random:
        shown = [int(hint.color[i : i + 2], 16) for i in (1, 3, 5)]
        assert shown == pytest.approx(truth[hint.y, hint.x], abs=8)


def test_random_hints_are_the_same_each_time(data: Path) -> None:
    oracle = Oracle(np.array(Image.open(data / "a.png")))
    for _ in range(2):
        benefit(oracle, find_sources([str(data)]))  # type: ignore[arg-type]
    assert oracle.hints[:2] == oracle.hints[2:]


def test_the_worst_point_is_in_the_largest_wrong_region() -> None:
    truth = np.full((100, 140, 3), 128, np.uint8)
    output = truth.copy()
    output[5, 5] = (255, 0, 0)  # one very wrong pixel
    output[60:90, 100:130] = (150, 120, 110)
    x, y = worst_point(output, truth)
    assert (x, y) == (pytest.approx(114.5, abs=2), pytest.approx(74.5, abs=2))


def test_a_hint_has_the_mean_color_around_its_point() -> None:
    truth = np.zeros((9, 9, 3), np.uint8)
    truth[4, 4] = (90, 180, 250)
    assert correct_hints(truth, [(4, 4)], 0) == [ColorHint(4, 4, "#5ab4fa")]
    assert correct_hints(truth, [(4, 4)], 1) == [ColorHint(4, 4, "#0a141c")]


def test_painted_has_the_color_where_the_gamut_has_it() -> None:
    photo = Photo(np.array([[[0], [120], [255]]], np.uint8))
    hint = ColorHint(0, 0, "#805a50")
    ab = painted(photo, hint)
    assert ab.shape == (2, 1, 3)
    assert ab[:, 0, 1] == pytest.approx(hint.ab, abs=0.1)
    assert np.abs(ab[:, 0, [0, 2]]).max() < 1


def test_scenes_have_two_regions_apart_from_the_edge() -> None:
    found = list(scenes())
    assert len(found) == 3 * 3 * 2
    for scene in found:
        gray = scene.photo.pixels[:, :, 0].astype(float)
        x, y = scene.point
        assert scene.inside[y - 20 : y + 20, x - 20 : x + 20].all()
        assert 20 <= x < 236
        assert 20 <= y < 236
        assert not (scene.inside & scene.outside).any()
        assert scene.inside.mean() + scene.outside.mean() > 0.9
        difference = abs(gray[scene.inside].mean() - gray[scene.outside].mean())
        assert difference == pytest.approx(scene.contrast, abs=2)
        assert gray[scene.inside].std() == pytest.approx(4, abs=1)


@pytest.mark.parametrize(("leaks", "share"), [(False, 0.0), (True, 1.0)])
def test_leakage_tells_a_painter_by_regions_from_one_of_all(
    few_scenes: None, leaks: bool, share: float
) -> None:
    rows = leakage(Painter(leaks))  # type: ignore[arg-type]
    assert [row["edge"] for row in rows] == ["vertical", "diagonal", "curved"]
    for row in rows:
        assert row["leaked"] == pytest.approx(share, abs=0.01)
        assert row["change"] > 15
        assert row["followed"] > 0.5


def test_the_command_prints_tables_and_writes_json(
    few_scenes, tiny_checkpoint, data, tmp_path, monkeypatch, capsys
) -> None:
    target = tmp_path / "new" / "hints.json"
    arguments = ["--checkpoint", tiny_checkpoint, "--data", data, "--limit", 1, "--json", target]
    monkeypatch.setattr(sys, "argv", ["hint_bench", *map(str, arguments)])
    assert main() == 0
    table = capsys.readouterr().out
    document = json.loads(target.read_text())
    assert document["n"] == 1
    assert [row["contrast"] for row in document["leakage"]] == [75] * 3
    assert f"| none | {document['delta_e00']['none']:.2f} |" in table
    assert f"{document['lowered_percent']['worst']:.1f} %" in table


def test_errors_are_one_sentence(tiny_checkpoint, tmp_path, monkeypatch, capsys) -> None:
    (tmp_path / "a.png").write_text("no photo")
    arguments = ["hint_bench", "--checkpoint", str(tiny_checkpoint), "--data", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", arguments)
    assert main() == 1
    assert "The data holds no readable photo" in capsys.readouterr().err
