"""The example photos: each has its source named, opens, and the aged print can be made again."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.helpers.paths import EXAMPLES

PHOTOS = sorted(EXAMPLES.glob("*.jpg"))

# Mean absolute difference, in gray levels out of 255, that JPEG codecs may put between two prints.
JPEG_TOLERANCE = 2.0


def test_sources_name_every_photo_and_no_other() -> None:
    table = (EXAMPLES / "SOURCES.md").read_text(encoding="utf-8")
    named = re.findall(r"^\| `([^`]+)` \|", table, flags=re.MULTILINE)
    assert sorted(named) == sorted([*(photo.name for photo in PHOTOS), "before_after.webp"])


@pytest.mark.parametrize("path", PHOTOS, ids=lambda path: path.name)
def test_photo_opens_and_is_small(path: Path) -> None:
    with Image.open(path) as photo:
        photo.load()
        assert photo.format == "JPEG"
        assert photo.mode in {"L", "RGB"}
        assert max(photo.size) <= 1600
    assert path.stat().st_size <= 350 * 1024


def test_gray_and_color_are_both_there() -> None:
    modes = []
    for path in PHOTOS:
        with Image.open(path) as photo:
            modes.append(photo.mode)
    assert modes.count("L") >= 2
    assert modes.count("RGB") >= 2


@pytest.mark.slow
def test_aged_print_can_be_made_again(tmp_path: Path) -> None:
    script = EXAMPLES / "make_aged_print.py"
    out = tmp_path / "aged.jpg"
    subprocess.run([sys.executable, script, EXAMPLES / "dogs.jpg", out], check=True, timeout=60)
    with Image.open(out) as made, Image.open(EXAMPLES / "aged.jpg") as stored:
        assert made.size == stored.size
        difference = np.asarray(made, dtype=np.float64) - np.asarray(stored, dtype=np.float64)
    assert np.abs(difference).mean() < JPEG_TOLERANCE
