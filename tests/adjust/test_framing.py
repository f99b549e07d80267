"""Framing: turns go clockwise, crops are in percent, and something always stays."""

import numpy as np
import pytest

from colorizer import Photo
from colorizer.adjust.framing import Framing
from tests.helpers.photos import color_pixels


def corners() -> Photo:
    """2 x 3 pixels of different gray: 0 1 2 above 3 4 5."""
    return Photo(np.arange(6, dtype=np.uint8).reshape(2, 3, 1))


def test_turning_clockwise() -> None:
    turned = Framing().turned(clockwise=True).whole(corners())
    assert turned.pixels[:, :, 0].tolist() == [[3, 0], [4, 1], [5, 2]]


def test_turning_back() -> None:
    framing = Framing(margins=(10, 20, 30, 40))
    assert framing.turned(clockwise=True).turned(clockwise=False) == framing
    for _ in range(4):
        framing = framing.turned(clockwise=True)
    assert framing == Framing(margins=(10, 20, 30, 40))


@pytest.mark.parametrize("clockwise", [True, False])
def test_a_turn_keeps_what_is_seen(clockwise: bool) -> None:
    """Cropped and then turned, or turned with the crop: the same pixels."""
    photo = Photo(color_pixels(40, 60))
    framing = Framing(margins=(10, 30, 25, 5))
    cropped = framing(photo).pixels
    both = framing.turned(clockwise)(photo).pixels
    np.testing.assert_array_equal(both, np.rot90(cropped, -1 if clockwise else 1))


def test_crop_in_percent() -> None:
    photo = Photo(color_pixels(40, 60))
    cropped = Framing(margins=(10, 20, 25, 50)).crop(photo)
    np.testing.assert_array_equal(cropped.pixels, photo.pixels[10:20, 6:48])


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1)])
def test_at_least_a_pixel_stays(size: tuple[int, int]) -> None:
    photo = Photo(color_pixels(*size))
    assert Framing(margins=(99, 0, 0, 99)).crop(photo).size >= (1, 1)
    assert Framing(margins=(0, 99, 99, 0)).crop(photo).size >= (1, 1)


@pytest.mark.parametrize("margins", [(60, 40, 0, 0), (0, 0, 100, 0), (-1, 0, 0, 0)])
def test_a_crop_that_leaves_nothing(margins: tuple[float, ...]) -> None:
    with pytest.raises(ValueError, match="leave nothing"):
        Framing(margins=margins)  # type: ignore[arg-type]


@pytest.mark.parametrize("turns", [-1, 4, 0.5])
def test_turns_are_quarters(turns: float) -> None:
    with pytest.raises(ValueError, match="0 to 3 quarter turns"):
        Framing(turns=turns)  # type: ignore[arg-type]


PRINT = ((20, 10), (80, 25), (75, 90), (15, 80))  # percent


def test_a_print_is_straightened_before_it_is_turned() -> None:
    photo = Photo(color_pixels(80, 100))
    straight = Framing(corners=PRINT)(photo)
    assert straight.size == (54, 61)
    turned = Framing(turns=1, corners=PRINT)(photo)
    np.testing.assert_array_equal(turned.pixels, np.rot90(straight.pixels, -1))


@pytest.mark.parametrize("turns", range(4))
def test_points_go_through_a_straightened_print_and_back(turns: int) -> None:
    framing = Framing(turns=turns, margins=(10, 5, 0, 20), corners=PRINT)
    x, y = framing.to_framed(45, 40, (80, 100))
    assert framing.to_photo(x, y, (80, 100)) == pytest.approx((45, 40), abs=1e-3)
    pixels = np.zeros((80, 100, 1), np.uint8)
    pixels[39:42, 44:47] = 255
    framed = framing(Photo(pixels)).pixels[:, :, 0]
    row, column = np.argwhere(framed > 200).mean(0)
    assert (column, row) == pytest.approx((x, y), abs=0.7)


@pytest.mark.parametrize("corners", [PRINT[:3], PRINT[::-1], ((0, 0), (101, 0), (90, 90), (0, 90))])
def test_corners_make_a_quadrangle_inside_the_photo(
    corners: tuple[tuple[float, float], ...],
) -> None:
    with pytest.raises(ValueError, match="The corners"):
        Framing(corners=corners)


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("corners", [(), PRINT])
def test_points_turn_by_degrees_and_back(
    turns: int, corners: tuple[tuple[float, float], ...]
) -> None:
    framing = Framing(turns, (10, 5, 0, 20), corners=corners, degrees=7.5)
    x, y = framing.to_framed(45, 40, (80, 100))
    assert framing.to_photo(x, y, (80, 100)) == pytest.approx((45, 40), abs=1e-3)
    pixels = np.zeros((80, 100, 1), np.uint8)
    pixels[39:42, 44:47] = 255
    framed = framing(Photo(pixels))
    assert framed.size == framing.framed_size((80, 100))
    row, column = np.argwhere(framed.pixels[:, :, 0] > 150).mean(0)
    assert (column, row) == pytest.approx((x, y), abs=0.8)


def test_degrees_turn_clockwise() -> None:
    x, y = Framing(degrees=10).to_framed(90, 39.5, (80, 100))
    assert y > 39.5 + 40 * np.sin(np.radians(9))
    assert x < 90


@pytest.mark.parametrize("turns", range(4))
def test_a_quarter_turn_keeps_what_degrees_show(turns: int) -> None:
    photo = Photo(color_pixels(40, 60))
    framing = Framing(turns, (10, 20, 15, 25), degrees=5)
    both = framing.turned(clockwise=True)(photo).pixels.astype(int)
    expected = np.rot90(framing(photo).pixels, -1)
    assert np.abs(both - expected).mean() < 1


@pytest.mark.parametrize("degrees", [-15, -0.1, 0.1, 4, 15])
@pytest.mark.parametrize("margins", [(0, 0, 0, 0), (0, 70, 0, 60), (40, 0, 0, 5)])
@pytest.mark.parametrize("turns", [0, 1])
def test_a_crop_inside_shows_only_the_photo(
    degrees: float, margins: tuple[float, float, float, float], turns: int
) -> None:
    size = (80, 120)
    framing = Framing(turns, margins, degrees=degrees).inside(size)
    rows, columns = framing.framed_size(size)
    for x in (-0.5, columns - 0.5):
        for y in (-0.5, rows - 0.5):
            across, down = framing.to_photo(x, y, size)
            assert -0.5 <= across <= 119.5
            assert -0.5 <= down <= 79.5
    assert framing.inside(size).margins == pytest.approx(framing.margins)
    assert rows * columns > 0.2 * np.prod(Framing(turns, margins).framed_size(size))


def test_without_degrees_a_crop_stays() -> None:
    framing = Framing(margins=(0, 70, 0, 60))
    assert framing.inside((80, 120)) is framing


@pytest.mark.parametrize("degrees", [-15.1, 16, float("nan")])
def test_degrees_have_a_range(degrees: float) -> None:
    with pytest.raises(ValueError, match="it goes from -15 to 15"):
        Framing(degrees=degrees)
