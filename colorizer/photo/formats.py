"""File formats: which photos can be read and written, and how results are named."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from colorizer.errors import PhotoError
from colorizer.file_names import fitted_name
from colorizer.files import PART_SUFFIX

MAX_PIXELS = 250_000_000  # a larger photo is taken for a decompression bomb
SAVED_AS = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "TIFF": ".tif",
    "WEBP": ".webp",
    "AVIF": ".avif",
    "JPEG2000": ".jp2",
}
if find_spec("pillow_heif"):  # the extra "heic"
    SAVED_AS["HEIF"] = ".heic"
SUFFIX_FORMATS = {suffix: name for name, suffix in SAVED_AS.items()} | {
    ".jpeg": "JPEG",
    ".tiff": "TIFF",
}
READABLE = (*SAVED_AS, "GIF", "BMP", "PPM")  # not EPS, which would start Ghostscript
LOSSY = ("JPEG", "WEBP", "AVIF", "HEIF")
DEEP = ("PNG", "TIFF", "JPEG2000")  # hold 16 bits per channel
OPAQUE = ("JPEG",)  # hold no transparency


@cache
def register_heif() -> None:
    """Let Pillow read and write HEIC photos, if its plugin is installed."""
    if "HEIF" in SAVED_AS:
        from pillow_heif import register_heif_opener

        register_heif_opener()


def format_of(path: Path, format: str | None = None) -> str:
    """The format in which a file is to be written, as Pillow names it.

    Args:
        path: of the file.
        format: the one asked for; None goes by the path's ending.

    Raises:
        PhotoError: there is none of that name, or the ending is unknown.
    """
    format = format or SUFFIX_FORMATS.get(path.suffix.lower())
    if format not in SAVED_AS:
        raise PhotoError(
            f"{path} can't be written as {format or path.suffix!r}; "
            f"use one of {', '.join(SAVED_AS)}."
        )
    return format


def output_name(source: Path, format: str, number: int = 1) -> str:
    """`<stem>_color.<ext>`, or `<stem>_color-<number>.<ext>` from the second on.

    Args:
        source: the input's path; its ending stays where it fits the format.
        format: the output's, as Pillow names it.
        number: how often the name has come up.
    """
    fits = SUFFIX_FORMATS.get(source.suffix.lower()) == format
    suffix = source.suffix if fits else SAVED_AS[format]
    ending = f"_color{f'-{number}' if number > 1 else ''}{suffix}"
    return fitted_name(source.stem, ending, len(PART_SUFFIX))


def output_path(folder: Path, source: Path, format: str, taken: set[str]) -> Path:
    """Where a colorized photo goes that is one of many; no two go to the same file.

    Args:
        folder: of the results.
        source: the input's path.
        format: the output's, as Pillow names it.
        taken: the names of the results so far in lower case; the new one is added.
    """
    number = 1
    while (name := output_name(source, format, number)).casefold() in taken:
        number += 1
    taken.add(name.casefold())  # some file systems ignore case
    return folder / name
