"""Connects the tab for many photos with that for one: photos open on the stage and come back."""

import gradio as gr

from colorizer.web.actions.contact_sheet import ContactSheetActions
from colorizer.web.server.models import Models
from colorizer.web.tabs.batch import BatchTab
from colorizer.web.tabs.photo import HIDDEN, NETWORK, PRIVATE, QUICK, Options, PhotoTab

SAVE_ZIP = "file => window.colorizer.save(file)"


def connect_contact_sheet(models: Models, photo: PhotoTab, batch: BatchTab) -> None:
    """Connect the tabs.

    Args:
        models: the checkpoints that visitors may use.
        photo: the tab with the stage.
        batch: the tab with the contact sheet.
    """
    actions, bar = ContactSheetActions(models), photo.sheet
    on_stage: Options = {
        "inputs": [batch.sheet, *photo.state],
        "inputs_kwargs": photo.settings,
    }
    opened = [batch.sheet, batch.pairs, bar.file, bar.place, bar.left_out, *photo.restored]
    index = gr.Number(visible=False, precision=0)
    chosen = batch.pairs.select(chosen_index, None, index, **HIDDEN, **QUICK)
    stepping: Options = {**on_stage, "show_progress_on": photo.pictures.stage, **NETWORK}
    for event in (
        chosen.success(
            actions.open, [batch.sheet, index], opened, show_progress_on=batch.pairs, **NETWORK
        ),
        bar.previous.click(actions.previous_photo, outputs=opened, **stepping),
        bar.next.click(actions.next_photo, outputs=opened, **stepping),
    ):
        photo.show_sheet_photo(event)
    bar.left_out.input(
        actions.leave_out,
        [batch.sheet, photo.photo_state, bar.left_out],
        [batch.sheet, batch.pairs],
        **HIDDEN,
        **QUICK,
    )
    bar.back.click(None, js="() => window.colorizer.showSheet()")
    batch.tab.select(
        actions.keep, **on_stage, outputs=[batch.sheet, batch.pairs], **HIDDEN, **QUICK
    )
    batch.download.click(
        actions.pack,
        [batch.sheet, batch.packed],
        [batch.packed, photo.file],
        concurrency_id="pack",
        concurrency_limit=2,
        show_progress_on=batch.pairs,
        **PRIVATE,
    ).success(None, photo.file, js=SAVE_ZIP)


def chosen_index(event: gr.SelectData) -> int:
    """Index of the chosen picture."""
    return int(event.index)
