"""Events of the photo tab that open or frame a photo; each public method is one.

The methods take the visitor's state and return the new one; they store nothing.
"""

from dataclasses import replace
from typing import Any

import gradio as gr

from colorizer import CheckpointError, Colorizer, ColorSourceError, PhotoError
from colorizer.adjust.framing import Framing
from colorizer.adjust.prints import find_print
from colorizer.edit import Edit
from colorizer.web.actions import photo_state
from colorizer.web.actions.photo_state import Hints, PhotoState
from colorizer.web.actions.previews import pictures, require_state
from colorizer.web.actions.work import Work
from colorizer.web.server.errors import LOG, explain_errors, gone, problem, warn
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
        """Colorize a photo; one that can't be opened leaves the work on the photo before.

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
            raise gone(request)
        path = uploaded_path(photo, request)
        progress(0.2, say("photo.progress", request))
        colorizer = model_of(self.models, model, request)
        try:
            state = photo_state.colorize(colorizer, open_upload(path), Edit(), path, model)
        except PhotoError as error:
            LOG.info("%s", error)
            key, values = unreadable(path, error)
            raise problem(key, request, **values) from error
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
        degrees: float,
        request: gr.Request,
        **settings: float,
    ) -> Pictures:
        """Turn the photo by some degrees, crop it and colorize it anew.

        Args:
            state: the visitor's state.
            left: what is cut off there, in percent of the photo's width.
            right: the same.
            top: the same, in percent of its height.
            bottom: the same.
            degrees: how far it is turned clockwise before, -15 to 15.
            request: the visitor's.
            **settings: of the post-processing.

        Returns:
            As `colorize` does.
        """
        state = require_state(state, request)
        try:
            margins = (left, right, top, bottom)
            framing = replace(state.edit.framing, margins=margins, degrees=degrees)
            framing = framing.inside(state.upright)
        except ValueError:
            raise problem("photo.nothing_left", request) from None
        return self._reframe(state, framing, request, settings)

    @explain_errors
    def straighten(
        self, state: PhotoState | None, request: gr.Request, **settings: float
    ) -> Pictures:
        """Find a print in the photo, crop and straighten it, or show the whole photo again.

        Returns:
            As `colorize` does.
        """
        state = require_state(state, request)
        corners: tuple[tuple[float, float], ...] = ()
        if not state.edit.framing.corners:
            found = find_print(reopen_upload(state.upload, request))
            if found is None:
                raise problem("photo.no_print", request)
            corners = tuple((100 * x, 100 * y) for x, y in found)
        framing = replace(state.edit.framing, corners=corners, margins=(0, 0, 0, 0), degrees=0)
        return self._reframe(state, framing, request, settings)

    @explain_errors
    def invert(self, state: PhotoState | None, request: gr.Request, **settings: float) -> Pictures:
        """Invert the photo, or undo that, and colorize it; results are those of `colorize`."""
        state = require_state(state, request)
        framing = replace(state.edit.framing, negative=not state.edit.framing.negative)
        return self._reframe(state, framing, request, settings)

    @explain_errors
    def restore(
        self, state: PhotoState | None, work: dict[str, Any], request: gr.Request
    ) -> tuple[PhotoState | int | float | str | None, ...]:
        """Go to another point of the visitor's history, or to what the browser kept.

        Args:
            state: the visitor's state.
            work: as `Work`, from the browser.
            request: the visitor's.

        Returns:
            As `colorize` does, then the settings and the name of the look.
        """
        state = require_state(state, request)
        try:
            wanted = Work.parse(work)
            source = state.known_source(wanted.color_source)
            edit, hidden = photo_state.framed(wanted.framing, wanted.spots, state.upright, source)
            edit = replace(edit, strokes=wanted.strokes)
            state = self._restored(state, edit, hidden, request)
        except ValueError as error:
            LOG.info("%s", error)
            raise problem("photo.bad_work", request) from error
        if wanted.color_source and source is None:  # it is one of many
            warn("photo.source_lost", request)
        alternative = min(wanted.alternative, len(state.alternatives) - 1)
        settings = vars(wanted.adjustments)
        shown = pictures(state, alternative, settings)
        return state, alternative, *shown, *settings.values(), wanted.look

    @explain_errors
    def change_model(
        self, state: PhotoState | None, model: str, request: gr.Request, **settings: float
    ) -> Pictures:
        """Colorize the photo with another model; framing and hints stay."""
        if state is None or state.model == model:
            return (gr.skip(),) * 5
        edit = replace(state.edit, working_size=None)
        changed = self._colorize_again(state, model, edit, state.hidden, request)
        return changed, 0, *pictures(changed, 0, settings)

    def _restored(
        self, state: PhotoState, edit: Edit, hidden: Hints, request: gr.Request
    ) -> PhotoState:
        """The state with another edit; the network runs only for another framing."""
        if edit.framing != state.edit.framing:
            return self._colorize_again(state, state.model, edit, hidden, request)
        if edit.color_source != state.edit.color_source:
            state = photo_state.with_source(
                state,
                edit.color_source,
                model_of(self.models, state.model, request),
                lambda: reopen_upload(state.upload, request),
            )
        if edit.strokes != state.edit.strokes:
            state = photo_state.with_strokes(state, edit.strokes)
        if (edit.hints, hidden) != (state.edit.hints, state.hidden):
            state = replace(photo_state.with_hints(state, edit.hints), hidden=hidden)
        return state

    def _reframe(
        self, state: PhotoState, framing: Framing, request: gr.Request, settings: dict[str, float]
    ) -> Pictures:
        edit, hidden = photo_state.framed(framing, state.spots, state.upright, state.source)
        edit = replace(edit, strokes=state.edit.strokes)
        try:
            state = self._colorize_again(state, state.model, edit, hidden, request)
        except ColorSourceError as error:  # too little of the photo is left, or it was inverted
            LOG.info("%s", error)
            warn("photo.source_lost", request)
            edit = replace(edit, color_source=None)
            state = self._colorize_again(state, state.model, edit, hidden, request)
        return state, 0, *pictures(state, 0, settings)

    def _colorize_again(
        self, state: PhotoState, model: str, edit: Edit, hidden: Hints, request: gr.Request
    ) -> PhotoState:
        colorizer = model_of(self.models, model, request)
        photo = reopen_upload(state.upload, request)
        changed = photo_state.colorize(colorizer, photo, edit, state.upload, model, hidden)
        sources = photo_state.remembered(state.sources, edit.color_source)
        return replace(changed, sources=sources)


def model_of(models: Models, name: str, request: gr.Request) -> Colorizer:
    """The visitor's model."""
    try:
        return models.get(name)
    except CheckpointError as error:
        LOG.warning("%s", error)
        raise problem("photo.no_model", request) from error
