"""The contact sheet of a batch: its photos open on the stage one by one, and come back changed.

Each public method of `ContactSheetActions` is an event of the page.
"""

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
from PIL import Image

from colorizer import CheckpointError, PhotoError
from colorizer.adjust.adjustments import PRESETS
from colorizer.web.actions import photo_state
from colorizer.web.actions.batch import ARCHIVE
from colorizer.web.actions.batch_zip import BatchPhoto, Packed, before_and_after, repack
from colorizer.web.actions.photo import model_of
from colorizer.web.actions.photo_state import PhotoState
from colorizer.web.actions.previews import pictures
from colorizer.web.server.errors import LOG, explain_errors, gone, problem
from colorizer.web.server.files import picture, result_folder
from colorizer.web.server.models import Models
from colorizer.web.server.uploads import reopen_upload
from colorizer.web.texts import say

PROGRESS = gr.Progress()
FADED = 0.75  # share of white over the picture of a photo that is left out

Sheet = tuple[BatchPhoto, ...]


class ContactSheetActions:
    """What the contact sheet does.

    Args:
        models: the checkpoints that visitors may use.
    """

    def __init__(self, models: Models) -> None:
        self.models = models

    @explain_errors
    def open(self, sheet: Sheet | None, index: int, request: gr.Request) -> tuple[Any, ...]:
        """Open a photo of the sheet on the stage.

        Args:
            sheet: the photos of a batch that has ended.
            index: of the photo.
            request: the visitor's.

        Returns:
            The sheet, its gallery, the photo's path, a sentence that says which one it is, and
            whether it is left out; then what `PhotoActions.restore` returns.
        """
        if not sheet:
            raise problem("batch.not_ready", request)
        index = min(max(0, index), len(sheet) - 1)
        photo = sheet[index]
        state = self._colorized(photo, request)
        edit = photo.edit
        settings = vars(edit.adjustments)
        look = next((name for name, look in PRESETS.items() if look == edit.adjustments), None)
        place = say(
            "batch.place", request, number=index + 1, total=len(sheet), name=photo.path.name
        )
        return (
            *(sheet, gr.skip(), str(photo.path), place, photo.left_out),
            *(state, edit.alternative, *pictures(state, edit.alternative, settings)),
            *(*settings.values(), look),
        )

    @explain_errors
    def next_photo(
        self,
        sheet: Sheet | None,
        state: PhotoState | None,
        alternative: int,
        request: gr.Request,
        **settings: float,
    ) -> tuple[Any, ...]:
        """Keep what was done on the stage, and open the next photo; after the last the first.

        Args:
            sheet: the photos of the batch.
            state: the visitor's state.
            alternative: index of the chosen one.
            request: the visitor's.
            **settings: of the post-processing.

        Returns:
            As `open` does.
        """
        return self._step(sheet, state, alternative, 1, request, settings)

    @explain_errors
    def previous_photo(
        self,
        sheet: Sheet | None,
        state: PhotoState | None,
        alternative: int,
        request: gr.Request,
        **settings: float,
    ) -> tuple[Any, ...]:
        """Keep what was done on the stage, and open the photo before; else as `next_photo`."""
        return self._step(sheet, state, alternative, -1, request, settings)

    @explain_errors
    def keep(
        self,
        sheet: Sheet | None,
        state: PhotoState | None,
        alternative: int,
        request: gr.Request,
        **settings: float,
    ) -> tuple[Sheet | None, Any]:
        """Keep what was done on the stage; returns the sheet and its gallery."""
        if sheet is None or opened(sheet, state) is None:
            return gr.skip(), gr.skip()
        kept = with_stage(sheet, state, alternative, settings)
        return kept, gallery(kept, request)

    @explain_errors
    def leave_out(
        self,
        sheet: Sheet | None,
        state: PhotoState | None,
        left_out: bool,
        request: gr.Request,
    ) -> tuple[Sheet | None, Any]:
        """Leave the photo on the stage out of the ZIP, or not; returns as `keep` does."""
        index = opened(sheet, state)
        if sheet is None or index is None:
            raise problem("batch.not_open", request)
        kept = replaced(sheet, index, replace(sheet[index], left_out=left_out))
        return kept, gallery(kept, request)

    @explain_errors
    def pack(
        self,
        sheet: Sheet | None,
        packed: Packed | None,
        request: gr.Request,
        progress: gr.Progress = PROGRESS,
    ) -> tuple[Packed, str]:
        """Write the ZIP anew if the sheet has changed; only changed photos are made again.

        Args:
            sheet: the photos of the batch.
            packed: the last ZIP.
            request: the visitor's.
            progress: of the page.

        Returns:
            The ZIP, and its path.
        """
        if not sheet or packed is None or not packed.archive.exists():
            raise gone(request, "batch.gone")
        wanted = [photo for photo in sheet if not photo.left_out]
        if not wanted:
            raise problem("batch.all_left_out", request)
        if are_packed(wanted, packed):
            return packed, str(packed.archive)
        archive = result_folder() / ARCHIVE
        try:
            for number, photo in enumerate(repack(packed, wanted, archive, self.models.get), 1):
                values = {"number": number, "total": len(wanted), "name": photo.path.name}
                progress((number - 1) / len(wanted), say("batch.progress", request, **values))
        except (CheckpointError, PhotoError, OSError) as error:
            LOG.exception("A ZIP can't be written anew")
            shutil.rmtree(archive.parent)
            raise problem("batch.not_packed", request) from error
        shutil.rmtree(packed.archive.parent)
        return Packed(archive, tuple(wanted)), str(archive)

    def _step(
        self,
        sheet: Sheet | None,
        state: PhotoState | None,
        alternative: int,
        by: int,
        request: gr.Request,
        settings: dict[str, float],
    ) -> tuple[Any, ...]:
        index = opened(sheet, state)
        if sheet is None or index is None:
            raise problem("batch.not_open", request)
        kept = with_stage(sheet, state, alternative, settings)
        _, _, *shown = self.open(kept, (index + by) % len(kept), request)
        return kept, gallery(kept, request), *shown

    def _colorized(self, photo: BatchPhoto, request: gr.Request) -> PhotoState:
        colorizer = model_of(self.models, photo.model, request)
        upload = reopen_upload(photo.path, request)
        return photo_state.colorize(
            colorizer, upload, photo.edit, photo.path, photo.model, photo.hidden
        )


