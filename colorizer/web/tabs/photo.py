"""The photo tab: its panels put in order and connected to what they do."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from colorizer.web.actions import downloads, previews
from colorizer.web.actions.hints import HintActions
from colorizer.web.actions.photo import PhotoActions
from colorizer.web.actions.photo_state import PhotoState
from colorizer.web.actions.recipe import RecipeActions
from colorizer.web.server.files import result_folder
from colorizer.web.server.models import Models
from colorizer.web.server.settings import settings
from colorizer.web.tabs.photo_panels import (
    AdjustPanel,
    AlternativesPanel,
    ComparePanel,
    FixPanel,
    PicturesPanel,
    SavePanel,
    StartPanel,
)
from colorizer.web.texts import say, text

Options = dict[str, Any]  # of event listeners

PRIVATE: Options = {"api_visibility": "private"}  # programs have endpoints of their own, in `api`
NETWORK: Options = {"concurrency_id": "network", "concurrency_limit": 1, **PRIVATE}
QUICK: Options = {"concurrency_id": "quick", "concurrency_limit": 4, **PRIVATE}
HIDDEN: Options = {"show_progress": "hidden"}
SHOW_PAIR = """(gray, colorized, processed, pair) => {
    const pictures = {gray, colorized, processed};
    const urls = pair.split("-").map(name => pictures[name]?.url);
    return [urls.every(Boolean) ? urls : null];  // a list with one output
}"""
CLEAR_POINT = "() => [null, null, null, null, false]"
SAVE_FILE = """(file) => {
    const link = document.createElement("a");
    link.href = file.url;
    link.download = file.orig_name;
    link.click();
}"""


class PhotoTab:
    """Lays out the tab and connects it; see `build_photo_tab`."""

    def __init__(self, models: Models, model: gr.State, examples: Sequence[Path]) -> None:
        self.photos, self.colors, self.model = PhotoActions(models), HintActions(), model
        self.recipes, self.examples = RecipeActions(models), list(examples)
        gr.set_static_paths(self.examples)  # shown from where they lie
        self.photo_state = gr.State(time_to_live=settings().kept_seconds)
        self.alternative = gr.State(0)
        self.start = StartPanel(bool(self.examples))
        with gr.Column(visible=False, elem_id="results") as self.results:
            self.pictures = PicturesPanel()
            self.save = SavePanel()
            with gr.Tabs():
                with gr.Tab(text("photo.compare_tab"), id="compare"), gr.Row():
                    with gr.Column(scale=3, min_width=300, elem_classes="stays"):
                        self.pair = ComparePanel()
                    with gr.Column(scale=2, min_width=300):
                        self.adjust = AdjustPanel()
                with gr.Tab(text("photo.fix_tab"), id="fix"):
                    self.fix = FixPanel()
                with gr.Tab(text("photo.versions_tab"), id="versions"):
                    self.alternatives = AlternativesPanel()
        self.file = gr.DownloadButton(visible="hidden", elem_id="file")
        self.state = [self.photo_state, self.alternative]
        self.settings = self.adjust.sliders
        self.point = [self.fix.x, self.fix.y]
        self.three = [self.pictures.gray, self.pictures.colorized, self.pictures.processed]
        self._connect_start()
        self._connect_settings()
        self._connect_point()
        self._connect_colors()
        self._connect_alternatives()
        self._connect_save()

    def _connect_start(self) -> None:
        start, photos = self.start, self.photos
        network: Options = {
            "outputs": [*self.state, *self.three],
            "inputs_kwargs": self.settings,
            "show_progress_on": start.upload,
            **NETWORK,
        }
        colorize: Options = {**network, "inputs": [start.upload, self.model], "preprocess": False}
        given = gr.on([start.upload.input, start.upload.clear], photos.colorize, **colorize)
        self._show_new(given)
        gr.on(None, self._name_examples, None, start.examples, **HIDDEN, **QUICK)
        example = start.examples.select(self._example, None, start.upload, **HIDDEN, **QUICK)
        self._show_new(example.success(photos.colorize, **colorize))
        for button, turn in ((start.left, photos.turn_left), (start.right, photos.turn_right)):
            self._show_new(button.click(turn, [self.photo_state], **network))
        self._show_new(start.crop.click(photos.crop, [self.photo_state, *start.margins], **network))
        self._show_new(start.invert.click(photos.invert, [self.photo_state], **network))
        gr.on(
            [event for margin in start.margins for event in (margin.input, margin.release)],
            photos.preview_crop,
            [self.photo_state, *start.margins],
            start.crop_view,
            trigger_mode="always_last",
            **HIDDEN,
            **QUICK,
        )
        changed = self.model.change(photos.change_model, [self.photo_state, self.model], **network)
        self._show(changed)

    def _name_examples(self, request: gr.Request) -> list[tuple[str, str]]:
        """The examples, with what can be seen on them in the visitor's language."""
        return [(str(path), say(f"photo.example.{path.stem}", request)) for path in self.examples]

    def _example(self, event: gr.SelectData) -> str:
        """A copy of the chosen example among the uploads."""
        return str(shutil.copy(self.examples[int(event.index)], result_folder()))

    def _connect_settings(self) -> None:
        adjust, panel = previews.adjust, self.adjust
        quick: Options = {
            "inputs": self.state,
            "inputs_kwargs": self.settings,
            "outputs": self.pictures.processed,
            "show_progress": "hidden",
            "trigger_mode": "always_last",
            **QUICK,
        }
        sliders = list(self.settings.values())
        moved = gr.on(
            [event for slider in sliders for event in (slider.input, slider.release)],
            adjust,
            **quick,
        )
        moved.then(None, None, panel.preset, js="() => [null]")
        self._compare(moved)
        for trigger in (
            panel.preset.input(previews.preset, panel.preset, sliders, **QUICK),
            panel.reset.click(previews.reset, None, sliders, **QUICK),
        ):
            self._compare(trigger.success(adjust, **quick))
        panel.reset.click(None, None, panel.preset, js="() => [null]")
        self.pair.pair.change(None, [*self.three, self.pair.pair], self.pair.compare, js=SHOW_PAIR)

    def _connect_point(self) -> None:
        fix = self.fix
        look: Options = {
            "inputs": [*self.state, *self.point, fix.brush, fix.unsure],
            "show_progress": "hidden",
            **QUICK,
        }
        answer = [fix.stage, fix.suggestions]
        picked = fix.stage.select(
            clicked_photo_pixel, self.photo_state, self.point, **HIDDEN, **QUICK
        )
        for point in (
            fix.place.click(self.colors.point, outputs=answer, **look),  # first: it has the name
            picked.success(self.colors.point, outputs=answer, **look),
        ):
            point.success(None, fix.suggestions, fix.likely, js="colors => [colors]")
        fix.unsure.input(previews.show_unsure, outputs=fix.stage, **look)
        fix.brush.release(previews.show_unsure, outputs=fix.stage, **look)

    def _connect_colors(self) -> None:
        fix, colors = self.fix, self.colors
        network: Options = {
            "outputs": [self.photo_state, self.pictures.colorized, self.pictures.processed],
            "inputs_kwargs": self.settings,
            "show_progress_on": fix.stage,
            **NETWORK,
        }
        colored = [*self.state, *self.point, fix.color, fix.brush]
        chosen = fix.likely.select(pressed_color, None, fix.color, **HIDDEN, **QUICK)
        spot = [fix.reference_x, fix.reference_y]
        sampled = fix.reference.select(clicked_pixel, None, spot, **HIDDEN, **QUICK).success(
            colors.reference_color,
            [fix.reference, *spot],
            fix.color,
            preprocess=False,
            show_progress="hidden",
            **QUICK,
        )
        removed = fix.hints.select(pressed_number, None, fix.number, **HIDDEN, **QUICK)
        for event in (
            fix.use.click(colors.fix_color, colored, **network),
            chosen.success(colors.fix_color, colored, **network),
            sampled.success(colors.fix_color, colored, **network),
            fix.keep.click(colors.keep_gray, [*self.state, *self.point, fix.brush], **network),
            fix.undo.click(colors.undo, self.state, **network),
            fix.clear.click(colors.clear_points, self.state, **network),
            removed.success(colors.remove_point, [*self.state, fix.number], **network),
        ):
            self._show(event)

    def _connect_alternatives(self) -> None:
        panel = self.alternatives
        chosen = panel.gallery.select(chosen_number, None, panel.number, **HIDDEN, **QUICK)
        self._show(
            chosen.success(
                previews.choose_alternative,
                [self.photo_state, panel.number],
                [self.alternative, self.pictures.colorized, self.pictures.processed],
                inputs_kwargs=self.settings,
                show_progress="hidden",
                **QUICK,
            )
        )

    def _connect_save(self) -> None:
        save = self.save
        file: Options = {
            "outputs": self.file,
            "inputs_kwargs": self.settings,
            "show_progress_on": self.pictures.processed,
            **QUICK,
        }
        for event in (
            save.download.click(
                downloads.download, [*self.state, save.format, save.location], **file
            ),
            save.share.click(downloads.side_by_side, self.state, **file),
            save.recipe.click(self.recipes.save_recipe, self.state, **file),
        ):
            event.success(None, self.file, js=SAVE_FILE)
        loaded = save.load.upload(
            self.recipes.load_recipe,
            [self.photo_state, save.load],
            [*self.state, *self.three, *self.settings.values()],
            preprocess=False,
            show_progress_on=self.pictures.processed,
            **NETWORK,
        )
        self._show(loaded)

    def _show_new(self, event: Any) -> None:
        """After another photo: forget the point and its likely colors, then show."""
        fix = self.fix
        forgotten = [*self.point, fix.suggestions, fix.likely, fix.unsure]
        self._show(event.success(None, None, forgotten, js=CLEAR_POINT))

    def _show(self, event: Any) -> None:
        """Bring the tools up to date with the state."""
        fix, start = self.fix, self.start
        event = event.success(
            previews.tools,
            [*self.state, *self.point, fix.brush, fix.unsure],
            [
                self.results,
                start.framing,
                start.upload,
                start.crop_view,
                *start.margins,
                start.notices,
                *self.three,
                fix.stage,
                fix.hints,
            ],
            **HIDDEN,
            **QUICK,
        )
        self._compare(event)
        gallery = self.alternatives.gallery
        event.success(previews.thumbnails, self.state, gallery, **HIDDEN, **QUICK)

    def _compare(self, event: Any) -> None:
        """Show the chosen pair anew."""
        event.then(None, [*self.three, self.pair.pair], self.pair.compare, js=SHOW_PAIR)


def build_photo_tab(models: Models, model: gr.State, examples: Sequence[Path] = ()) -> None:
    """Lay out the tab within a `gr.Tab` and connect it.

    Args:
        models: the checkpoints that visitors may use.
        model: the name of the visitor's.
        examples: photos to try.
    """
    PhotoTab(models, model, examples)


def clicked_photo_pixel(state: PhotoState | None, event: gr.SelectData) -> Any:
    """The photo's pixel that was clicked."""
    return gr.skip() if state is None else state.to_photo(*event.index)


def clicked_pixel(event: gr.SelectData) -> tuple[int, int]:
    """The pixel that was clicked."""
    x, y = event.index
    return x, y


def pressed_color(event: gr.EventData) -> str:
    """The color of the pressed button."""
    return str(event.value)


def pressed_number(event: gr.EventData) -> int:
    """The number of the pressed button."""
    return int(event.value)


def chosen_number(event: gr.SelectData) -> int:
    """The number of the chosen picture, from 1."""
    return int(event.index) + 1
