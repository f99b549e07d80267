"""Colors from another picture; each public method is an event of the page."""

from dataclasses import replace

import gradio as gr

from colorizer import ColorSource, ColorSourceError, PhotoError
from colorizer.sources.color_source import Use
from colorizer.web.actions import photo_state
from colorizer.web.actions.photo import model_of
from colorizer.web.actions.photo_state import PhotoState
from colorizer.web.actions.previews import color_pictures, require_state
from colorizer.web.server.errors import LOG, explain_errors, problem
from colorizer.web.server.files import Upload, uploaded_path
from colorizer.web.server.models import Models
from colorizer.web.server.uploads import open_upload, reopen_upload, unreadable

Answer = tuple[PhotoState, str, str]  # with the colorized and the post-processed picture


class ColorSourceActions:
    """Taking the colors of another picture, and deciding where.

    All return the visitor's new state, the colorized and the post-processed picture. None runs the
    network, except on a reference. What fails leaves the work as it was.

    Args:
        models: the checkpoints that visitors may use.
    """

    def __init__(self, models: Models) -> None:
        self.models = models

    @explain_errors
    def take(
        self,
        state: PhotoState | None,
        alternative: int,
        picture: Upload,
        request: gr.Request,
        **settings: float,
    ) -> Answer:
        """Take the colors of a picture, as far as it shows the same; else as a reference.

        Args:
            state: the visitor's state.
            alternative: index of the chosen one.
            picture: an uploaded file.
            request: the visitor's.
            **settings: of the post-processing.
        """
        state = require_state(state, request)
        path = uploaded_path(picture, request)
        try:
            source = ColorSource.of(open_upload(path))
        except PhotoError as error:
            LOG.info("%s", error)
            key, values = unreadable(path, error)
            raise problem(key, request, **values) from error
        except ColorSourceError as error:
            LOG.info("%s", error)
            raise problem(f"photo.source.bad_{error.reason}", request, name=path.name) from error
        try:
            return self._taken(state, alternative, source, settings, request)
        except ColorSourceError as error:
            LOG.info("%s", error)
        reference = replace(source, use="reference")
        return self._changed(state, alternative, reference, settings, request)

    @explain_errors
    def change_use(
        self,
        state: PhotoState | None,
        alternative: int,
        use: Use,
        request: gr.Request,
        **settings: float,
    ) -> Answer:
        """Take the picture for something else than it was recognized as.

        Args:
            state: the visitor's state.
            alternative: index of the chosen one.
            use: "same" or "reference", as of `ColorSource`.
            request: the visitor's.
            **settings: of the post-processing.
        """
        state, source = self._required(state, request)
        changed = replace(source, use=use, regions=())
        return self._changed(state, alternative, changed, settings, request)

    @explain_errors
    def change_strength(
        self,
        state: PhotoState | None,
        alternative: int,
        color_strength: float,
        request: gr.Request,
        **settings: float,
    ) -> Answer:
        """Take more or less of the colors.

        Args:
            state: the visitor's state.
            alternative: index of the chosen one.
            color_strength: of the other picture's colors, 0 to 1.
            request: the visitor's.
            **settings: of the post-processing.
        """
        state, source = self._required(state, request)
        changed = replace(source, strength=color_strength)
        return self._changed(state, alternative, changed, settings, request)

    @explain_errors
    def toggle_region(
        self,
        state: PhotoState | None,
        alternative: int,
        x: float,
        y: float,
        request: gr.Request,
        **settings: float,
    ) -> Answer:
        """Take the colors of a region of the map that keeps the photo's own, or leave them.

        Args:
            state: the visitor's state.
            alternative: index of the chosen one.
            x: column in pixels of the full photo, from 0.
            y: row in pixels of the full photo, from 0.
            request: the visitor's.
            **settings: of the post-processing.
        """
        state, _ = self._required(state, request)
        assert state.result.evidence is not None
        try:
            source = state.result.evidence.toggled(x, y)
        except ValueError:  # the picture ends before it
            raise problem("photo.source.not_shown", request) from None
        return self._changed(state, alternative, source, settings, request)

    @explain_errors
    def remove(
        self, state: PhotoState | None, alternative: int, request: gr.Request, **settings: float
    ) -> Answer:
        """Go back to the photo's own colors."""
        state = require_state(state, request)
        return self._taken(state, alternative, None, settings, request)

    def _required(
        self, state: PhotoState | None, request: gr.Request
    ) -> tuple[PhotoState, ColorSource]:
        state = require_state(state, request)
        if state.edit.color_source is None:
            raise problem("photo.source.none", request)
        return state, state.edit.color_source

    def _changed(
        self,
        state: PhotoState,
        alternative: int,
        source: ColorSource,
        settings: dict[str, float],
        request: gr.Request,
    ) -> Answer:
        try:
            return self._taken(state, alternative, source, settings, request)
        except ColorSourceError as error:
            LOG.info("%s", error)
            raise problem(f"photo.source.bad_{error.reason}", request) from error

    def _taken(
        self,
        state: PhotoState,
        alternative: int,
        source: ColorSource | None,
        settings: dict[str, float],
        request: gr.Request,
    ) -> Answer:
        model = model_of(self.models, state.model, request)
        state = photo_state.with_source(
            state, source, model, lambda: reopen_upload(state.upload, request)
        )
        return state, *color_pictures(state, alternative, settings)
