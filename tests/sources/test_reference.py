"""References: what looks alike gives its colors, and nothing else does."""

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from colorizer import Colorizer, ColorSource, ColorSourceError, Edit, Photo, render
from colorizer.edit import colorize
from colorizer.imaging.arrays import Plane
from colorizer.sources import reference
from colorizer.sources.reference import SCALES, ReferenceMatcher, compared_size
from tests.helpers.scenes import scene


def encode(lightness: Plane) -> Tensor:
    """Features that tell bright, medium and dark places apart."""
    plane = torch.from_numpy(lightness)[None, None]
    levels = F.avg_pool2d(plane, 16, ceil_mode=True)[0]
    return torch.cat([torch.exp(-(((levels - center) / 12) ** 2)) for center in (15, 50, 85)])


def bands(order: list[int], colors: dict[int, tuple[float, float]]) -> Plane:
    """CIELAB (3, 240, 320) with a band of 80 rows for each lightness."""
    lab = np.zeros((3, 240, 320), np.float32)
    for number, lightness in enumerate(order):
        rows = slice(80 * number, 80 * number + 80)
        lab[:, rows] = np.array([lightness, *colors[lightness]], np.float32)[:, None, None]
    return lab


def test_places_that_look_alike_get_the_colors_wherever_they_are() -> None:
    colors = {15: (5.0, -40.0), 50: (45.0, 20.0), 85: (-30.0, 30.0)}
    photo = bands([15, 50, 85], colors)
    ab, _ = ReferenceMatcher(encode).match(photo[0], bands([50, 85, 15], colors))
    for rows in (slice(20, 60), slice(100, 140), slice(180, 220)):
        assert np.abs(ab[:, rows] - photo[1:, rows]).max() < 6


def test_places_that_nothing_resembles_are_believed_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reference has no bright band."""
    monkeypatch.setattr(reference, "CONFIDENCE", (reference.CONFIDENCE[0], 0.0, 0.0, -2.5))
    photo = bands([15, 50, 85], dict.fromkeys((15, 50, 85), (0.0, 0.0)))
    other = bands([15, 50, 30], dict.fromkeys((15, 50, 30), (20.0, 20.0)))
    _, weight = ReferenceMatcher(encode).match(photo[0], other)
    assert weight[190:230].mean() < 0.5 * weight[10:130].mean()


def test_colors_that_disagree_are_believed_less(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of the places that look alike, one half is red and the other one green."""
    monkeypatch.setattr(reference, "CONFIDENCE", (0.0, reference.CONFIDENCE[1], 0.0, 0.0))
    photo = bands([15, 50, 85], {15: (0.0, 0.0), 50: (45.0, 20.0), 85: (0.0, 0.0)})
    mixed = photo.copy()
    mixed[1, 80:160, 160:] = -45
    (_, sure), (_, unsure) = (
        ReferenceMatcher(encode).match(photo[0], lab) for lab in (photo, mixed)
    )
    assert unsure[110:130].mean() < 0.8 * sure[110:130].mean()


def test_a_reference_is_encoded_once_for_all_photos() -> None:
    encoded: list[Plane] = []

    def count(lightness: Plane) -> Tensor:
        encoded.append(lightness)
        return encode(lightness)

    colors = {15: (5.0, -40.0), 50: (45.0, 20.0), 85: (-30.0, 30.0)}
    one, other = bands([50, 85, 15], colors), bands([85, 15, 50], colors)
    photos = [bands(order, colors)[0] for order in ([15, 50, 85], [85, 50, 15])]
    matcher = ReferenceMatcher(count)
    for photo, source in zip((*photos, photos[0]), (one, one, other), strict=True):
        before = len(encoded)
        found = matcher.match(photo, source)
        alone = ReferenceMatcher(encode).match(photo, source)
        np.testing.assert_array_equal(found[0], alone[0])
        np.testing.assert_array_equal(found[1], alone[1])
        again = photo is photos[1]
        assert len(encoded) - before == (1 if again else 1 + len(SCALES))


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (300, 1), (61, 83), (40, 900)])
def test_every_size(tiny_colorizer: Colorizer, size: tuple[int, int]) -> None:
    lightness = np.random.default_rng(0).uniform(0, 100, size).astype(np.float32)
    lab = np.stack([lightness, lightness / 5, lightness / 5])
    ab, weight = ReferenceMatcher(tiny_colorizer.encode).match(lightness, lab)
    assert ab.shape == (2, *size)
    assert weight.shape == size
    assert np.isfinite(ab).all()
    assert weight.min() >= 0
    assert weight.max() <= 1


def test_strips_stay_small() -> None:
    assert compared_size((300, 400)) == (224, 299)
    assert compared_size((10, 10_000)) == (1, 672)


def test_features_are_those_of_stride_16(tiny_colorizer: Colorizer) -> None:
    lightness = np.random.default_rng(0).uniform(0, 100, (50, 70)).astype(np.float32)
    assert tiny_colorizer.encode(lightness).shape[1:] == (4, 5)


def test_the_strength(tiny_colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference, "CONFIDENCE", (0.0, 0.0, 0.0, 0.0))  # believed by half
    gray, other = Photo(scene(60, 80)).to_gray(), Photo(scene(60, 80, seed=1))
    whole, half, none = (
        colorize(
            tiny_colorizer, gray, Edit(color_source=ColorSource.of(other, "reference", strength))
        )
        for strength in (1.0, 0.5, 0.0)
    )
    assert whole.evidence is not None
    assert half.evidence is not None
    np.testing.assert_allclose(half.evidence.weight, whole.evidence.weight / 2)
    assert whole.evidence.share == pytest.approx(0.5, abs=0.01)
    plain = tiny_colorizer.colorize(gray)
    np.testing.assert_array_equal(none.colorized.pixels, plain.colorized.pixels)


def test_networks_without_such_an_encoder(
    tanh_colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = ColorSource.of(Photo(scene(60, 80)), "reference")
    monkeypatch.setattr("colorizer.inference.colorizer.Generator", int)
    with pytest.raises(ColorSourceError, match="can't compare photos") as caught:
        render(tanh_colorizer, Photo(scene(60, 80)), Edit(color_source=source))
    assert caught.value.reason == "checkpoint"
