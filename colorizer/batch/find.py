"""Find an album's photos in files, folders and patterns, and where their results go."""

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from colorizer.batch.report import results_in
from colorizer.file_names import MAX_NAME_BYTES, SYSTEM_FOLDERS, is_system_name

PHOTO_SUFFIXES = (  # searched for in folders; a file that is named itself may have any suffix
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp", ".avif", ".heic"),
    *(".heif", ".jp2", ".j2k", ".jpf", ".jpx", ".gif", ".bmp", ".pbm", ".pgm", ".ppm", ".pnm"),
)


@dataclass(frozen=True)
class Found:
    """A photo, or a reason why there is none.

    Attributes:
        source: path of the photo, as the user would write it.
        relative: the photo's path and name below the output folder.
        problem: a sentence that says why the photo can't be used; empty for a photo.
        skipped: whether the problem is no failure, as of a link or a device in a folder.
    """

    source: Path
    relative: Path
    problem: str = ""
    skipped: bool = False


def find_photos(names: Sequence[str], output: Path | None = None) -> list[Found]:
    """Find photos by name.

    Folders are searched recursively for files with a photo's suffix. The search leaves out hidden
    files and folders, folders of a system or its trash, the output folder, and files that a report
    lists as results; so do patterns. Links in a folder, and whatever else is no file of its own,
    are returned as skipped. A photo found twice is returned once.

    Args:
        names: files, folders, and patterns such as "album/**/*.tif".
        output: the output folder, if there is one.

    Returns:
        The photos in the order of `names`. `Found.relative` is the name of a file, a pattern's
        match from its first folder without a wildcard, or a path in a folder; the folder's own
        name comes first unless it is the only name.

    Raises:
        ValueError: one of the folders is the output folder.
    """
    search = _Search(output)
    found: dict[str, Found] = {}
    for name in names:
        for item in search.find(name, alone=len(names) == 1):
            found.setdefault(os.path.abspath(item.source), item)
    return list(found.values())


@dataclass
class _Search:
    """A search that skips results."""

    output: Path | None
    _results: dict[Path, set[Path]] = field(default_factory=dict)  # by the folder of the report

    def find(self, name: str, alone: bool) -> Iterator[Found]:
        path = Path(name)
        if os.path.isdir(path):
            yield from self._walk(path, Path() if alone else Path(path.resolve().name))
        elif os.path.exists(path):
            yield _file(path, Path(path.name), may_be_link=True)
        elif glob.has_magic(name):
            yield from self._match(name)
        else:
            too_long = any(len(os.fsencode(part)) > MAX_NAME_BYTES for part in path.parts)
            reason = "has too long a name" if too_long else "does not exist"
            yield Found(path, Path(path.name), f"{name} {reason}; check the path.")

    def _walk(self, folder: Path, relative: Path) -> Iterator[Found]:
        """Photos in a folder and below, sorted by name."""
        if self._is_output(folder):
            raise ValueError(
                f"The results can't go into {folder}, where the photos are; choose another folder, "
                f"for example {folder / 'colored'}."
            )
        errors: list[OSError] = []
        for parent, folders, files in os.walk(folder, onerror=errors.append):
            here = Path(parent)
            names = [name for name in sorted(folders) if not is_system_name(name)]
            links = [name for name in names if os.path.islink(here / name)]
            folders[:] = [
                name for name in names if name not in links and not self._is_output(here / name)
            ]
            photos = [name for name in sorted(files) if not is_system_name(name)]
            for path in (here / name for name in (*photos, *links)):
                is_photo = path.suffix.lower() in PHOTO_SUFFIXES and not self._is_result(path)
                if is_photo or path.name in links:
                    yield _file(path, relative / path.relative_to(folder))
        for error in errors:
            path = Path(error.filename)
            sentence = f"{path} can't be searched ({error.strerror}); change its permissions."
            yield Found(path, relative / path.name, sentence)

    def _match(self, pattern: str) -> Iterator[Found]:
        """Matches of a pattern, as in a shell that supports `**`."""
        parts = Path(pattern).parts
        first_magic = next(number for number, part in enumerate(parts) if glob.has_magic(part))
        root = Path(*parts[:first_magic])
        matches = [Path(match) for match in sorted(glob.iglob(pattern, recursive=True))]
        matches = [
            path
            for path in matches
            if (path.is_dir() or not self._is_result(path))
            and not any(part.lower() in SYSTEM_FOLDERS for part in path.relative_to(root).parts)
        ]
        if not matches:
            yield Found(Path(pattern), Path(), f"{pattern} matches no file; check it.")
        for path in matches:
            relative = path.relative_to(root)
            if not path.is_dir():
                yield _file(path, relative, may_be_link=True)
            elif not self._is_output(path):
                yield from self._walk(path, relative)

    def _is_output(self, folder: Path) -> bool:
        return self.output is not None and folder.resolve() == self.output.resolve()

    def _is_result(self, path: Path) -> bool:
        """Whether a report in a folder above lists the file as a result."""
        path = Path(os.path.abspath(path))
        for folder in path.parents:
            if folder not in self._results:
                self._results[folder] = results_in(folder)
            if path in self._results[folder]:
                return True
        return False


def _file(path: Path, relative: Path, may_be_link: bool = False) -> Found:
    """A photo, unless opening it could hang or lead elsewhere."""
    if path.is_file() and (may_be_link or not path.is_symlink()):
        return Found(path, relative)
    if path.is_symlink():
        sentence = f"{path} is a link and was skipped; name the file or folder that it links to."
    else:
        sentence = f"{path} is a pipe, a device or a socket, not a photo; it was skipped."
    return Found(path, relative, sentence, skipped=True)
