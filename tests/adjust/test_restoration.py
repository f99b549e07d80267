"""Restoration: dust goes and detail stays, grain is left alone, halos are faint."""

import cv2
import numpy as np
import pytest

from colorizer import Photo
from colorizer.adjust.restoration import (
    OVERSHOOT,
    copy_size,
    raise_local_contrast,
    reduce_grain,
    remove_dust,
    sharpen,
)
from colorizer.imaging.arrays import Plane
from colorizer.imaging.resampling import resize
from tests.helpers.paths import EXAMPLES
from tests.helpers.photos import color_pixels
from train.data.damage import damage


def grain(shape: tuple[int, int], deviation: float = 1.0) -> Plane:
    return np.random.default_rng(0).normal(0, deviation, shape).astype(np.float32)


@pytest.fixture
def clean() -> Plane:
    """A sky from L* 30 to 70 with some grain, 160 x 200."""
    return np.linspace(30, 70, 200, dtype=np.float32) + grain((160, 200), 0.5)


def disc(plane: Plane, x: int, y: int, radius: int, value: float) -> None:
    cv2.circle(plane, (x, y), radius, value, -1)


@pytest.fixture
def dusty(clean: Plane) -> Plane:
    """The sky with specks of up to 5 pixels, bright and dark."""
    dusty, random = clean.copy(), np.random.default_rng(3)
    for number, (x, y) in enumerate(random.integers(15, (185, 145), (14, 2)).tolist()):
        disc(dusty, x, y, number % 3, 95 if number % 2 else 5)
    return dusty


def after(change, plane: Plane, amount: float) -> Plane:
    size = plane.shape
    changed = plane.copy()
    change(resize(plane, copy_size(size)), amount)(changed, slice(0, size[0]), size)
    return changed


def test_specks_go(dusty: Plane, clean: Plane) -> None:
    restored = after(remove_dust, dusty, 1)
    damage = np.abs(dusty - clean) > 1
    assert np.abs(dusty - clean)[damage].mean() > 30
    assert np.abs(restored - clean)[damage].mean() < 5
    assert np.median(np.abs(restored - clean)[damage]) < 1.5
    assert (np.abs(restored - dusty) < 2)[~damage].mean() > 0.98


def test_more_dust_removal_leaves_less(dusty: Plane, clean: Plane) -> None:
    damage = np.abs(dusty - clean) > 1
    left = [
        np.abs(after(remove_dust, dusty, amount) - clean)[damage].mean()
        for amount in (0.05, 0.3, 1)
    ]
    assert left == sorted(left, reverse=True)
    assert left[0] > 1.3 * left[-1]


def test_specks_fade_as_the_slider_moves(dusty: Plane) -> None:
    amounts = np.geomspace(0.05, 1, 150)
    restored = np.stack([after(remove_dust, dusty, amount) for amount in amounts])
    assert np.ptp(restored, axis=0).max() > 30
    assert np.abs(np.diff(restored, axis=0)).max() < 20


