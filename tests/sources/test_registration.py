"""Registration: the same scene is found in a changed picture, another one is refused."""

import cv2
import numpy as np
import pytest

from colorizer import Photo
from colorizer.sources.registration import register
from tests.helpers.scenes import changed, scene

PIXELS = scene(200, 260)


def lightness(pixels: np.ndarray) -> np.ndarray:
    return Photo(np.ascontiguousarray(pixels)).lightness


def test_each_pixel_is_found_in_a_turned_cropped_and_smaller_picture() -> None:
    turn, margin = 7.0, 0.08
    found = register(lightness(PIXELS), lightness(changed(PIXELS, turn, margin, 0.6)))
    assert found is not None
    height, width = found.rows.shape
    y, x = np.mgrid[:height, :width] + 0.5
    matrix = cv2.getRotationMatrix2D((130, 100), turn, 1.0)
    px, py = x * 260 / width, y * 200 / height
    columns = (matrix[0, 0] * px + matrix[0, 1] * py + matrix[0, 2]) / 260
    rows = (matrix[1, 0] * px + matrix[1, 1] * py + matrix[1, 2]) / 200
    columns, rows = ((place - margin) / (1 - 2 * margin) for place in (columns, rows))
    error = np.hypot((found.columns - columns) * 260, (found.rows - rows) * 200)
    believed = found.agreement > 0.5
    assert believed.mean() > 0.6
    assert np.quantile(error[believed], 0.95) < 1.5
    outside = (columns < -0.02) | (columns > 1.02) | (rows < -0.02) | (rows > 1.02)
    assert outside.any()
    assert found.agreement[outside].max() == 0


def test_small_warps_are_followed() -> None:
    height, width = PIXELS.shape[:2]
    y, x = np.mgrid[:height, :width].astype(np.float32)
    shift = (0.015 * height * np.sin(2 * np.pi * x / width)).astype(np.float32)
    warped = cv2.remap(PIXELS, x, y + shift, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    found = register(lightness(warped), lightness(PIXELS))
    assert found is not None
    rows, columns = found.rows.shape
    expected = cv2.resize(y + shift, (columns, rows)) + 0.5
    error = np.abs(found.rows * height - expected)[10:-10, 10:-10]
    assert np.median(error) < 0.4
    assert found.agreement.mean() > 0.9


def test_a_quarter_turn_is_found() -> None:
    found = register(lightness(PIXELS), lightness(np.rot90(PIXELS)))
    assert found is not None
    assert found.agreement.mean() > 0.95
    assert found.columns[0, -1] < 0.05  # the top right corner came to the top left
    assert found.rows[0, -1] < 0.05


@pytest.mark.parametrize("texture", [False, True])
def test_what_was_painted_over_is_not_believed(texture: bool) -> None:
    painted = PIXELS.copy()
    painted[60:130, 80:170] = scene(200, 260, seed=9)[60:130, 80:170] if texture else (200, 30, 90)
    found = register(lightness(PIXELS), lightness(painted))
    assert found is not None
    rows, columns = found.agreement.shape
    inside = np.zeros((200, 260), np.float32)
    inside[60:130, 80:170] = 1
    mask = cv2.resize(inside, (columns, rows), interpolation=cv2.INTER_NEAREST) > 0
    assert (found.agreement[mask] < 0.5).mean() > 0.9
    assert (found.agreement[~mask] > 0.5).mean() > 0.8


@pytest.mark.parametrize(
    "picture",
    [scene(200, 260, seed=1), np.full((90, 90, 3), 120, np.uint8), PIXELS[:, ::-1]],
    ids=["another scene", "nothing", "mirrored"],
)
def test_another_picture_is_refused(picture: np.ndarray) -> None:
    assert register(lightness(PIXELS), lightness(picture)) is None


def test_the_same_input_gives_the_same_registration() -> None:
    pictures = lightness(PIXELS), lightness(changed(PIXELS))
    one, other = (register(*pictures) for _ in range(2))
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one.columns, other.columns)
    np.testing.assert_array_equal(one.agreement, other.agreement)


@pytest.mark.parametrize("size", [(1, 1), (1, 400), (400, 1), (30, 2000)])
def test_odd_sizes_are_refused_without_a_crash(size: tuple[int, int]) -> None:
    strip = np.random.default_rng(0).uniform(0, 100, size).astype(np.float32)
    assert register(strip, lightness(PIXELS)) is None
    assert register(lightness(PIXELS), strip) is None
