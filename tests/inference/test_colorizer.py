"""The pipeline: the photo's size and lightness come out as they went in, at any size."""

import re
from dataclasses import Field, fields
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from skimage.color import rgb2lab

from colorizer import Adjustments, ColorHint, Colorization, Colorizer, Photo
from colorizer.checkpoints.checkpoint import save_checkpoint
from colorizer.imaging.color import rgb_to_lab
from colorizer.inference.colorization import NetworkOutput
from colorizer.inference.colorizer import MAX_ASPECT_RATIO, network_size
from colorizer.inference.distribution import Distribution
from tests.helpers.networks import tiny_pix2pix
from tests.helpers.photos import color_pixels


def lab_of(photo: Photo) -> np.ndarray:
    """(3, H, W)."""
    pixels = np.broadcast_to(photo.pixels, (*photo.size, 3)).copy()
    return rgb_to_lab(torch.from_numpy(pixels).permute(2, 0, 1) / 255).numpy()


@pytest.fixture(scope="module")
def result(tiny_colorizer: Colorizer, color_photo: Photo) -> Colorization:
    return tiny_colorizer.colorize(color_photo)


@pytest.mark.parametrize("size", [(61, 83), (83, 61), (1, 1), (1, 500), (500, 1), (2, 3), (300, 7)])
def test_output_has_the_size_and_lightness_of_the_input(
    tiny_colorizer: Colorizer, size: tuple[int, int]
) -> None:
    photo = Photo(color_pixels(*size), "JPEG")
    result = tiny_colorizer.colorize(photo)
    assert result.colorized.size == result.gray.size == size
    assert result.colorized.format == result.gray.format == "JPEG"
    for output in (result.colorized, result.gray):
        error = np.abs(output.lightness - photo.lightness)
        assert error.mean() <= 0.5
        assert error.max() <= 2


def test_lightness_is_kept_for_every_level_and_strong_colors(tiny_colorizer: Colorizer) -> None:
    random = np.random.default_rng(0)
    photo = Photo(random.integers(0, 256, (200, 200, 1), dtype=np.uint8))
    strong = tiny_colorizer.colorize(photo).adjust(Adjustments(saturation=2))
    error = np.abs(strong.lightness - photo.lightness)
    assert error.mean() <= 0.5
    assert error.max() <= 2


@pytest.mark.parametrize(("dtype", "mean", "highest"), [(np.uint8, 0.3, 2), (np.uint16, 0.01, 0.1)])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("saturation", [1, 2])
def test_lightness_is_kept_as_far_as_the_depth_allows(
    tiny_colorizer: Colorizer,
    dtype: type,
    mean: float,
    highest: float,
    channels: int,
    saturation: float,
) -> None:
    """By another library's account, from black to white, also of the strongest colors."""
    random = np.random.default_rng(0)
    full = np.iinfo(dtype).max
    photo = Photo(random.integers(0, full + 1, (200, 200, channels), dtype))
    result = tiny_colorizer.colorize(photo)
    for output in (result.adjust(Adjustments(saturation=saturation)), result.gray):
        assert output.pixels.dtype == dtype
        before, after = (
            rgb2lab(np.broadcast_to(pixels, (200, 200, 3)) / full)[:, :, 0]
            for pixels in (photo.pixels, output.pixels)
        )
        error = np.abs(after - before)
        assert error.mean() <= mean
        assert error.max() <= highest


def test_the_tiny_network_does_color(result: Colorization) -> None:
    """Else the tests of this file would prove little."""
    chroma = np.hypot(*lab_of(result.colorized)[1:])
    assert chroma.mean() > 5
    assert chroma.std() > 2


def test_the_photos_own_colors_are_ignored(
    tiny_colorizer: Colorizer, color_photo: Photo, result: Colorization
) -> None:
    gray = tiny_colorizer.colorize(color_photo.to_gray()).colorized
    difference = np.abs(lab_of(gray)[1:] - lab_of(result.colorized)[1:])
    assert difference.mean() < 2  # the gray photo is rounded to 8 bits


