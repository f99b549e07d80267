"""Files that are never seen half written, and texts that Git keeps in place of large files."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PART_SUFFIX = ".part"  # of files that are not complete yet
LFS_POINTER = b"version https://git-lfs.github.com/spec/"


def part_of(path: Path) -> Path:
    """Where `atomic_write` writes a file before it is complete."""
    return path.with_name(path.name + PART_SUFFIX)


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Replace a file only once the new one is complete.

    The block writes to the path that it is given, beside `path`. When the block ends, that file is
    renamed to `path`; when it raises, that file is removed and `path` stays as it was.

    Args:
        path: the file to write; its folder must exist.

    Yields:
        The path to write to.

    Raises:
        OSError: the file can't be renamed.
    """
    part = part_of(path)
    try:
        yield part
        os.replace(part, path)
    finally:
        with suppress(OSError):  # the file is still there only if something went wrong
            part.unlink(missing_ok=True)


def is_lfs_pointer(path: Path) -> bool:
    """Whether a file is the text that Git keeps in place of a large file."""
    with suppress(OSError), path.open("rb") as file:
        return file.read(len(LFS_POINTER)) == LFS_POINTER
    return False
