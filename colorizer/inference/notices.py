"""What a person should know about a photo and the colors that it got."""

from colorizer.inference.colorization import Colorization
from colorizer.inference.negatives import is_negative
from colorizer.photo.notices import Notice
from colorizer.photo.photo import Photo
from colorizer.photo.toning import has_colors

MIN_UNMENTIONED_SHARE = 0.5  # of a photo; below it, a notice says how much the picture gave
MIN_REFERENCE_WEIGHT = 0.05  # mean over a photo; below it, a notice says that nothing was alike


def find_notices(photo: Photo) -> list[Notice]:
    """Notices about its file, and whether it has colors already or looks like a negative."""
    notices = list(photo.notices)
    if has_colors(photo):
        notices.append("colors")
    if is_negative(photo):
        notices.append("negative")
    return notices


def find_source_notices(result: Colorization, sought: bool = False) -> list[Notice]:
    """Notices about colors taken from another picture.

    Args:
        result: the photo's.
        sought: whether a picture with the photo's name was looked for.
    """
    if result.evidence is None:
        return ["no_color_source"] if sought else []
    if result.evidence.use == "reference":
        return ["unlike_reference"] if result.evidence.share < MIN_REFERENCE_WEIGHT else []
    return ["partly_taken"] if result.evidence.share < MIN_UNMENTIONED_SHARE else []
