"""Skin repair: patches in skin are repaired; what only lies beside skin stays."""

import cv2
import numpy as np
import pytest

from colorizer.adjust.skin import repair_skin, skin_likeness
from colorizer.imaging.arrays import Plane

SKIN = (12, 16)
BLUE, PURPLE, GREEN, RED = (2, -20), (18, -14), (-18, 12), (28, 2)


def photo(background: tuple[float, float]) -> tuple[Plane, Plane]:
    """ab and lightness of 120 x 160 pixels in one color, L* 60."""
    ab = np.empty((2, 120, 160), np.float32)
    ab[:] = np.array(background)[:, None, None]
    return ab, np.full((120, 160), 60, np.float32)


def disc(x: int, y: int, radius: int) -> Plane:
    """True inside."""
    plane = np.zeros((120, 160), np.uint8)
    cv2.circle(plane, (x, y), radius, 1, -1)
    return plane.astype(bool)


def paint(ab: Plane, where: Plane, color: tuple[float, float]) -> None:
    ab[:, where] = np.array(color)[:, None]


def hue(ab: Plane) -> Plane:
    return np.degrees(np.arctan2(ab[1], ab[0]))


@pytest.mark.parametrize("color", [BLUE, PURPLE, GREEN, RED])
def test_patches_in_skin_become_skin(color: tuple[float, float]) -> None:
    ab, lightness = photo((0, 0))
    face, patch = disc(80, 60, 40), disc(88, 65, 5)
    paint(ab, face, SKIN)
    paint(ab, patch, color)
    repaired = repair_skin(ab, lightness, 1)
    assert hue(repaired)[patch].min() > 25
    assert hue(repaired)[patch].max() < 75
    assert np.abs(repaired - ab)[:, ~patch].max() < 0.5


def test_repair_goes_straight_to_skin() -> None:
    """No detour over further hues; half the slider is half the way."""
    ab, lightness = photo(SKIN)
    paint(ab, disc(80, 60, 5), BLUE)
    half, full = (repair_skin(ab, lightness, amount) for amount in (0.5, 1))
    assert np.allclose(half, (ab + full) / 2, atol=1e-4)


@pytest.mark.parametrize("color", [BLUE, GREEN, PURPLE, RED])
def test_sky_grass_and_dresses_beside_skin_stay(color: tuple[float, float]) -> None:
    ab, lightness = photo(color)
    ab[:, :, :70] = np.array(SKIN)[:, None, None]  # a wall, or a beach
    paint(ab, disc(120, 60, 25), SKIN)  # a face before it
    assert np.abs(repair_skin(ab, lightness, 1) - ab).max() < 0.5


@pytest.mark.parametrize(
    ("color", "patch_lightness"),
    [((55, 30), 60), ((50, 5), 60), ((10, -55), 60), (BLUE, 25), (BLUE, 95), ((1, -1), 60)],
    ids=["red dress", "crimson", "ribbon", "dark", "light", "gray"],
)
def test_what_is_not_of_skin_stays(color: tuple[float, float], patch_lightness: float) -> None:
    ab, lightness = photo(SKIN)
    patch = disc(80, 60, 5)
    paint(ab, patch, color)
    lightness[patch] = patch_lightness
    assert np.abs(repair_skin(ab, lightness, 1) - ab)[:, patch].max() < 1


@pytest.mark.parametrize("color", [BLUE, GREEN, RED, (0, 0)])
def test_photos_without_skin_stay(color: tuple[float, float]) -> None:
    ab, lightness = photo(color)
    ab += np.random.default_rng(0).normal(0, 2, ab.shape).astype(np.float32)
    assert np.abs(repair_skin(ab, lightness, 1) - ab).max() < 0.5


def test_likeness_is_highest_for_skin() -> None:
    def likeness(*color: float) -> float:
        return float(skin_likeness(np.array(color, np.float32)[:, None, None])[0, 0])

    assert likeness(*SKIN) == 1
    assert likeness(20, 12) == 1  # flushed
    assert likeness(2, 2) < 0.1  # gray
    assert max(likeness(*color) for color in (BLUE, PURPLE, GREEN, RED, (70, 45))) < 0.1
