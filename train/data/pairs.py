"""Pairs of a color photo and its gray version, in two folders."""

import os
from dataclasses import dataclass
from pathlib import Path

from train.data.photo_files import PhotoFile, find_photos
from train.data.samples import Pair, first_names


@dataclass(frozen=True, slots=True)
class PhotoPair:
    """A color photo and its gray version, for example a scan of a black-and-white print."""

    color: PhotoFile
    gray: PhotoFile

    @property
    def name(self) -> str:
        """Name of the color photo."""
        return self.color.name

    def read(self) -> Pair:
        """Decode both photos."""
        return Pair(self.color.open(), self.gray.open_gray())

    def files(self) -> tuple[Path, ...]:
        """Return the files of both photos."""
        return self.color.path, self.gray.path


def find_pairs(path: Path) -> list[PhotoPair]:
    """Pairs in a folder with `color/` and `gray/`, whose photos differ in name only by the ending.

    Raises:
        ValueError: a photo has no partner, or one of another size.
    """
    sides = []
    for side in ("color", "gray"):
        photos = find_photos(path / side)
        named = {os.path.splitext(photo.name)[0]: photo for photo in photos}
        if len(named) < len(photos):
            raise ValueError(
                f"{path / side} has photos that differ only in their ending; keep one of each."
            )
        sides.append(named)
    color, gray = sides
    lonely = [f"color/{name}" for name in sorted(color.keys() - gray.keys())]
    lonely += [f"gray/{name}" for name in sorted(gray.keys() - color.keys())]
    if lonely:
        raise ValueError(
            f"{path} has photos without a partner of the same name, {len(lonely)} in all "
            f"({first_names(lonely)}); add it in the other folder, or remove them."
        )
    pairs = [PhotoPair(photo, gray[name]) for name, photo in color.items()]
    unequal = [pair.name for pair in pairs if not _equal_size(pair)]
    if unequal:
        raise ValueError(
            f"{path} has pairs of different sizes, {len(unequal)} in all ({first_names(unequal)}); "
            "bring color and gray to the same width and height, or remove them."
        )
    return pairs


def _equal_size(pair: PhotoPair) -> bool:
    try:
        return pair.color.size() == pair.gray.size()
    except OSError:
        return True  # one unreadable photo is no reason to stop: training skips and counts it
