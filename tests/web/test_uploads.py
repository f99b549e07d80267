"""Uploaded photos, within the limits of the server."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorizer import Photo, PhotoError
from colorizer.adjust.framing import Framing
from colorizer.web.server.settings import settings
from colorizer.web.server.uploads import FramedPhotos, open_upload, placeholders
from tests.helpers.photos import color_pixels


@pytest.fixture(autouse=True)
def limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """1,000 pixels and 1,000 bytes."""
    monkeypatch.setenv("COLORIZER_MAX_PIXELS", "1000")
    monkeypatch.setenv("COLORIZER_MAX_UPLOAD", "1kb")
    settings.cache_clear()
    yield
    settings.cache_clear()


def test_a_small_photo_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "small.png"
    Image.new("L", (40, 25), 99).save(path)
    assert open_upload(path).size == (25, 40)


def test_one_with_too_many_pixels_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "wide.png"
    Image.new("L", (41, 25), 99).save(path)
    with pytest.raises(PhotoError, match=r"wide.png has more than 0.001 megapixels"):
        open_upload(path)
    assert placeholders(path) == {"name": "wide.png", "megapixels": "0.001"}


def test_one_with_too_many_bytes_is_refused_and_deleted(tmp_path: Path) -> None:
    """Gradio fetches what a link leads to, whatever its size."""
    path = tmp_path / "large.bmp"
    Image.fromarray(color_pixels(20, 20)).save(path)
    with pytest.raises(PhotoError, match=r"large.bmp has more than 0.001 MB; make it smaller"):
        open_upload(path)
    assert not path.exists()


def test_one_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="does not exist"):
        open_upload(tmp_path / "gone.jpg")


def test_framed_photos_are_kept_within_a_budget(tmp_path: Path) -> None:
    """The oldest goes first, and whatever has lost its file."""
    kept, plain, photo = FramedPhotos(250), Framing(), Photo(np.zeros((10, 10, 1), np.uint8))
    paths = [tmp_path / f"{number}.png" for number in range(3)]
    for path in paths:
        photo.save(path)
        kept.keep(path, plain, photo)
    assert [kept.get(path, plain) is photo for path in paths] == [False, True, True]
    assert kept.get(paths[1], Framing(turns=1)) is None
    paths[1].unlink()
    assert kept.get(paths[1], plain) is None
    kept.keep(paths[0], plain, Photo(np.zeros((20, 20, 1), np.uint8)))
    assert kept.get(paths[0], plain) is None
