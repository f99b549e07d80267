"""Parts of the full photo, for whoever zooms in beyond the small copy that the page shows."""

from typing import Annotated, Any, Literal

import cv2
import gradio as gr
import numpy as np
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

from colorizer import Adjustments, Photo
from colorizer.web.actions.photo_state import PhotoState
from colorizer.web.actions.previews import is_as_colorized, require_state
from colorizer.web.server.errors import LOG, explain_errors, problem
from colorizer.web.server.files import stored
from colorizer.web.server.uploads import framed_upload

MAX_PIXELS = 2_000_000  # of a part; `assets/stage.js` asks for no more
COMPRESSION = 1  # of PNG: fast

Name = Literal["gray", "colorized", "processed"]


@dataclass(config=ConfigDict(extra="forbid"), frozen=True)
class Part:
    """What the browser asks for.

    Attributes:
        box: left, top, right and bottom edge, in pixels of the framed photo.
        names: of the pictures.
        key: what the browser knows the answer by.
    """

    box: tuple[int, int, int, int]
    names: tuple[Name, ...]
    key: Annotated[str, Field(max_length=100)]


@explain_errors
def render_part(
    state: PhotoState | None,
    alternative: int,
    asked: gr.EventData,
    request: gr.Request,
    **settings: float,
) -> tuple[str | None, str | None, str | None, dict[str, Any]]:
    """Make a part of the pictures with all pixels of the photo.

    Args:
        state: the visitor's state.
        alternative: index of the chosen one.
        asked: its value is a `Part`.
        request: the visitor's.
        **settings: of the post-processing.

    Returns:
        The grayscale, the colorized and the post-processed part, as they are in a download; None
        for those that were not asked for. And what was asked for.
    """
    state = require_state(state, request)
    try:
        part = TypeAdapter(Part).validate_python(asked.value)
        left, top, right, bottom = part.box
        height, width = state.size
        if not (0 <= left < right <= width and 0 <= top < bottom <= height):
            raise ValueError(f"The box {part.box} lies outside the photo.")
        if (right - left) * (bottom - top) > MAX_PIXELS:
            raise ValueError(f"The box {part.box} has more than {MAX_PIXELS} pixels.")
    except (ValidationError, ValueError) as error:
        LOG.info("%s", error)
        raise problem("page.failed", request) from error
    photo = framed_upload(state.upload, state.edit.framing, request)
    result = state.alternative(alternative).on(photo)
    made: dict[str, str | None] = {"gray": None, "colorized": None, "processed": None}
    if "gray" in part.names:
        made["gray"] = exact_picture(photo.cropped(part.box).to_gray())
    if "colorized" in part.names:
        made["colorized"] = exact_picture(result.part(None, part.box))
    if "processed" in part.names:
        same = made["colorized"] if is_as_colorized(state, settings) else None
        made["processed"] = same or exact_picture(result.part(Adjustments(**settings), part.box))
    return made["gray"], made["colorized"], made["processed"], asked.value


def exact_picture(photo: Photo) -> str:
    """Write a photo for the browser without any loss but that of more than 8 bits."""
    pixels = np.asarray(photo.to_image())
    blue_first = np.ascontiguousarray(pixels[..., ::-1]) if pixels.ndim == 3 else pixels
    _, data = cv2.imencode(".png", blue_first, [cv2.IMWRITE_PNG_COMPRESSION, COMPRESSION])
    return stored(data.tobytes(), "part.png")
