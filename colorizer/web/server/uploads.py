"""Open uploaded photos within the server's limits."""

from collections import OrderedDict
from contextlib import suppress
from functools import partial
from pathlib import Path
from threading import Lock

import gradio as gr

from colorizer import Photo, PhotoError
from colorizer.adjust.framing import Framing
from colorizer.errors import PhotoCostError
from colorizer.photo.decode import decode, is_heic
from colorizer.photo.formats import FORMAT_SUFFIXES
from colorizer.photo.photo import Decoder
from colorizer.web.server.decoding import AVAILABLE, TIME_LIMIT, DecodeProcesses
from colorizer.web.server.errors import LOG, gone, problem
from colorizer.web.server.log import note
from colorizer.web.server.settings import settings

FRAMED_BYTES = 200_000_000  # of memory, for photos that visitors zoom into

_processes: DecodeProcesses | None = None


def start_decoding() -> None:
    """Decode uploads in processes of their own from now on, unless the settings forbid it."""
    global _processes
    chosen = settings()
    if chosen.decode_process and AVAILABLE:
        _processes = DecodeProcesses(chosen.max_pixels)


def placeholders(path: Path) -> dict[str, str]:
    """The placeholders' values for the texts about an upload that can't be opened."""
    return {"name": path.name, "megapixels": settings().max_megapixels}


def unreadable(path: Path, error: PhotoError) -> tuple[str, dict[str, str]]:
    """The text about an upload that can't be opened: its key and the values of its placeholders."""
    key = "unreadable"
    if isinstance(error, PhotoCostError):
        key = "too_costly"
    elif "HEIF" not in FORMAT_SUFFIXES:
        with suppress(OSError), path.open("rb") as file:
            key = "no_heic" if is_heic(file.read(12)) else key
    return f"photo.{key}", placeholders(path)


def open_upload(path: Path) -> Photo:
    """Open an uploaded photo.

    Args:
        path: the file; if it is too large, it is deleted.

    Raises:
        PhotoError: the file is not a photo, is too large, takes too long, or no longer exists.
    """
    limit = settings().max_upload
    if path.is_file() and path.stat().st_size > limit:  # downloaded from a URL, not uploaded
        path.unlink()
        raise PhotoError(f"{path} has more than {limit / 1e6:g} MB; make it smaller.")
    decoder: Decoder = _processes.decode if _processes else partial(decode, time_limit=TIME_LIMIT)
    photo = Photo.open(path, settings().max_pixels, decoder)
    note(size=photo.size)
    return photo


class FramedPhotos:
    """The last photos that visitors worked on, opened and framed, so that zooming in is fast.

    Args:
        budget: bytes of memory for all of them.
    """

    def __init__(self, budget: int) -> None:
        self._budget, self._lock = budget, Lock()
        self._kept: OrderedDict[tuple[Path, Framing], Photo] = OrderedDict()

    def get(self, path: Path, framing: Framing) -> Photo | None:
        """A photo that is kept, and whose file is, too."""
        with self._lock:
            for key in [key for key in self._kept if not key[0].exists()]:
                del self._kept[key]
            if (path, framing) in self._kept:
                self._kept.move_to_end((path, framing))
            return self._kept.get((path, framing))

    def keep(self, path: Path, framing: Framing, photo: Photo) -> None:
        """Keep a photo, and forget those that take too much memory, the oldest first."""
        with self._lock:
            self._kept[path, framing] = photo
            while sum(photo.pixels.nbytes for photo in self._kept.values()) > self._budget:
                self._kept.popitem(last=False)


framed_photos = FramedPhotos(FRAMED_BYTES)


def framed_upload(path: Path, framing: Framing, request: gr.Request | None) -> Photo:
    """Open a photo again that a visitor works on, and frame it.

    Raises:
        gr.Error: it can't be opened any more; most likely it has been deleted.
    """
    photo = framed_photos.get(path, framing)
    if photo is None:
        photo = framing(reopen_upload(path, request))
        framed_photos.keep(path, framing, photo)
    return photo


def reopen_upload(path: Path, request: gr.Request | None) -> Photo:
    """Open a photo again that a visitor works on.

    Raises:
        gr.Error: it can't be opened any more; most likely it has been deleted.
    """
    try:
        return open_upload(path)
    except PhotoError as error:
        LOG.info("%s", error)
        if not path.exists():
            raise gone(request) from error
        key, values = unreadable(path, error)
        raise problem(key, request, **values) from error
