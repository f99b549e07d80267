"""The comparison of upsampling: every method keeps what is constant, and each can be told apart."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.upsampling import METHODS, around_edges, main
from colorizer.imaging.resampling import resize
from tests.helpers.photos import color_pixels


@pytest.mark.parametrize("name", METHODS)
def test_a_constant_color_stays(name: str) -> None:
    random = np.random.default_rng(0)
    lightness = random.uniform(0, 100, (60, 80)).astype(np.float32)
    ab = np.full((15, 20, 2), (20, -30), np.float32)
    made = METHODS[name](resize(lightness, (15, 20)), ab, slice(8, 40), lightness[8:40], (60, 80))
    assert made.shape == (32, 80, 2)
    assert np.abs(made - (20, -30)).max() < 1e-3


@pytest.mark.parametrize("name", ["joint bilateral", "guided filter, slopes only (default)"])
def test_guidance_sharpens_an_edge_that_lightness_has_too(name: str) -> None:
    lightness = np.full((64, 96), 30, np.float32)
    lightness[:, 50:] = 80
    ab = np.zeros((64, 96, 2), np.float32)
    ab[:, 50:] = 40
    small = (8, 12)
    small_ab = np.dstack([resize(np.ascontiguousarray(ab[:, :, i]), small) for i in range(2)])

    def error(method: str) -> float:
        made = METHODS[method](
            resize(lightness, small), small_ab, slice(0, 64), lightness, (64, 96)
        )
        return float(np.abs(made - ab).mean())

    assert error(name) < 0.8 * error("bilinear")


def test_edges_are_where_color_changes() -> None:
    ab = np.zeros((40, 60, 2), np.float32)
    ab[:, 30:] = 50
    near = around_edges(ab)
    assert near[:, 27:33].all()
    assert not near[:, :20].any()


def test_the_command_prints_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Image.fromarray(color_pixels(80, 120)).save(tmp_path / "a.png")
    assert main([str(tmp_path / "a.png"), "--megapixels", "0.005", "--working-size", "20"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + len(METHODS)
    assert all("| 0.005 | 1 |" in line for line in lines[2:])
