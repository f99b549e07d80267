"""The tab that colorizes many photos: progress, a contact sheet, and one ZIP."""

from dataclasses import dataclass

import gradio as gr

from colorizer.adjust.adjustments import PRESETS
from colorizer.web.actions.batch import COLORS, BatchActions, add_folder, finish, stop
from colorizer.web.server.models import Models
from colorizer.web.server.settings import settings
from colorizer.web.tabs.photo_panels import FORMATS
from colorizer.web.texts import text

MAX_PARALLEL = 1  # batches; one keeps all cores busy
FOLDER_PATHS = "(photos, folder) => [photos, folder, window.colorizer.folderPaths]"


@dataclass
class BatchTab:
    """What the contact sheet needs of the tab, see `tabs.contact_sheet`.

    Attributes:
        tab: the tab.
        sheet: the photos of the batch that has ended, see `actions.contact_sheet`.
        packed: the ZIP.
        pairs: the pictures before and after.
        download: the button for the ZIP.
    """

    tab: gr.Tab
    sheet: gr.State
    packed: gr.State
    pairs: gr.Gallery
    download: gr.Button


def build_batch_tab(models: Models, model_state: gr.State, tab: gr.Tab) -> BatchTab:
    """Build the tab.

    Args:
        models: the checkpoints that visitors may use.
        model_state: the name of the visitor's model.
        tab: where to.
    """
    actions = BatchActions(models)
    stopped, sheet, packed = (gr.State(time_to_live=settings().kept_seconds) for _ in range(3))
    gr.Markdown(text("batch.intro"), elem_id="batch-intro")
    with gr.Row():
        with gr.Column(scale=1, min_width=280):
            photos = gr.File(
                label=text("batch.photos"),
                file_count="multiple",
                height=240,
                elem_id="batch-photos",
            )
            folder = gr.UploadButton(
                text("batch.folder"), file_count="directory", size="md", elem_id="batch-folder"
            )
            folder_paths = gr.JSON(visible=False)
            with gr.Accordion(text("batch.options"), open=False, elem_id="batch-options"):
                preset = gr.Dropdown(
                    [
                        (text("batch.preset_none"), ""),
                        *((text(f"photo.preset.{name}"), name) for name in PRESETS),
                    ],
                    value="",
                    label=text("batch.preset"),
                    info=text("batch.preset_info"),
                    elem_id="batch-preset",
                )
                format = gr.Dropdown(
                    [(text("photo.same_format"), ""), *FORMATS],
                    value="",
                    label=text("photo.format"),
                    elem_id="batch-format",
                )
                colors = gr.Dropdown(
                    [(text(f"batch.colors_{name or 'own'}"), name) for name in COLORS],
                    value="",
                    label=text("batch.colors"),
                    elem_id="batch-colors",
                )
                pictures = gr.File(
                    label=text("batch.pictures"),
                    file_count="multiple",
                    height=140,
                    visible=False,
                    elem_id="batch-pictures",
                )
            start = gr.Button(text("batch.start"), variant="primary", elem_id="batch-start")
            halt = gr.Button(text("batch.stop"), visible=False, elem_id="batch-stop")
        with gr.Column(scale=2, min_width=280):
            shown = gr.HTML(elem_id="batch-status")
            download = gr.Button(
                text("batch.download"), variant="primary", visible=False, elem_id="batch-download"
            )
            gr.Markdown(text("batch.pairs_info"), elem_id="batch-pairs-info")
            pairs = gr.Gallery(
                label=text("batch.pairs"),
                show_label=False,
                columns=2,
                fit_columns=False,
                object_fit="contain",
                interactive=False,
                allow_preview=False,
                buttons=[],
                elem_id="batch-pairs",
            )
    folder.upload(
        add_folder,
        [photos, folder, folder_paths],
        photos,
        js=FOLDER_PATHS,
        preprocess=False,
        api_visibility="private",
    )
    colors.input(
        lambda chosen: gr.update(visible=chosen in ("reference", "names")),
        colors,
        pictures,
        show_progress="hidden",
        queue=False,
        api_visibility="private",
    )
    start.click(
        actions.prepare,
        [photos, colors, pictures],
        [stopped, shown, pairs, sheet, download, start, halt],
        preprocess=False,
        show_progress="hidden",
        concurrency_limit=None,
        api_visibility="private",
    ).success(
        actions.run,
        [photos, preset, model_state, stopped, colors, pictures, format],
        [shown, pairs, packed],
        preprocess=False,
        show_progress="hidden",
        concurrency_limit=MAX_PARALLEL,
        concurrency_id="batch",
        api_visibility="private",
    ).then(
        finish,
        packed,
        [sheet, download, start, halt],
        preprocess=False,
        queue=False,
        api_visibility="private",
    )
    halt.click(stop, stopped, halt, queue=False, api_visibility="private")
    return BatchTab(tab, sheet, packed, pairs, download)
