"""Tones: colors are told from toning, yellowing and noise, whatever the photo's size."""

import io

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from colorizer import Photo
from colorizer.photo.toning import has_colors
from tests.helpers.paths import EXAMPLES

COLORED = ("dogs", "temple")
TONES = {  # of the darkest, middle and lightest gray, sRGB
    "gray": ((0, 0, 0), (128, 128, 128), (255, 255, 255)),
    "sepia": ((40, 26, 13), (150, 114, 76), (255, 240, 205)),
    "selenium": ((30, 20, 26), (132, 118, 122), (250, 246, 240)),
    "cyanotype": ((5, 20, 60), (70, 120, 165), (225, 238, 240)),
    "split": ((10, 20, 45), (128, 124, 120), (255, 240, 215)),
}


def toned(gray: NDArray[np.uint8], tone: str) -> NDArray[np.float64]:
    levels = np.array(TONES[tone], np.float64)
    dark, middle, light = levels
    share = gray[..., None] / 255
    bend = 4 * share * (1 - share)  # 1 in the middle
    return dark + (light - dark) * share + (middle - (dark + light) / 2) * bend


def jpeg(pixels: NDArray[np.float64], quality: int) -> Photo:
    file = io.BytesIO()
    levels = pixels.round().clip(0, 255).astype(np.uint8)
    Image.fromarray(levels).save(file, "JPEG", quality=quality)
    return Photo.open(file)


def example_gray(name: str) -> NDArray[np.uint8]:
    return Photo.open(EXAMPLES / f"{name}.jpg").to_gray().shrunk((240, 200)).pixels[:, :, 0]


def test_examples() -> None:
    photos = {path.stem: Photo.open(path) for path in EXAMPLES.glob("*.jpg")}
    assert {stem for stem, photo in photos.items() if has_colors(photo)} == set(COLORED)
    assert not any(has_colors(photo.to_gray()) for photo in photos.values())


@pytest.mark.parametrize("name", ["temple", "portrait", "street"])
@pytest.mark.parametrize("tone", TONES)
@pytest.mark.slow
def test_toned_noisy_stained_and_unevenly_yellowed_is_not_colored(name: str, tone: str) -> None:
    rng = np.random.default_rng(0)
    pixels = toned(example_gray(name), tone)
    height, width = pixels.shape[:2]
    yellowed = cv2.resize(rng.random((3, 3)), (width, height), interpolation=cv2.INTER_CUBIC)
    pixels *= 1 - 0.5 * yellowed[..., None] * (0.02, 0.06, 0.16)
    pixels[20:40, 30:55] *= (0.95, 0.9, 0.8)
    pixels += rng.normal(0, 4, (height, width, 1)) + rng.normal(0, 2, pixels.shape)
    assert not has_colors(jpeg(pixels, quality=75))


@pytest.mark.parametrize("name", COLORED)
def test_yellowed_color_photo_is_colored(name: str) -> None:
    pixels = np.asarray(Photo.open(EXAMPLES / f"{name}.jpg").pixels)
    assert has_colors(jpeg(pixels * (1, 0.95, 0.85), quality=75))


@pytest.mark.parametrize(("share", "expected"), [(0.05, False), (0.2, True)])
def test_a_tenth_has_to_be_colored(share: float, expected: bool) -> None:
    pixels = toned(example_gray("street"), "sepia")
    pixels[: round(share * len(pixels)), :100] = (200, 40, 40)
    pixels[: round(share * len(pixels)), 100:] = (40, 60, 200)
    assert has_colors(jpeg(pixels, quality=90)) is expected


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (2, 2), (7, 500)])
@pytest.mark.parametrize("color", [(0, 0, 0), (255, 255, 255), (200, 30, 60)])
def test_one_color_is_a_tone(size: tuple[int, int], color: tuple[int, int, int]) -> None:
    assert not has_colors(Photo(np.full((*size, 3), color, np.uint8)))
    assert not has_colors(Photo(np.full((*size, 1), color[0], np.uint8)))


@pytest.mark.parametrize("size", [(1, 3000), (3000, 1), (9, 500)])
def test_strip_with_colors(size: tuple[int, int]) -> None:
    patches = np.indices(size).sum(0) // 50
    colors = np.random.default_rng(0).integers(0, 256, (patches.max() + 1, 3), np.uint8)
    assert has_colors(Photo(colors[patches]))
