"""The bundled checkpoint: its files agree, and it has learned what it should."""

import json

import numpy as np
import pytest

from colorizer import ColorHint, Colorizer, Photo
from colorizer.checkpoints.checkpoint import bundled_checkpoint
from tests.helpers.bundled import colorize, mean_ab
from tests.helpers.paths import EXAMPLES

MAX_BYTES = 64_000_000


@pytest.fixture(scope="module")
def colorizer() -> Colorizer:
    return Colorizer.load()


@pytest.mark.slow
def test_the_report_is_about_these_weights(colorizer: Colorizer) -> None:
    report = json.loads((bundled_checkpoint() / "report.json").read_text())
    assert report["sha256"] == colorizer.checkpoint.sha256
    assert report["working_size"] == colorizer.checkpoint.working_size
    assert report["ratios"]["lpips_of_gray"] <= 0.69
    assert report["ratios"]["delta_e00_of_gray"] <= 0.905
    assert report["ratios"]["cf_of_truth"] >= 0.62
    assert (bundled_checkpoint() / "model.safetensors").stat().st_size <= MAX_BYTES


def test_skin_is_warm(colorizer: Colorizer) -> None:
    a, b = mean_ab(colorize(colorizer, "portrait.jpg"), 0.43, 0.27)
    assert 5 < a < 35
    assert 5 < b < 35


@pytest.mark.slow
def test_grass_is_green_and_the_sky_is_not(colorizer: Colorizer) -> None:
    result = colorize(colorizer, "meadow.jpg")
    a, b = mean_ab(result, 0.4, 0.85)
    assert a < -2
    assert b > 8
    assert mean_ab(result, 0.3, 0.06)[1] < 4


@pytest.mark.parametrize("name", ["aged.jpg", "bee.jpg", "portrait.jpg", "street.jpg"])
@pytest.mark.slow
def test_lightness_is_the_input_s(colorizer: Colorizer, name: str) -> None:
    result = colorize(colorizer, name)
    difference = np.abs(result.colorized.lightness - result.photo.lightness)
    assert difference.mean() <= 0.5
    assert difference.max() <= 2


@pytest.mark.slow
def test_a_hint_changes_its_surroundings(colorizer: Colorizer) -> None:
    photo = Photo.open(EXAMPLES / "portrait.jpg")
    plain = colorizer.colorize(photo)
    x, y = 0.25 * photo.size[1], 0.85 * photo.size[0]
    hinted = colorizer.colorize(photo, [ColorHint(x, y, "#2040c0", radius=10)])
    assert mean_ab(hinted, 0.25, 0.85)[1] < mean_ab(plain, 0.25, 0.85)[1] - 10
    assert mean_ab(hinted, 0.85, 0.05) == pytest.approx(mean_ab(plain, 0.85, 0.05), abs=6)
