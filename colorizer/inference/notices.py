"""What a person should know about a photo before it is colorized."""

from colorizer.inference.negatives import is_negative
from colorizer.photo.notices import Notice
from colorizer.photo.photo import Photo
from colorizer.photo.toning import has_colors


def find_notices(photo: Photo) -> list[Notice]:
    """Notices about its file, and whether it has colors already or looks like a negative."""
    notices = list(photo.notices)
    if has_colors(photo):
        notices.append("colors")
    if is_negative(photo):
        notices.append("negative")
    return notices
