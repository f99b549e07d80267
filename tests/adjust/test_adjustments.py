"""Post-processing: nothing by default; each setting does what its name says."""

from dataclasses import fields
from itertools import groupby

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from colorizer import PRESETS, Adjustments, Photo
from colorizer.adjust.color import adjust_color
from colorizer.adjust.restoration import copy_size
from colorizer.adjust.tone import ToneAdjuster
from colorizer.imaging.bands import bands
from colorizer.imaging.color import lightness_to_gray, srgb_to_linear
from colorizer.imaging.resampling import resize
from tests.helpers.photos import color_pixels

Plane = NDArray[np.float32]
SETTINGS = [item.name for item in fields(Adjustments)]
HALF_TONE = [  # each setting of lightness at half strength
    {"exposure": 1},
    {"exposure": -1},
    {"contrast": 50},
    {"contrast": -50},
    {"gamma": 1.5},
    {"gamma": 0.75},
    {"luma_noise": 0.5},
    {"dust": 0.5},
    {"local_contrast": 0.5},
    {"sharpness": 1},
]


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


class OfLightness(Photo):
    """A photo of exactly this lightness, which no pixels round."""

    def __init__(self, lightness: Plane) -> None:
        self._lightness = lightness

    @property
    def size(self) -> tuple[int, int]:
        height, width = self._lightness.shape
        return height, width

    def resized_lightness(self, size: tuple[int, int]) -> Plane:
        return resize(self._lightness, size)


def adjust_tone(lightness: Plane, settings: Adjustments) -> Plane:
    """Adjusted L* of a photo, band by band."""
    height, width = lightness.shape
    tone = ToneAdjuster(OfLightness(lightness), settings)
    return np.concatenate([tone.band(rows, lightness[rows]) for rows in bands((height, width))])


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
    Adjustments(**{item.name: low})
    Adjustments(**{item.name: high})


@pytest.mark.parametrize("item", fields(Adjustments), ids=lambda item: item.name)
def test_sliders_reach_both_ends_and_the_default_in_whole_steps(item) -> None:
    low, high = item.metadata["range"]
    for value in (item.default, high):
        steps = (value - low) / item.metadata["step"]
        assert steps == pytest.approx(round(steps))


def test_sliders_of_a_group_stand_together() -> None:
    groups = [group for group, _ in groupby(item.metadata["group"] for item in fields(Adjustments))]
    assert groups == ["color", "tone", "noise", "detail"]


@pytest.mark.parametrize("name", SETTINGS)
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
@pytest.mark.parametrize("name", SETTINGS)
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


@pytest.mark.parametrize("end", [0, 1], ids=["low", "high"])
@pytest.mark.parametrize("item", fields(Adjustments), ids=lambda item: item.name)
def test_sliders_start_smoothly(item, end: int, ab: Plane, lightness: Plane) -> None:
    """A hundredth of the way is hardly seen: no jump beside the default."""
    towards = item.metadata["range"][end]
    settings = Adjustments(**{item.name: item.default + 0.01 * (towards - item.default)})
    assert np.abs(adjust_color(ab, lightness, settings) - ab).max() < 1
    assert np.abs(adjust_tone(lightness, settings) - lightness).max() < 1


def luminance(lightness: Plane) -> Plane:
    return srgb_to_linear(lightness_to_gray(torch.from_numpy(lightness))).numpy()


@pytest.fixture
def ramp() -> Plane:
    """L* from 0 to 100 in one row."""
    return np.linspace(0, 100, 1001, dtype=np.float32)[None]


@pytest.mark.parametrize("stops", [-2, -1, -0.5, 0.5, 1, 2])
def test_exposure_is_in_stops(stops: float, ramp: Plane) -> None:
    exposed = luminance(adjust_tone(ramp, Adjustments(exposure=stops)))
    wanted = luminance(ramp) * 2**stops
    linear = wanted < 0.49  # above it highlights roll off
    assert np.allclose(exposed[linear], wanted[linear], atol=1e-4)
    assert (exposed <= wanted + 1e-4).all()


def test_exposure_rolls_highlights_off() -> None:
    """Where scaling would clip the upper half, steps stay apart up to white."""
    highlights = np.linspace(76, 100, 25, dtype=np.float32)[None]
    exposed = adjust_tone(highlights, Adjustments(exposure=1))
    assert exposed[0, -1] == pytest.approx(100, abs=0.01)
    assert np.diff(exposed).min() > 0.2
    kinks = np.abs(
        np.diff(
            adjust_tone(np.linspace(0, 100, 401, dtype=np.float32)[None], Adjustments(exposure=1)),
            n=2,
        )
    )
    assert kinks[0, 40:].max() < 0.02


def test_more_exposure_is_nowhere_darker(ramp: Plane) -> None:
    stops = np.arange(-2, 2.01, 0.1).clip(-2, 2)
    exposed = [adjust_tone(ramp, Adjustments(exposure=value)) for value in stops]
    assert np.diff(np.stack(exposed), axis=0).min() > -0.01
    assert min(np.diff(curve).min() for curve in exposed) >= 0


