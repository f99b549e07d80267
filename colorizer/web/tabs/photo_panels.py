"""The photo tab's controls, panel by panel; `tabs.photo` connects them."""

from dataclasses import fields
from itertools import groupby
from typing import Literal, get_args

import gradio as gr

from colorizer import Adjustments
from colorizer.adjust.adjustments import PRESETS
from colorizer.adjust.framing import MAX_DEGREES
from colorizer.adjust.strokes import Effect
from colorizer.inference.hints import DEFAULT_REACH, MAX_REACH
from colorizer.sources.color_source import Use
from colorizer.web.tabs import widgets
from colorizer.web.texts import text

STROKE_SIZES = (0.5, 20, 3)  # percent of the photo's short side: lowest, highest, first
FORMATS = ("JPEG", "PNG", "TIFF", "WEBP")


class StartPanel:
    """One way to choose a photo, one to paste it, and examples; a photo can be dropped anywhere."""

    def __init__(self, examples: bool) -> None:
        with gr.Row(elem_id="start"):
            with gr.Column(scale=3, elem_id="give-and-see"):
                with gr.Column(elem_id="give"):
                    gr.Markdown(text("photo.drop_here"), elem_id="drop-here")
                    gr.Markdown(text("photo.take"), elem_id="take")  # on phones
                    with gr.Row(elem_id="photo"):
                        self.upload = gr.UploadButton(
                            text("photo.choose"),
                            file_types=["image"],
                            variant="primary",
                            min_width=160,
                        )
                        widgets.paste()
                    self.progress = gr.HTML(elem_id="progress")
                self.before_after = gallery("before-after", "contain", columns=1)
            with gr.Column(scale=2, min_width=280, visible=examples, elem_id="try"):
                gr.Markdown(text("photo.examples"))
                self.examples = gallery("examples", "cover")


class SheetPanel:
    """Above the stage while a photo of the contact sheet is on it."""

    def __init__(self) -> None:
        with gr.Row(elem_id="sheet-bar"):
            self.back, self.previous, self.next = (
                gr.Button(text(f"batch.{name}"), size="md", elem_id=f"sheet-{name}")
                for name in ("back", "previous", "next")
            )
            self.place = gr.Markdown(elem_id="sheet-place")
            self.left_out = gr.Checkbox(
                label=text("batch.leave_out"), container=False, elem_id="sheet-leave-out"
            )
        self.file = gr.File(visible=False)  # the photo, which the browser keeps


class FramePanel:
    """Turning, straightening, cropping and inverting."""

    def __init__(self) -> None:
        gr.Markdown(text("photo.crop_info"))
        with gr.Row():
            self.left = gr.Button(text("photo.turn_left"), min_width=120)
            self.right = gr.Button(text("photo.turn_right"), min_width=120)
        self.straighten = gr.Button(text("photo.straighten"), elem_id="straighten")
        self.degrees = gr.Slider(
            -MAX_DEGREES,
            MAX_DEGREES,
            0,
            step=0.1,
            label=text("photo.degrees"),
            info=text("photo.degrees_info"),
            buttons=["reset"],
            elem_id="degrees",
        )
        self.margins = [gr.Number(visible=False) for _ in range(4)]
        self.crop = gr.Button(text("photo.crop"), variant="primary", elem_id="crop")
        self.invert = gr.Button(text("photo.invert"), elem_id="invert")


class StagePanel:
    """The one place for pictures, and what brings them there."""

    def __init__(self) -> None:
        self.stage = widgets.stage(elem_id="stage")
        self.original, self.gray, self.colorized, self.marked, self.map, self.whole = (
            gr.Image(visible=False) for _ in range(6)
        )
        self.processed = gr.Image(visible=False, elem_id="processed-file")  # see assets/queue.js
        self.facts = gr.JSON(visible=False, elem_id="facts")  # the same
        self.parts = [gr.Image(visible=False) for _ in range(3)]
        self.part = gr.JSON(visible=False)
        self.notices = gr.Markdown(visible=False, elem_id="notices")


class SavePanel:
    """The buttons that are always in sight."""

    def __init__(self) -> None:
        with gr.Row(elem_id="save"):
            self.share = gr.Button(text("photo.side_by_side"), elem_id="share", min_width=90)
            self.download = gr.Button(
                text("photo.download"), variant="primary", elem_id="download", min_width=120
            )


class FilePanel:
    """What a download holds, and recipes to save and load."""

    def __init__(self) -> None:
        self.format = gr.Dropdown(
            [(text("photo.same_format"), ""), *FORMATS], value="", label=text("photo.format")
        )
        self.location = gr.Checkbox(
            label=text("photo.keep_location"),
            info=text("photo.keep_location_info"),
            elem_id="location",
        )
        gr.Markdown(text("photo.recipe_info"))
        with gr.Row():
            self.recipe = gr.Button(text("photo.save_recipe"), elem_id="recipe", min_width=120)
            self.load = gr.UploadButton(
                text("photo.load_recipe"),
                file_types=[".json"],
                elem_id="load-recipe",
                min_width=120,
            )


