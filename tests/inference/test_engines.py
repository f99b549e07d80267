"""The engines: an exported file gives what torch gives, to photos, versions and threads alike."""

from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import torch

from colorizer import Colorizer, Photo
from colorizer.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from colorizer.errors import EngineError
from colorizer.imaging.arrays import Plane
from colorizer.inference.engines import (
    ENGINES,
    file_engine,
    has_bfloat16,
    torch_engine,
    with_bfloat16_weights,
)
from colorizer.networks.generator import Generator
from tests.helpers.networks import tiny_generator
from tests.helpers.photos import color_pixels


def hide(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    """As if these packages weren't installed."""
    monkeypatch.setattr(
        "colorizer.inference.engines.find_spec",
        lambda name: None if name in names else find_spec(name),
    )


@pytest.mark.parametrize("package", ENGINES)
def test_a_file_gives_the_same_photo(
    package: str,
    tiny_onnx: Path,
    tiny_checkpoint: Path,
    color_photo: Photo,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hide(monkeypatch, *(name for name in ENGINES if name != package))
    colorizer = Colorizer.load(tiny_checkpoint, onnx=tiny_onnx, precision="fp32")
    assert colorizer.engine.name == ENGINES[package]
    torchs = Colorizer.load(tiny_checkpoint, "cpu", precision="fp32")
    expected, made = torchs.colorize(color_photo), colorizer.colorize(color_photo)
    difference = made.colorized.pixels.astype(int) - expected.colorized.pixels
    assert np.abs(difference).max() <= 1
    np.testing.assert_allclose(made.confidence, expected.confidence, atol=1e-3)
    assert made.suggest(20, 30) == expected.suggest(20, 30)
    assert len(made.alternatives(3)) == len(expected.alternatives(3)) > 1
    expected, made = (each.colorize(color_photo, views=2) for each in (torchs, colorizer))
    difference = made.colorized.pixels.astype(int) - expected.colorized.pixels
    assert np.abs(difference).max() <= 1


def test_torch_is_the_default(tiny_colorizer: Colorizer) -> None:
    assert tiny_colorizer.engine.name == "torch"


@pytest.mark.parametrize("exported", [False, True])
def test_every_precision_paints_the_same_to_the_eye(
    exported: bool,
    tiny_checkpoint: Path,
    color_photo: Photo,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    lightness = color_photo.resized_lightness((192, 256))
    onnx = request.getfixturevalue("tiny_onnx") if exported else None
    computes = not exported or has_bfloat16()  # without, OpenVINO computes in float32
    monkeypatch.setattr("colorizer.inference.engines.has_bfloat16", lambda: True)

    def predict(precision: str) -> tuple[str, Plane]:
        colorizer = Colorizer.load(tiny_checkpoint, "cpu", onnx, precision)
        ab = colorizer.predict([lightness])[0].ab
        assert ab.dtype == np.float32
        return colorizer.precision, ab

    (_, exact), (_, fast) = predict("fp32"), predict("bf16")
    difference = np.hypot(*(fast - exact)).mean()
    assert difference < 0.05 * np.hypot(*exact).mean()
    assert (difference > 0) == computes
    for chosen, expected in (("bf16", fast), ("fp32", exact)):
        monkeypatch.setenv("COLORIZER_PRECISION", chosen)
        name, ab = predict("auto")
        assert name == chosen
        assert np.array_equal(ab, expected)


def test_weights_are_converted_once_without_a_difference(generator: Generator) -> None:
    lightness = 100 * torch.rand(1, 1, 64, 96)
    converted = with_bfloat16_weights(generator)
    assert converted.head.weight.dtype == torch.bfloat16
    assert generator.head.weight.dtype == torch.float32
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        assert torch.equal(converted(lightness).ab, generator(lightness).ab)


def test_only_a_cpu_is_measured(generator: Generator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLORIZER_PRECISION", "bf16")
    assert torch_engine(deepcopy(generator), torch.device("cpu"), "auto").precision == "bf16"
    assert torch_engine(deepcopy(generator), torch.device("meta"), "auto").precision == "fp32"


def test_threads_are_those_of_the_engine_while_it_runs(
    generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def record(self: Generator, lightness: torch.Tensor) -> object:
        seen.append(torch.get_num_threads())
        raise RuntimeError("stop")

    engine = torch_engine(generator, torch.device("cpu"), threads=3)
    monkeypatch.setattr(Generator, "forward", record)
    before = torch.get_num_threads()
    with pytest.raises(RuntimeError, match="stop"):
        engine(np.zeros((32, 32), np.float32))
    assert seen == [3] != [before]
    assert torch.get_num_threads() == before


def test_small_pictures_of_one_size_run_together(
    generator: Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    random, seen = np.random.default_rng(0), list[tuple[int, ...]]()
    sizes = [(160, 160)] * 5 + [(160, 128), (160, 160)] + [(288, 432)] * 2
    pictures = [random.uniform(0, 100, size).astype(np.float32) for size in sizes]
    engine = torch_engine(generator, torch.device("cpu"))
    alone = [engine(picture) for picture in pictures]
    forward = Generator.forward

    def record(self: Generator, lightness: torch.Tensor) -> object:
        seen.append((len(lightness), *lightness.shape[2:]))
        return forward(self, lightness)

    monkeypatch.setattr(Generator, "forward", record)
    together = engine.run(pictures)
    one = (1, 160, 160)
    assert seen == [(4, 160, 160), one, (1, 160, 128), one, (1, 288, 432), (1, 288, 432)]
    for (ab, logits), (other_ab, other_logits) in zip(together, alone, strict=True):
        np.testing.assert_allclose(ab, other_ab, atol=0.01)
        np.testing.assert_allclose(logits, other_logits, atol=0.01)
    assert engine.run([]) == []


def test_no_threads_are_refused(tiny_checkpoint: Path) -> None:
    with pytest.raises(ValueError, match="threads is 0; use at least one"):
        Colorizer.load(tiny_checkpoint, threads=0)


def test_an_unknown_precision_is_refused(tiny_checkpoint: Path) -> None:
    with pytest.raises(ValueError, match="precision is 'fp8'; use one of auto, fp32, bf16"):
        Colorizer.load(tiny_checkpoint, precision="fp8")


def test_which_cpus_have_bfloat16(monkeypatch: pytest.MonkeyPatch) -> None:
    capabilities = {"avx512_bf16": False, "amx_bf16": True}
    monkeypatch.setattr("torch.cpu.get_capabilities", lambda: capabilities, raising=False)
    assert has_bfloat16()
    capabilities["amx_bf16"] = False
    assert not has_bfloat16()
    monkeypatch.delattr("torch.cpu.get_capabilities")
    assert not has_bfloat16()


def test_openvino_goes_first_for_it_is_the_fastest(tiny_onnx: Path, tiny_checkpoint: Path) -> None:
    assert Colorizer.load(tiny_checkpoint, "cpu", tiny_onnx).engine.name == "OpenVINO"


@pytest.mark.parametrize("package", ENGINES)
def test_threads_may_share_it(
    package: str, tiny_onnx: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hide(monkeypatch, *(name for name in ENGINES if name != package))
    engine = file_engine(tiny_onnx, load_checkpoint(tiny_checkpoint), 1)
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
    with pytest.raises(
        EngineError, match=r"a\.onnx is not a file; write it with colorizer export\."
    ):
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
