"""The endpoints for programs. Calls are independent, and nothing of one is kept but its files.

They serve `gradio_client`, hub_name HTTP and, if enabled, MCP; docs/http.md shows how. Gradio shows
programs the first line of each argument's description.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from threading import Event
from typing import Any, cast

import gradio as gr
from gradio import FileData
from gradio.events import api

from colorizer import (
    PRESETS,
    Adjustments,
    CheckpointError,
    ColorHint,
    Colorizer,
    ColorSource,
    Photo,
    PhotoError,
    Stroke,
)
from colorizer.adjust.strokes import Effect
from colorizer.checkpoints.describe import CheckpointInfo
from colorizer.edit import Edit, colorize, render
from colorizer.sources.color_source import Use
from colorizer.web.actions.batch import BatchActions
from colorizer.web.actions.downloads import write_result
from colorizer.web.actions.model import hub_name
from colorizer.web.actions.photo import model_of
from colorizer.web.api.arguments import (
    AdjustmentValues,
    AlternativeNumber,
    Format,
    Hints,
    OptionalFile,
    Preset,
    Quality,
    Strength,
    Strokes,
    Views,
    WorkingSize,
    endpoint,
    refusal,
)
from colorizer.web.server.errors import gone, problem
from colorizer.web.server.files import Upload, picture, uploaded_path
from colorizer.web.server.limits import STOPPING
from colorizer.web.server.models import Models
from colorizer.web.server.uploads import open_upload


class Endpoints:
    """What programs can ask for.

    Args:
        models: the checkpoints that they may use.
    """

    def __init__(self, models: Models) -> None:
        self.models = models

    @endpoint
    def colorize(
        self,
        photo: FileData,
        request: gr.Request,
        preset: Preset = "natural",
        working_size: WorkingSize = None,
        format: Format = "",
        quality: Quality = 95,
        location: bool = False,
        model: str = "",
        views: Views = 1,
    ) -> FileData:
        """Colorize a black-and-white photo; the result has its full size, depth and metadata.

        Args:
            photo: the photo: JPEG, PNG, TIFF, WebP and others.
            request: the client's.
            preset: a look; natural leaves the colors as the model paints them.
            working_size: short side in pixels that the network sees, 192 to 512; null: the model's.
            format: of the result; empty for that of the photo.
            quality: of JPEG, WEBP and AVIF, 1 to 100.
            location: whether the result's metadata may say where the photo was taken.
            model: user/repo or user/repo@revision on the Hugging Face Hub; empty: the server's own.
            views: how often the network sees the photo; 2 averages a mirrored, larger view, too.

        Returns:
            The colorized photo, with "_color" in its name.
        """
        edit = Edit(working_size=working_size, adjustments=PRESETS[preset], views=views)
        return self._rendered(photo, edit, model, (format, quality, location), request)

    @endpoint
    def colorize_with(
        self,
        photo: FileData,
        request: gr.Request,
        hints: Hints = None,
        adjustments: AdjustmentValues | None = None,
        version: AlternativeNumber = 1,
        working_size: WorkingSize = None,
        format: Format = "",
        quality: Quality = 95,
        location: bool = False,
        model: str = "",
        color_source: OptionalFile = None,
        color_use: Use = "same",
        color_strength: Strength = 1.0,
        strokes: Strokes = None,
        views: Views = 1,
    ) -> FileData:
        """Colorize a photo of which some colors are known, and adjust the result.

        Args:
            photo: the photo: JPEG, PNG, TIFF, WebP and others.
            request: the client's.
            hints: known colors: x and y in pixels from the top left, color as #rrggbb, radius or 0,
                reach in short sides of the photo or left out.
            adjustments: of the post-processing, for example {"saturation": 1.2}; see docs/http.md.
            version: which of the alternatives to take, from 1 for the likeliest.
            working_size: short side in pixels that the network sees, 192 to 512; null: the model's.
            format: of the result; empty for that of the photo.
            quality: of JPEG, WEBP and AVIF, 1 to 100.
            location: whether the result's metadata may say where the photo was taken.
            model: user/repo or user/repo@revision on the Hugging Face Hub; empty: the server's own.
            color_source: the same photo, colored elsewhere, or another photo as a reference.
            color_use: same takes colors where both show the same, reference where both look alike.
            color_strength: of these colors, 0 to 1.
            strokes: effect protect or mend, points as [x, y] in shares of the photo's sides, radius
                in short sides.
            views: how often the network sees the photo; 2 averages a mirrored, larger view, too.

        Returns:
            The colorized photo, with "_color" in its name.
        """
        source = None
        if color_source is not None:
            _, picture = opened_photo(color_source, request)
            source = ColorSource.of(picture, color_use, color_strength)
        edit = Edit(
            hints=tuple(ColorHint(**hint) for hint in hints or ()),
            working_size=working_size,
            alternative=version - 1,
            adjustments=Adjustments(**(adjustments or {})),
            color_source=source,
            strokes=tuple(stroke_of(**stroke) for stroke in strokes or ()),
            views=views,
        )
        return self._rendered(photo, edit, model, (format, quality, location), request)

    @endpoint
    def alternatives(
        self,
        photo: FileData,
        request: gr.Request,
        count: AlternativeNumber = 4,
        working_size: WorkingSize = None,
        model: str = "",
        views: Views = 1,
    ) -> list[FileData]:
        """Show plausible versions of a photo that look different from each other.

        Args:
            photo: the photo: JPEG, PNG, TIFF, WebP and others.
            request: the client's.
            count: how many at most, 1 to 8.
            working_size: short side in pixels that the network sees, 192 to 512; null: the model's.
            model: user/repo or user/repo@revision on the Hugging Face Hub; empty: the server's own.
            views: how often the network sees the photo; 2 averages a mirrored, larger view, too.

        Returns:
            JPEGs of a megapixel at most, the likeliest first; `colorize_with` writes one of them.
        """
        path, opened = opened_photo(photo, request)
        edit = Edit(working_size=working_size, views=views)
        result = colorize(self._colorizer(model, request), opened, edit).preview()
        return [
            file_data(picture(alternative.colorized, f"{path.stem}_version{number}"))
            for number, alternative in enumerate(result.alternatives(count), 1)
        ]

    @endpoint
    def model_info(self, request: gr.Request, model: str = "") -> dict[str, Any]:
        """Describe a model: source with its commit, SHA-256, license, card and measured figures.

        Args:
            request: the client's.
            model: user/repo or user/repo@revision on the Hugging Face Hub; empty: the server's own.

        Returns:
            What is known of it.
        """
        info = asdict(self._described(model, request))
        del info["settings"]  # hundreds of bins, which `config.json` holds
        return info

    def batch(
        self, photos: Sequence[Upload] | None, preset: str, model: str, request: gr.Request
    ) -> Iterator[str | None]:
        """Colorize many photos into one ZIP, all with the same look.

        Args:
            photos: the files, at most 100 and 500 MB; those that aren't photos are left out.
            preset: a look, as for colorize; empty for none.
            model: user/repo or user/repo@revision on the Hugging Face Hub; empty: the server's own.
            request: the client's.

        Returns:
            The ZIP, in which the photos are called `<name>_color`.
        """
        packed, pinned = None, self._pinned(model, request)
        actions = BatchActions(self.models, pictures=False)
        for _, _, packed in actions.run(photos, preset, pinned, Event(), request):
            yield str(packed.archive) if packed else None
        if STOPPING.is_set():
            raise refusal("This server is being stopped. Send the photos again in a minute.")
        if packed is None:
            raise problem("batch.none", request)

    def _rendered(
        self,
        photo: FileData,
        edit: Edit,
        model: str,
        saved_as: tuple[str, int, bool],
        request: gr.Request,
    ) -> FileData:
        """Make an edit of an uploaded photo and write it at full size.

        Args:
            photo: the upload.
            edit: what to make of it.
            model: as the program named it.
            saved_as: format, quality, and whether the location stays, as of `write_result`.
            request: the client's.
        """
        path, opened = opened_photo(photo, request)
        result = render(self._colorizer(model, request), opened, edit)
        format, quality, location = saved_as
        return file_data(write_result(result, path, format, location, request, quality))

    def _colorizer(self, model: str, request: gr.Request) -> Colorizer:
        return model_of(self.models, self._pinned(model, request), request)

    def _pinned(self, model: str, request: gr.Request) -> str:
        """The model's name with its commit, by which it is kept in memory."""
        return self._described(model, request).source if hub_name(model) else ""

    def _described(self, model: str, request: gr.Request) -> CheckpointInfo:
        try:
            return self.models.describe(hub_name(model))
        except CheckpointError as error:
            raise problem(f"model.refused_{error.reason}", request, name=model) from error


