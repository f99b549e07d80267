"""Colors that a visitor knows; each public method is an event of the page."""

from dataclasses import replace
from typing import Any

import gradio as gr

from colorizer import ColorHint, PhotoError
from colorizer.inference.hints import MAX_REACH
from colorizer.web.actions import photo_state
from colorizer.web.actions.color_names import Swatch, swatches
from colorizer.web.actions.photo_state import GRAY, Hints, PhotoState
from colorizer.web.actions.previews import (
    color_pictures,
    require_state,
    spread,
    stage,
    valid_point,
)
from colorizer.web.actions.work import facts
from colorizer.web.server.errors import LOG, explain_errors, problem
from colorizer.web.server.files import Upload, uploaded_path
from colorizer.web.server.uploads import open_upload, unreadable


class HintActions:
    """Choosing a point, giving it a color, taking it back."""

    @explain_errors
    def point(
        self,
        state: PhotoState | None,
        alternative: int,
        x: float | None,
        y: float | None,
        brush: float,
        unsure: bool,
        request: gr.Request,
    ) -> tuple[str, list[Swatch], dict[str, Any], Any, Any]:
        """Choose a point to give another color, or a spot to change.

        Args:
            state: the visitor's state.
            alternative: index of the chosen one.
            x: column in pixels of the full photo, from 0.
            y: row in pixels of the full photo, from 0.
            brush: size of the area that has the color, in percent of the photo's short side.
            unsure: whether to show where the model is unsure.
            request: the visitor's.

        Returns:
            The picture with the point marked, the colors that the model finds likely there, most
            likely first, the facts about the photo, and size and reach of the spot.
        """
        state = require_state(state, request)
        x, y = valid_point(state, x, y, request)
        image = stage(state, alternative, x, y, brush, unsure, request)
        rest = facts(state, alternative, x, y), *spread(state, x, y)
        try:
            result, at = state.alternative(alternative), state.to_small(x, y)
            now = photo_state.color_at(result.colorized, *at)
            return image, swatches(result.suggest(*at), request, now), *rest
        except ValueError:  # the model knows one color for each point
            return image, [], *rest

    @explain_errors
    def fix_color(
        self,
        state: PhotoState | None,
        alternative: int,
        x: float | None,
        y: float | None,
        color: str | None,
        brush: float,
        reach: float,
        request: gr.Request,
        **settings: float,
    ) -> tuple[PhotoState, str, str]:
        """Give a point its true color; nearby areas that look alike take it, too.

        Args:
            state: the visitor's state.
            alternative: index of the chosen one.
            x: column in pixels of the full photo, from 0.
            y: row in pixels of the full photo, from 0.
            color: as "#rrggbb"; its lightness does not matter.
            brush: size of the area that surely has it, in percent of the photo's short side.
            reach: how far the color spreads at most, in the same unit.
            request: the visitor's.
            **settings: of the post-processing.

        Returns:
            The colorized and the post-processed picture.
        """
        state = require_state(state, request)
        x, y = valid_point(state, x, y, request)
        try:
            hint = ColorHint(x, y, color or "", state.radius(brush), reach / 100)
        except ValueError:
            raise problem("photo.no_color", request) from None
        return self._hinted(
            state, alternative, photo_state.add_hint(state.edit.hints, hint), settings
        )

    @explain_errors
    def keep_gray(
        self,
        state: PhotoState | None,
        alternative: int,
        x: float | None,
        y: float | None,
        brush: float,
        reach: float,
        request: gr.Request,
        **settings: float,
    ) -> tuple[PhotoState, str, str]:
        """Keep a point gray; arguments and results are those of `fix_color`."""
        return self.fix_color(state, alternative, x, y, GRAY, brush, reach, request, **settings)

    @explain_errors
    def resize_spot(
        self,
        state: PhotoState | None,
        alternative: int,
        x: float | None,
        y: float | None,
        brush: float,
        reach: float,
        request: gr.Request,
        **settings: float,
    ) -> tuple[PhotoState, str, str]:
        """Change size and reach of the chosen spot, if one is chosen.

        Arguments and results are those of `fix_color`.
        """
        state = require_state(state, request)
        hints, chosen = list(state.edit.hints), state.chosen(x, y)
        if chosen is not None:
            hint, most = hints[chosen], 100 * MAX_REACH
            far = None if hint.reach is None and reach == most else reach / 100
            hints[chosen] = replace(hint, radius=state.radius(brush), reach=far)
        return self._hinted(state, alternative, tuple(hints), settings)

    @explain_errors
    def remove_point(
        self,
        state: PhotoState | None,
        alternative: int,
        number: float,
        request: gr.Request,
        **settings: float,
    ) -> tuple[PhotoState, str, str]:
        """Forget the color of one point.

        Args:
            state: the visitor's state.
            alternative: index of the chosen one.
            number: of the point, from 1 in the order in which they were given.
            request: the visitor's.
            **settings: of the post-processing.

        Returns:
            The colorized and the post-processed picture.
        """
        state = require_state(state, request)
        if not 1 <= number <= len(state.edit.hints):
            raise problem("photo.no_such_point", request)
        hints = tuple(hint for count, hint in enumerate(state.edit.hints, 1) if count != number)
        return self._hinted(state, alternative, hints, settings)

    @explain_errors
    def clear_points(
        self, state: PhotoState | None, alternative: int, request: gr.Request, **settings: float
    ) -> tuple[PhotoState, str, str]:
        """Forget the colors of all points; results are those of `fix_color`."""
        state = replace(require_state(state, request), hidden=())
        return self._hinted(state, alternative, (), settings)

    @explain_errors
    def reference_color(
        self, reference: Upload | None, x: float | None, y: float | None, request: gr.Request
    ) -> str:
        """Take a color from another photo.

        Args:
            reference: an uploaded photo in color.
            x: column in its pixels, from 0.
            y: row in its pixels, from 0.
            request: the visitor's.

        Returns:
            The color as "#rrggbb".
        """
        if not reference or x is None or y is None:
            raise problem("photo.no_reference", request)
        path = uploaded_path(reference, request)
        try:
            photo = open_upload(path)
        except PhotoError as error:
            LOG.info("%s", error)
            key, values = unreadable(path, error)
            raise problem(key, request, **values) from error
        height, width = photo.size
        if not (0 <= x < width and 0 <= y < height):
            raise problem("photo.outside", request, width=width - 1, height=height - 1)
        return photo_state.color_at(photo, int(x), int(y))

    def _hinted(
        self,
        state: PhotoState,
        alternative: int,
        hints: Hints,
        settings: dict[str, float],
    ) -> tuple[PhotoState, str, str]:
        if hints != state.edit.hints:
            state = photo_state.with_hints(state, hints)
        return state, *color_pictures(state, alternative, settings)