def test_gray_is_the_photo_itself_if_it_has_no_color(tiny_colorizer: Colorizer) -> None:
    photo = Photo(color_pixels(20, 30)[:, :, :1].copy())
    result = tiny_colorizer.colorize(photo)
    assert result.gray is photo
    assert result.photo is photo
    assert np.array_equal(result.gray.pixels, photo.pixels)


def test_colorizing_again_gives_the_same(
    tiny_colorizer: Colorizer, color_photo: Photo, result: Colorization
) -> None:
    again = tiny_colorizer.colorize(color_photo)
    assert np.array_equal(again.colorized.pixels, result.colorized.pixels)


def test_bands_do_not_show(
    result: Colorization, color_photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("colorizer.imaging.bands.BAND_PIXELS", 400)
    banded = result.adjust(Adjustments())
    assert np.abs(banded.pixels.astype(int) - result.colorized.pixels).max() <= 1


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("item", fields(Adjustments), ids=lambda item: item.name)
@pytest.mark.slow
def test_bands_of_every_adjustment_are_those_of_the_whole(
    tiny_colorizer: Colorizer, item: Field[float], dtype: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At both ends of its range, within 1/255; the photo is larger than the filters' copy."""
    monkeypatch.setattr("colorizer.adjust.restoration.COPY_PIXELS", 61 * 83 // 4)
    scale = np.iinfo(dtype).max // 255
    noise = np.random.default_rng(0).integers(0, 20, (61, 83, 3))
    pixels = (color_pixels(61, 83) * 0.9 + noise).clip(0, 255).astype(dtype) * dtype(scale)
    result = tiny_colorizer.colorize(Photo(pixels))
    for end in item.metadata["range"]:
        settings = Adjustments(**{item.name: end})
        monkeypatch.setattr("colorizer.imaging.bands.BAND_PIXELS", pixels.size)
        whole = result.adjust(settings).pixels.astype(int)
        monkeypatch.setattr("colorizer.imaging.bands.BAND_PIXELS", 83 * 4)
        banded = result.adjust(settings).pixels
        assert np.abs(banded - whole).max() <= scale


@pytest.mark.parametrize("size", [(1, 1), (1, 20_000), (20_000, 1)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_one_pixel_and_long_strips(
    tiny_colorizer: Colorizer, size: tuple[int, int], dtype: type, tmp_path: Path
) -> None:
    photo = Photo(np.full((*size, 1), np.iinfo(dtype).max // 3, dtype))
    for name in ("a.tif", "a.png", "a.jpg"):
        tiny_colorizer.colorize(photo).colorized.save(tmp_path / name)
        assert Photo.open(tmp_path / name).size == size


@pytest.mark.parametrize("size", [0, -1, 191, 513])
def test_working_sizes_out_of_range(
    tiny_colorizer: Colorizer, color_photo: Photo, size: int
) -> None:
    with pytest.raises(ValueError, match=rf"The working size is {size}; it goes from 192 to 512\."):
        tiny_colorizer.colorize(color_photo, working_size=size)


def test_working_size_is_what_the_network_sees(
    tiny_colorizer: Colorizer, color_photo: Photo, tiny_checkpoint: Path
) -> None:
    assert min(tiny_colorizer.colorize(color_photo).confidence.shape) == 192  # the checkpoint's
    large = tiny_colorizer.colorize(color_photo, working_size=256)
    assert large.confidence.shape == network_size(color_photo.size, 256) == (256, 348)


@pytest.mark.parametrize("size", [(480, 640), (640, 480), (61, 83), (3000, 4000), (192, 192)])
def test_network_size_keeps_the_aspect(size: tuple[int, int]) -> None:
    seen = network_size(size, 256)
    assert min(seen) == 256
    assert seen[0] / seen[1] == pytest.approx(size[0] / size[1], rel=0.01)


@pytest.mark.parametrize("size", [(1, 20_000), (20_000, 1), (1, 1), (10, 5000)])
def test_network_size_of_strips_is_bounded(size: tuple[int, int]) -> None:
    seen = network_size(size, 256)
    assert min(seen) >= 1
    assert max(seen) <= MAX_ASPECT_RATIO * 256


def test_hints_change_the_colors_where_they_are(
    tiny_colorizer: Colorizer, color_photo: Photo, result: Colorization
) -> None:
    hint = ColorHint(60, 20, "#ff0000", radius=6)
    hinted = tiny_colorizer.colorize(color_photo, [hint]).colorized
    change = np.abs(lab_of(hinted)[1:] - lab_of(result.colorized)[1:]).sum(0)
    assert change[14:27, 54:67].mean() > 10
    assert change[14:27, 54:67].mean() > change[35:, :30].mean()


@pytest.mark.slow
def test_hints_may_be_given_later(
    tiny_colorizer: Colorizer, color_photo: Photo, result: Colorization
) -> None:
    """Also in pixels of a larger photo, of a version and of a preview; and taken back."""
    hints = [ColorHint(60, 20, "#ff0000", radius=6), ColorHint(10, 40, "#2040c0")]
    expected = tiny_colorizer.colorize(color_photo, hints)
    later = result.with_hints(hints[:1]).with_hints(hints)
    np.testing.assert_array_equal(later.colorized.pixels, expected.colorized.pixels)
    small = result.preview(1000).with_hints(hints, color_photo.size)
    np.testing.assert_array_equal(small.on(color_photo).colorized.pixels, later.colorized.pixels)
    version = result.alternatives(2)[1]
    np.testing.assert_array_equal(
        version.with_hints(hints).colorized.pixels, later.alternatives(2)[1].colorized.pixels
    )
    np.testing.assert_array_equal(later.with_hints([]).colorized.pixels, result.colorized.pixels)


def test_hints_hold_in_all_alternatives(result: Colorization) -> None:
    hint = ColorHint(60, 20, "#8a7a70")
    versions = result.with_hints([hint]).alternatives(3)
    assert len(versions) > 1
    row, column = int(20.5 * 192 / 61), int(60.5 * 192 / 61)
    for version in versions:
        np.testing.assert_allclose(version._ab[:, row, column], hint.ab, atol=2)


def test_the_network_is_sure_of_what_it_was_told(result: Colorization) -> None:
    hinted = result.with_hints([ColorHint(60, 20, "#ff0000")])
    row, column = int(20.5 * 192 / 61), int(60.5 * 192 / 61)
    assert hinted.confidence[row, column] > 0.9
    assert (hinted.confidence >= result.confidence - 1e-6).all()
    assert hinted.confidence.max() <= 1


def test_hints_outside_the_photo(tiny_colorizer: Colorizer, color_photo: Photo) -> None:
    with pytest.raises(ValueError, match="lies outside the photo of 83 x 61 pixels"):
        tiny_colorizer.colorize(color_photo, [ColorHint(10, 61, "#ff0000")])


def test_confidence_is_a_probability_per_pixel(result: Colorization) -> None:
    confidence = result.confidence
    assert confidence.dtype == np.float32
    assert confidence.shape == network_size((61, 83), 192)
    assert confidence.min() >= 0
    assert confidence.max() <= 1
    assert confidence.std() > 0


def one_pixel(logits: torch.Tensor, bins: torch.Tensor, ab: tuple[float, float]) -> Colorization:
    """A photo of one gray level about which the network said this."""
    photo = Photo(np.full((8, 8, 1), 119, np.uint8))  # L* 50
    plane = np.broadcast_to(np.float32(ab)[:, None, None], (2, 8, 8)).copy()
    spread = logits[:, None, None].expand(-1, 2, 2)
    return Colorization(
        photo, NetworkOutput(photo.lightness, plane, Distribution(spread, bins, 0.38))
    )


def test_confidence_counts_the_bins_near_the_color() -> None:
    bins = torch.tensor([[0.0, 10.0, 20.0, 60.0], [0.0, 0.0, 0.0, 0.0]])
    shares = torch.tensor([0.4, 0.3, 0.2, 0.1])
    assert one_pixel(shares.log(), bins, (1, 0)).confidence == pytest.approx(0.7)
    assert one_pixel(shares.log(), bins, (60, 0)).confidence == pytest.approx(0.1)
    assert one_pixel(shares.log(), bins, (100, 0)).confidence == pytest.approx(0, abs=2e-6)


def test_suggestions_come_most_likely_first() -> None:
    bins = torch.tensor([[0.0, 0.0, 30.0, 10.0], [0.0, 40.0, 0.0, 0.0]])
    logits = torch.tensor([0.4, 0.1, 0.3, 0.39]).log()
    colors = one_pixel(logits, bins, (0, 0)).suggest(3, 3)
    # The gray of the photo; (10, 0) is left out as too like it; a red; a yellow.
    assert colors[0] == "#777777"
    assert len(colors) == 3
    for color, expected in zip(colors, [(0, 0), (30, 0), (0, 40)], strict=True):
        assert ColorHint(0, 0, color).ab == pytest.approx(expected, abs=1)


def test_suggestions_differ_and_have_the_lightness_of_the_point(
    result: Colorization, color_photo: Photo
) -> None:
    colors = result.suggest(70, 9)
    assert len(colors) == 6
    assert all(re.fullmatch("#[0-9a-f]{6}", color) for color in colors)
    ab = np.array([ColorHint(0, 0, color).ab for color in colors])
    distances = [np.linalg.norm(a - b) for i, a in enumerate(ab) for b in ab[:i]]
    assert min(distances) > 10
    for color in colors:
        levels = np.array([[[int(color[i : i + 2], 16) for i in (1, 3, 5)]]], np.uint8)
        assert Photo(levels).lightness[0, 0] == pytest.approx(color_photo.lightness[9, 70], abs=1)


@pytest.mark.parametrize("n", [1, 3])
def test_no_more_suggestions_than_asked_for(result: Colorization, n: int) -> None:
    assert len(result.suggest(10, 10, n)) == n


def test_no_suggestions_at_all_are_refused(result: Colorization) -> None:
    with pytest.raises(ValueError, match="n is 0; ask for at least one color"):
        result.suggest(10, 10, 0)


@pytest.mark.parametrize(("x", "y"), [(0, 0), (82, 60), (82.9, 60.9)])
def test_suggestions_in_the_corners(result: Colorization, x: float, y: float) -> None:
    assert result.suggest(x, y)


@pytest.mark.parametrize(("x", "y"), [(-1, 0), (83, 0), (0, 61), (float("nan"), 0)])
def test_suggestions_outside_the_photo(result: Colorization, x: float, y: float) -> None:
    with pytest.raises(ValueError, match="lies outside the photo of 83 x 61 pixels"):
        result.suggest(x, y)


@pytest.mark.slow
def test_alternatives_are_whole_results_that_look_different(result: Colorization) -> None:
    versions = result.alternatives()
    assert len(versions) == 4
    assert np.array_equal(versions[0].colorized.pixels, result.colorized.pixels)
    labs = [lab_of(version.colorized) for version in versions]
    for number, lab in enumerate(labs):
        assert np.abs(lab[0] - labs[0][0]).max() < 2
        for other in labs[:number]:
            assert np.hypot(*(lab - other)[1:]).mean() > 2
    last = versions[-1]
    assert last.photo is result.photo
    assert last.suggest(70, 9) == result.suggest(70, 9)
    assert not np.array_equal(last.confidence, result.confidence)  # of its own colors
    assert np.ptp(last.adjust(Adjustments(strength=0)).pixels, axis=2).max() == 0


@pytest.mark.slow
def test_alternatives_do_not_depend_on_how_many_are_asked_for(result: Colorization) -> None:
    many = result.alternatives(6)
    assert len(many) == 6
    for one, other in zip(result.alternatives(2), many, strict=False):
        assert np.array_equal(one.colorized.pixels, other.colorized.pixels)
    assert len(result.alternatives(1)) == 1


@pytest.mark.slow
def test_previews_and_versions_have_the_same_alternatives(tiny_colorizer: Colorizer) -> None:
    result = tiny_colorizer.colorize(Photo(color_pixels(300, 400)))
    versions = result.alternatives(3)
    again = versions[2].alternatives(3)
    small = result.preview(7500).alternatives(3)
    for version, same, preview in zip(versions, again, small, strict=True):
        assert np.array_equal(version.colorized.pixels, same.colorized.pixels)
        assert preview.photo.size == (75, 100)
        expected = version.preview(7500).colorized
        assert np.array_equal(preview.colorized.pixels, expected.pixels)


def test_no_alternatives_at_all_are_refused(result: Colorization) -> None:
    with pytest.raises(ValueError, match="n is 0; ask for at least one alternative"):
        result.alternatives(0)


def test_adjusting_does_not_run_the_network(
    tiny_colorizer: Colorizer, color_photo: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    result = tiny_colorizer.colorize(color_photo)

    def refuse(*_: object) -> None:
        raise AssertionError("the network ran")

    monkeypatch.setattr(type(tiny_colorizer.checkpoint.generator), "forward", refuse)
    with pytest.raises(AssertionError, match="the network ran"):
        tiny_colorizer.colorize(color_photo)
    result.adjust(Adjustments(saturation=1.5, contrast=20, chroma_noise=0.5))
    result.preview(1000).adjust(Adjustments(strength=0.5))
    assert result.colorized.size == (61, 83)
    assert result.suggest(5, 5)
    assert result.confidence.size


def test_strength_0_is_gray(result: Colorization, color_photo: Photo) -> None:
    pixels = result.adjust(Adjustments(strength=0)).pixels.astype(int)
    assert np.ptp(pixels, axis=2).max() == 0
    assert np.abs(pixels[:, :, :1] - color_photo.to_gray().pixels).max() <= 1


def test_adjustments_are_seen(result: Colorization) -> None:
    base = np.hypot(*lab_of(result.colorized)[1:]).mean()
    for settings, low, high in (
        (Adjustments(saturation=0.5), 0.4, 0.7),
        (Adjustments(strength=0.5), 0.4, 0.7),
        (Adjustments(saturation=2), 1.1, 2),
    ):
        chroma = np.hypot(*lab_of(result.adjust(settings))[1:]).mean()
        assert low * base < chroma < high * base
    contrast = result.adjust(Adjustments(contrast=80)).lightness
    assert contrast.std() > result.colorized.lightness.std() + 1
    assert np.array_equal(result.adjust(Adjustments()).pixels, result.colorized.pixels)


@pytest.mark.parametrize("size", [(1, 1), (1, 40), (40, 1)])
def test_every_adjustment_at_once_on_the_smallest_photos(
    tiny_colorizer: Colorizer, size: tuple[int, int]
) -> None:
    settings = Adjustments(
        saturation=2,
        temperature=100,
        auto_white_balance=1,
        contrast=100,
        local_contrast=1,
        luma_noise=1,
        chroma_noise=1,
    )
    assert tiny_colorizer.colorize(Photo(color_pixels(*size))).adjust(settings).size == size


def test_preview_is_smaller_with_the_same_colors(tiny_colorizer: Colorizer) -> None:
    photo = Photo(color_pixels(300, 400), "JPEG")
    result = tiny_colorizer.colorize(photo)
    preview = result.preview(7500)
    assert preview.photo.size == (75, 100)
    assert preview.photo.format == "JPEG"
    small = lab_of(preview.colorized)
    full = lab_of(result.colorized).reshape(3, 75, 4, 100, 4).mean((2, 4))
    assert np.abs(small - full).mean() < 1.5
    assert np.array_equal(preview.confidence, result.confidence)


def test_preview_of_a_small_photo_is_the_photo(result: Colorization, color_photo: Photo) -> None:
    preview = result.preview()
    assert preview.photo.size == color_photo.size
    assert np.array_equal(preview.colorized.pixels, result.colorized.pixels)


@pytest.mark.parametrize("size", [(61, 83), (1, 3000), (3000, 1), (200, 31)])
def test_preview_keeps_to_its_size(tiny_colorizer: Colorizer, size: tuple[int, int]) -> None:
    photo = Photo(np.ascontiguousarray(color_pixels(*size)[:, :, :1]))
    preview = tiny_colorizer.colorize(photo).preview(1000)
    assert preview.photo.size[0] * preview.photo.size[1] <= 1050
    assert preview.photo.pixels.shape[2] == 1
    assert preview.colorized.size == preview.photo.size


def test_plain_regression_colors_but_has_no_distribution(
    tanh_colorizer: Colorizer, color_photo: Photo
) -> None:
    result = tanh_colorizer.colorize(color_photo)
    assert np.hypot(*lab_of(result.colorized)[1:]).mean() > 1
    with pytest.raises(ValueError, match="predicts no color distribution; use one with the head"):
        result.confidence  # noqa: B018
    with pytest.raises(ValueError, match="predicts no color distribution; use one with the head"):
        result.suggest(1, 1)
    with pytest.raises(ValueError, match="predicts no color distribution; use one with the head"):
        result.alternatives()


@pytest.fixture(scope="module", params=["rgb", "ab"])
def pix2pix_colorizer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Colorizer:
    """A `Colorizer` with a narrow pix2pix, on either scale."""
    folder = tmp_path_factory.mktemp("pix2pix")
    save_checkpoint(folder, tiny_pix2pix(request.param), 256)
    return Colorizer.load(folder, "cpu")


@pytest.mark.parametrize("size", [(61, 83), (1, 1), (1, 500), (2, 3), (300, 7), (256, 256)])
@pytest.mark.slow
def test_pix2pix_keeps_size_and_lightness(
    pix2pix_colorizer: Colorizer, size: tuple[int, int]
) -> None:
    photo = Photo(color_pixels(*size), "JPEG")
    colorized = pix2pix_colorizer.colorize(photo).colorized
    assert colorized.size == size
    error = np.abs(colorized.lightness - photo.lightness)
    assert error.mean() <= 0.5
    assert error.max() <= 2


@pytest.mark.parametrize("short", [None, 192, 300, 512])
def test_pix2pix_colors_at_every_working_size(
    pix2pix_colorizer: Colorizer, color_photo: Photo, short: int | None
) -> None:
    result = pix2pix_colorizer.colorize(color_photo, working_size=short)
    chroma = np.hypot(*lab_of(result.colorized)[1:])
    assert chroma.mean() > 3
    assert chroma.std() > 1


def test_pix2pix_results_are_adjusted_and_previewed(
    pix2pix_colorizer: Colorizer, color_photo: Photo
) -> None:
    result = pix2pix_colorizer.colorize(color_photo)
    assert np.ptp(result.adjust(Adjustments(strength=0)).pixels, axis=2).max() == 0
    assert result.preview(1000).adjust(Adjustments(saturation=1.5)).size == (27, 37)


def test_pix2pix_takes_hints_too(pix2pix_colorizer: Colorizer, color_photo: Photo) -> None:
    plain = pix2pix_colorizer.colorize(color_photo)
    hinted = plain.with_hints([ColorHint(10, 10, "#ff0000")])
    assert not np.array_equal(plain.colorized.pixels, hinted.colorized.pixels)


def test_pix2pix_has_no_distribution(pix2pix_colorizer: Colorizer, color_photo: Photo) -> None:
    result = pix2pix_colorizer.colorize(color_photo)
    for ask in (lambda: result.confidence, lambda: result.suggest(1, 1), result.alternatives):
        with pytest.raises(ValueError, match="predicts no color distribution; use one with the h"):
            ask()


def test_a_gradient_has_no_jumps(tiny_colorizer: Colorizer) -> None:
    """Smooth lightness in, smooth color out: neither bands nor blocks of the working size."""
    ramp = np.linspace(40, 200, 600).astype(np.uint8)
    photo = Photo(np.broadcast_to(ramp[None, :, None], (300, 600, 1)).copy())
    ab = lab_of(tiny_colorizer.colorize(photo).colorized)[1:, 150]
    steps = [float(np.abs(a - b).max()) for a, b in pairwise(ab.T)]
    assert max(steps) < 6
