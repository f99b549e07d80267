"""Metrics: known values."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from tests.conftest import color_pixels
from train.metrics import Lpips, colorfulness, delta_e00, psnr, ssim

LPIPS_WEIGHTS = os.environ.get("COLORIZER_LPIPS_WEIGHTS", "")


def flat(*rgb: int) -> np.ndarray:
    return np.full((16, 16, 3), rgb, np.uint8)


def test_colorfulness_of_gray_is_0() -> None:
    gray = np.repeat(color_pixels(20, 20)[:, :, :1], 3, axis=2)
    assert colorfulness(gray) == pytest.approx(0, abs=1e-9)


def test_colorfulness_of_one_color() -> None:
    """No spread; 0.3 times the mean of (R - G, (R + G) / 2 - B)."""
    expected = 0.3 * (100**2 + (150 - 50) ** 2) ** 0.5
    assert colorfulness(flat(200, 100, 50)) == pytest.approx(expected)


def test_colorfulness_of_two_colors() -> None:
    """Red and green in equal parts: rg is +-255 (spread 255, mean 0), yb is 127.5."""
    pixels = flat(255, 0, 0)
    pixels[:, ::2] = (0, 255, 0)
    assert colorfulness(pixels) == pytest.approx(255 + 0.3 * 127.5)


def test_delta_e00_of_known_colors() -> None:
    assert delta_e00(flat(10, 200, 30), flat(10, 200, 30)) == 0
    assert delta_e00(flat(0, 0, 0), flat(255, 255, 255)) == pytest.approx(100, abs=0.01)
    assert delta_e00(flat(255, 0, 0), flat(0, 255, 0)) == pytest.approx(86.6, abs=0.1)


def test_psnr_of_known_differences() -> None:
    assert psnr(flat(100, 100, 100), flat(110, 110, 110)) == pytest.approx(
        20 * np.log10(255 / 10), abs=1e-6
    )
    assert psnr(flat(0, 0, 0), flat(255, 255, 255)) == pytest.approx(0)


def test_psnr_is_capped() -> None:
    assert psnr(flat(1, 2, 3), flat(1, 2, 3)) == 100


def test_ssim_of_equal_and_different_photos() -> None:
    pixels = color_pixels(32, 32)
    assert ssim(pixels, pixels) == pytest.approx(1)
    assert ssim(pixels, np.ascontiguousarray(pixels[::-1])) < 0.7
    assert ssim(pixels, 255 - pixels) < 0


@pytest.mark.filterwarnings("ignore::UserWarning:torchvision")  # lpips calls it the old way
@pytest.mark.parametrize("kind", ["other", "text", "missing"])
def test_lpips_refuses_a_file_without_its_weights(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "lpips.safetensors"
    if kind == "other":
        save_file({"weight": torch.zeros(3)}, path)
    elif kind == "text":
        path.write_text("no weights")
    with pytest.raises(ValueError, match=r"lpips\.safetensors does not hold LPIPS weights"):
        Lpips(path)


@pytest.mark.filterwarnings("ignore::UserWarning:torchvision")
@pytest.mark.skipif(not LPIPS_WEIGHTS, reason="COLORIZER_LPIPS_WEIGHTS names no weights")
def test_lpips_is_0_for_equal_photos_and_grows() -> None:
    lpips = Lpips(Path(LPIPS_WEIGHTS))
    pixels = color_pixels(64, 64)
    gray = np.repeat(pixels.mean(2, keepdims=True), 3, axis=2).astype(np.uint8)
    half = ((pixels.astype(int) + gray) // 2).astype(np.uint8)
    assert lpips(pixels, pixels) == pytest.approx(0, abs=1e-6)
    assert 0 < lpips(half, pixels) < lpips(gray, pixels)