def opened(sheet: Sheet | None, state: PhotoState | None) -> int | None:
    """Index of the photo that is on the stage; None if that is no photo of the sheet."""
    paths = [photo.path for photo in sheet or ()]
    return paths.index(state.upload) if state and state.upload in paths else None


def with_stage(
    sheet: Sheet, state: PhotoState | None, alternative: int, settings: dict[str, float]
) -> Sheet:
    """The sheet with what was done on the stage."""
    index = opened(sheet, state)
    if state is None or index is None:
        return sheet
    edit = state.edit_with(alternative, settings)
    photo = replace(sheet[index], edit=edit, model=state.model, hidden=state.hidden)
    if photo == sheet[index]:
        return sheet
    pair = before_and_after(state.alternative(alternative), edit.adjustments)
    return replaced(sheet, index, replace(photo, pair=picture(pair, photo.path.stem)))


def replaced(sheet: Sheet, index: int, photo: BatchPhoto) -> Sheet:
    """The sheet with another photo at an index."""
    return (*sheet[:index], photo, *sheet[index + 1 :])


def gallery(sheet: Sheet, request: gr.Request) -> list[tuple[str, str]]:
    """What the gallery shows: a picture and a caption of each photo."""
    return [
        (faded(photo.pair), say("batch.left_out", request, name=photo.path.name))
        if photo.left_out
        else (photo.pair, photo.path.name)
        for photo in sheet
    ]


def are_packed(photos: list[BatchPhoto], packed: Packed) -> bool:
    """Whether a ZIP holds exactly these photos as they shall be."""
    return len(photos) == len(packed.photos) and all(
        photo.made_like(other) for photo, other in zip(photos, packed.photos, strict=True)
    )


def faded(pair: str) -> str:
    """A pale copy of a picture."""
    with Image.open(pair) as image:
        white = Image.new("RGB", image.size, "white")
        return picture(Image.blend(image.convert("RGB"), white, FADED), Path(pair).stem)