def test_fine_specks_go_in_large_photos(clean: Plane, monkeypatch) -> None:
    """Finer than the copy shows: seen in the photo's own pixels."""
    monkeypatch.setattr("colorizer.adjust.restoration.COPY_PIXELS", clean.size // 9)
    dusty = clean.copy()
    y, x = np.random.default_rng(0).integers(5, (155, 195), (25, 2)).T
    dusty[y, x] = 95
    restored = after(remove_dust, dusty, 1)
    assert np.median(np.abs(restored - clean)[dusty != clean]) < 2
    assert (restored == dusty)[dusty == clean].mean() > 0.99


@pytest.mark.slow
def test_scratches_and_cracks_are_mended() -> None:
    """Damage is drawn on a photo that has little of its own."""
    gray = np.asarray(Photo.open(EXAMPLES / "portrait.jpg").to_gray().pixels[:, :, 0])
    mended = intact_changed = 0.0
    for seed in (2, 5, 6, 7):
        damaged, mask = damage(gray, np.random.default_rng(seed))
        before, clean = (np.asarray(plane / 2.55, np.float32) for plane in (damaged, gray))
        restored = after(remove_dust, before, 0.8)
        better = np.abs(restored - clean) < np.abs(before - clean) / 2
        mended += better[mask].mean() / 4
        intact_changed += (np.abs(restored - before) > 3)[~mask].mean() / 4
    assert mended > 0.3
    assert intact_changed < 0.01


def text() -> Plane:
    page = np.full((160, 200), 85, np.uint8)
    for y in range(28, 160, 30):
        cv2.putText(page, "Paris 1925, a street", (8, y), cv2.FONT_HERSHEY_SIMPLEX, 0.6, 15)
    return page.astype(np.float32)


def lace() -> Plane:
    dress = np.full((160, 200), 30, np.float32)
    for x in range(4, 200, 8):
        for y in range(4, 160, 8):
            disc(dress, x, y, 2, 85)
    return dress


def face() -> Plane:
    """Two eyes with brows, pupils and catchlights."""
    face = np.full((160, 200), 70, np.float32)
    for x in (60, 140):
        cv2.ellipse(face, (x, 80), (22, 11), 0, 0, 360, 88, -1)
        cv2.ellipse(face, (x, 80), (22, 11), 0, 0, 360, 35, 2)
        cv2.ellipse(face, (x, 60), (26, 10), 0, 200, 340, 30, 5)
        disc(face, x, 80, 9, 40)
        disc(face, x, 80, 4, 8)
        disc(face, x + 3, 77, 1, 95)
    return face


@pytest.mark.parametrize("detail", [text, lace, face])
@pytest.mark.parametrize("amount", [0.5, 0.7, 1])
def test_text_lace_and_eyes_are_no_dust(detail, amount: float) -> None:
    plane = cv2.GaussianBlur(detail(), (0, 0), 0.7) + grain((160, 200), 0.5)
    change = np.abs(after(remove_dust, plane, amount) - plane)
    assert (change > 3).mean() < (0.001 if amount < 1 else 0.006)


def test_grain_is_reduced_more_by_more() -> None:
    flat = 50 + grain((100, 120), 2)
    left = [after(reduce_grain, flat, amount).std() for amount in (0.1, 0.3, 0.6, 1)]
    assert left == sorted(left, reverse=True)
    assert left[-1] < 0.3 * flat.std()


def test_edges_outlast_grain_reduction() -> None:
    edge = np.repeat(np.array([20, 80], np.float32), 50)[None].repeat(80, 0) + grain((80, 100), 1)
    smooth = after(reduce_grain, edge, 1)
    assert (smooth[:, 52] - smooth[:, 47]).min() > 50


def test_local_contrast_is_that_of_opencv() -> None:
    """Same tiles and clip limit; OpenCV works on 256 levels."""
    lightness = Photo(color_pixels(320, 400, seed=3)).lightness / 2 + 25
    ours = after(raise_local_contrast, lightness, 1)
    clahe = cv2.createCLAHE(clipLimit=3, tileGridSize=(8, 8))
    theirs = clahe.apply(np.rint(lightness * 2.55).astype(np.uint8)) / 2.55
    assert np.abs(theirs - lightness).mean() > 5
    assert np.abs(ours - theirs).mean() < 1.5


def test_local_contrast_has_no_steps() -> None:
    """A slow slope stays one, though its levels are looked up in tables."""
    slope = np.linspace(40, 60, 3000, dtype=np.float32)[None].repeat(64, 0)
    assert np.abs(np.diff(after(raise_local_contrast, slope, 1))).max() < 0.2  # of 256 levels: 0.39


def test_sharpness_steepens_edges_without_halos() -> None:
    edge = np.repeat(np.array([30, 70], np.float32), 50)[None].repeat(40, 0)
    soft = cv2.GaussianBlur(edge, (0, 0), 1)
    steepness = [np.diff(after(sharpen, soft, amount)[20]).max() for amount in (0.5, 1, 2)]
    assert steepness == sorted(steepness)
    assert steepness[0] > np.diff(soft[20]).max()
    assert steepness[-1] > 1.2 * np.diff(soft[20]).max()
    sharp = after(sharpen, soft, 2)
    assert sharp.min() >= 30 - OVERSHOOT - 0.01
    assert sharp.max() <= 70 + OVERSHOOT + 0.01


def test_sharpness_spares_grain() -> None:
    faint, strong = 50 + grain((100, 120), 0.7), 50 + grain((100, 120), 8)
    assert after(sharpen, faint, 1).std() < 1.35 * faint.std()
    assert after(sharpen, strong, 1).std() > 1.3 * strong.std()


def test_copies_are_a_megapixel_at_most() -> None:
    assert copy_size((3000, 4000)) == (866, 1155)
    assert copy_size((600, 800)) == (600, 800)
    assert copy_size((1, 9)) == (1, 9)
