"""The benchmarks of other pictures' colors: what they make of photos, and that they run."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import albums, color_sources, references
from colorizer import ColorSource, Photo
from colorizer.sources.evidence import Evidence
from tests.helpers.scenes import Pixels, scene


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for seed in range(2):
        Photo(scene(120, 160, seed)).save(tmp_path / f"{seed}.png")
    return tmp_path


def pair(seed: int = 0) -> color_sources.Pair:
    photos = scene(120, 160), scene(120, 160, seed=1)
    return color_sources.make_pair(*photos, np.random.default_rng(seed))


def test_a_pair_has_what_it_says() -> None:
    made = pair()
    assert made.picture.shape != made.photo.shape
    assert 0.02 < made.painted.mean() < 0.3
    assert 0.5 < made.visible.mean() <= 1
    again = pair()
    np.testing.assert_array_equal(made.picture, again.picture)
    assert not np.array_equal(made.painted, pair(seed=1).painted)


@pytest.mark.parametrize(("off", "right"), [(0.0, 1.0), (4.0, 1.0), (6.0, 0.0)])
def test_scores_count_what_is_within_the_tolerance(off: float, right: float) -> None:
    made = pair()
    _, ab = color_sources._lab(made.photo)
    weight = (~made.painted).astype(np.float32)
    shift = np.array([off, 0], np.float32)[:, None, None]
    rest = made.visible, ColorSource.of(Photo(made.picture)), made.photo.shape[:2]
    found = color_sources.score(made, Evidence(ab + shift, weight, *rest))
    assert found == color_sources.Score(right, 1.0, 1.0)
    everything = color_sources.score(made, Evidence(ab, np.ones_like(weight), *rest))
    assert everything.rejected == 0


def test_halves_are_cut_across_the_long_side() -> None:
    wide: Pixels = scene(60, 80)
    for photo in (wide, np.ascontiguousarray(wide.transpose(1, 0, 2))):
        first, second = references.halves(photo)
        assert sorted(first.shape[:2]) == [40, 60]
        assert first.shape == second.shape
        assert not np.array_equal(first, second)


def test_the_same_colors_in_all_crops_do_not_deviate() -> None:
    random = np.random.default_rng(0)
    same = [np.full((2, 64, 64), 7, np.float32)] * 12
    assert albums.deviation(same) == 0
    others = [np.full((2, 64, 64), value, np.float32) for value in random.normal(0, 5, 12)]
    hidden = [*others, np.full((2, 64, 64), np.nan, np.float32)]
    assert albums.deviation(others) == albums.deviation(hidden) > 3


def test_crops_are_where_they_say() -> None:
    [crop, *_] = albums.make_album(scene(120, 160), np.random.default_rng(0))
    height, width = crop.photo.size
    assert (height, width) == pytest.approx((120 * crop.height, 160 * crop.width), abs=1)
    assert crop.top + crop.height <= 1


@pytest.mark.slow
def test_the_commands_print_tables(
    folder: Path, tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkpoint = ["--checkpoint", str(tiny_checkpoint)]
    assert color_sources.main([str(folder), "--pairs", "2"]) == 0
    assert "| pairs | 2 |" in capsys.readouterr().out
    assert references.main([str(folder), "--count", "2", "--device", "cpu", *checkpoint]) == 0
    assert "| an unrelated photo |" in capsys.readouterr().out
    assert albums.main([str(folder), "--count", "1", *checkpoint]) == 0
    assert "| with shared colors |" in capsys.readouterr().out
