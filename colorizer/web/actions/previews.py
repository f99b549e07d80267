"""Pictures of the photo tab, made without running the network: alternatives, adjustments, hints.

Each function that is decorated with `explain_errors` is an event of the page.
"""

from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from colorizer import Adjustments
from colorizer.adjust.adjustments import PRESETS
from colorizer.inference.hints import MAX_REACH
from colorizer.inference.notices import find_source_notices
from colorizer.web.actions import overlays
from colorizer.web.actions.color_names import swatches
from colorizer.web.actions.photo_state import PhotoState
from colorizer.web.actions.work import facts
from colorizer.web.server.errors import explain_errors, gone, problem, warn
from colorizer.web.server.files import copy_of, picture
from colorizer.web.texts import say

THUMBNAIL_PIXELS = 90_000
PRESET_PIXELS = 20_000  # each preset's thumbnail is some 130 pixels wide on the page


@explain_errors
def choose_alternative(
    state: PhotoState | None, number: float, request: gr.Request, **settings: float
) -> tuple[int, str, str]:
    """Choose another alternative; hints and settings stay.

    Args:
        state: the visitor's state.
        number: of the alternative, from 1 for the most likely.
        request: the visitor's.
        **settings: of the post-processing.

    Returns:
        The colorized and the post-processed picture.
    """
    state = require_state(state, request)
    if not 1 <= number <= len(state.alternatives):
        raise problem("photo.no_such_alternative", request)
    alternative = int(number) - 1
    return alternative, *color_pictures(state, alternative, settings)


@explain_errors
def show_unsure(
    state: PhotoState | None,
    alternative: int,
    x: float | None,
    y: float | None,
    brush: float,
    unsure: bool,
    request: gr.Request,
) -> str:
    """Show where the model is unsure; arguments are those of `point`, x and y may be None."""
    return stage(require_state(state, request), alternative, x, y, brush, unsure, request)


@explain_errors
def adjust(
    state: PhotoState | None, alternative: int, request: gr.Request, **settings: float
) -> str:
    """Post-process the colors, as fast for a large photo as for a small one.

    Args:
        state: the visitor's state.
        alternative: index of the chosen one.
        request: the visitor's.
        **settings: of the post-processing.

    Returns:
        The post-processed picture.
    """
    return processed_picture(require_state(state, request), alternative, settings)


@explain_errors
def preset(name: str) -> list[float]:
    """The settings of a preset.

    Args:
        name: "natural", "vivid", "portrait", "faded_print" or "strong_restoration".

    Returns:
        One value for each setting.
    """
    return list(vars(PRESETS[name]).values())


@explain_errors
def preset_sheet(state: PhotoState | None, alternative: int) -> Any:
    """Make thumbnails of the photo with each preset, in one picture from left to right."""
    if state is None:
        return gr.skip()
    small = state.alternative(alternative).preview(PRESET_PIXELS)
    looks = [overlays.rgb(small.adjust(settings)) for settings in PRESETS.values()]
    return picture(Image.fromarray(np.hstack(looks)))


@explain_errors
def reset() -> list[float]:
    """The settings that change nothing."""
    return list(vars(Adjustments()).values())


def require_state(state: PhotoState | None, request: gr.Request) -> PhotoState:
    """The visitor's state; a sentence if there is none, or it has expired."""
    if state is None:
        raise gone(request)
    return state


def valid_point(
    state: PhotoState, x: float | None, y: float | None, request: gr.Request
) -> tuple[float, float]:
    """A point, once it is known to lie in the photo."""
    if x is None or y is None:
        raise problem("photo.no_point", request)
    if not state.contains(x, y):
        height, width = state.size
        raise problem("photo.outside", request, width=width - 1, height=height - 1)
    return x, y


def processed_picture(state: PhotoState, alternative: int, settings: dict[str, float]) -> str:
    """The post-processed picture."""
    return picture(state.alternative(alternative).adjust(Adjustments(**settings)))


def color_pictures(
    state: PhotoState, alternative: int, settings: dict[str, float]
) -> tuple[str, str]:
    """The colorized and the post-processed picture."""
    colorized = picture(state.alternative(alternative).colorized)
    if is_as_colorized(state, settings):
        return colorized, colorized
    return colorized, processed_picture(state, alternative, settings)


