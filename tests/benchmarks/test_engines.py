"""The comparison of engines: differences are found, and each engine is named."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.engines import main
from colorizer.imaging.arrays import Plane
from colorizer.inference.comparison import ROUNDS, compare
from colorizer.inference.engines import Colors
from tests.helpers.photos import color_pixels


def test_differences_from_the_first_and_the_seconds_are_measured() -> None:
    def exact(lightness: Plane) -> Colors:
        return np.stack([lightness, -lightness]), None

    def wrong(lightness: Plane) -> Colors:
        ab, _ = exact(lightness)
        ab[0, 0, 0] += 8
        return ab, None

    pictures = [np.full((2, 2), level, np.float32) for level in (10, 20)]
    found = compare({"exact": exact, "wrong": wrong}, pictures)
    assert found["exact"].cells()[:2] == ["0.000", "0.00"]
    assert found["wrong"].cells()[:2] == ["1.000", "8.00"]
    assert len(found["exact"].seconds) == len(found["wrong"].seconds) == ROUNDS


def test_the_command_prints_a_table_for_each_size(
    tmp_path: Path,
    tiny_onnx: Path,
    tiny_checkpoint: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    Image.fromarray(color_pixels(60, 80)).save(tmp_path / "a.png")
    arguments = [tmp_path / "a.png", "--onnx", tiny_onnx.parent, "--checkpoint", tiny_checkpoint]
    engines = ["torch, fp32", "torch, bf16", "ONNX Runtime, fp32", "ONNX Runtime, int8"]
    more = ["--sizes", "48x64", "32x32", "--engines", *engines]
    assert main([*map(str, arguments), *more]) == 0
    said = capsys.readouterr()
    assert said.err.startswith("ONNX Runtime, int8 is left out: ")  # there is no such file
    lines = said.out.splitlines()
    assert [line for line in lines if "pixels" in line] == ["48 x 64 pixels", "32 x 32 pixels"]
    for name in engines[:3]:
        assert sum(line.startswith(f"| {name} | ") for line in lines) == 2


def test_unknown_engines_are_refused(
    tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["a", "--onnx", "b", "--checkpoint", str(tiny_checkpoint), "--engines", "abacus"])
    assert stop.value.code == 2
    assert "abacus is no engine; use some of torch, fp32;" in capsys.readouterr().err
