"""Pictures whose colors the photos of an album take, found by their names."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from pathlib import Path
from typing import Self

from colorizer.batch.find import PHOTO_SUFFIXES
from colorizer.errors import ColorSourceError, PhotoError
from colorizer.file_names import is_system_name
from colorizer.photo.photo import Photo
from colorizer.sources.color_source import ColorSource, Use

RESULT_ENDING = "_color"  # of our own results' names


@dataclass(frozen=True)
class ColorSources:
    """Pictures; can be sent to other processes.

    Attributes:
        pictures: their paths.
        strength: of their colors, 0 to 1.
    """

    pictures: tuple[Path, ...]
    strength: float = 1.0

    @classmethod
    def of_folder(cls, folder: Path, strength: float = 1.0) -> Self:
        """The pictures of a folder and below."""
        found: list[Path] = []
        for parent, folders, files in os.walk(folder):
            folders[:] = sorted(name for name in folders if not is_system_name(name))
            paths = (Path(parent, name) for name in sorted(files) if not is_system_name(name))
            found += (path for path in paths if path.suffix.lower() in PHOTO_SUFFIXES)
        return cls(tuple(found), strength)

    def find(self, photo: Path) -> Path | None:
        """The picture with a photo's name; None if there is none.

        Endings and "_color" don't count. Of several such pictures it is the one whose folders have
        most names in common with the photo's, from the last one up.

        Raises:
            ColorSourceError: several pictures fit equally well.
        """
        names = photo.absolute().parts[-2::-1]
        found = self._by_name.get(_key(photo), [])
        common = [_common(names, path.absolute().parts[-2::-1]) for path in found]
        best = [path for path, count in zip(found, common, strict=True) if count == max(common)]
        if len(best) > 1:
            raise ColorSourceError(
                f"{best[0]} and {best[1]} both have the name of {photo}; keep only one of them.",
                "several",
            )
        return best[0] if best else None

    def of(self, photo: Path, open_photo: Callable[[Path], Photo]) -> ColorSource | None:
        """The picture with a photo's name, opened; None if there is none.

        Raises:
            ColorSourceError: several pictures fit, or the picture can't be used.
        """
        path = self.find(photo)
        if path is None:
            return None
        return open_color_source(path, open_photo, "same", self.strength)

    @cached_property
    def _by_name(self) -> dict[str, list[Path]]:
        """By the key of their names."""
        found: dict[str, list[Path]] = {}
        for path in self.pictures:
            found.setdefault(_key(path), []).append(path)
        return found


def open_color_source(
    path: Path, open_photo: Callable[[Path], Photo], use: Use = "same", strength: float = 1.0
) -> ColorSource:
    """Open a picture whose colors are taken.

    Raises:
        ColorSourceError: it can't be read, has no color or is too small; the sentence names it.
    """
    try:
        return ColorSource.of(open_photo(path), use, strength)
    except PhotoError as error:
        raise ColorSourceError(str(error), "unreadable") from None
    except ColorSourceError as error:
        raise ColorSourceError(f"{path}: {error}", error.reason) from None


def _key(path: Path) -> str:
    return path.stem.casefold().removesuffix(RESULT_ENDING)


def _common(names: tuple[str, ...], others: tuple[str, ...]) -> int:
    """How many names two tuples have in common at their beginnings."""
    return len([*takewhile(lambda pair: pair[0] == pair[1], zip(names, others, strict=False))])
