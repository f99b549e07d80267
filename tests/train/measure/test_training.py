"""Losses in training: found beside a checkpoint or above it, unknown otherwise."""

import json
from dataclasses import asdict
from pathlib import Path

from tests.helpers.training import settings
from train.measure.training import losses_of
from train.settings.config import SETTINGS_FILE


def test_losses_are_read_beside_or_above_a_checkpoint(tmp_path: Path) -> None:
    weights = {"delta_e_weight": 1.0, "ms_ssim_weight": 1.0, "perceptual_weight": 2.0}
    config = settings("x", tmp_path, perceptual_weights="w", **weights)
    (tmp_path / SETTINGS_FILE).write_text(json.dumps(asdict(config)))
    (tmp_path / "best").mkdir()
    assert losses_of(str(tmp_path)) == ["delta_e00", "lpips", "ms_ssim_ab"]
    assert losses_of(str(tmp_path / "best")) == ["delta_e00", "lpips", "ms_ssim_ab"]


def test_unknown_and_broken_settings(tmp_path: Path) -> None:
    assert losses_of(str(tmp_path / "none" / "checkpoint")) is None
    (tmp_path / SETTINGS_FILE).write_text("[]")
    assert losses_of(str(tmp_path)) is None


def test_no_measure_was_a_loss(tmp_path: Path) -> None:
    (tmp_path / SETTINGS_FILE).write_text(json.dumps(asdict(settings("x", tmp_path))))
    assert losses_of(str(tmp_path)) == []
