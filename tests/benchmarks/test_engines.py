"""The benchmark of engines: each one is named, measured and compared."""

from pathlib import Path

import pytest
from PIL import Image

from benchmarks.engines import main
from tests.helpers.photos import color_pixels


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
