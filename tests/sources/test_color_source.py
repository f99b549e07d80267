"""Colors of another picture: taken where it agrees, refused in sentences, kept in recipes."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorizer import (
    ColorHint,
    Colorizer,
    ColorSource,
    ColorSourceError,
    Edit,
    Photo,
    Recipe,
    RecipeError,
    render,
)
from colorizer.adjust.framing import Framing
from colorizer.edit import colorize
from colorizer.photo.photo import pixel_hash
from colorizer.sources.color_source import Region
from tests.helpers.scenes import changed, scene

COLORED = Photo(scene(200, 260))
GRAY = COLORED.to_gray()
ELSEWHERE = Photo(changed(COLORED.pixels))


@pytest.fixture(scope="module")
def source() -> ColorSource:
    return ColorSource.of(ELSEWHERE)


def ab_error(one: Photo, other: Photo) -> np.ndarray:
    """Distance of colors, in levels of RGB differences between the channels."""
    first, second = (np.diff(photo.pixels.astype(float), axis=2) for photo in (one, other))
    return np.linalg.norm(first - second, axis=2)


def test_the_colors_are_taken_and_the_lightness_stays(
    tiny_colorizer: Colorizer, source: ColorSource
) -> None:
    plain = render(tiny_colorizer, GRAY, Edit())
    made = render(tiny_colorizer, GRAY, Edit(color_source=source))
    middle = np.s_[30:-30, 30:-30]
    assert np.median(ab_error(made, COLORED)[middle]) < 0.3 * np.median(
        ab_error(plain, COLORED)[middle]
    )
    assert np.abs(made.lightness - GRAY.lightness).max() < 0.5


@pytest.mark.slow
def test_strength_joins_both(tiny_colorizer: Colorizer, source: ColorSource) -> None:
    plain, none, half, whole = (
        colorize(tiny_colorizer, GRAY, Edit(color_source=given))
        for given in (None, replace(source, strength=0.0), replace(source, strength=0.5), source)
    )
    assert none.evidence is not None
    np.testing.assert_array_equal(none.colorized.pixels, plain.colorized.pixels)
    assert half.evidence is not None
    assert whole.evidence is not None
    np.testing.assert_allclose(half.evidence.weight, whole.evidence.weight / 2)
    assert 0.9 < whole.evidence.weight.max() <= 1
    assert (whole.confidence >= plain.confidence - 1e-6).all()


def test_hints_win_over_the_picture(tiny_colorizer: Colorizer, source: ColorSource) -> None:
    hints = (ColorHint(130, 100, "#0000ff", radius=3),)
    edit = Edit(hints=hints, color_source=source)
    hinted = colorize(tiny_colorizer, GRAY, edit)
    assert hinted._ab[1, *np.array(hinted._ab.shape[1:]) // 2] < -30
    again = colorize(tiny_colorizer, GRAY, Edit(color_source=source)).with_hints(hints)
    np.testing.assert_array_equal(again.colorized.pixels, hinted.colorized.pixels)


def test_copies_and_alternatives_keep_the_colors(
    tiny_colorizer: Colorizer, source: ColorSource
) -> None:
    result = colorize(tiny_colorizer, GRAY, Edit(color_source=source))
    assert result.preview(5000).evidence is result.evidence
    assert all(other.evidence is result.evidence for other in result.alternatives(3))
    assert result.with_evidence(None).evidence is None


def test_turned_photos_take_the_colors_of_pictures_that_are_not(
    tiny_colorizer: Colorizer, source: ColorSource
) -> None:
    framing = Framing(1, (5, 5, 10, 0))
    made = render(tiny_colorizer, GRAY, Edit(framing, color_source=source))
    expected = framing(COLORED)
    assert np.median(ab_error(made, expected)[30:-30, 30:-30]) < 12


def test_another_photo_is_refused(tiny_colorizer: Colorizer) -> None:
    other = ColorSource.of(Photo(scene(200, 260, seed=4)))
    with pytest.raises(ColorSourceError, match="does not show this photo") as caught:
        render(tiny_colorizer, GRAY, Edit(color_source=other))
    assert caught.value.reason == "other"


@pytest.mark.parametrize(
    ("photo", "reason", "sentence"),
    [
        (
            Photo(COLORED.pixels[:1, :1]),
            "size",
            "has 1 x 1 pixels; use one whose sides have at least",
        ),
        (GRAY, "gray", "has no color; use one in color"),
        (Photo(np.repeat(GRAY.pixels, 3, axis=2)), "gray", "has no color"),
    ],
    ids=["one pixel", "one channel", "three equal channels"],
)
def test_useless_pictures_are_refused(photo: Photo, reason: str, sentence: str) -> None:
    with pytest.raises(ColorSourceError, match=sentence) as caught:
        ColorSource.of(photo)
    assert caught.value.reason == reason


def test_values_out_of_range(source: ColorSource) -> None:
    for strength in (-0.1, 1.1, float("nan")):
        with pytest.raises(ColorSourceError, match="it goes from 0 to 1"):
            replace(source, strength=strength)
    with pytest.raises(ColorSourceError, match="use is 'both'"):
        replace(source, use="both")  # type: ignore[arg-type]
    with pytest.raises(ColorSourceError, match="letters; at most"):
        replace(source, picture="A" * 2_000_001)


def test_large_pictures_become_small_copies() -> None:
    source = ColorSource.of(Photo(scene(700, 900)))
    assert source.lab.shape == (3, 512, 658)
    assert len(source.picture) < 600_000
    assert source.sha256 == pixel_hash(Photo(scene(700, 900)))


@pytest.mark.slow
def test_a_recipe_makes_the_same_pixels_again(
    tiny_colorizer: Colorizer, source: ColorSource
) -> None:
    edit = Edit(color_source=replace(source, strength=0.8))
    recipe = Recipe.of(tiny_colorizer, GRAY, "a.png", edit)
    again = Recipe.from_json(recipe.to_json())
    assert again == recipe
    assert json.loads(recipe.to_json())["color_source"]["sha256"] == pixel_hash(ELSEWHERE)
    made = render(tiny_colorizer, GRAY, edit)
    np.testing.assert_array_equal(again.apply(tiny_colorizer, GRAY).pixels, made.pixels)
    with pytest.raises(RecipeError, match=r"does not fit this photo: .* does not show this photo"):
        again.apply(tiny_colorizer, Photo(scene(200, 260, seed=5)).to_gray())


def test_recipes_without_a_color_source_stay_readable(tiny_colorizer: Colorizer) -> None:
    recipe = Recipe.of(tiny_colorizer, GRAY, "a.png")
    values = json.loads(recipe.to_json())
    assert "color_source" not in values  # as before, so that older versions read it
    assert Recipe.from_json(json.dumps(values)) == recipe
    assert Recipe.from_json(json.dumps(values | {"color_source": None})) == recipe


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"picture": "!"}, "The copy of the other picture can't be read"),
        ({"picture": base64.b64encode(b"no picture").decode()}, "can't be read"),
        ({"picture": ""}, "can't be read"),
        ({"strength": 2.0}, "strength is 2.0; it goes from 0 to 1."),
        ({"sha256": "1234"}, "it must be 64 hexadecimal digits"),
        ({"use": "paint"}, "color_source.use"),
        ({"more": 1}, "has an unknown color_source.more"),
    ],
    ids=str,
)
def test_damaged_recipes_are_refused(
    tiny_colorizer: Colorizer,
    source: ColorSource,
    change: dict[str, object],
    sentence: str,
) -> None:
    recipe = Recipe.of(tiny_colorizer, GRAY, "a.png", Edit(color_source=source))
    values = json.loads(recipe.to_json())
    values["color_source"] |= change
    with pytest.raises(RecipeError) as caught:
        Recipe.from_json(json.dumps(values)).apply(tiny_colorizer, GRAY)
    assert sentence in str(caught.value)


def test_a_bomb_in_a_recipe_is_not_decoded(source: ColorSource, tmp_path: Path) -> None:
    Image.new("RGB", (5000, 5000)).save(tmp_path / "bomb.jpg")
    text = base64.b64encode((tmp_path / "bomb.jpg").read_bytes()).decode()
    with pytest.raises(ColorSourceError, match="can't be read"):
        _ = replace(source, picture=text).lab


def test_the_metadata_says_where_colors_came_from(
    tiny_colorizer: Colorizer, source: ColorSource
) -> None:
    words = f"colors from another picture, sha256 {source.sha256}".encode()
    assert words in render(tiny_colorizer, GRAY, Edit(color_source=source)).metadata.xmp
    assert b"another picture" not in render(tiny_colorizer, GRAY, Edit()).metadata.xmp
    none = Edit(color_source=replace(source, strength=0.0))
    assert b"another picture" not in render(tiny_colorizer, GRAY, none).metadata.xmp


def test_16_bits_stay(tiny_colorizer: Colorizer, source: ColorSource) -> None:
    deep = Photo(GRAY.pixels.astype(np.uint16) * 257)
    made = render(tiny_colorizer, deep, Edit(color_source=source))
    assert made.pixels.dtype == np.uint16
    assert np.abs(made.lightness - deep.lightness).max() < 0.05


def painted(source: Photo) -> Photo:
    """The picture with a disc painted over what it showed."""
    pixels = source.pixels.copy()
    rows, columns = np.ogrid[: pixels.shape[0], : pixels.shape[1]]
    pixels[(rows - 75) ** 2 + (columns - 90) ** 2 < 30**2] = (30, 90, 220)
    return Photo(pixels)


def test_regions_are_taken_and_left_by_hand(tiny_colorizer: Colorizer) -> None:
    """Where the picture was not believed it can be, and the other way round; twice is never."""
    source = ColorSource.of(painted(COLORED))
    result = colorize(tiny_colorizer, GRAY, Edit(color_source=source))
    assert result.evidence is not None
    rows, columns = result.evidence.belief.shape
    disc = int(75 * rows / 200), int(90 * columns / 260)
    around = int(150 * rows / 200), int(200 * columns / 260)

    def taken(*regions: Region) -> tuple[float, float]:
        assert result.evidence is not None
        made = result.evidence.using(replace(source, regions=regions)).taken
        return float(made[disc]), float(made[around])

    assert taken() == pytest.approx((0, 1), abs=0.1)
    assert taken(Region(90, 75, True)) == pytest.approx((1, 1), abs=0.1)
    assert taken(Region(200, 150, False)) == pytest.approx((0, 0), abs=0.1)
    assert taken(Region(-5, 75, True)) == taken()  # cut off by a crop

    once = result.evidence.toggled(90, 75)
    assert once.regions == (Region(90, 75, True),)
    assert result.evidence.using(once).toggled(92, 74).regions == ()
    both = result.evidence.using(once).toggled(200, 150)
    assert both.regions == (Region(90, 75, True), Region(200, 150, False))
    made = render(tiny_colorizer, GRAY, Edit(color_source=both))
    assert np.abs(made.lightness - GRAY.lightness).max() < 0.5
    recipe = Recipe.of(tiny_colorizer, GRAY, "scene.png", Edit(color_source=both))
    assert Recipe.from_json(recipe.to_json()) == recipe


def test_what_a_picture_does_not_show_can_not_be_taken(tiny_colorizer: Colorizer) -> None:
    half = Photo(COLORED.pixels[:, :130])
    result = colorize(tiny_colorizer, GRAY, Edit(color_source=ColorSource.of(half)))
    assert result.evidence is not None
    with pytest.raises(ValueError, match="doesn't show what is at x=240"):
        result.evidence.toggled(240, 100)
    with pytest.raises(ValueError, match="outside the photo"):
        result.evidence.toggled(260, 100)
    with pytest.raises(ColorSourceError, match="at most 200"):
        replace(result.evidence.source, regions=(Region(1, 1, True),) * 201)
