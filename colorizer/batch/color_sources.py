"""The pictures of a folder whose colors the photos of an album take, found by their names."""

import os
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path

from colorizer.batch.find import PHOTO_SUFFIXES
from colorizer.errors import ColorSourceError
from colorizer.file_names import is_system_name
from colorizer.photo.formats import MAX_PIXELS
from colorizer.photo.photo import Photo
from colorizer.sources.color_source import ColorSource, Use

RESULT_ENDING = "_color"  # of our own results' names


@dataclass(frozen=True)
class ColorSources:
    """The pictures of a folder and below; can be sent to other processes.

    Attributes:
        folder: of the pictures.
        strength: of their colors, 0 to 1.
        max_pixels: pictures with more are refused as decompression bombs.
    """

    folder: Path
    strength: float = 1.0
    max_pixels: int = MAX_PIXELS

    def find(self, photo: Path) -> Path | None:
        """The picture with a photo's name; None if there is none.

        Endings and "_color" don't count. Of several such pictures it is the one whose folders have
        most names in common with the photo's, from the last one up.

        Raises:
            ColorSourceError: several pictures fit equally well.
        """
        names = photo.absolute().parts[-2::-1]
        found = self._pictures.get(_key(photo), [])
        common = [_common(names, path.absolute().parts[-2::-1]) for path in found]
        best = [path for path, count in zip(found, common, strict=True) if count == max(common)]
        if len(best) > 1:
            raise ColorSourceError(
                f"{best[0]} and {best[1]} both have the name of {photo}; keep only one of them.",
                "several",
            )
        return best[0] if best else None

    def of(self, photo: Path) -> ColorSource | None:
        """The picture with a photo's name, opened; None if there is none.

        Raises:
            ColorSourceError: several pictures fit, or the picture has no color or is too small.
            PhotoError: the picture can't be read.
        """
        path = self.find(photo)
        if path is None:
            return None
        return open_color_source(path, "same", self.strength, self.max_pixels)

    @cached_property
    def _pictures(self) -> dict[str, list[Path]]:
        """By the key of their names."""
        found: dict[str, list[Path]] = {}
        for parent, folders, files in os.walk(self.folder):
            folders[:] = sorted(name for name in folders if not is_system_name(name))
            for path in (Path(parent, name) for name in sorted(files) if not is_system_name(name)):
                if path.suffix.lower() in PHOTO_SUFFIXES:
                    found.setdefault(_key(path), []).append(path)
        return found


def open_color_source(
    path: Path, use: Use = "same", strength: float = 1.0, max_pixels: int = MAX_PIXELS
) -> ColorSource:
    """Open a picture whose colors are taken.

    Raises:
        ColorSourceError: it has no color or is too small; the sentence names it.
        PhotoError: it can't be read.
    """
    try:
        return ColorSource.of(Photo.open(path, max_pixels=max_pixels), use, strength)
    except ColorSourceError as error:
        raise ColorSourceError(f"{path}: {error}", error.reason) from None


def _key(path: Path) -> str:
    return path.stem.casefold().removesuffix(RESULT_ENDING)


def _common(names: tuple[str, ...], others: tuple[str, ...]) -> int:
    """How many names two tuples have in common at their beginnings."""
    return len([*takewhile(lambda pair: pair[0] == pair[1], zip(names, others, strict=False))])
