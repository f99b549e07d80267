"""What the photo tab does without running the network: versions, settings, downloads.

Each public function up to `side_by_side` is an event of the page.
"""

from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from colorizer import Adjustments, Photo, PhotoError
from colorizer.adjust.adjustments import PRESETS
from colorizer.adjust.framing import Framing
from colorizer.photo.formats import output_name
from colorizer.web.actions import overlays
from colorizer.web.actions.photo_state import Shown, full_photo
from colorizer.web.server.errors import LOG, explain_errors, problem, warn
from colorizer.web.server.files import picture, result_folder
from colorizer.web.texts import say

THUMBNAIL_PIXELS = 90_000


@explain_errors
def choose_version(
    shown: Shown | None, number: float, request: gr.Request, **settings: float
) -> tuple[int, str, str]:
    """Take over another of the model's ideas; hints and settings stay.

    Args:
        shown: the visitor's state.
        number: of the version, from 1 for the most likely.
        request: the visitor's.
        **settings: of the post-processing.

    Returns:
        The colorized and the post-processed picture.
    """
    shown = require_state(shown, request)
    if not 1 <= number <= len(shown.versions):
        raise problem("photo.no_such_version", request)
    version = int(number) - 1
    return version, *color_pictures(shown, version, settings)


@explain_errors
def show_unsure(
    shown: Shown | None,
    version: int,
    x: float | None,
    y: float | None,
    brush: float,
    unsure: bool,
    request: gr.Request,
) -> str:
    """Show where the model is unsure; arguments are those of `point`, x and y may be None."""
    return stage(require_state(shown, request), version, x, y, brush, unsure, request)


@explain_errors
def adjust(shown: Shown | None, version: int, request: gr.Request, **settings: float) -> str:
    """Post-process the colors; takes no longer for a large photo than for a small one.

    Args:
        shown: the visitor's state.
        version: the chosen one.
        request: the visitor's.
        **settings: of the post-processing.

    Returns:
        The post-processed picture.
    """
    return processed_picture(require_state(shown, request), version, settings)


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
def reset() -> list[float]:
    """The settings that change nothing."""
    return list(vars(Adjustments()).values())


@explain_errors
def download(
    shown: Shown | None,
    version: int,
    format: str,
    location: bool,
    request: gr.Request,
    **settings: float,
) -> str:
    """Write the post-processed photo at full resolution, with the metadata of the upload.

    Args:
        shown: the visitor's state.
        version: the chosen one.
        format: "JPEG", "PNG", "TIFF" or "WEBP"; "" for that of the uploaded file.
        location: whether the metadata may say where the photo was taken.
        request: the visitor's.
        **settings: of the post-processing.

    Returns:
        The photo, with "_color" in its name.
    """
    shown = require_state(shown, request)
    try:
        photo = full_photo(shown)
    except PhotoError as error:
        raise problem("page.gone", request) from error
    photo = shown.version(version).on(photo).adjust(Adjustments(**settings))
    return write_result(photo, shown.upload, format, location, request)


@explain_errors
def side_by_side(shown: Shown | None, version: int, request: gr.Request, **settings: float) -> str:
    """Put the grayscale and the post-processed picture beside each other, to share them.

    Args:
        shown: the visitor's state.
        version: the chosen one.
        request: the visitor's.
        **settings: of the post-processing.

    Returns:
        A JPEG.
    """
    shown = require_state(shown, request)
    result = shown.version(version)
    sheet = overlays.side_by_side(
        {
            say("photo.shared_gray", request): result.gray,
            say("photo.shared_color", request): result.adjust(Adjustments(**settings)),
        }
    )
    target = result_folder() / f"{shown.upload.stem}_before_after.jpg"
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
        location: whether the metadata may say where the photo was taken.
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
        gr.Info(say(f"photo.lost.{loss}", request, format=format), title="")
    try:
        photo.save(target, quality=quality)
    except PhotoError as error:
        LOG.exception("A result can't be saved")
        raise problem("photo.not_saved", request, name=target.name) from error
    return str(target)


