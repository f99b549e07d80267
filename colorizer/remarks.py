"""What a person may want to know about a photo before or after it is colorized."""

from typing import Literal

from colorizer.decode import Note
from colorizer.photo import Photo
from colorizer.tones import has_colors

Remark = Note | Literal["colors"]


def remarks(photo: Photo) -> list[Remark]:
    """How its file was read, and whether it has colors, which are lost."""
    found: list[Remark] = [*photo.notes]
    if has_colors(photo):
        found.append("colors")
    return found
