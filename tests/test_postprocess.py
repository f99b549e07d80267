"""Post-processing: nothing by default; each setting does what its name says."""

from dataclasses import fields

import numpy as np
import pytest
from numpy.typing import NDArray

from colorizer import Adjustments
from colorizer.postprocess import NOT_YET, adjust_color, adjust_tone

Plane = NDArray[np.float32]
WORKING = [item.name for item in fields(Adjustments) if item.name not in NOT_YET]


@pytest.fixture
def lightness() -> Plane:
    """A smooth plane with some grain, L* 10 to 90."""
    random = np.random.default_rng(0)
    ramp = np.linspace(15, 85, 64 * 48).reshape(64, 48)
    return (ramp + random.normal(0, 1.5, ramp.shape)).clip(0, 100).astype(np.float32)


@pytest.fixture
def ab() -> Plane:
    """Two colors with some noise."""
    random = np.random.default_rng(1)
    planes = np.empty((2, 64, 48))
    planes[0], planes[1] = 20, np.linspace(-15, 30, 64)[:, None]
    return (planes + random.normal(0, 3, planes.shape)).astype(np.float32)


def chroma(ab: Plane) -> float:
    return float(np.hypot(*ab).mean())


def roughness(plane: Plane) -> float:
    """Mean difference of neighbors, at one pixel's distance."""
    return float(np.abs(np.diff(plane, axis=-1)).mean() + np.abs(np.diff(plane, axis=-2)).mean())


def test_the_defaults_change_nothing(ab: Plane, lightness: Plane) -> None:
    assert np.array_equal(adjust_color(ab, lightness, Adjustments()), ab)
    assert np.array_equal(adjust_tone(lightness, Adjustments()), lightness)


@pytest.mark.parametrize("item", fields(Adjustments), ids=lambda item: item.name)
def test_every_setting_keeps_to_its_range(item) -> None:
    low, high = item.metadata["range"]
    assert low <= item.default <= high
    for value in (low - 0.01, high + 0.01, float("nan"), float("inf")):
        with pytest.raises(ValueError, match=rf"{item.name} is .*; it goes from {low} to {high}\."):
            Adjustments(**{item.name: value})
    if item.name in WORKING:
        Adjustments(**{item.name: low})
        Adjustments(**{item.name: high})


@pytest.mark.parametrize("name", NOT_YET)
def test_settings_to_come_say_so(name: str) -> None:
    high = Adjustments.__dataclass_fields__[name].metadata["range"][1]
    with pytest.raises(ValueError, match=f"{name} is not available yet; leave it at"):
        Adjustments(**{name: high})


@pytest.mark.parametrize("name", WORKING)
def test_inputs_are_not_changed(name: str, ab: Plane, lightness: Plane) -> None:
    settings = Adjustments(**{name: Adjustments.__dataclass_fields__[name].metadata["range"][1]})
    ab_before, lightness_before = ab.copy(), lightness.copy()
    color, tone = adjust_color(ab, lightness, settings), adjust_tone(lightness, settings)
    assert np.array_equal(ab, ab_before)
    assert np.array_equal(lightness, lightness_before)
    assert color.dtype == tone.dtype == np.float32
    assert color.shape == ab.shape
    assert tone.shape == lightness.shape


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (3, 2)])
@pytest.mark.parametrize("end", [0, 1], ids=["low", "high"])
@pytest.mark.parametrize("name", WORKING)
def test_every_setting_works_on_the_smallest_sizes(
    name: str, end: int, size: tuple[int, int]
) -> None:
    random = np.random.default_rng(0)
    settings = Adjustments(**{name: Adjustments.__dataclass_fields__[name].metadata["range"][end]})
    lightness = random.uniform(0, 100, size).astype(np.float32)
    color = adjust_color(
        random.uniform(-50, 50, (2, *size)).astype(np.float32), lightness, settings
    )
    tone = adjust_tone(lightness, settings)
    assert color.shape == (2, *size)
    assert tone.shape == size
    assert np.isfinite(color).all()
    assert np.isfinite(tone).all()


def test_strength_scales_down_to_gray(ab: Plane, lightness: Plane) -> None:
    assert not adjust_color(ab, lightness, Adjustments(strength=0)).any()
    half = adjust_color(ab, lightness, Adjustments(strength=0.5))
    assert np.allclose(half, ab / 2)


@pytest.mark.parametrize(
    "other", [{"temperature": 100}, {"auto_white_balance": 1}, {"saturation": 2}]
)
def test_strength_0_is_gray_whatever_else(other: dict[str, float], ab, lightness) -> None:
    assert not adjust_color(ab, lightness, Adjustments(strength=0, **other)).any()


def test_saturation_is_a_factor(ab: Plane, lightness: Plane) -> None:
    more = adjust_color(ab, lightness, Adjustments(saturation=1.5))
    assert np.allclose(more, 1.5 * ab)
    assert not adjust_color(ab, lightness, Adjustments(saturation=0)).any()