def require_state(shown: Shown | None, request: gr.Request) -> Shown:
    """The visitor's state, or a sentence where there is none, or no longer."""
    if shown is None:
        raise problem("page.gone", request)
    return shown


def inside(
    shown: Shown, x: float | None, y: float | None, request: gr.Request
) -> tuple[float, float]:
    """A point that is known to lie in the photo."""
    if x is None or y is None:
        raise problem("photo.no_point", request)
    if not shown.inside(x, y):
        height, width = shown.size
        raise problem("photo.outside", request, width=width - 1, height=height - 1)
    return x, y


def processed_picture(shown: Shown, version: int, settings: dict[str, float]) -> str:
    """The post-processed picture."""
    return picture(shown.version(version).adjust(Adjustments(**settings)))


def color_pictures(shown: Shown, version: int, settings: dict[str, float]) -> tuple[str, str]:
    """The colorized and the post-processed picture."""
    colorized = picture(shown.version(version).colorized)
    if Adjustments(**settings) == Adjustments():
        return colorized, colorized
    return colorized, processed_picture(shown, version, settings)


def pictures(shown: Shown, version: int, settings: dict[str, float]) -> tuple[str, str, str]:
    """The grayscale, the colorized and the post-processed picture."""
    return picture(shown.version(version).gray), *color_pictures(shown, version, settings)


def stage(
    shown: Shown,
    version: int,
    x: float | None,
    y: float | None,
    brush: float,
    unsure: bool,
    request: gr.Request,
) -> str:
    """The colorized picture with all hints and the chosen point on it."""
    result = shown.version(version)
    pixels = overlays.rgb(result.colorized)
    if unsure:
        try:
            pixels = overlays.veil(pixels, result.confidence)
        except ValueError:  # the model knows one color for each point
            warn("photo.no_doubt", request)
    point = None if x is None or y is None else (int(x), int(y))
    overlays.mark_hints(pixels, shown.hints, point, shown.radius(brush), shown.size)
    return picture(Image.fromarray(pixels))


def crop_view(shown: Shown, framing: Framing) -> str:
    """The whole photo, small, with what a crop cuts off in the dark."""
    pixels = overlays.show_crop(overlays.rgb(shown.whole), framing.box(shown.whole.size))
    return picture(Image.fromarray(pixels))


@explain_errors
def tools(
    shown: Shown | None,
    version: int,
    x: float | None,
    y: float | None,
    brush: float,
    unsure: bool,
    request: gr.Request,
) -> tuple[Any, ...]:
    """What is around the three pictures, as it is after a change: what can be seen, the upload, the
    crop, the alternative texts, the stage, the hints.
    """
    if shown is None:
        return (*(gr.update(visible=False),) * 2, None, *(gr.skip(),) * 11)
    name = shown.upload.name
    return (
        gr.update(visible=True),
        gr.update(visible=True),
        picture(shown.small),
        crop_view(shown, shown.framing),
        *shown.framing.margins,
        notices(shown, request),
        *(
            gr.update(alt_text=say(f"photo.{kind}_alt", request, name=name))
            for kind in ("gray", "colorized", "processed")
        ),
        gr.update(
            value=stage(shown, version, x, y, brush, unsure, request),
            alt_text=say("photo.stage_alt", request, name=name),
        ),
        [hint.color for hint in shown.hints],
    )


def notices(shown: Shown, request: gr.Request) -> Any:
    """What a visitor may want to know about the photo."""
    sentences = [
        say(f"photo.notice.{key}", request, format=shown.small.format) for key in shown.notices
    ]
    return gr.update(value="  \n".join(sentences), visible=bool(sentences))


@explain_errors
def thumbnails(shown: Shown | None, version: int, request: gr.Request) -> Any:
    """The versions, small, to choose from; they take longer than all the rest."""
    if shown is None:
        return gr.skip()
    small = [
        (
            picture(idea.preview(THUMBNAIL_PIXELS).colorized),
            say("photo.version", request, number=number),
        )
        for number, idea in enumerate(shown.versions, 1)
    ]
    return gr.update(value=small, selected_index=version)
