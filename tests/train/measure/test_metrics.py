"""Metrics: known values."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from scipy.linalg import sqrtm
from torch import nn
from torchmetrics.functional.classification import binary_calibration_error
from torchmetrics.image import MultiScaleStructuralSimilarityIndexMeasure

from colorizer.imaging.color import lab_to_rgb
from tests.helpers.photos import color_pixels
from train.measure.calibration import Calibration, colors_right
from train.measure.metrics import colorfulness, delta_e00, ms_ssim_ab, psnr, ssim
from train.measure.networks import Inception, Lpips, frechet_distance

LPIPS_WEIGHTS = os.environ.get("COLORIZER_LPIPS_WEIGHTS", "")
SaveScript = Callable[[nn.Module], Path]


class Means(nn.Module):
    """Three features: the means of the channels."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        assert x.shape[1:] == (3, 299, 299)
        return x.mean((2, 3))


class StyleganMeans(nn.Module):
    """The same, called as StyleGAN's Inception is."""

    def forward(self, img: torch.Tensor, return_features: bool = False) -> torch.Tensor:
        features = ((img - 128) / 128).mean((2, 3))
        return features if return_features else features.softmax(1)


class Planes(nn.Module):
    """No features, but a picture."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x


@pytest.fixture
def save_script(tmp_path: Path) -> SaveScript:
    def save(network: nn.Module) -> Path:
        path = tmp_path / "inception.pt"
        torch.jit.save(torch.jit.script(network), path)
        return path

    return save


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


@pytest.mark.parametrize("kind", ["other", "text", "missing"])
@pytest.mark.slow
def test_lpips_refuses_a_file_without_its_weights(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "lpips.safetensors"
    if kind == "other":
        save_file({"weight": torch.zeros(3)}, path)
    elif kind == "text":
        path.write_text("no weights")
    with pytest.raises(ValueError, match=r"lpips\.safetensors does not hold LPIPS weights"):
        Lpips(path)


@pytest.mark.skipif(not LPIPS_WEIGHTS, reason="COLORIZER_LPIPS_WEIGHTS names no weights")
def test_lpips_is_0_for_equal_photos_and_grows() -> None:
    lpips = Lpips(Path(LPIPS_WEIGHTS))
    pixels = color_pixels(64, 64)
    gray = np.repeat(pixels.mean(2, keepdims=True), 3, axis=2).astype(np.uint8)
    half = ((pixels.astype(int) + gray) // 2).astype(np.uint8)
    assert lpips(pixels, pixels) == pytest.approx(0, abs=1e-6)
    assert 0 < lpips(half, pixels) < lpips(gray, pixels)


@pytest.mark.filterwarnings("ignore:`torch.jit:")
@pytest.mark.parametrize("network", [Means(), StyleganMeans()])
def test_inception_scales_levels_for_both_kinds(network, save_script: SaveScript) -> None:
    path = save_script(network)
    inception = Inception(path)
    expected = [(level - 128) / 128 for level in (0, 64, 255)]
    assert inception(flat(0, 64, 255)).tolist() == pytest.approx(expected, abs=1e-5)
    assert inception.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.filterwarnings("ignore:`torch.jit:")
def test_inception_sees_the_center_of_a_photo(save_script: SaveScript) -> None:
    pixels = np.zeros((40, 120, 3), np.uint8)
    pixels[:, 38:82] = 255
    assert Inception(save_script(Means()))(pixels).min() > 0.95


@pytest.mark.filterwarnings("ignore:`torch.jit:")
def test_inception_refuses_other_files(save_script: SaveScript, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"gives \(3, 299, 299\) values for a photo"):
        Inception(save_script(Planes()))
    with pytest.raises(ValueError, match=r"none\.pt can't be read"):
        Inception(tmp_path / "none.pt")
    (tmp_path / "text.pt").write_text("no network")
    with pytest.raises(ValueError, match=r"text\.pt is no TorchScript of an Inception"):
        Inception(tmp_path / "text.pt")


def test_frechet_distance_is_the_formula_s() -> None:
    """Heusel et al. 2017, eq. 6, with scipy's matrix root."""
    torch.manual_seed(0)
    reference = torch.randn(50, 6).double()
    features = 0.7 * reference + 0.4 * torch.randn(50, 6) + 0.2
    first, second = (np.cov(rows.numpy().T) for rows in (features, reference))
    distance = float((features.mean(0) - reference.mean(0)).square().sum())
    expected = distance + np.trace(first + second - 2 * sqrtm(first @ second).real)
    assert frechet_distance(features, reference) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(reference, reference) == pytest.approx(0, abs=1e-6)


