"""The engines: an exported file gives what torch gives, to photos, versions and threads alike."""

from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from colorizer import Colorizer, Photo
from colorizer.checkpoints import load_checkpoint, save_checkpoint
from colorizer.engines import ENGINES, EngineError, file_engine
from tests.conftest import color_pixels, tiny_generator


def hide(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """As if these packages weren't installed."""
    monkeypatch.setattr(
        "colorizer.engines.find_spec", lambda name: None if name in names else find_spec(name)
    )


@pytest.mark.parametrize("package", ENGINES)
def test_a_file_gives_the_same_photo(
    package: str,
    tiny_onnx: Path,
    tiny_checkpoint: Path,
    tiny_colorizer: Colorizer,
    color_photo: Photo,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hide(monkeypatch, *(name for name in ENGINES if name != package))
    colorizer = Colorizer.load(tiny_checkpoint, onnx=tiny_onnx)
    assert colorizer.engine == ENGINES[package]
    expected, made = tiny_colorizer.colorize(color_photo), colorizer.colorize(color_photo)
    difference = made.colorized.pixels.astype(int) - expected.colorized.pixels
    assert np.abs(difference).max() <= 1
    np.testing.assert_allclose(made.confidence, expected.confidence, atol=1e-3)
    assert made.suggest(20, 30) == expected.suggest(20, 30)
    assert len(made.alternatives(3)) == len(expected.alternatives(3)) > 1


def test_torch_is_the_default(tiny_colorizer: Colorizer) -> None:
    assert tiny_colorizer.engine == "torch"


def test_openvino_goes_first_for_it_is_the_fastest(tiny_onnx: Path, tiny_checkpoint: Path) -> None:
    assert Colorizer.load(tiny_checkpoint, "cpu", tiny_onnx).engine == "OpenVINO"


@pytest.mark.parametrize("package", ENGINES)
def test_threads_may_share_it(
    package: str, tiny_onnx: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, *(name for name in ENGINES if name != package))
    engine, _ = file_engine(tiny_onnx, load_checkpoint(tiny_checkpoint), 1)
    pictures = [Photo(color_pixels(40 + 8 * seed, 64, seed)).lightness for seed in range(8)]
    alone = [engine(picture)[0] for picture in pictures]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(engine, 4 * pictures))
    for (ab, _), expected in zip(together, 4 * alone, strict=True):
        np.testing.assert_allclose(ab, expected, atol=0.01)


def test_a_file_of_another_checkpoint(tiny_onnx: Path, tmp_path: Path) -> None:
    save_checkpoint(tmp_path, tiny_generator(seed=1), 192)
    with pytest.raises(
        EngineError, match=r"colorizer-fp32\.onnx was not exported from this checkpoint"
    ):
        Colorizer.load(tmp_path, "cpu", tiny_onnx)


def test_a_file_that_is_missing_or_no_network(tiny_checkpoint: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    with pytest.raises(EngineError, match=r"a\.onnx is no file; write it with colorizer export\."):
        Colorizer.load(tiny_checkpoint, "cpu", path)
    path.write_text("text")
    with pytest.raises(EngineError, match=r"OpenVINO can't run .+a\.onnx; check that"):
        Colorizer.load(tiny_checkpoint, "cpu", path)


def test_without_an_engine_it_is_said(
    tiny_onnx: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, *ENGINES)
    with pytest.raises(EngineError, match=r"needs OpenVINO or ONNX Runtime; install colorizer"):
        Colorizer.load(tiny_checkpoint, "cpu", tiny_onnx)


def test_files_run_on_the_cpu(tiny_onnx: Path, tiny_checkpoint: Path) -> None:
    with pytest.raises(ValueError, match="runs on the CPU, not on cuda; take auto or cpu"):
        Colorizer.load(tiny_checkpoint, "cuda", tiny_onnx)
