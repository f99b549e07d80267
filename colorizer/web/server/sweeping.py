"""Delete old files, and free memory that visitors no longer need."""

import ctypes
import os
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from threading import Thread

from gradio.utils import get_upload_folder

from colorizer.web.server.settings import SettingsError, settings


def prepare_upload_folder() -> None:
    """Create the folder of uploads and results, and delete what an earlier server left there.

    GRADIO_TEMP_DIR sets the folder; without it, the folder is one that no other program uses.

    Raises:
        SettingsError: the folder can't be written to.
    """
    user = getattr(os, "getuid", lambda: "")()  # Windows has a temporary folder for each user
    default = Path(tempfile.gettempdir()) / f"colorizer{user}"
    os.environ["GRADIO_TEMP_DIR"] = os.environ.get("GRADIO_TEMP_DIR") or str(default)
    folder = Path(get_upload_folder())
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise SettingsError(
            f"The folder {folder} for uploads can't be written to ({error.strerror}); "
            "set GRADIO_TEMP_DIR to another folder."
        ) from error
    delete_old_files(folder, settings().kept_seconds)


def start_sweeping() -> None:
    """In the background, regularly delete old files and return freed memory to the system.

    Gradio deletes only the files that it knows of, not for example broken uploads. And glibc keeps
    the freed memory of many photos: half a gigabyte after twenty visitors.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None

    def sweep() -> None:
        while True:
            time.sleep(settings().sweep_seconds)
            delete_old_files(Path(get_upload_folder()), settings().kept_seconds)
            if trim is not None:
                trim(0)

    Thread(target=sweep, name="sweeping", daemon=True).start()


def delete_old_files(folder: Path, seconds: float) -> None:
    """Delete everything in a folder that has not changed for so many seconds."""
    oldest = time.time() - seconds
    for parent, folders, files in os.walk(folder, topdown=False):
        for name in files:
            with suppress(OSError):  # somebody else has deleted it
                if os.lstat(path := os.path.join(parent, name)).st_ctime < oldest:
                    os.remove(path)
        for name in folders:
            with suppress(OSError):  # it is not empty
                if os.lstat(path := os.path.join(parent, name)).st_mtime < oldest:
                    os.rmdir(path)
