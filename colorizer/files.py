"""Files that are never seen half written."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

PART_SUFFIX = ".part"  # of files that are not complete yet


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
