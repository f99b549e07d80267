"""Uploaded photos, within this server's limits."""

from pathlib import Path

from colorizer import Photo, PhotoError
from colorizer.web.server.log import note
from colorizer.web.server.settings import settings


def unreadable(path: Path) -> dict[str, str]:
    """For the placeholders of the text that says that an upload can't be opened."""
    return {"name": path.name, "megapixels": settings().max_megapixels}


def open_upload(path: Path) -> Photo:
    """Open an uploaded photo.

    Args:
        path: of the file; if it is too large it is deleted.

    Raises:
        PhotoError: it isn't a photo, it is too large, or gone.
    """
    limit = settings().max_upload
    if path.is_file() and path.stat().st_size > limit:  # fetched from a link, not uploaded
        path.unlink()
        raise PhotoError(f"{path} has more than {limit / 1e6:g} MB; make it smaller.")
    photo = Photo.open(path, settings().max_pixels)
    note(size=photo.size)
    return photo
