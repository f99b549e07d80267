"""The web page, `uv run app.py`: a photo in; grayscale, colorized and post-processed out."""

import io
import os
import secrets
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from colorizer import (
    Adjustments,
    CheckpointError,
    Colorization,
    Colorizer,
    Photo,
    PhotoError,
)
from colorizer.photo import output_name

TITLE = "Colorizer"
INTRO = (
    "Drop a black-and-white photo and see it in color. The colors are plausible, not historical: "
    "nobody can know from a gray photo what color a dress was."
)
EXAMPLES = Path(__file__).parent / "examples"
KEPT_SECONDS = 3600  # uploads and results are deleted after an hour
LARGEST_UPLOAD = "100mb"
SWEEP_SECONDS = 600  # between looks for old files
VISITORS = 50  # whose photos are kept in memory at the same time, at most
QUEUE = 32  # visitors waiting in line, at most
SLIDERS = {  # field of Adjustments: label and what it does
    "strength": ("Color strength", "0 is gray"),
    "saturation": ("Saturation", "1 leaves the colors as they are"),
    "temperature": ("Temperature", "colder to warmer"),
    "auto_white_balance": ("Automatic white balance", "removes an overall color cast"),
    "contrast": ("Contrast", "of the whole photo"),
    "local_contrast": ("Local contrast", "brings out detail in faded parts"),
    "luma_noise": ("Grain reduction", "smooths noise in the lightness"),
    "chroma_noise": ("Color smoothing", "evens out patchy color"),
}
CSS = ".gradio-container {max-width: 1400px !important; margin: auto}"
SAVE_FILE = """(file) => {
    const link = document.createElement("a");
    link.href = file.url;
    link.download = file.orig_name;
    link.click();
}"""


@dataclass(frozen=True)
class Shown:
    """What a visitor sees: kept in the visitor's own state, and nowhere else."""

    name: str  # of the uploaded file
    result: Colorization
    preview: Colorization
    gray: str  # path of the picture


class Page:
    """What the page does.

    Args:
        colorizer: loaded once, serves everybody.
    """

    def __init__(self, colorizer: Colorizer) -> None:
        self.colorizer = colorizer

    def colorize(
        self, upload: dict[str, Any] | None
    ) -> tuple[Shown | None, str | None, str | None, Any, Any]:
        """Colorize an uploaded photo.

        Args:
            upload: the image input's value as it comes from the browser.

        Returns:
            The visitor's state, the gray and the colorized picture; then None for the pictures that
            `adjust` makes, where there is no photo to make them of.
        """
        if not upload:
            return None, None, None, None, None
        path = uploaded_path(upload)
        try:
            result = self.colorizer.colorize(Photo.open(path))
        except PhotoError as error:
            gr.Warning(str(error).replace(str(path), path.name), title="This photo can't be used")
            return None, None, None, None, None
        preview = result.preview()
        shown = Shown(path.name, result, preview, picture(preview.gray))
        return shown, shown.gray, picture(preview.colorized), gr.skip(), gr.skip()

    def adjust(self, shown: Shown | None, *settings: float) -> tuple[Any, Any]:
        """Post-process the preview, without running the network.

        Returns:
            The post-processed picture, and the pair of gray and it.
        """
        if shown is None:
            return gr.skip(), gr.skip()
        processed = picture(shown.preview.adjust(adjustments(*settings)))
        return processed, (shown.gray, processed)

    def download(self, shown: Shown | None, *settings: float) -> str:
        """Write the post-processed photo at full resolution; returns the file's path."""
        if shown is None:
            raise gr.Error("There is no photo, or it was deleted after an hour; drop it first.")
        photo = shown.result.adjust(adjustments(*settings))
        folder = Path(get_upload_folder()) / secrets.token_hex(16)
        folder.mkdir(parents=True)
        target = folder / output_name(Path(shown.name), photo.format)
        try:
            photo.save(target)
        except PhotoError as error:
            raise gr.Error(f"{target.name} can't be saved on the server; try again.") from error
        return str(target)


def uploaded_path(upload: dict[str, Any]) -> Path:
    """The path of an uploaded file; a request may name any, so others than uploads are refused.

    The file is not opened here, as the image input itself would: one that can't be read gets our
    own sentence.
    """
    path = Path(str(upload.get("path")))
    if not path.resolve().is_relative_to(Path(get_upload_folder()).resolve()):
        raise gr.Error("Only uploaded files can be colorized; upload the photo first.")
    return path


