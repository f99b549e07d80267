"""Files between browser and server: uploads, pictures to look at, results to download.

All of them lie below Gradio's upload folder, and are deleted after `Settings.kept_seconds`.
"""

import io
import secrets
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder
from PIL import Image

from colorizer import Photo
from colorizer.web.server.errors import problem

Upload = dict[str, Any]  # a file as it comes from the browser, without Gradio's preprocessing


def uploaded_path(upload: Upload | str, request: gr.Request | None = None) -> Path:
    """The path of an uploaded file; a request may name any, so others than uploads are refused.

    Args:
        upload: the value of a file or image input, with or without Gradio's preprocessing.
        request: for the language of the error.

    Raises:
        gr.Error: the file is not one that was uploaded here.
    """
    path = Path(str(upload.get("path") if isinstance(upload, dict) else upload))
    if not path.resolve().is_relative_to(Path(get_upload_folder()).resolve()):
        raise problem("page.not_uploaded", request)
    return path


def picture(photo: Photo | Image.Image, name: str = "photo") -> str:
    """A path at which the browser gets a picture: a JPEG without chroma subsampling.

    Args:
        photo: what to show.
        name: of the file, without an ending: what a visitor gets who saves the picture.
    """
    image = photo.to_image() if isinstance(photo, Photo) else photo
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=92, subsampling="4:4:4")
    return str(save_bytes_to_cache(encoded.getvalue(), f"{name}.jpg", get_upload_folder()))


def result_folder() -> Path:
    """A new, empty folder for a file to download, with a name that can't be guessed."""
    folder = Path(get_upload_folder()) / secrets.token_hex(16)
    folder.mkdir(parents=True)
    return folder
