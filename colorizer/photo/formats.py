"""File formats: which photos can be read and written, and how results are named."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from colorizer.errors import PhotoError
from colorizer.file_names import fitted_name
from colorizer.files import PART_SUFFIX

MAX_PIXELS = 250_000_000  # larger photos are refused as decompression bombs
FORMAT_SUFFIXES = {  # of the formats that can be written, by Pillow's name
    "JPEG": ".jpg",
    "PNG": ".png",
    "TIFF": ".tif",
    "WEBP": ".webp",
    "AVIF": ".avif",
    "JPEG2000": ".jp2",
}
if find_spec("pillow_heif"):  # the extra "heic"
    FORMAT_SUFFIXES["HEIF"] = ".heic"
SUFFIX_FORMATS = {suffix: name for name, suffix in FORMAT_SUFFIXES.items()} | {
    ".jpeg": "JPEG",
    ".tiff": "TIFF",
}
READABLE_FORMATS = (*FORMAT_SUFFIXES, "GIF", "BMP", "PPM")  # not EPS: it would start Ghostscript
LOSSY_FORMATS = ("JPEG", "WEBP", "AVIF", "HEIF")
FORMATS_WITH_16_BITS = ("PNG", "TIFF", "JPEG2000")  # per channel
FORMATS_WITHOUT_ALPHA = ("JPEG",)


@cache
def register_heif() -> None:
    """Let Pillow read and write HEIC photos, if its plugin is installed."""
    if "HEIF" in FORMAT_SUFFIXES:
        from pillow_heif import register_heif_opener

        register_heif_opener()


def format_of(path: Path, format: str | None = None) -> str:
    """Return Pillow's name of the format to write a file in.

    Args:
        path: of the file.
        format: the requested format; None chooses it by the suffix of the path.

    Raises:
        PhotoError: the format or the suffix is unknown.
    """
    format = format or SUFFIX_FORMATS.get(path.suffix.lower())
    if format not in FORMAT_SUFFIXES:
        raise PhotoError(
            f"{path} can't be written as {format or path.suffix!r}; "
            f"use one of {', '.join(FORMAT_SUFFIXES)}."
        )
    return format


def output_name(source: Path, format: str, number: int = 1) -> str:
    """Name a result `<stem>_color.<ext>`, or `<stem>_color-<number>.<ext>` from the second on.

    Args:
        source: path of the input; its suffix is kept if it fits the format.
        format: of the output, as Pillow names it.
        number: how many results have this name so far, with this one.
    """
    fits = SUFFIX_FORMATS.get(source.suffix.lower()) == format
    suffix = source.suffix if fits else FORMAT_SUFFIXES[format]
    ending = f"_color{f'-{number}' if number > 1 else ''}{suffix}"
    return fitted_name(source.stem, ending, len(PART_SUFFIX))


def output_path(folder: Path, source: Path, format: str, taken: set[str]) -> Path:
    """Choose a path for one of many results, different from the others.

    Args:
        folder: of the results.
        source: path of the input.
        format: of the output, as Pillow names it.
        taken: case-folded names of the results so far; the new one is added.
    """
    number = 1
    while (name := output_name(source, format, number)).casefold() in taken:
        number += 1
    taken.add(name.casefold())  # some file systems ignore case
    return folder / name