def opened_photo(photo: FileData, request: gr.Request) -> tuple[Path, Photo]:
    """An uploaded photo and its path."""
    path = uploaded_path(photo.path, request)
    if not path.exists():
        raise gone(request, "page.file_gone")
    try:
        return path, open_upload(path)
    except PhotoError as error:
        raise refusal(str(error).replace(f"{path.parent}{os.sep}", "")) from error


def stroke_of(effect: Effect, points: list[list[float]], radius: float) -> Stroke:
    """A stroke that a program sends."""
    return Stroke(effect, tuple(tuple(point) for point in points), radius)  # type: ignore[misc]


def file_data(path: str) -> FileData:
    """A file for the client to fetch."""
    file = FileData(path=path, orig_name=Path(path).name)
    return cast(FileData, file.model_dump())  # within lists, Gradio finds and sweeps nothing else


def add_endpoints(models: Models) -> None:
    """Add the endpoints to the page within whose `gr.Blocks` this is called.

    Args:
        models: the checkpoints that programs may use.
    """
    endpoints = Endpoints(models)
    for function in (endpoints.colorize, endpoints.colorize_with, endpoints.alternatives):
        api(function, concurrency_id="network", concurrency_limit=1)
    api(endpoints.model_info, concurrency_id="model", concurrency_limit=4)
    photos = gr.File(label="photos", file_count="multiple", visible=False)
    preset, model = gr.Textbox("", visible=False), gr.Textbox("", visible=False)
    archive = gr.File(label="archive", visible=False)
    gr.on(
        [],
        endpoints.batch,
        [photos, preset, model],
        archive,
        preprocess=False,
        concurrency_id="batch",
        concurrency_limit=1,
        api_name="batch",
    )