def test_frechet_distance_of_fewer_photos_than_features() -> None:
    """A shift alone: its squared length."""
    torch.manual_seed(0)
    features = torch.rand(5, 40)
    assert frechet_distance(features + 0.5, features) == pytest.approx(40 * 0.25, rel=1e-4)


def test_frechet_distance_needs_two_photos() -> None:
    with pytest.raises(ValueError, match="at least two photos"):
        frechet_distance(torch.rand(1, 4), torch.rand(1, 4))


def lab_pixels(a: float, b: float) -> np.ndarray:
    """A photo of 8 x 8 pixels and lightness 60 in one color."""
    rgb = lab_to_rgb(torch.tensor([60.0, a, b])[:, None, None].expand(3, 8, 8))
    return (rgb * 255).round().byte().permute(1, 2, 0).numpy()


@pytest.mark.parametrize(("a", "b", "right"), [(7, 6, True), (9, 0, True), (8, 8, False)])
def test_colors_are_right_within_10_units(a: float, b: float, right: bool) -> None:
    """Euclidean: (8, 8) is 11.3 away."""
    found = colors_right(lab_pixels(10 + a, b - 5), lab_pixels(10, -5), (4, 2))
    assert found.shape == (4, 2)
    assert (found == right).all()


def test_colors_are_compared_after_shrinking() -> None:
    """Stripes that are wrong one by one have the right mean."""
    truth, output = lab_pixels(0, 0), lab_pixels(15, 0)
    output[:, ::2] = lab_pixels(-15, 0)[:, ::2]
    assert not colors_right(output, truth, (8, 8)).any()
    assert colors_right(output, truth, (4, 4)).all()


def random_confidence() -> np.ndarray:
    return np.random.default_rng(0).random((400, 500), np.float32)


def test_calibration_of_an_honest_network_has_no_error() -> None:
    """It is right as often as it says."""
    confidence = random_confidence()
    calibration = Calibration()
    calibration.add(confidence, np.random.default_rng(1).random(confidence.shape) < confidence)
    summary = calibration.summary()
    assert summary["ece"] < 0.01
    assert summary["pixels"] == confidence.size
    assert len(summary["bins"]) == 15
    for found in summary["bins"]:
        assert found["from"] <= found["confidence"] <= found["to"]
        assert found["accuracy"] == pytest.approx(found["confidence"], abs=0.02)


def test_calibration_of_an_overconfident_network() -> None:
    """Always sure, right every other time; 1 lies in the last bin."""
    calibration = Calibration()
    for right in (True, False):
        calibration.add(np.ones((10, 10), np.float32), np.full((10, 10), right))
    summary = calibration.summary()
    assert summary["ece"] == 0.5
    assert (summary["confidence"], summary["accuracy"]) == (1, 0.5)
    assert summary["bins"] == [
        {"from": pytest.approx(14 / 15), "to": 1, "pixels": 200, "confidence": 1, "accuracy": 0.5}
    ]


def test_calibration_agrees_with_torchmetrics() -> None:
    confidence = random_confidence()
    right = np.random.default_rng(1).random(confidence.shape) < confidence**2
    calibration = Calibration()
    for rows in (slice(0, 100), slice(100, 400)):
        calibration.add(confidence[rows], right[rows])
    expected = binary_calibration_error(
        torch.from_numpy(confidence).flatten(), torch.from_numpy(right).flatten().int(), n_bins=15
    )
    assert calibration.summary()["ece"] == pytest.approx(float(expected), abs=1e-5)


def test_ms_ssim_of_ab() -> None:
    random = np.random.default_rng(0)
    for side in (32, 64, 128, 200):  # two to five scales
        truth = random.uniform(-60, 60, (side, side, 2)).astype(np.float32)
        noisy = (truth + random.normal(0, 10, truth.shape)).astype(np.float32)
        noisier = (truth + random.normal(0, 40, truth.shape)).astype(np.float32)
        assert ms_ssim_ab(truth, truth) == pytest.approx(1, abs=1e-4)
        assert 0 < ms_ssim_ab(noisier, truth) < ms_ssim_ab(noisy, truth) < 1


def test_ms_ssim_is_that_of_torchmetrics_on_scaled_planes() -> None:
    random = np.random.default_rng(1)
    truth, output = (random.uniform(-90, 90, (192, 208, 2)).astype(np.float32) for _ in range(2))
    planes = [torch.from_numpy((ab + 128) / 255).permute(2, 0, 1)[None] for ab in (output, truth)]
    expected = MultiScaleStructuralSimilarityIndexMeasure(data_range=1.0)(*planes)
    assert ms_ssim_ab(output, truth) == pytest.approx(float(expected), rel=1e-3)