def adjustments(*settings: float) -> Adjustments:
    """The sliders' values, in the order of `SLIDERS`."""
    return Adjustments(**dict(zip(SLIDERS, settings, strict=True)))


def picture(photo: Photo) -> str:
    """A path at which the browser gets the photo: a JPEG without chroma subsampling."""
    encoded = io.BytesIO()
    photo.to_image().save(encoded, "JPEG", quality=92, subsampling="4:4:4")
    return str(save_bytes_to_cache(encoded.getvalue(), "photo.jpg", get_upload_folder()))


def build_page(colorizer: Colorizer) -> gr.Blocks:
    """Lay out the page and connect it."""
    page = Page(colorizer)
    ranges = {item.name: item.metadata["range"] for item in fields(Adjustments)}
    neutral = Adjustments()
    blocks: gr.Blocks
    with gr.Blocks(
        title=TITLE, analytics_enabled=False, delete_cache=(SWEEP_SECONDS, KEPT_SECONDS)
    ) as blocks:
        gr.Markdown(f"# {TITLE}\n{INTRO}")
        shown = gr.State(time_to_live=KEPT_SECONDS)
        with gr.Row():
            photo = gr.Image(
                label="Your photo",
                type="filepath",
                image_mode=None,
                sources=["upload", "clipboard"],
                height=320,
                elem_id="photo",
            )
            gr.Examples(
                sorted(str(path) for path in EXAMPLES.glob("*.jpg")),
                photo,
                label="Or try one of these",
            )
        with gr.Row():
            pictures = [
                gr.Image(
                    label=label,
                    alt_text=f"{label} photo",
                    interactive=False,
                    buttons=["fullscreen"],
                    elem_id=label.lower(),
                )
                for label in ("Grayscale", "Colorized", "Post-processed")
            ]
        with gr.Row():
            with gr.Column(scale=2):
                compare = gr.ImageSlider(
                    label="Before and after",
                    interactive=False,
                    buttons=["fullscreen"],
                    max_height=700,
                    elem_id="compare",
                )
            with gr.Column(scale=1):
                gr.Markdown("### Post-processing")
                sliders = []
                for name, (label, info) in SLIDERS.items():
                    low, high = ranges[name]
                    value = getattr(neutral, name)
                    step = 0.01 if high - low <= 4 else 1
                    sliders.append(
                        gr.Slider(low, high, value, step=step, label=label, info=info, elem_id=name)
                    )
                reset = gr.Button("Reset sliders")
                save = gr.Button("Download full resolution", variant="primary", elem_id="download")
                file = gr.DownloadButton(visible="hidden", elem_id="file")
        processed = [pictures[2], compare]
        photo.change(
            page.colorize,
            photo,
            [shown, *pictures, compare],
            preprocess=False,
            concurrency_limit=1,
            trigger_mode="always_last",
        ).then(page.adjust, [shown, *sliders], processed, show_progress="hidden")
        gr.on(
            [slider.change for slider in sliders],
            page.adjust,
            [shown, *sliders],
            processed,
            show_progress="hidden",
            trigger_mode="always_last",
        )
        reset.click(lambda: [getattr(neutral, name) for name in SLIDERS], None, sliders)
        save.click(page.download, [shown, *sliders], file, show_progress_on=compare).success(
            None, file, js=SAVE_FILE
        )
    blocks.queue(max_size=QUEUE)
    return blocks


def main() -> None:
    """Serve the page on the checkpoint that COLORIZER_CHECKPOINT names, else on the bundled one."""
    try:
        colorizer = Colorizer.load(os.environ.get("COLORIZER_CHECKPOINT"))
    except CheckpointError as error:
        raise SystemExit(f"colorizer: {error}") from None
    build_page(colorizer).launch(
        theme=gr.themes.Soft(),
        css=CSS,
        max_file_size=LARGEST_UPLOAD,
        enable_monitoring=False,
        run_history=False,
        state_session_capacity=VISITORS,
        footer_links=["api"],
    )


if __name__ == "__main__":
    main()