def is_as_colorized(state: PhotoState, settings: dict[str, float]) -> bool:
    """Whether the post-processed picture is the colorized one."""
    return Adjustments(**settings) == Adjustments() and not state.edit.strokes


def pictures(
    state: PhotoState, alternative: int, settings: dict[str, float]
) -> tuple[str, str, str]:
    """The grayscale, the colorized and the post-processed picture."""
    return picture(state.alternative(alternative).gray), *color_pictures(
        state, alternative, settings
    )


def stage(
    state: PhotoState,
    alternative: int,
    x: float | None,
    y: float | None,
    brush: float,
    unsure: bool,
    request: gr.Request,
) -> str:
    """The colorized picture with all hints and the chosen point on it."""
    result = state.alternative(alternative)
    pixels = overlays.rgb(result.colorized)
    if unsure:
        try:
            pixels = overlays.shade_unsure(pixels, result.confidence)
        except ValueError:  # the model knows one color for each point
            warn("photo.no_doubt", request)
    point = None if x is None or y is None else (int(x), int(y))
    overlays.mark_hints(pixels, state.edit.hints, point, state.radius(brush), state.size)
    return picture(Image.fromarray(pixels))


@explain_errors
def tools(
    state: PhotoState | None,
    alternative: int,
    x: float | None,
    y: float | None,
    brush: float,
    unsure: bool,
    request: gr.Request,
) -> tuple[Any, ...]:
    """Update everything around the pictures after a change.

    These are visibility, the labels of two buttons, degrees, notices, the original, the uncropped
    and the marked picture, facts, size and reach of the chosen spot, all spots, and what
    `source_panel` returns.
    """
    state = require_state(state, request)
    return (
        gr.update(visible=True),
        gr.update(label=say("photo.next", request)),
        say("photo.unstraighten" if state.edit.framing.corners else "photo.straighten", request),
        state.edit.framing.degrees,
        notices(state, request),
        picture(state.small),
        picture(state.uncropped),
        stage(state, alternative, x, y, brush, unsure, request),
        facts(state, alternative, x, y),
        *spread(state, x, y),
        swatches([hint.color for hint in state.edit.hints], request),
        *source_panel(state, alternative, request),
    )


def source_panel(state: PhotoState, alternative: int, request: gr.Request) -> tuple[Any, ...]:
    """What the page shows of another picture's colors.

    These are visibility, the picture, a sentence about it, its use and strength, and the map of
    what is taken.
    """
    source, evidence = state.edit.color_source, state.result.evidence
    if source is None or evidence is None:
        return gr.update(visible=False), None, "", gr.skip(), gr.skip(), None
    kind = "nothing" if "unlike_reference" in find_source_notices(state.result) else source.use
    sentence = say(f"photo.source.is_{kind}", request, share=round(100 * evidence.share))
    pixels = overlays.rgb(state.alternative(alternative).colorized)
    map_of_doubt = picture(Image.fromarray(overlays.shade_left(pixels, evidence.taken)))
    return (
        gr.update(visible=True),
        copy_of(source),
        sentence,
        source.use,
        source.strength,
        map_of_doubt,
    )


def spread(state: PhotoState, x: float | None, y: float | None) -> tuple[Any, Any]:
    """Size and reach of the chosen spot in percent, for their sliders; no change without one."""
    chosen = state.chosen(x, y)
    if chosen is None:
        return gr.skip(), gr.skip()
    hint = state.edit.hints[chosen]
    reach = MAX_REACH if hint.reach is None else hint.reach
    return round(100 * hint.radius / min(state.size), 1), round(100 * reach)


def notices(state: PhotoState, request: gr.Request) -> Any:
    """Notices about the photo, as Markdown."""
    keys = [*state.notices, *find_source_notices(state.result)]
    sentences = [say(f"photo.notice.{key}", request, format=state.small.format) for key in keys]
    return gr.update(value="  \n".join(sentences), visible=bool(sentences))


@explain_errors
def thumbnails(state: PhotoState | None, alternative: int, request: gr.Request) -> Any:
    """Small pictures of the alternatives; they take longer than everything else."""
    if state is None:
        return gr.skip()
    small = [
        (
            picture(result.preview(THUMBNAIL_PIXELS).colorized),
            say("photo.alternative", request, number=number),
        )
        for number, result in enumerate(state.alternatives, 1)
    ]
    return gr.update(value=small, selected_index=alternative)
