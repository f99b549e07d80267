"""What a person may want to know about a photo before or after it is colorized."""

from typing import Literal

from colorizer.inference.negatives import is_negative
from colorizer.photo.decode import Note
from colorizer.photo.photo import Photo
from colorizer.photo.toning import has_colors

Remark = Note | Literal["colors", "negative"]


def remarks(photo: Photo) -> list[Remark]:
    """How its file was read, whether it has colors, which are lost, and looks like a negative."""
    found: list[Remark] = [*photo.notes]
    if has_colors(photo):
        found.append("colors")
    if is_negative(photo):
        found.append("negative")
    return found
