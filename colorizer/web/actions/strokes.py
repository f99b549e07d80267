"""Strokes that a visitor paints; each function that is decorated is an event of the page."""

from typing import Any

import gradio as gr
from pydantic import TypeAdapter

from colorizer import Stroke
from colorizer.adjust.strokes import on_photo
from colorizer.web.actions import photo_state
from colorizer.web.actions.photo_state import PhotoState
from colorizer.web.actions.previews import require_state
from colorizer.web.actions.work import facts
from colorizer.web.server.errors import LOG, explain_errors, problem


@explain_errors
def add_stroke(
    state: PhotoState | None, alternative: int, painted: gr.EventData, request: gr.Request
) -> tuple[PhotoState, dict[str, Any]]:
    """Add a stroke.

    Args:
        state: the visitor's state.
        alternative: index of the chosen one.
        painted: its value is a `Stroke` over the framed photo.
        request: the visitor's.

    Returns:
        The facts about the photo, with the stroke.
    """
    state = require_state(state, request)
    try:
        stroke = TypeAdapter(Stroke).validate_python(painted.value)
    except ValueError as error:
        LOG.info("%s", error)
        raise problem("page.failed", request) from error
    strokes = (*state.edit.strokes, on_photo(stroke, state.edit.framing, state.upright))
    try:
        changed = photo_state.with_strokes(state, strokes)
    except ValueError as error:
        raise problem("photo.too_many_strokes", request) from error
    return _with_facts(changed, alternative)


@explain_errors
def clear_strokes(
    state: PhotoState | None, alternative: int, request: gr.Request
) -> tuple[PhotoState, dict[str, Any]]:
    """Remove all strokes; results are those of `add_stroke`."""
    return _with_facts(photo_state.with_strokes(require_state(state, request), ()), alternative)


def _with_facts(state: PhotoState, alternative: int) -> tuple[PhotoState, dict[str, Any]]:
    return state, facts(state, alternative)
