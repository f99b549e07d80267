"""The export: what ONNX Runtime makes of the files is what torch makes of the checkpoint."""

import json
import subprocess
import sys
from contextlib import redirect_stdout
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from PIL import Image

from colorizer import Colorizer, Photo
from colorizer.__main__ import main
from colorizer.checkpoints.checkpoint import Checkpoint, bundled_checkpoint, load_checkpoint
from colorizer.errors import ExportError
from colorizer.inference.export import export_onnx, file_metadata
from colorizer.inference.onnx_graph import OPSET
from tests.helpers.networks import tiny_pix2pix
from tests.helpers.paths import EXAMPLES
from tests.helpers.photos import color_pixels

EXAMPLE = EXAMPLES / "onnx_colorize.py"
WITHOUT = """
import runpy, sys
for name in ("torch", "cv2", "colorizer"):
    sys.modules[name] = None
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class Exported(NamedTuple):
    """What the command made of the tiny network, fp16 and int8, and what it said."""

    folder: Path  # also of 0.png to 2.png
    lines: list[str]


@pytest.fixture(scope="module")
def exported(
    tiny_checkpoint: Path, tiny_onnx: Path, tmp_path_factory: pytest.TempPathFactory
) -> Exported:
    folder = tmp_path_factory.mktemp("onnx")
    photos = [folder / f"{seed}.png" for seed in range(3)]
    for seed, path in enumerate(photos):
        Image.fromarray(color_pixels(48, 64, seed)).save(path)
    arguments = ["export", "--onnx", folder, "--checkpoint", tiny_checkpoint]
    more = ["--precision", "fp16", "int8", "--calibrate", *photos, "--check", photos[0]]
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(StringIO()) as said:
        patch.setattr(
            "colorizer.inference.export.trace", lambda generator: onnx.load(tiny_onnx)
        )  # slow
        assert main([*map(str, arguments), *map(str, more)]) == 0
    return Exported(folder, said.getvalue().splitlines())


def session(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def pictures() -> list[np.ndarray]:
    """L* of odd, tiny, narrow and ordinary pictures."""
    random = np.random.default_rng(0)
    sizes = [(96, 160), (61, 83), (1, 1), (1, 300), (200, 7), (33, 65)]
    return [random.uniform(0, 100, (1, 1, *size)).astype(np.float32) for size in sizes]


def test_any_size_gives_what_torch_gives(tiny_onnx: Path, tiny_checkpoint: Path) -> None:
    generator = load_checkpoint(tiny_checkpoint).generator
    runtime = session(tiny_onnx)
    for lightness in pictures():
        with torch.inference_mode():
            expected = generator(torch.from_numpy(lightness))
        ab, logits = runtime.run(["ab", "logits"], {"lightness": lightness})
        np.testing.assert_allclose(ab, expected.ab.numpy(), atol=0.01)
        np.testing.assert_allclose(logits, expected.logits.numpy(), atol=1e-3)


@pytest.mark.parametrize(("precision", "limit"), [("fp16", 0.1), ("int8", 5.0)])
def test_lower_precisions_come_near_and_are_smaller(
    exported: Exported, tiny_onnx: Path, precision: str, limit: float
) -> None:
    coarse = exported.folder / f"colorizer-{precision}.onnx"
    picture = {"lightness": Photo.open(exported.folder / "0.png").lightness[None, None]}
    expected, ab = (session(path).run(["ab"], picture)[0] for path in (tiny_onnx, coarse))
    assert ab.dtype == np.float32
    assert 0 < np.abs(ab - expected).mean() < limit < np.abs(expected).mean()
    assert coarse.stat().st_size < 0.8 * tiny_onnx.stat().st_size


def test_files_and_their_differences_are_printed(exported: Exported) -> None:
    files = [str(exported.folder / f"colorizer-{name}.onnx") for name in ("fp16", "int8")]
    assert exported.lines[:2] == files
    cells = [line.split(" | ") for line in exported.lines[-3:]]
    assert [row[0] for row in cells] == [
        "| torch, fp32",
        "| ONNX Runtime, fp16",
        "| ONNX Runtime, int8",
    ]
    assert 0 == float(cells[0][1]) < float(cells[1][1]) < float(cells[2][1])


def test_the_file_says_what_it_is(tiny_onnx: Path, tiny_checkpoint: Path) -> None:
    (opset,) = [entry for entry in onnx.load(tiny_onnx).opset_import if not entry.domain]
    assert opset.version == OPSET
    runtime = session(tiny_onnx)
    assert runtime.get_inputs()[0].shape == [1, 1, "height", "width"]
    assert runtime.get_outputs()[0].shape == [1, 2, "height", "width"]
    texts = runtime.get_modelmeta().custom_metadata_map
    checkpoint = load_checkpoint(tiny_checkpoint)
    assert texts["sha256"] == checkpoint.sha256
    assert texts["working_size"] == "192"
    assert texts["precision"] == "fp32"
    assert len(json.loads(texts["bins"])) == runtime.get_outputs()[1].shape[1]


@pytest.mark.slow
def test_the_bundled_card_and_its_license_go_along() -> None:
    texts = file_metadata(load_checkpoint(), "fp32")
    assert texts["checkpoint"] == "bundled"
    assert texts["model_card"] == (bundled_checkpoint() / "README.md").read_text()
    assert "## License" in texts["model_card"]


@pytest.mark.slow
def test_pix2pix_is_exported_too(tmp_path: Path) -> None:
    generator = tiny_pix2pix().eval()
    path = export_onnx(Checkpoint(generator, 256, "here", "0" * 64), tmp_path)["fp32"]
    lightness = pictures()[1]
    with torch.inference_mode():
        expected = generator(torch.from_numpy(lightness)).ab.numpy()
    (ab,) = session(path).run(None, {"lightness": lightness})
    np.testing.assert_allclose(ab, expected, atol=0.01)


def test_the_example_needs_no_torch(
    tiny_onnx: Path, tiny_colorizer: Colorizer, tmp_path: Path
) -> None:
    source, target = tmp_path / "gray.png", tmp_path / "color.png"
    Image.fromarray(color_pixels(48, 64)).save(source)
    command = [sys.executable, "-c", WITHOUT, EXAMPLE, tiny_onnx, source, target]
    subprocess.run([*map(str, command)], check=True)
    made, ours = Photo.open(target), tiny_colorizer.colorize(Photo.open(source)).colorized
    assert made.size == ours.size
    error = np.abs(made.pixels.astype(int) - ours.pixels).mean()
    color = np.abs(ours.to_gray().pixels.astype(int) - ours.pixels).mean()
    assert error < 0.5 * color  # where the gamut ends, the example clips


def test_what_is_missing_is_said(
    tiny_checkpoint: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def find(name: str) -> object:
        return None if name in ("onnxruntime", "onnxscript") else find_spec(name)

    monkeypatch.setattr("colorizer.inference.export.find_spec", find)
    arguments = ["export", "--onnx", str(tmp_path), "--checkpoint", str(tiny_checkpoint)]
    assert main(arguments) == 1
    assert capsys.readouterr().err == (
        "colorizer: The export needs onnxruntime, onnxscript; install colorizer with its extra "
        "onnx.\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_int8_needs_photos(tiny_checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="int8 needs photos for its calibration; name some"):
        export_onnx(load_checkpoint(tiny_checkpoint), tmp_path, ["int8"])


def test_unknown_precisions_are_refused(tiny_checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="precision is 'fp8'; use one of fp32, fp16, int8"):
        export_onnx(load_checkpoint(tiny_checkpoint), tmp_path, ["fp8"])


@pytest.mark.slow
def test_a_file_that_cannot_be_written(
    tiny_checkpoint: Path, tiny_onnx: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("colorizer.inference.export.trace", lambda generator: onnx.load(tiny_onnx))
    (tmp_path / "colorizer-fp32.onnx").mkdir()
    with pytest.raises(ExportError, match=r"colorizer-fp32\.onnx can't be written: "):
        export_onnx(load_checkpoint(tiny_checkpoint), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["colorizer-fp32.onnx"]


def test_a_bad_checkpoint_is_wrong_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["export", "--onnx", str(tmp_path), "--checkpoint", "none"])
    assert stop.value.code == 2
    assert "none is neither a folder nor a Hub name" in capsys.readouterr().err
