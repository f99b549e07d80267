"""What is said about a photo, and that it is said in every place."""

from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from colorizer import Colorizer, Edit, Photo
from colorizer.batch.album import NOTICE_SENTENCES
from colorizer.inference.notices import find_notices
from colorizer.photo.notices import Notice
from colorizer.web.actions import photo_state
from colorizer.web.texts import LANGUAGES
from tests.helpers.paths import EXAMPLES

MEADOW = EXAMPLES / "meadow.jpg"


@pytest.fixture
def negative(tmp_path: Path) -> Path:
    path = tmp_path / "negative.png"
    Photo.open(MEADOW).to_gray().shrunk((200, 300)).inverted().save(path)
    return path


def test_nothing_of_an_ordinary_gray_photo() -> None:
    assert find_notices(Photo(np.full((9, 9, 1), 90, np.uint8))) == []
    assert find_notices(Photo.open(MEADOW).to_gray()) == []


def test_a_negative_is_offered_and_not_inverted(negative: Path, tiny_colorizer: Colorizer) -> None:
    photo = Photo.open(negative)
    assert find_notices(photo) == ["negative"]
    assert find_notices(photo.inverted()) == []
    shown = photo_state.colorize(tiny_colorizer, photo, Edit(), negative)
    assert shown.notices == ("negative",)
    assert np.array_equal(shown.small.pixels, photo.pixels)


def test_every_notice_has_its_sentence_everywhere() -> None:
    for notice in get_args(Notice):
        assert notice in NOTICE_SENTENCES
        for texts in LANGUAGES.values():
            assert texts.get(f"photo.notice.{notice}") or texts[f"photo.lost.{notice}"]