@pytest.mark.parametrize(("gamma", "middle"), [(2, 70.71), (1.25, 57.43), (0.5, 25)])
def test_gamma_moves_the_middle(gamma: float, middle: float, ramp: Plane) -> None:
    curve = adjust_tone(ramp, Adjustments(gamma=gamma))[0]
    assert curve[[0, 500, 1000]].tolist() == pytest.approx([0, middle, 100], abs=0.01)
    assert np.diff(curve).min() >= 0


def colors(*chroma: float, hue: float) -> Plane:
    """One row of colors, (2, 1, n)."""
    angle = np.radians(hue)
    return np.stack([np.array([chroma]) * turn(angle) for turn in (np.cos, np.sin)]).astype(
        np.float32
    )


def gains(ab: Plane, vibrance: float) -> list[float]:
    lightness = np.full(ab.shape[1:], 60, np.float32)
    changed = adjust_color(ab, lightness, Adjustments(vibrance=vibrance))
    return (np.hypot(*changed) / np.hypot(*ab))[0].tolist()


def test_vibrance_raises_weak_colors_and_spares_strong_ones() -> None:
    weak, middle, strong = gains(colors(5, 30, 90, hue=250), 1)
    assert weak > 1.9
    assert weak > middle > strong
    assert strong < 1.15
    weak, middle, strong = gains(colors(5, 30, 90, hue=250), -1)
    assert weak < 0.1
    assert strong > 0.85


def test_vibrance_spares_skin() -> None:
    assert gains(colors(20, hue=50), 1)[0] < 1.25
    assert gains(colors(20, hue=140), 1)[0] > 1.6


@pytest.mark.parametrize("vibrance", [-1, -0.5, 0.5, 1])
def test_vibrance_keeps_the_order_of_colors(vibrance: float) -> None:
    ab = colors(*range(1, 110), hue=250)
    changed = adjust_color(
        ab, np.full(ab.shape[1:], 60, np.float32), Adjustments(vibrance=vibrance)
    )
    assert np.diff(np.hypot(*changed)).min() > 0
    assert np.allclose(np.arctan2(*changed), np.arctan2(*ab), atol=1e-5)


def test_tint_goes_from_green_to_magenta(ab: Plane, lightness: Plane) -> None:
    magenta = adjust_color(ab, lightness, Adjustments(tint=50)) - ab
    green = adjust_color(ab, lightness, Adjustments(tint=-50)) - ab
    assert magenta[0].min() > 5
    assert green[0].max() < -5
    assert np.abs(magenta[1]).max() < 1e-3  # neither colder nor warmer


def test_presets(ab: Plane, lightness: Plane) -> None:
    names = ["natural", "vivid", "portrait", "faded_print", "strong_restoration"]
    assert list(PRESETS) == names
    assert PRESETS["natural"] == Adjustments()
    for name in names[1:]:
        color = adjust_color(ab, lightness, PRESETS[name])
        tone = adjust_tone(lightness, PRESETS[name])
        assert 0.5 < np.abs(color - ab).mean() + np.abs(tone - lightness).mean() < 20


@pytest.fixture(scope="module")
def large() -> Plane:
    """A photo with grain, specks and a scratch, 300 x 400: nine copies of 100 x 133 large."""
    random = np.random.default_rng(4)
    lightness = Photo(color_pixels(300, 400)).lightness + random.normal(0, 2, (300, 400))
    lightness[random.integers(0, 300, 40), random.integers(0, 400, 40)] = 95
    lightness[:, 200] += 25
    return lightness.clip(0, 100).astype(np.float32)


@pytest.mark.parametrize("setting", HALF_TONE, ids=str)
def test_bands_leave_no_seams(setting: dict[str, float], large: Plane, monkeypatch) -> None:
    """In bands of a few rows it gives what it gives for the whole."""
    monkeypatch.setattr("colorizer.adjust.restoration.COPY_PIXELS", large.size // 9)
    whole = adjust_tone(large, Adjustments(**setting))
    monkeypatch.setattr("colorizer.imaging.bands.BAND_PIXELS", 400 * 7)
    np.testing.assert_allclose(adjust_tone(large, Adjustments(**setting)), whole, atol=0.01)


@pytest.mark.parametrize("setting", HALF_TONE, ids=str)
def test_a_preview_looks_like_the_full_photo(setting, large: Plane, monkeypatch) -> None:
    monkeypatch.setattr("colorizer.adjust.restoration.COPY_PIXELS", large.size // 9)
    preview = adjust_tone(resize(large, copy_size(large.shape)), Adjustments(**setting))
    full = resize(adjust_tone(large, Adjustments(**setting)), preview.shape)
    assert np.abs(preview - full).mean() < 0.5
    assert abs(float((preview - full).mean())) < 0.2
