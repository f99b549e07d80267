"""Finding faces: which, where, and at which sizes."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from colorizer import Photo
from colorizer.inference.faces import Face, find_faces
from tests.helpers.paths import EXAMPLES
from tests.helpers.photos import color_pixels


@pytest.fixture(scope="module")
def portrait() -> Photo:
    return Photo.open(EXAMPLES / "portrait.jpg")


def middle(face: Face) -> tuple[float, float]:
    return face.left + face.width / 2, face.top + face.height / 2


def test_a_portrait_has_one_face(portrait: Photo) -> None:
    (face,) = find_faces(portrait)
    assert middle(face) == pytest.approx((224, 118), abs=10)
    assert 80 < face.width < face.height < 140
    assert 0.9 < face.score <= 1


def test_people_are_found_in_an_old_photo() -> None:
    faces = find_faces(Photo.open(EXAMPLES / "workers.jpg"))
    assert sorted(face.left // 100 for face in faces) == [1, 4]


@pytest.mark.parametrize("name", ["meadow.jpg", "bee.jpg", "temple.jpg"])
def test_where_nobody_is_nobody_is_found(name: str) -> None:
    assert find_faces(Photo.open(EXAMPLES / name)) == []


def test_small_faces_are_found_at_the_second_size(
    portrait: Photo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of faces of 22 and of 13 pixels at the first size, which finds the larger alone."""
    pixels = np.full((1280, 1280, 1), 128, np.uint8)
    for side, corner in ((250, 100), (140, 900)):
        small = portrait.shrunk((side, side)).pixels
        pixels[corner : corner + side, corner : corner + side] = small
    first, second = sorted(find_faces(Photo(pixels)), key=lambda face: face.width)
    assert 20 < first.width < 30 < 40 < second.width < 50
    monkeypatch.setattr("colorizer.inference.faces.MAX_CROWD_WIDTH", 0)
    (alone,) = find_faces(Photo(pixels))
    assert middle(alone) == pytest.approx(middle(second), abs=5)


def test_boxes_are_in_pixels_of_the_photo(portrait: Photo) -> None:
    (face,) = find_faces(portrait)
    (half,) = find_faces(portrait.shrunk((256, 256)))
    assert middle(half) == pytest.approx(tuple(side / 2 for side in middle(face)), abs=4)
    deep = Photo(portrait.pixels.astype(np.uint16) * np.uint16(257))
    assert find_faces(deep)[0] == pytest.approx(face, abs=1)


@pytest.mark.parametrize("size", [(1, 1), (8, 300), (20000, 1), (40, 900)])
def test_any_size_is_searched(size: tuple[int, int]) -> None:
    assert find_faces(Photo(color_pixels(*size))) == []


def test_several_threads_at_once(portrait: Photo) -> None:
    small = portrait.shrunk((300, 300))
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(find_faces, [portrait, small] * 6))
    assert found == [find_faces(portrait), find_faces(small)] * 6


def test_nothing_is_printed(portrait: Photo, capfd: pytest.CaptureFixture[str]) -> None:
    find_faces(portrait)
    assert capfd.readouterr() == ("", "")
