"""A second view of a photo: its size, and that what the network says of both is averaged."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
import torch

from colorizer import ColorHint, Colorizer, Photo
from colorizer.imaging.arrays import Plane
from colorizer.inference.colorization import NetworkOutput
from colorizer.inference.distribution import Distribution
from colorizer.inference.engines import CPU, Colors, Engine
from colorizer.inference.faces import Face
from colorizer.inference.views import average_views, mirror, second_size
from tests.helpers.photos import color_pixels

RED, BLUE = (60.0, 40.0), (20.0, -60.0)


@pytest.mark.parametrize(
    ("first", "working_size", "second"),
    [
        ((288, 288), 288, (320, 320)),
        ((288, 385), 288, (320, 428)),
        ((640, 480), 480, (684, 512)),
        ((512, 700), 512, (512, 700)),
        ((1, 768), 192, (4, 852)),
    ],
)
def test_the_second_view_is_a_ninth_larger_up_to_the_largest_working_size(
    first: tuple[int, int], working_size: int, second: tuple[int, int]
) -> None:
    assert second_size(first, working_size) == second


def output(ab: Plane, logits: torch.Tensor | None = None) -> NetworkOutput:
    bins = torch.tensor([RED, BLUE]).T
    distribution = None if logits is None else Distribution(logits, bins, 0.38)
    return NetworkOutput(np.zeros(ab.shape[1:], np.float32), ab, distribution)


def halves(left: float, right: float, size: tuple[int, int]) -> Plane:
    """One value on the left half, another on the right."""
    plane = np.full(size, left, np.float32)
    plane[:, size[1] // 2 :] = right
    return plane


def test_colors_are_averaged_where_they_belong() -> None:
    first = output(np.stack([halves(10, 10, (12, 16)), halves(0, 8, (12, 16))]))
    second = output(np.stack([halves(20, 40, (16, 24)), halves(0, 0, (16, 24))]))
    both = average_views(first, second)
    assert both.ab.shape == (2, 12, 16)
    np.testing.assert_allclose(both.ab[0, :, :7], 25, atol=1e-4)  # of 10 and, mirrored, 40
    np.testing.assert_allclose(both.ab[0, :, 9:], 15, atol=1e-4)
    np.testing.assert_allclose(both.ab[1, :, 9:], 4, atol=1e-4)
    assert both.lightness is first.lightness
    assert both.distribution is None


def test_probabilities_are_averaged_and_not_logits() -> None:
    """The second view says blue on the left and, as the first does, red on the right."""
    likely, rare = np.log(0.98), np.log(0.02)
    first = torch.tensor([likely, rare])[:, None, None].expand(2, 3, 4).float() + 5
    planes = (halves(likely, rare, (4, 6)), halves(rare, likely, (4, 6)))
    second = torch.from_numpy(np.stack(planes))  # red on the left of the mirrored photo
    ab = np.zeros((2, 12, 16), np.float32)
    both = average_views(output(ab, first), output(np.zeros((2, 16, 24), np.float32), second))
    assert both.distribution is not None
    probabilities = torch.softmax(both.distribution.logits, 0)
    assert probabilities.shape == (2, 3, 4)
    torch.testing.assert_close(probabilities[0, :, 0], torch.full((3,), 0.5))  # 0.98 and 0.02
    torch.testing.assert_close(probabilities[0, :, 3], torch.full((3,), 0.98))


def test_a_color_that_both_exclude_stays_excluded_and_finite() -> None:
    excluded = torch.tensor([0.0, -1e4])[:, None, None].expand(2, 2, 2).clone()
    ab = np.zeros((2, 8, 8), np.float32)
    both = average_views(output(ab, excluded), output(ab, excluded)).distribution
    assert both is not None
    assert both.logits.isfinite().all()
    torch.testing.assert_close(both.mean()[:, 0, 0], torch.tensor(RED))


def colorizer_with(base: Colorizer, seen: list[tuple[int, int]]) -> Colorizer:
    """Its fake network is sure of red in the first view and of blue in the second.

    a* is the lightness; b* rises from -20 at the left edge of what it sees to 20 at the right one.
    """
    bins = base.checkpoint.generator.bins.T  # type: ignore[union-attr,operator]
    red, blue = (int((bins - torch.tensor(color)).norm(dim=1).argmin()) for color in (RED, BLUE))

    def run(pictures: Sequence[Plane]) -> list[Colors]:
        found: list[Colors] = []
        for lightness in pictures:
            seen.append(lightness.shape)  # type: ignore[arg-type]
            rows, columns = lightness.shape
            ramp = np.broadcast_to(np.linspace(-20, 20, columns, dtype=np.float32), (rows, columns))
            logits = torch.full((len(bins), -(-rows // 4), -(-columns // 4)), -9.0)
            logits[red if len(found) == 0 else blue] = 9.0
            found.append((np.stack([lightness, ramp]), logits))
        return found

    return Colorizer(base.checkpoint, Engine("fake", CPU, run))


def test_the_network_sees_the_photo_twice_and_the_mean_counts(
    tiny_colorizer: Colorizer, color_photo: Photo
) -> None:
    seen: list[tuple[int, int]] = []
    colorizer = colorizer_with(tiny_colorizer, seen)
    once = colorizer.colorize(color_photo)
    assert seen == [(192, 261)]
    assert len(once.suggest(30, 30, 2)) == 2
    assert once.confidence.max() < 0.01  # neither red nor blue is what the fake network paints

    twice = colorizer.colorize(color_photo, views=2)
    assert seen[1:] == [(192, 261), (212, 288)]
    lightness = color_photo.resized_lightness((192, 261))
    np.testing.assert_allclose(twice._ab[1], 0, atol=0.05)  # a ramp and its mirror image
    assert np.abs(twice._ab[0] - lightness).mean() < 0.5
    probabilities = torch.softmax(twice._distribution.logits, 0)
    torch.testing.assert_close(probabilities.topk(2, 0).values.mean((1, 2)), torch.full((2,), 0.5))


def test_what_follows_from_the_distribution_uses_the_mean(
    tiny_colorizer: Colorizer, color_photo: Photo
) -> None:
    colorizer = colorizer_with(tiny_colorizer, [])
    once, twice = (colorizer.colorize(color_photo, views=views) for views in (1, 2))
    assert once.suggest(30, 30, 1)[0] in twice.suggest(30, 30, 2)
    assert once.suggest(30, 30, 2)[1] not in twice.suggest(30, 30, 2)  # that is blue now
    blue = [
        min(float((version._ab - result._ab)[1].min()) for version in result.alternatives(4))
        for result in (once, twice)
    ]
    assert blue[0] > -20 > -30 > blue[1], blue  # b* is 40 in red, -10 in the mean, -60 in blue
    hint = ColorHint(60, 20, "#2040c0")
    hinted = twice.with_hints([hint])
    row, column = int(20.5 * 192 / 61), int(60.5 * 192 / 61)
    np.testing.assert_allclose(hinted._ab[:, row, column], hint.ab, atol=2)
    assert hinted.confidence[row, column] > 0.9
    again = colorizer.colorize(color_photo, [hint], views=2)
    np.testing.assert_array_equal(again._ab, hinted._ab)


def test_small_faces_are_blended_into_the_mean(
    tiny_colorizer: Colorizer, color_photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = tiny_colorizer.colorize(color_photo, views=2)
    face = Face(10, 20, 5, 6, 0.9)
    monkeypatch.setattr("colorizer.inference.colorizer.find_faces", lambda photo: [face])
    found = tiny_colorizer.colorize(color_photo, views=2)
    assert not np.array_equal(found._ab, plain._ab)
    np.testing.assert_array_equal(found._ab[:, :, 200:], plain._ab[:, :, 200:])


def test_the_mirrored_photo_is_colored_about_alike(
    tiny_colorizer: Colorizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exactly alike, were both views of one size; and much more alike than with one view."""
    photo = Photo(color_pixels(96, 128))
    mirrored = replace(photo, pixels=np.ascontiguousarray(photo.pixels[:, ::-1]))

    def distance(views: int) -> float:
        results = [tiny_colorizer.colorize(each, views=views)._ab for each in (photo, mirrored)]
        return float(np.abs(results[0] - mirror(results[1])).mean())

    once = distance(1)
    assert once > 1
    assert distance(2) < 0.8 * once
    monkeypatch.setattr("colorizer.inference.views.SCALE", 1.0)
    assert distance(2) < 1e-3


def test_a_network_without_a_distribution(tanh_colorizer: Colorizer, color_photo: Photo) -> None:
    once, twice = (tanh_colorizer.colorize(color_photo, views=views) for views in (1, 2))
    assert not np.array_equal(once.colorized.pixels, twice.colorized.pixels)
    with pytest.raises(ValueError, match="predicts no color distribution"):
        _ = twice.confidence


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (61, 83)])
def test_every_size(tiny_colorizer: Colorizer, size: tuple[int, int]) -> None:
    result = tiny_colorizer.colorize(Photo(color_pixels(*size)), views=2)
    assert result.colorized.size == size


@pytest.mark.parametrize("views", [0, 3])
def test_numbers_of_views_out_of_range(
    tiny_colorizer: Colorizer, color_photo: Photo, views: int
) -> None:
    with pytest.raises(ValueError, match=rf"views is {views}; it goes from 1 to 2\."):
        tiny_colorizer.colorize(color_photo, views=views)
