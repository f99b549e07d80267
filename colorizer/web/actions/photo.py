"""Events of the photo tab that open or frame a photo; each public method is one.

The methods take the visitor's state and return the new one; they store nothing.
"""

from dataclasses import replace
from typing import Any

import gradio as gr

from colorizer import CheckpointError, Colorizer, ColorSourceError, PhotoError
from colorizer.adjust.framing import Framing
from colorizer.edit import Edit
from colorizer.web.actions import photo_state
from colorizer.web.actions.photo_state import PhotoState
from colorizer.web.actions.previews import crop_preview, pictures, require_state
from colorizer.web.server.errors import LOG, explain_errors, problem, warn
from colorizer.web.server.files import Upload, uploaded_path
from colorizer.web.server.models import Models
from colorizer.web.server.uploads import open_upload, reopen_upload, unreadable
from colorizer.web.texts import say

PROGRESS = gr.Progress()
Pictures = tuple[PhotoState | None, int, str | None, str | None, str | None]


class PhotoActions:
    """Colorizing, turning and cropping.

    Args:
        models: the checkpoints that visitors may use.
    """

    def __init__(self, models: Models) -> None:
        self.models = models

    @explain_errors
    def colorize(
        self,
        photo: Upload | None,
        model: str,
        request: gr.Request,
        progress: gr.Progress = PROGRESS,
        **settings: float,
    ) -> Pictures:
        """Colorize a photo.

        Args:
            photo: an uploaded file: JPEG, PNG, TIFF, WebP and others.
            model: the visitor's.
            request: the visitor's.
            progress: of the page.
            **settings: of the post-processing.

        Returns:
            The grayscale, the colorized and the post-processed picture, of at most a megapixel.
        """
        if not photo:
            return None, 0, None, None, None
        path = uploaded_path(photo, request)
        progress(0.2, say("photo.progress", request))
        colorizer = model_of(self.models, model, request)
        try:
            state = photo_state.colorize(colorizer, open_upload(path), Edit(), path, model)
        except PhotoError as error:
            LOG.info("%s", error)
            key, values = unreadable(path, error)
            warn(key, request, **values)
            return None, 0, None, None, None
        progress(0.8, say("photo.progress", request))
        return state, 0, *pictures(state, 0, settings)

    @explain_errors
    def turn_left(
        self, state: PhotoState | None, request: gr.Request, **settings: float
    ) -> Pictures:
        """Turn the photo to the left and colorize it anew; returns as `colorize` does."""
        state = require_state(state, request)
        return self._reframe(state, state.edit.framing.turned(clockwise=False), request, settings)

    @explain_errors
    def turn_right(
        self, state: PhotoState | None, request: gr.Request, **settings: float
    ) -> Pictures:
        """Turn the photo to the right and colorize it anew; returns as `colorize` does."""
        state = require_state(state, request)
        return self._reframe(state, state.edit.framing.turned(clockwise=True), request, settings)

    @explain_errors
    def crop(
        self,
        state: PhotoState | None,
        left: float,
        right: float,
        top: float,
        bottom: float,
        request: gr.Request,
        **settings: float,
    ) -> Pictures:
        """Crop the photo and colorize it anew.

        Args:
            state: the visitor's state.
            left: what is cut off there, in percent of the photo's width.
            right: the same.
            top: the same, in percent of its height.
            bottom: the same.
            request: the visitor's.
            **settings: of the post-processing.

        Returns:
            As `colorize` does.
        """
        state = require_state(state, request)
        try:
            framing = replace(state.edit.framing, margins=(left, right, top, bottom))
        except ValueError:
            raise problem("photo.nothing_left", request) from None
        return self._reframe(state, framing, request, settings)

    @explain_errors
    def invert(self, state: PhotoState | None, request: gr.Request, **settings: float) -> Pictures:
        """Invert the photo, or undo that, and colorize it; results are those of `colorize`."""
        state = require_state(state, request)
        framing = replace(state.edit.framing, negative=not state.edit.framing.negative)
        return self._reframe(state, framing, request, settings)

    @explain_errors
    def preview_crop(
        self, state: PhotoState | None, left: float, right: float, top: float, bottom: float
    ) -> Any:
        """Show on a small picture what a crop would leave."""
        if state is None or left + right >= 100 or top + bottom >= 100:
            return gr.skip()
        return crop_preview(state, Framing(margins=(left, right, top, bottom)))

    @explain_errors
    def change_model(
        self, state: PhotoState | None, model: str, request: gr.Request, **settings: float
    ) -> Pictures:
        """Colorize the photo with another model; framing and hints stay."""
        if state is None or state.model == model:
            return (gr.skip(),) * 5
        edit = replace(state.edit, working_size=None)
        changed = replace(self._colorize_again(state, model, edit, request), past=state.past)
        return changed, 0, *pictures(changed, 0, settings)

    def _reframe(
        self, state: PhotoState, framing: Framing, request: gr.Request, settings: dict[str, float]
    ) -> Pictures:
        edit = Edit(framing, color_source=state.edit.color_source)
        try:
            state = self._colorize_again(state, state.model, edit, request)
        except ColorSourceError as error:  # too little of the photo is left, or it was inverted
            LOG.info("%s", error)
            warn("photo.source_lost", request)
            state = self._colorize_again(state, state.model, Edit(framing), request)
        return state, 0, *pictures(state, 0, settings)

    def _colorize_again(
        self, state: PhotoState, model: str, edit: Edit, request: gr.Request
    ) -> PhotoState:
        colorizer = model_of(self.models, model, request)
        photo = reopen_upload(state.upload, request)
        return photo_state.colorize(colorizer, photo, edit, state.upload, model)


def model_of(models: Models, name: str, request: gr.Request) -> Colorizer:
    """The visitor's model."""
    try:
        return models.get(name)
    except CheckpointError as error:
        LOG.warning("%s", error)
        raise problem("photo.no_model", request) from error
