"""Albums: find the photos in files, folders and patterns, and where their results belong."""

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from colorizer.batch.report import results_in

# Of files in folders; what is named itself may have any ending.
ENDINGS = (
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp", ".avif", ".heic"),
    *(".heif", ".jp2", ".j2k", ".jpf", ".jpx", ".gif", ".bmp", ".pbm", ".pgm", ".ppm", ".pnm"),
)


@dataclass(frozen=True)
class Found:
    """A photo that was found, or what was found in its stead.

    Attributes:
        source: its path, as the person would write it.
        place: its path below the folder of results, by its own name.
        problem: why there is no photo, as a sentence; mostly empty.
    """

    source: Path
    place: Path
    problem: str = ""


def find_photos(names: Sequence[str], output: Path | None = None) -> list[Found]:
    """Find the photos that are meant by names.

    Folders are searched with all folders below them, for what has the ending of a photo. Hidden
    files and folders, links to folders, the folder of results, and what the reports there or of
    other runs call results are left out, also of what patterns find. What is found twice counts
    once.

    Args:
        names: of files, folders, and patterns such as "album/**/*.tif".
        output: the folder of results, if there is one.

    Returns:
        Files go by their name, and what a pattern finds by its path from the first folder whose
        name has no wildcard. The photos of a folder that is named alone go by their path in it,
        else its own name comes first.

    Raises:
        ValueError: one of the folders is that of the results.
    """
    search = _Search(output)
    found: dict[str, Found] = {}
    for name in names:
        for item in search.find(name, alone=len(names) == 1):
            found.setdefault(os.path.abspath(item.source), item)
    return list(found.values())


@dataclass
class _Search:
    """A search that keeps away from results."""

    output: Path | None
    _results: dict[Path, set[Path]] = field(default_factory=dict)  # by the folder of their report

    def find(self, name: str, alone: bool) -> Iterator[Found]:
        path = Path(name)
        if path.is_dir():
            yield from self._walk(path, Path() if alone else Path(path.resolve().name))
        elif path.exists():
            yield Found(path, Path(path.name))
        elif glob.has_magic(name):
            yield from self._match(name)
        else:
            yield Found(path, Path(path.name), f"{name} does not exist; check the path.")

    def _walk(self, folder: Path, place: Path) -> Iterator[Found]:
        """The photos in a folder and below, in the order of their names."""
        if self._is_output(folder):
            raise ValueError(
                f"The results can't go into {folder}, where the photos are; choose another folder, "
                f"for example {folder / 'colored'}."
            )
        problems: list[OSError] = []
        for parent, folders, files in os.walk(folder, onerror=problems.append):
            here = Path(parent)
            folders[:] = sorted(
                name for name in folders if name[0] != "." and not self._is_output(here / name)
            )
            for path in (here / file for file in sorted(files) if file[0] != "."):
                if path.suffix.lower() in ENDINGS and not self._is_result(path):
                    yield Found(path, place / path.relative_to(folder))
        for problem in problems:
            path = Path(problem.filename)
            sentence = f"{path} can't be searched ({problem.strerror}); change its permissions."
            yield Found(path, place / path.name, sentence)

    def _match(self, pattern: str) -> Iterator[Found]:
        """What a pattern finds, as of a shell that knows `**`."""
        parts = Path(pattern).parts
        plain = next(number for number, part in enumerate(parts) if glob.has_magic(part))
        root = Path(*parts[:plain])
        matches = [Path(match) for match in sorted(glob.iglob(pattern, recursive=True))]
        matches = [path for path in matches if path.is_dir() or not self._is_result(path)]
        if not matches:
            yield Found(Path(pattern), Path(), f"{pattern} matches no file; check it.")
        for path in matches:
            place = path.relative_to(root)
            if not path.is_dir():
                yield Found(path, place)
            elif not self._is_output(path):
                yield from self._walk(path, place)

    def _is_output(self, folder: Path) -> bool:
        return self.output is not None and folder.resolve() == self.output.resolve()

    def _is_result(self, path: Path) -> bool:
        """Whether a report in one of the folders above says so."""
        path = Path(os.path.abspath(path))
        for folder in path.parents:
            if folder not in self._results:
                self._results[folder] = results_in(folder)
            if path in self._results[folder]:
                return True
        return False
