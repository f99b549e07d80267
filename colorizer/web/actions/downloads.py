"""Files that the photo tab offers: the full photo, and a picture to share."""

from pathlib import Path

import gradio as gr

from colorizer import Adjustments, Photo, PhotoError
from colorizer.photo.formats import output_name
from colorizer.web.actions import overlays
from colorizer.web.actions.photo_state import PhotoState
from colorizer.web.actions.previews import require_state
from colorizer.web.server.errors import LOG, MESSAGE_SECONDS, explain_errors, problem
from colorizer.web.server.files import result_folder
from colorizer.web.server.uploads import framed_upload
from colorizer.web.texts import say


@explain_errors
def download(
    state: PhotoState | None,
    alternative: int,
    format: str,
    location: bool,
    request: gr.Request,
    **settings: float,
) -> str:
    """Write the post-processed photo at full resolution, with the metadata of the upload.

    Args:
        state: the visitor's state.
        alternative: index of the chosen one.
        format: "JPEG", "PNG", "TIFF" or "WEBP"; "" for that of the uploaded file.
        location: whether the metadata may tell where the photo was taken.
        request: the visitor's.
        **settings: of the post-processing.

    Returns:
        The photo, with "_color" in its name.
    """
    state = require_state(state, request)
    photo = framed_upload(state.upload, state.edit.framing, request)
    result = state.alternative(alternative).on(photo)
    photo = result.adjust(Adjustments(**settings))
    return write_result(photo, state.upload, format, location, request)


@explain_errors
def side_by_side(
    state: PhotoState | None, alternative: int, request: gr.Request, **settings: float
) -> str:
    """Put the photo as it was and the post-processed picture beside each other, to share them.

    Args:
        state: the visitor's state.
        alternative: index of the chosen one.
        request: the visitor's.
        **settings: of the post-processing.

    Returns:
        A JPEG.
    """
    state = require_state(state, request)
    result = state.alternative(alternative)
    sheet = overlays.side_by_side(
        {
            say("photo.shared_gray", request): state.small,
            say("photo.shared_color", request): result.adjust(Adjustments(**settings)),
        }
    )
    target = result_folder() / f"{state.upload.stem}_before_after.jpg"
    sheet.save(target, quality=92)
    return str(target)


def write_result(
    photo: Photo,
    source: Path,
    format: str,
    location: bool,
    request: gr.Request,
    quality: int = 95,
) -> str:
    """Write a photo at full resolution for a client to fetch.

    Args:
        photo: the result.
        source: path of the upload, after which the file is named.
        format: as Pillow names it; "" for the photo's.
        location: whether the metadata may tell where the photo was taken.
        request: the client's.
        quality: of lossy formats, 1 to 100.

    Returns:
        The path.
    """
    if not location:
        photo = photo.without_location()
    format = format or photo.format
    target = result_folder() / output_name(source, format)
    for loss in photo.lost_in(format):
        gr.Info(say(f"photo.lost.{loss}", request, format=format), MESSAGE_SECONDS, title="")
    try:
        photo.save(target, quality=quality)
    except PhotoError as error:
        LOG.exception("A result can't be saved")
        raise problem("photo.not_saved", request, name=target.name) from error
    return str(target)