class AdjustPanel:
    """Presets, and one slider per field of `Adjustments`."""

    def __init__(self) -> None:
        self.preset = gr.Radio(
            [(text(f"photo.preset.{name}"), name) for name in PRESETS],
            value="natural",
            label=text("photo.presets"),
            elem_id="presets",
        )
        self.sheet = gr.Image(visible=False)  # a thumbnail for each preset
        self.sliders: dict[str, gr.Slider] = {}
        neutral = Adjustments()
        groups = groupby(fields(Adjustments), lambda item: item.metadata["group"])
        for number, (group, items) in enumerate(groups):
            with gr.Accordion(text(f"photo.groups.{group}"), open=number == 0):
                for item in items:
                    low, high = item.metadata["range"]
                    self.sliders[item.name] = gr.Slider(
                        low,
                        high,
                        getattr(neutral, item.name),
                        step=item.metadata["step"],
                        label=text(f"photo.settings.{item.name}"),
                        info=text(f"photo.settings_info.{item.name}"),
                        buttons=["reset"],
                        elem_id=item.name,
                    )
                if group == "noise":
                    self._build_brushes()
        self.reset = gr.Button(text("photo.reset"), elem_id="reset")

    def _build_brushes(self) -> None:
        gr.Markdown(text("photo.brushes_info"), elem_classes="small")
        with gr.Row(elem_id="brushes"):
            self.protect, self.mend = (
                gr.Button(text(f"photo.{effect}"), min_width=100, elem_id=effect)
                for effect in get_args(Effect)
            )
        self.stroke_size = gr.Slider(
            *STROKE_SIZES,
            step=0.5,
            label=text("photo.stroke_size"),
            info=text("photo.stroke_size_info"),
            buttons=[],
            elem_id="stroke-size",
        )
        self.clear_strokes = gr.Button(
            text("photo.clear_strokes"), size="sm", elem_id="clear-strokes"
        )


class FixPanel:
    """A spot of the photo and its right color."""

    def __init__(self) -> None:
        gr.Markdown(text("photo.fix_info"))
        self.likely = widgets.swatches(label=text("photo.likely"), elem_id="likely")
        self.suggestions = gr.JSON(visible=False)
        with gr.Row(elem_classes="aligned"):
            self.color = gr.ColorPicker(
                label=text("photo.other_color"), value="#a05a2c", min_width=110, elem_id="color"
            )
            self.use = gr.Button(text("photo.use_color"), min_width=110, elem_id="use")
            self.keep = gr.Button(text("photo.keep_gray"), min_width=110, elem_id="keep")
        gr.Markdown(text("photo.lightness_info"), elem_classes="small")
        self.reach = gr.Slider(
            5,
            100 * MAX_REACH,
            100 * DEFAULT_REACH,
            step=5,
            label=text("photo.reach"),
            info=text("photo.reach_info"),
            buttons=[],
            elem_id="reach",
        )
        self.brush = gr.Slider(
            0,
            15,
            0,
            step=0.5,
            label=text("photo.brush"),
            info=text("photo.brush_info"),
            buttons=[],
        )
        self._build_hints()
        self.unsure = gr.Checkbox(label=text("photo.unsure"), elem_id="unsure")
        gr.Markdown(text("photo.unsure_legend"), elem_id="legend", elem_classes="legend")
        self._build_reference()
        self._build_numbers()

    def _build_hints(self) -> None:
        self.hints = widgets.removable_swatches(label=text("photo.remove"), elem_id="hints")
        self.number = gr.Number(visible=False, precision=0)
        self.clear = gr.Button(text("photo.clear"), size="sm", elem_id="clear")

    def _build_reference(self) -> None:
        with gr.Accordion(text("photo.reference"), open=False):
            gr.Markdown(text("photo.reference_info"))
            self.reference = gr.Image(
                label=text("photo.reference_photo"),
                type="filepath",
                image_mode=None,
                sources=["upload", "clipboard"],
                height=260,
                buttons=[],
                elem_id="reference",
                elem_classes="pointed-at",
            )
            self.reference_x = gr.Number(visible=False, precision=0)
            self.reference_y = gr.Number(visible=False, precision=0)

    def _build_numbers(self) -> None:
        with gr.Accordion(text("photo.numbers"), open=False), gr.Row(elem_classes="aligned"):
            self.x = gr.Number(label=text("photo.x"), precision=0, min_width=100, elem_id="x")
            self.y = gr.Number(label=text("photo.y"), precision=0, min_width=100, elem_id="y")
            self.place = gr.Button(text("photo.place"), min_width=120, elem_id="place")


class SourcePanel:
    """Another picture whose colors are taken, and how."""

    def __init__(self) -> None:
        gr.Markdown(text("photo.source.info"))
        with gr.Column(elem_id="source-drop"):
            self.upload = gr.UploadButton(
                text("photo.source.choose"), file_types=["image"], elem_id="source-choose"
            )
            gr.Markdown(text("photo.source.drop"), elem_classes="small")
        with gr.Column(visible=False, elem_id="source") as self.taken:
            self.picture = gr.Image(
                label=text("photo.source.picture"),
                interactive=False,
                height=190,
                buttons=[],
                elem_id="source-picture",
            )
            self.sentence = gr.Markdown(elem_id="source-sentence")
            self.use = gr.Radio(
                [(text(f"photo.source.{use}"), use) for use in get_args(Use)],
                label=text("photo.source.use"),
                elem_id="source-use",
            )
            self.strength = gr.Slider(
                0,
                1,
                1,
                step=0.05,
                label=text("photo.source.strength"),
                buttons=[],
                elem_id="source-strength",
            )
            gr.Markdown(text("photo.source.legend"), elem_classes="legend")
            self.remove = gr.Button(text("photo.source.remove"), elem_id="source-remove")


class AlternativesPanel:
    """The alternatives to choose from."""

    def __init__(self) -> None:
        gr.Markdown(text("photo.versions_info"))
        self.gallery = gallery("versions", "contain", columns=2)
        self.number = gr.Number(visible=False, precision=0)


def gallery(name: str, fit: Literal["contain", "cover"], columns: int = 4) -> gr.Gallery:
    """A gallery of pictures to choose from."""
    return gr.Gallery(
        show_label=False,
        columns=columns,
        object_fit=fit,
        height="auto",
        allow_preview=False,
        interactive=False,
        buttons=[],
        container=False,
        elem_id=name,
    )
