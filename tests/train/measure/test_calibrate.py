"""Calibration: confidence that is off gets a scaling that mends it, in the checkpoint."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from colorizer import Colorizer, Photo
from colorizer.checkpoints.checkpoint import CONFIG_FILE
from colorizer.inference.colorization import scale_confidence
from tests.helpers.photos import color_pixels
from train.calibrate import main
from train.measure.calibrate import PixelSample, calibrate, fit


def drawn(share_right: float, confidence: float, count: int = 10_000) -> PixelSample:
    """Pixels of one confidence, of which a share is right."""
    right = np.arange(count) < share_right * count
    return PixelSample(np.full(count, confidence, np.float32), right)


def join(*parts: PixelSample) -> PixelSample:
    return PixelSample(*(np.concatenate(values) for values in zip(*parts, strict=True)))


def test_what_is_right_as_often_as_it_says_needs_no_scaling() -> None:
    pixels = join(drawn(0.2, 0.2), drawn(0.5, 0.5), drawn(0.9, 0.9))
    assert fit(pixels) == pytest.approx((1, 0), abs=0.01)


def test_the_fit_mends_confidence_that_is_too_low() -> None:
    pixels = join(drawn(0.45, 0.2), drawn(0.7, 0.4), drawn(0.2, 0.07))
    assert pixels.error() > 0.2
    scaled = scale_confidence(pixels.confidence, *fit(pixels))
    assert pixels._replace(confidence=scaled).error() < 0.05


@pytest.fixture
def checkpoint(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "checkpoint"))


def test_the_scaling_goes_into_the_checkpoint(checkpoint: Path, photo_folder: Path) -> None:
    photo = Photo(color_pixels(48, 64))
    before = Colorizer.load(checkpoint, "cpu").colorize(photo)
    found = calibrate(checkpoint, [str(photo_folder)])
    assert found["after"] < found["before"]
    config = json.loads((checkpoint / CONFIG_FILE).read_text())
    assert config["generator"]["confidence"] == [found["slope"], found["offset"]]
    after = Colorizer.load(checkpoint, "cpu").colorize(photo)
    expected = scale_confidence(before.confidence, found["slope"], found["offset"])
    assert np.allclose(after.confidence, expected, atol=1e-4)
    assert np.array_equal(after.colorized.pixels, before.colorized.pixels)


def test_calibrating_again_changes_little(checkpoint: Path, photo_folder: Path) -> None:
    first = calibrate(checkpoint, [str(photo_folder)])
    second = calibrate(checkpoint, [str(photo_folder)])
    assert second["before"] == pytest.approx(first["after"], abs=0.01)
    assert second["slope"] == pytest.approx(first["slope"], rel=0.05)
    assert second["offset"] == pytest.approx(first["offset"], abs=0.1)


def test_one_photo_is_too_few(
    checkpoint: Path, photo_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (checkpoint / CONFIG_FILE).read_bytes()
    assert main([str(checkpoint), "--data", str(photo_folder), "--limit", "1"]) == 1
    assert "Calibration needs at least two photos" in capsys.readouterr().err
    assert (checkpoint / CONFIG_FILE).read_bytes() == before


def test_the_command_prints_what_it_found(
    checkpoint: Path, photo_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(checkpoint), "--data", str(photo_folder), "--limit", "4"]) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"slope", "offset", "before", "after"}
