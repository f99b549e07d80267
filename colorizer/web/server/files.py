"""Files between browser and server: uploads, pictures for the page, results to download.

All of them are in Gradio's upload folder, and are deleted after `Settings.kept_seconds`.
"""

import base64
import io
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import hash_bytes
from gradio.utils import get_upload_folder
from PIL import Image

from colorizer import ColorSource, Photo
from colorizer.file_names import fitted_name
from colorizer.web.server.errors import problem
from colorizer.web.server.owners import upload_owners

Upload = dict[str, Any]  # a file from the browser, before Gradio's preprocessing


def uploaded_path(upload: Upload | str, request: gr.Request | None = None) -> Path:
    """Return the path of an uploaded file, and refuse any other path that a request may contain.

    Args:
        upload: the value of a file or image input, before or after Gradio's preprocessing.
        request: the visitor's request, for the user and the language of the error.

    Raises:
        gr.Error: the path is not that of an upload, or another user sent it.
    """
    path = Path(str(upload.get("path") if isinstance(upload, dict) else upload))
    inside = path.resolve().is_relative_to(Path(get_upload_folder()).resolve())
    if not inside or not upload_owners.may_use(getattr(request, "username", None), path):
        raise problem("page.not_uploaded", request)
    return path


def picture(photo: Photo | Image.Image, name: str = "photo") -> str:
    """Write a picture for the browser, a JPEG without chroma subsampling, and return its path.

    Args:
        photo: the picture.
        name: the file's name without extension, which a visitor sees who saves the picture.
    """
    image = photo.to_image() if isinstance(photo, Photo) else photo
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=92, subsampling="4:4:4")
    return stored(encoded.getvalue(), f"{name}.jpg")


def copy_of(source: ColorSource) -> str:
    """Write the copy of another picture for the browser, as it is, and return its path."""
    return stored(base64.b64decode(source.picture), "picture.jpg")


def stored(data: bytes, name: str) -> str:
    """Write a file for the browser and return its path, which depends on the data."""
    path = Path(get_upload_folder()) / hash_bytes(data) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(secrets.token_hex(8))
    part.write_bytes(data)
    part.replace(path)  # the same picture may be on its way to a browser
    return str(path)


def copied_into_folder(upload: Path, folders: Sequence[str]) -> Path:
    """Copy an upload, so that its path tells the folder that it lay in on the visitor's computer.

    Args:
        upload: path of the upload, which may be that of other visitors, too.
        folders: names of the folders, from the outermost, as a browser sends them.

    Returns:
        A path of which `folder_in_upload` returns the folder.
    """
    names = [
        fitted_name(folder.replace("/", "_").replace("\\", "_"), "")
        for folder in folders
        if folder not in ("", ".", "..")
    ]
    target = result_folder().joinpath(*names)
    target.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(upload, target))


def folder_in_upload(path: Path) -> Path:
    """The folder in which a file lay that came with a whole folder, relative; else "."."""
    root = Path(get_upload_folder()).resolve()
    if not path.resolve().is_relative_to(root):
        return Path()
    return Path(*path.resolve().relative_to(root).parts[1:-1])


def result_folder() -> Path:
    """Create an empty folder with a name that can't be guessed, for a file to download."""
    folder = Path(get_upload_folder()) / secrets.token_hex(16)
    folder.mkdir(parents=True)
    return folder
