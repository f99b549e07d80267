"""Strokes by hand: they cover what they were painted over, however the photo is framed."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from colorizer import Adjustments, Photo, Stroke
from colorizer.adjust.framing import Framing
from colorizer.adjust.restoration import remove_dust
from colorizer.adjust.strokes import Effect, Retouch, on_photo
from colorizer.adjust.tone import ToneAdjuster
from colorizer.imaging.arrays import Plane

SIZE = (120, 160)
PRINT = ((10, 5), (90, 12), (88, 95), (6, 90))  # percent


def scratched() -> Photo:
    """A flat gray photo with grain and a broad dark bar, which no network takes for damage."""
    pixels = np.random.default_rng(0).normal(150, 2, (*SIZE, 1)).round().astype(np.uint8)
    pixels[40:60, 30:130] = 40
    return Photo(pixels)


def specks() -> Photo:
    """A flat gray photo with specks."""
    pixels = np.random.default_rng(0).normal(150, 2, (*SIZE, 1)).round().astype(np.uint8)
    for y, x in np.random.default_rng(1).integers(8, 112, (30, 2)).tolist():
        cv2.circle(pixels, (x, y), 1, 250, -1)
    return Photo(pixels)


def bar(effect: Effect = "mend") -> Stroke:
    """A stroke along the bar."""
    return Stroke(effect, ((30 / 160, 50 / 120), (130 / 160, 50 / 120)), 16 / 120)


def restored(photo: Photo, dust: float, *strokes: Stroke) -> Plane:
    retouch = Retouch(strokes, Framing(), photo.size) if strokes else None
    adjuster = ToneAdjuster(photo, Adjustments(dust=dust), retouch)
    return adjuster.band(slice(0, photo.size[0]), photo.lightness)


def test_a_stroke_mends_what_the_network_misses() -> None:
    photo = scratched()
    before = photo.lightness
    assert np.abs(restored(photo, 1) - before)[42:58, 32:128].mean() < 3
    for dust in (0, 1):
        after = restored(photo, dust, bar())
        assert after[42:58, 32:128].mean() == pytest.approx(before[:20].mean(), abs=2)
    np.testing.assert_array_equal(restored(photo, 0, bar())[80:], before[80:])


def test_a_stroke_protects_every_pixel_exactly() -> None:
    photo = specks()
    before, around = photo.lightness, restored(photo, 1)
    stroke = Stroke("protect", ((0.5, 0.2), (0.5, 0.8)), 0.25)
    after = restored(photo, 1, stroke)
    rows, columns = np.indices(SIZE) + 0.5
    inside = np.hypot(columns - 80, rows - rows.clip(24, 96)) <= 30
    assert (around != before)[inside].any()
    np.testing.assert_array_equal(after[inside], before[inside])
    far = np.abs(columns - 80) > 36
    assert (after != before)[far].any()


@pytest.mark.parametrize("scale", [3, 7])
def test_large_photos_are_protected_exactly(scale: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """The marks are made on a smaller copy."""
    monkeypatch.setattr("colorizer.adjust.restoration.COPY_PIXELS", SIZE[0] * SIZE[1])
    photo = Photo(np.kron(specks().pixels[:, :, 0], np.ones((scale, scale), np.uint8))[:, :, None])
    after = restored(photo, 1, Stroke("protect", ((0.5, 0.5),), 0.3))
    rows, columns = np.indices(photo.size) + 0.5
    inside = np.hypot(columns - 80 * scale, rows - 60 * scale) <= 36 * scale
    np.testing.assert_array_equal(after[inside], photo.lightness[inside])
    assert (after != photo.lightness).any()


def test_the_later_stroke_counts() -> None:
    photo = scratched()
    before = photo.lightness
    protected = restored(photo, 0, bar("mend"), bar("protect"))
    np.testing.assert_array_equal(protected, before)
    assert (restored(photo, 0, bar("protect"), bar("mend")) != before).any()


def test_nothing_but_dust_removal_is_kept_off() -> None:
    photo = specks()
    retouch = Retouch((bar("protect"),), Framing(), SIZE)
    for settings in (Adjustments(), Adjustments(contrast=30, luma_noise=0.5)):
        with_strokes, without = (
            ToneAdjuster(photo, settings, strokes).band(slice(0, SIZE[0]), photo.lightness)
            for strokes in (retouch, None)
        )
        np.testing.assert_array_equal(with_strokes, without)


@pytest.mark.parametrize(
    "framing",
    [
        Framing(),
        Framing(turns=1),
        Framing(turns=2, margins=(10, 20, 0, 30)),
        Framing(turns=3, margins=(0, 5, 25, 0), negative=True),
        Framing(corners=PRINT),
        Framing(turns=1, margins=(5, 5, 10, 0), corners=PRINT),
        Framing(turns=3, margins=(15, 10, 10, 10), degrees=8),
        Framing(margins=(10, 10, 15, 15), corners=PRINT, degrees=-6.5),
    ],
)
def test_strokes_stay_on_the_photo(framing: Framing) -> None:
    """Painted over the framed photo, they cover the same of the photo and back."""
    painted = Stroke("mend", ((0.3, 0.4), (0.6, 0.45)), 0.08)
    stroke = on_photo(painted, framing, SIZE)
    rows, columns = framing.framed_size(SIZE)
    framed = Retouch((stroke,), framing, SIZE).marks((rows, columns)).mended
    expected = Retouch((painted,), Framing(), (rows, columns)).marks((rows, columns)).mended
    assert (framed != expected).sum() < 0.03 * expected.sum() + 12
    photo = Retouch((stroke,), Framing(), SIZE).marks(SIZE).mended
    moved = replace(framing, negative=False)(
        Photo(np.where(photo, 255, 0).astype(np.uint8)[:, :, None])
    )
    both = (moved.pixels[:, :, 0] > 127) & expected
    assert both.sum() > 0.85 * expected.sum()


def test_a_crop_leaves_strokes_outside_alone() -> None:
    stroke = Stroke("mend", ((0.9, 0.9),), 0.05)
    framing = Framing(margins=(0, 50, 0, 50))
    assert not Retouch((stroke,), framing, SIZE).marks((60, 80)).mended.any()
    assert Retouch((stroke,), Framing(), SIZE).marks(SIZE).mended.any()


def test_a_point_is_a_dot() -> None:
    mended = Retouch((Stroke("mend", ((0.5, 0.5),), 0.1),), Framing(), SIZE).marks(SIZE).mended
    assert mended.sum() == pytest.approx(np.pi * 12**2, rel=0.1)
    assert np.argwhere(mended).mean(0) == pytest.approx((59.5, 79.5), abs=0.6)


def test_without_marks_nothing_is_mended() -> None:
    plane = scratched().lightness
    band = plane.copy()
    remove_dust(plane, 0)(band, slice(0, SIZE[0]), SIZE)
    np.testing.assert_array_equal(band, plane)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        (("erase", ((0, 0),), 0.1), "effect is 'erase'; use one of protect, mend"),
        (("mend", (), 0.1), "has 0 points; give 1 to 10000"),
        (("mend", ((0, 1.1),), 0.1), r"point \(0, 1.1\) lies outside the photo"),
        (("mend", ((0, float("nan")),), 0.1), "lies outside the photo"),
        (("mend", ((0, 1),), 0), "radius is 0; give more than 0 and at most 0.5"),
        (("mend", ((0, 1),), 0.6), "radius is 0.6"),
    ],
)
def test_bad_strokes_are_refused(values: tuple[object, ...], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Stroke(*values)  # type: ignore[arg-type]
