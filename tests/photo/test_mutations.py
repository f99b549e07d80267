"""The fuzzer's changes: files keep their structure."""

import io
from random import Random

import numpy as np
import pytest

from colorizer import Photo
from tests.helpers.mutations import FORMATS, mutated
from tests.helpers.photo_files import sample_files

STRUCTURED = {
    kind: data for kind, data in sample_files().items() if data.startswith(tuple(FORMATS))
}


@pytest.mark.parametrize("kind", STRUCTURED)
def test_parts_join_to_the_same_photo(kind: str) -> None:
    data = STRUCTURED[kind]
    split, join = next(both for start, both in FORMATS.items() if data.startswith(start))
    parts = split(data)
    assert len(parts) >= 3
    again = Photo.open(io.BytesIO(join(data, parts)))
    assert np.array_equal(again.pixels, Photo.open(io.BytesIO(data)).pixels)


def test_the_same_seed_makes_the_same_file() -> None:
    data = STRUCTURED["JPEG"]
    files = [mutated(data, Random(seed), bytes.upper, STRUCTURED["PNG RGB"]) for seed in (1, 1, 2)]
    assert files[0] == files[1] != files[2]
    assert all(file.startswith(b"\xff\xd8") for file in files)
