"""Colors that a visitor knows; each public method is an event of the page."""

import gradio as gr

from colorizer import ColorHint, PhotoError
from colorizer.web.actions import photo_state
from colorizer.web.actions.photo_state import GRAY, Hints, Shown
from colorizer.web.actions.previews import color_pictures, inside, require_state, stage
from colorizer.web.server.errors import LOG, explain_errors, problem
from colorizer.web.server.files import Upload, uploaded_path
from colorizer.web.server.uploads import open_upload, unreadable


class HintActions:
    """Choosing a point, giving it a color, taking it back."""

    @explain_errors
    def point(
        self,
        shown: Shown | None,
        version: int,
        x: float | None,
        y: float | None,
        brush: float,
        unsure: bool,
        request: gr.Request,
    ) -> tuple[str, list[str]]:
        """Choose a point whose color is to be fixed.

        Args:
            shown: the visitor's state.
            version: the chosen one.
            x: column in pixels of the full photo, from 0.
            y: row in pixels of the full photo, from 0.
            brush: size of the area that has the color, in percent of the photo's short side.
            unsure: whether to show where the model is unsure.
            request: the visitor's.

        Returns:
            The picture with the point marked, and the colors that the model finds likely there,
            most likely first.
        """
        shown = require_state(shown, request)
        x, y = inside(shown, x, y, request)
        image = stage(shown, version, x, y, brush, unsure, request)
        try:
            return image, shown.version(version).suggest(*shown.to_small(x, y))
        except ValueError:  # the model knows one color for each point
            return image, []

    @explain_errors
    def fix_color(
        self,
        shown: Shown | None,
        version: int,
        x: float | None,
        y: float | None,
        color: str | None,
        brush: float,
        request: gr.Request,
        **settings: float,
    ) -> tuple[Shown, str, str]:
        """Give a point its true color; nearby areas that look alike take it, too.

        Args:
            shown: the visitor's state.
            version: the chosen one.
            x: column in pixels of the full photo, from 0.
            y: row in pixels of the full photo, from 0.
            color: as "#rrggbb"; its lightness does not matter.
            brush: size of the area that surely has it, in percent of the photo's short side.
            request: the visitor's.
            **settings: of the post-processing.

        Returns:
            The colorized and the post-processed picture.
        """
        shown = require_state(shown, request)
        x, y = inside(shown, x, y, request)
        try:
            hint = ColorHint(x, y, color or "", shown.radius(brush))
        except ValueError:
            raise problem("photo.no_color", request) from None
        return self._hinted(shown, version, photo_state.put(shown.hints, hint), settings)

    @explain_errors
    def keep_gray(
        self,
        shown: Shown | None,
        version: int,
        x: float | None,
        y: float | None,
        brush: float,
        request: gr.Request,
        **settings: float,
    ) -> tuple[Shown, str, str]:
        """Keep a point gray; arguments and results are those of `fix_color`."""
        return self.fix_color(shown, version, x, y, GRAY, brush, request, **settings)

    @explain_errors
    def undo(
        self, shown: Shown | None, version: int, request: gr.Request, **settings: float
    ) -> tuple[Shown, str, str]:
        """Take back the last change of a color; results are those of `fix_color`."""
        shown = require_state(shown, request)
        shown = photo_state.undo(shown)
        return shown, *color_pictures(shown, version, settings)

    @explain_errors
    def remove_point(
        self,
        shown: Shown | None,
        version: int,
        number: float,
        request: gr.Request,
        **settings: float,
    ) -> tuple[Shown, str, str]:
        """Forget the color of one point.

        Args:
            shown: the visitor's state.
            version: the chosen one.
            number: of the point, from 1 in the order in which they were given.
            request: the visitor's.
            **settings: of the post-processing.

        Returns:
            The colorized and the post-processed picture.
        """
        shown = require_state(shown, request)
        if not 1 <= number <= len(shown.hints):
            raise problem("photo.no_such_point", request)
        hints = tuple(hint for count, hint in enumerate(shown.hints, 1) if count != number)
        return self._hinted(shown, version, hints, settings)

    @explain_errors
    def clear_points(
        self, shown: Shown | None, version: int, request: gr.Request, **settings: float
    ) -> tuple[Shown, str, str]:
        """Forget the colors of all points; results are those of `fix_color`."""
        return self._hinted(require_state(shown, request), version, (), settings)

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
            raise problem("photo.unreadable", request, **unreadable(path)) from error
        height, width = photo.size
        if not (0 <= x < width and 0 <= y < height):
            raise problem("photo.outside", request, width=width - 1, height=height - 1)
        return photo_state.color_at(photo, int(x), int(y))

    def _hinted(
        self,
        shown: Shown,
        version: int,
        hints: Hints,
        settings: dict[str, float],
    ) -> tuple[Shown, str, str]:
        if hints != shown.hints:
            shown = photo_state.with_hints(shown, hints)
        return shown, *color_pictures(shown, version, settings)
