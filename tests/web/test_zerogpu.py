"""ZeroGPU, with a stand-in for the package that Spaces install there."""

import pickle
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from colorizer import Colorizer, Photo
from colorizer.inference.faces import Face
from colorizer.web.server import zerogpu
from colorizer.web.server.models import Models
from colorizer.web.server.zerogpu import lend_gpu


class Lender:
    """Decorates as `spaces.GPU` does on ZeroGPU: what goes in and comes out is pickled.

    Attributes:
        durations: seconds that were asked for.
        sizes: bytes that went in and came out of each call.
    """

    def __init__(self) -> None:
        self.durations: list[int] = []
        self.sizes: list[tuple[int, int]] = []

    def GPU(self, duration: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        self.durations.append(duration)

        def decorate(task: Callable[..., Any]) -> Callable[..., Any]:
            def in_worker(*args: Any) -> Any:
                given = pickle.dumps(args)
                made = pickle.dumps(task(*pickle.loads(given)))
                self.sizes.append((len(given), len(made)))
                return pickle.loads(made)

            return in_worker

        return decorate


@pytest.fixture
def lender(monkeypatch: pytest.MonkeyPatch) -> Lender:
    lender = Lender()
    monkeypatch.setattr(zerogpu, "spaces", lender)
    return lender


@pytest.mark.slow
def test_the_network_runs_on_the_lent_gpu(tiny_checkpoint: Path, lender: Lender) -> None:
    models = Models(str(tiny_checkpoint), "cpu")
    assert lender.durations == [zerogpu.SECONDS]
    assert zerogpu.SECONDS <= 15
    photo = Photo(np.random.default_rng(0).integers(0, 256, (240, 320, 1), np.uint8), "PNG")
    result = models.get("").colorize(photo)
    expected = Colorizer.load(tiny_checkpoint, "cpu").colorize(photo)
    np.testing.assert_array_equal(result.colorized.pixels, expected.colorized.pixels)
    np.testing.assert_array_equal(result.confidence, expected.confidence)
    (given, _made), *others = lender.sizes
    assert others == []
    lightness = 4 * 192 * 256
    assert lightness < given < lightness + 1000  # neither the photo nor the weights


def test_a_crowd_takes_the_gpu_twice(
    tiny_checkpoint: Path, color_photo: Photo, lender: Lender, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces = [Face(20.0 * column, 10, 5, 6, 0.9) for column in range(4)]
    monkeypatch.setattr("colorizer.inference.colorizer.find_faces", lambda photo: faces)
    Models(str(tiny_checkpoint), "cpu").get("").colorize(color_photo)
    assert len(lender.sizes) == 2


def test_hints_need_no_gpu(tiny_checkpoint: Path, color_photo: Photo, lender: Lender) -> None:
    result = Models(str(tiny_checkpoint), "cpu").get("").colorize(color_photo)
    result.with_hints([]).alternatives(2)
    assert len(lender.sizes) == 1


def test_later_models_stay_on_the_cpu(
    tiny_checkpoint: Path, lender: Lender, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = Models(str(tiny_checkpoint), "cpu")
    models.replace_default(str(tiny_checkpoint), None)
    assert models.get("").engine.device == torch.device("cpu")
    assert models.get("").engine.run([]) == []
    assert lender.sizes == []


@pytest.mark.parametrize("package", [None, SimpleNamespace(GPU=lambda duration: lambda task: task)])
def test_elsewhere_nothing_changes(
    package: object, tiny_colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zerogpu, "spaces", package)
    assert lend_gpu(tiny_colorizer.engine) is tiny_colorizer.engine
