"""Open uploaded photos within the server's limits."""

from pathlib import Path

from colorizer import Photo, PhotoError
from colorizer.web.server.log import note
from colorizer.web.server.settings import settings


def unreadable(path: Path) -> dict[str, str]:
    """The placeholders' values for the texts about an upload that can't be opened."""
    return {"name": path.name, "megapixels": settings().max_megapixels}


def open_upload(path: Path) -> Photo:
    """Open an uploaded photo.

    Args:
        path: the file; if it is too large, it is deleted.

    Raises:
        PhotoError: the file is not a photo, is too large, or no longer exists.
    """
    limit = settings().max_upload
    if path.is_file() and path.stat().st_size > limit:  # downloaded from a URL, not uploaded
        path.unlink()
        raise PhotoError(f"{path} has more than {limit / 1e6:g} MB; make it smaller.")
    photo = Photo.open(path, settings().max_pixels)
    note(size=photo.size)
    return photo
