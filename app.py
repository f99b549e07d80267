"""The web page, `uv run app.py`: a photo in; grayscale, colorized and post-processed out."""

import io
import os
import secrets
from dataclasses import fields
from pathlib import Path

import gradio as gr
from gradio.data_classes import ImageData
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
from colorizer.photo import SAVED_AS

TITLE = "Colorizer"
INTRO = (
    "Drop a black-and-white photo and see it in color. The colors are plausible, not historical: "
    "nobody can know from a gray photo what color a dress was."
)
EXAMPLES = Path(__file__).parent / "examples"
KEPT_SECONDS = 3600  # uploads and results are deleted after an hour
LARGEST_UPLOAD = "100mb"
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
CLICK_DOWNLOAD = "() => setTimeout(() => document.querySelector('#file').click(), 200)"


class Page:
    """What the page does; it keeps nothing, a visitor's result lives in the visitor's state.

    Args:
        colorizer: loaded once, serves everybody.
    """

    def __init__(self, colorizer: Colorizer) -> None:
        self.colorizer = colorizer

    def colorize(
        self, path: str | None, *settings: float
    ) -> tuple[Colorization | None, str | None, str | None, str | None, tuple[str, str] | None]:
        """Colorize an uploaded photo.

        Returns:
            The result (the visitor's state), then the pictures: gray, colorized, post-processed and
            the pair to compare; all None where there is no photo.
        """
        if path is None:
            return None, None, None, None, None
        try:
            result = self.colorizer.colorize(Photo.open(path))
        except PhotoError as error:
            raise gr.Error(str(error).replace(path, Path(path).name)) from error
        preview = result.preview()
        gray, colorized = picture(preview.gray), picture(preview.colorized)
        return result, gray, colorized, *self.adjust(result, *settings)

    def adjust(
        self, result: Colorization | None, *settings: float
    ) -> tuple[str | None, tuple[str, str] | None]:
        """Post-process the preview, without running the network.

        Returns:
            The post-processed picture, and the pair of gray and it.
        """
        if result is None:
            return None, None
        preview = result.preview()
        processed = picture(preview.adjust(adjustments(*settings)))
        return processed, (picture(preview.gray), processed)

    def download(self, result: Colorization | None, path: str | None, *settings: float) -> str:
        """Write the post-processed photo at full resolution; returns the file's path."""
        if result is None or path is None:
            raise gr.Error("There is no photo yet; drop one first.")
        photo = result.adjust(adjustments(*settings))
        suffix = SAVED_AS.get(photo.format, ".png")
        folder = Path(get_upload_folder()) / secrets.token_hex(16)
        folder.mkdir(parents=True)
        target = folder / f"{Path(path).stem}_color{suffix}"
        photo.save(target)
        return str(target)


def uploaded_path(payload: ImageData | None) -> str | None:
    """The path of an uploaded file as it came, so that one that can't be read gets our sentence."""
    return payload.path if payload else None


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
        title=TITLE, analytics_enabled=False, delete_cache=(KEPT_SECONDS, KEPT_SECONDS)
    ) as blocks:
        gr.Markdown(f"# {TITLE}\n{INTRO}")
        result = gr.State(time_to_live=KEPT_SECONDS)
        with gr.Row():
            photo = gr.Image(
                label="Your photo",
                type="filepath",
                image_mode=None,
                sources=["upload", "clipboard"],
                height=320,
                elem_id="photo",
            )
            photo.preprocess = uploaded_path  # type: ignore[method-assign]
            gr.Examples(
                sorted(str(path) for path in EXAMPLES.glob("*.jpg")),
                photo,
                label="Or try one of these",
            )
        with gr.Row():
            shown = [
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
        processed = [shown[2], compare]
        photo.change(
            page.colorize,
            [photo, *sliders],
            [result, *shown, compare],
            concurrency_limit=1,
            trigger_mode="always_last",
        )
        gr.on(
            [slider.change for slider in sliders],
            page.adjust,
            [result, *sliders],
            processed,
            show_progress="hidden",
            trigger_mode="always_last",
        )
        reset.click(lambda: [getattr(neutral, name) for name in SLIDERS], None, sliders)
        save.click(page.download, [result, photo, *sliders], file).success(js=CLICK_DOWNLOAD)
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
        footer_links=["api"],
    )


if __name__ == "__main__":
    main()
