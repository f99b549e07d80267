"""The benchmark of spots: outlines hold their spots, and what moves is counted on both sides."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks import spots
from colorizer import Colorizer
from tests.helpers.photos import color_pixels


def test_each_spot_lies_in_its_outline() -> None:
    outlines = json.loads(spots.OUTLINES.read_text())
    assert [len(things) for things in outlines.values()] == [3] * 10
    for things in outlines.values():
        for thing in things:
            inside = spots._inside(thing["regions"], (1000, 1000))
            assert inside[int(10 * thing["y"]), int(10 * thing["x"])], thing["thing"]
            assert inside.mean() < 0.8


def test_spots_with_a_reach_move_less_outside(
    tiny_colorizer: Colorizer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(color_pixels(96, 96)).save(tmp_path / "a.png")
    square = [[10, 10], [50, 10], [50, 50], [10, 50]]
    spot = {"thing": "square", "x": 30, "y": 30, "color": "#ff0000", "regions": [square]}
    path = tmp_path / "spots.json"
    path.write_text(json.dumps({"a.png": [spot]}))
    monkeypatch.setattr(spots, "OUTLINES", path)
    near, whole = (spots.measure(tiny_colorizer, tmp_path, reach) for reach in (0.3, None))
    assert [row.thing for row in near] == ["square", "all three"]
    assert near[0][2:] == near[1][2:]
    assert near[0].outside < whole[0].outside
    assert 0 < near[0].inside <= 1
    assert np.isfinite([row[2:] for row in near]).all()