def test_temperature_goes_from_blue_to_yellow(ab: Plane, lightness: Plane) -> None:
    warm = adjust_color(ab, lightness, Adjustments(temperature=50)) - ab
    cold = adjust_color(ab, lightness, Adjustments(temperature=-50)) - ab
    assert warm[1].min() > 5
    assert cold[1].max() < -5
    assert np.abs(warm[0]).max() < 1e-3  # neither green nor magenta


def test_white_balance_removes_a_cast(lightness: Plane) -> None:
    """A mostly gray scene with a yellow cast and one red thing: the cast goes, the red stays."""
    ab = np.zeros((2, 64, 48), np.float32)
    ab[0, :10, :10] = 50
    cast = ab + np.array([2, 12], np.float32).reshape(2, 1, 1)
    full = adjust_color(cast, lightness, Adjustments(auto_white_balance=1))
    half = adjust_color(cast, lightness, Adjustments(auto_white_balance=0.5))
    assert np.abs(full - ab).max() < 0.5
    assert np.abs(half - (ab + cast) / 2).max() < 0.5


def test_white_balance_leaves_a_neutral_photo_alone(lightness: Plane) -> None:
    ab = np.zeros((2, 64, 48), np.float32)
    ab[0, :10, :10] = 50
    balanced = adjust_color(ab, lightness, Adjustments(auto_white_balance=1))
    assert np.allclose(balanced, ab)


def test_chroma_noise_is_reduced(ab: Plane, lightness: Plane) -> None:
    rough = roughness(ab)
    some = adjust_color(ab, lightness, Adjustments(chroma_noise=0.3))
    much = adjust_color(ab, lightness, Adjustments(chroma_noise=1))
    assert roughness(much) < 0.3 * rough
    assert roughness(much) < roughness(some) < rough
    assert chroma(much) > 0.8 * chroma(ab)


def test_luma_noise_is_reduced_and_edges_stay(lightness: Plane) -> None:
    edge = lightness.copy()
    edge[:, :24] = 15 + lightness[:, :24] / 20
    edge[:, 24:] = 80 + lightness[:, 24:] / 20
    grain = np.random.default_rng(2).normal(0, 1.5, edge.shape).astype(np.float32)
    smooth = adjust_tone(edge + grain, Adjustments(luma_noise=1))
    assert roughness(smooth[:, 26:]) < 0.6 * roughness((edge + grain)[:, 26:])
    assert (smooth[:, 25] - smooth[:, 22]).min() > 40
    assert abs(float(smooth.mean() - edge.mean())) < 0.5


@pytest.mark.parametrize("contrast", range(-100, 101, 20))
def test_contrast_is_monotone_and_keeps_the_ends(contrast: int) -> None:
    ramp = np.linspace(0, 100, 1001, dtype=np.float32)[None]
    curve = adjust_tone(ramp, Adjustments(contrast=contrast))[0]
    assert np.diff(curve).min() >= -1e-3
    assert curve[[0, 500, 1000]].tolist() == pytest.approx([0, 50, 100], abs=1e-3)


def test_contrast_spreads_or_gathers_tones(lightness: Plane) -> None:
    more = adjust_tone(lightness, Adjustments(contrast=50))
    less = adjust_tone(lightness, Adjustments(contrast=-50))
    assert less.std() < lightness.std() < more.std()


def test_local_contrast_brings_out_flat_detail() -> None:
    random = np.random.default_rng(0)
    flat = (50 + 3 * random.standard_normal((128, 128))).astype(np.float32)
    strong = adjust_tone(flat, Adjustments(local_contrast=1))
    weak = adjust_tone(flat, Adjustments(local_contrast=0.3))
    assert strong.std() > weak.std() > 1.05 * flat.std()
    assert strong.min() >= 0
    assert strong.max() <= 100


def test_a_whisper_of_local_contrast_is_nearly_nothing(lightness: Plane) -> None:
    """Sliders start smoothly: no jump between 0 and the first step."""
    changed = adjust_tone(lightness, Adjustments(local_contrast=0.01))
    assert np.abs(changed - lightness).max() < 1


@pytest.mark.parametrize("name", ["chroma_noise", "luma_noise", "auto_white_balance"])
def test_the_other_sliders_start_smoothly_too(name: str, ab: Plane, lightness: Plane) -> None:
    settings = Adjustments(**{name: 0.01})
    assert np.abs(adjust_color(ab, lightness, settings) - ab).max() < 1
    assert np.abs(adjust_tone(lightness, settings) - lightness).max() < 1


def test_grain_reduction_has_no_seams(monkeypatch) -> None:
    """In bands of a few rows it gives what it gives for the whole."""
    plane = np.random.default_rng(3).uniform(0, 100, (200, 60)).astype(np.float32)
    whole = adjust_tone(plane, Adjustments(luma_noise=0.7))
    monkeypatch.setattr("colorizer.bands.BAND_PIXELS", 60 * 7)
    banded = adjust_tone(plane, Adjustments(luma_noise=0.7))
    np.testing.assert_allclose(banded, whole, atol=0.01)
