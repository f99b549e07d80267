"""The photo tab: its panels put in order and connected to what they do."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from colorizer.web.actions import downloads, parts, previews, strokes
from colorizer.web.actions.color_source import ColorSourceActions
from colorizer.web.actions.examples import ExampleActions
from colorizer.web.actions.hints import HintActions
from colorizer.web.actions.photo import PhotoActions
from colorizer.web.actions.photo_state import PhotoState
from colorizer.web.actions.recipe import RecipeActions
from colorizer.web.server.models import Models
from colorizer.web.server.settings import settings
from colorizer.web.tabs.photo_panels import (
    AdjustPanel,
    AlternativesPanel,
    FilePanel,
    FixPanel,
    FramePanel,
    SavePanel,
    SheetPanel,
    SourcePanel,
    StagePanel,
    StartPanel,
)
from colorizer.web.texts import text

Options = dict[str, Any]  # of event listeners

PRIVATE: Options = {"api_visibility": "private"}  # programs have endpoints of their own, in `api`
NETWORK: Options = {"concurrency_id": "network", "concurrency_limit": 1, **PRIVATE}
QUICK: Options = {"concurrency_id": "quick", "concurrency_limit": 4, **PRIVATE}
HIDDEN: Options = {"show_progress": "hidden"}
SHOW = """(original, gray, colorized, processed, marked, map, whole, source, facts, look,
    ...settings) => window.colorizer.show(
    {original, gray, colorized, processed, marked, map, whole, source}, facts, look, settings)"""
SHOW_RESTORED = SHOW.removesuffix(")") + ", true)"  # not a new step of the history
SHOW_PRESETS = "sheet => window.colorizer.showPresets(sheet)"
SHOW_PART = """(gray, colorized, processed, asked) =>
    window.colorizer.showPart({gray, colorized, processed}, asked)"""
CLEAR_POINT = "() => [null, null, null, null, false]"
CLEAR_MOVED_POINT = """(...chosen) =>
    window.colorizer.isReframed() ? [null, null, null, null, false] : chosen"""
NEW_PHOTO = """() => {
    window.colorizer.startPhoto();
    return [null, null, null, null, false];
}"""
SHEET_PHOTO = """file => {
    window.colorizer.startSheetPhoto(file);
    return [null, null, null, null, false];
}"""
SAVE_FILE = "file => { window.colorizer.save(file); window.colorizer.saved(); }"


class PhotoTab:
    """Lays out the tab and connects it; see `build_photo_tab`."""

    def __init__(self, models: Models, model: gr.State, examples: Sequence[Path]) -> None:
        self.photos, self.colors, self.model = PhotoActions(models), HintActions(), model
        self.recipes, self.sources = RecipeActions(models), ColorSourceActions(models)
        self.examples = ExampleActions(models, examples)
        gr.set_static_paths(list(examples))  # shown from where they lie
        self.photo_state = gr.State(time_to_live=settings().kept_seconds)
        self.alternative = gr.State(0)
        self.sheet = SheetPanel()
        with gr.Column(elem_id="desk"):
            self.start = StartPanel(bool(examples))
            with gr.Column(visible=False, elem_id="results") as self.results:
                self.save = SavePanel()
                with gr.Column(elem_id="pictures"):
                    self.pictures = StagePanel()
                with gr.Column(elem_id="tools"):
                    self._build_tools()
        self.file = gr.DownloadButton(visible="hidden", elem_id="file")
        self.state = [self.photo_state, self.alternative]
        self.settings = self.adjust.sliders
        self.point = [self.fix.x, self.fix.y]
        pictures = self.pictures
        self.three = [pictures.gray, pictures.colorized, pictures.processed]
        self.shown = [
            *(pictures.original, *self.three, pictures.marked, pictures.map, pictures.whole),
            *(self.source.picture, pictures.facts, self.adjust.preset),
            *self.settings.values(),
        ]
        self._connect_start()
        self._connect_settings()
        self._connect_strokes()
        self._connect_point()
        self._connect_colors()
        self._connect_source()
        self._connect_alternatives()
        self._connect_save()
        self._connect_history()
        self._connect_parts()

    def _build_tools(self) -> None:
        with gr.Tabs(elem_id="tool"):
            with gr.Tab(text("photo.compare_tab"), id="compare") as adjust:
                self.adjust = AdjustPanel()
            with gr.Tab(text("photo.fix_tab"), id="fix") as fix:
                self.fix = FixPanel()
            with gr.Tab(text("photo.source_tab"), id="source") as source:
                self.source = SourcePanel()
            with gr.Tab(text("photo.versions_tab"), id="versions") as versions:
                self.alternatives = AlternativesPanel()
            with gr.Tab(text("photo.frame_tab"), id="frame") as frame:
                self.frame = FramePanel()
            with gr.Tab(text("photo.file_tab"), id="file") as file:
                self.options = FilePanel()
        for tab in (adjust, fix, source, versions, frame, file):
            tab.select(None, None, None, js=f"() => window.colorizer.tool('{tab.id}')")

    def _connect_start(self) -> None:
        start, frame, photos, examples = self.start, self.frame, self.photos, self.examples
        network: Options = {
            "outputs": [*self.state, *self.three],
            "inputs_kwargs": self.settings,
            "show_progress_on": [start.progress, self.pictures.stage],
            **NETWORK,
        }
        colorize: Options = {**network, "inputs": [start.upload, self.model], "preprocess": False}
        self._show_new(start.upload.upload(photos.colorize, **colorize))
        gr.on(None, examples.names, None, start.examples, **HIDDEN, **QUICK)
        gr.on(None, examples.before_and_after, None, start.before_after, **HIDDEN, **QUICK)
        to_upload: Options = {"outputs": start.upload, **HIDDEN, **QUICK}
        for example in (
            start.examples.select(examples.choose, **to_upload),
            start.before_after.select(examples.choose_shown, **to_upload),
        ):
            self._show_new(example.success(photos.colorize, **colorize))
        network["show_progress_on"] = self.pictures.stage
        state = [self.photo_state]
        frame.crop.click(None, js="() => window.colorizer.crop()")
        chosen = self.pictures.stage.release(chosen_margins, None, frame.margins, **HIDDEN, **QUICK)
        for event in (
            frame.left.click(photos.turn_left, state, **network),
            frame.right.click(photos.turn_right, state, **network),
            frame.straighten.click(photos.straighten, state, **network),
            chosen.success(photos.crop, [*state, *frame.margins, frame.degrees], **network),
            frame.invert.click(photos.invert, state, **network),
        ):
            self._show_elsewhere(event)
        degrees, turn = frame.degrees, "degrees => window.colorizer.turn(degrees)"
        degrees.change(None, degrees, None, js=turn)
        changed = self.model.change(photos.change_model, [*state, self.model], **network)
        self._show(changed)

    @property
    def _adjusting(self) -> Options:
        """How to post-process; the last setting counts."""
        return {
            "inputs": self.state,
            "inputs_kwargs": self.settings,
            "outputs": self.pictures.processed,
            "show_progress": "hidden",
            "trigger_mode": "always_last",
            **QUICK,
        }

    def _connect_settings(self) -> None:
        adjust, panel, quick = previews.adjust, self.adjust, self._adjusting
        sliders = list(self.settings.values())
        moved = gr.on(
            [event for slider in sliders for event in (slider.input, slider.release)],
            adjust,
            **quick,
        )
        moved = moved.success(None, None, panel.preset, js="() => [null]")
        self._refresh(moved)
        chosen = panel.preset.input(previews.preset, panel.preset, sliders, **QUICK)
        self._refresh(chosen.success(adjust, **quick))
        panel.reset.click(None, None, None, js="() => window.colorizer.startOver()")

    def _connect_strokes(self) -> None:
        """One stroke after the other is added, since each changes the state."""
        panel = self.adjust
        one_by_one: Options = {
            "inputs": self.state,
            "outputs": [self.photo_state, self.pictures.facts],
            "concurrency_id": "strokes",
            "concurrency_limit": 1,
            "trigger_mode": "multiple",
            **HIDDEN,
            **PRIVATE,
        }
        for changed in (
            self.pictures.stage.submit(strokes.add_stroke, **one_by_one),
            panel.clear_strokes.click(strokes.clear_strokes, **one_by_one),
        ):
            self._refresh(changed)
            self._refresh(changed.success(previews.adjust, **self._adjusting))
        for brush in (panel.protect, panel.mend):
            brush.click(None, js=f"() => window.colorizer.takeBrush('{brush.elem_id}')")
        size = panel.stroke_size
        size.input(None, size, None, js="size => window.colorizer.sizeBrush(size)")

    def _connect_point(self) -> None:
        fix = self.fix
        look: Options = {
            "inputs": [*self.state, *self.point, fix.brush, fix.unsure],
            "show_progress": "hidden",
            **QUICK,
        }
        stage, marked = self.pictures.stage, self.pictures.marked
        answer = [marked, fix.suggestions, self.pictures.facts, fix.brush, fix.reach]
        picked = stage.select(clicked_photo_pixel, None, self.point, **HIDDEN, **QUICK)
        for point in (
            fix.place.click(self.colors.point, outputs=answer, **look),  # first: it has the name
            picked.success(self.colors.point, outputs=answer, **look),
        ):
            point.success(None, fix.suggestions, fix.likely, js="colors => [colors]")
            self._refresh(point)
        self._refresh(fix.unsure.input(previews.show_unsure, outputs=marked, **look))
        fix.reach.input(None, fix.reach, None, js="reach => window.colorizer.showReach(reach)")

    def _connect_colors(self) -> None:
        fix, colors = self.fix, self.colors
        network: Options = {
            "outputs": [self.photo_state, self.pictures.colorized, self.pictures.processed],
            "inputs_kwargs": self.settings,
            "show_progress_on": self.pictures.stage,
            **NETWORK,
        }
        spread = [fix.brush, fix.reach]
        colored = [*self.state, *self.point, fix.color, *spread]
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
            fix.keep.click(colors.keep_gray, [*self.state, *self.point, *spread], **network),
            gr.on(
                [slider.input for slider in spread],
                colors.resize_spot,
                [*self.state, *self.point, *spread],
                trigger_mode="always_last",
                **{**network, "show_progress": "hidden"},
            ),
            fix.clear.click(colors.clear_points, self.state, **network),
            removed.success(colors.remove_point, [*self.state, fix.number], **network),
        ):
            self._show(event)

    def _connect_source(self) -> None:
        panel, sources = self.source, self.sources
        network: Options = {
            "outputs": [self.photo_state, self.pictures.colorized, self.pictures.processed],
            "inputs_kwargs": self.settings,
            "show_progress_on": self.pictures.stage,
            **NETWORK,
        }
        x, y = (gr.Number(visible=False, precision=0) for _ in range(2))
        clicked = self.pictures.stage.apply(clicked_photo_pixel, None, [x, y], **HIDDEN, **QUICK)
        given = panel.upload.upload(
            sources.take, [*self.state, panel.upload], preprocess=False, **network
        )
        for event in (
            given,
            panel.use.input(sources.change_use, [*self.state, panel.use], **network),
            panel.strength.input(
                sources.change_strength,
                [*self.state, panel.strength],
                trigger_mode="always_last",
                **{**network, "show_progress": "hidden"},
            ),
            clicked.success(sources.toggle_region, [*self.state, x, y], **network),
            panel.remove.click(sources.remove, self.state, **network),
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
        save, options = self.save, self.options
        file: Options = {
            "outputs": self.file,
            "inputs_kwargs": self.settings,
            "show_progress_on": save.download,
            **QUICK,
        }
        for event in (
            save.download.click(
                downloads.download, [*self.state, options.format, options.location], **file
            ),
            save.share.click(downloads.side_by_side, self.state, **file),
            options.recipe.click(self.recipes.save_recipe, self.state, **file),
        ):
            event.success(None, self.file, js=SAVE_FILE)
        loaded = options.load.upload(
            self.recipes.load_recipe,
            [self.photo_state, options.load],
            [*self.state, *self.three, *self.settings.values()],
            preprocess=False,
            show_progress_on=self.pictures.stage,
            **NETWORK,
        )
        self._show_elsewhere(loaded)

    def _connect_history(self) -> None:
        restored = self.pictures.stage.change(
            self._restore,
            self.photo_state,
            self.restored,
            show_progress_on=self.pictures.stage,
            **NETWORK,
        )
        forgotten = self._forgotten
        cleared = restored.success(None, forgotten, forgotten, js=CLEAR_MOVED_POINT)
        self._show(cleared, SHOW_RESTORED)

    def _connect_parts(self) -> None:
        pictures = self.pictures
        made = [*pictures.parts, pictures.part]
        part: Options = {"inputs_kwargs": self.settings, "trigger_mode": "always_last"}
        pictures.stage.input(
            parts.render_part, self.state, made, **part, **HIDDEN, **QUICK
        ).success(None, made, None, js=SHOW_PART)

    def _restore(
        self, state: PhotoState | None, request: gr.Request, event: gr.EventData
    ) -> tuple[Any, ...]:
        """Go to the point of the history that the browser sends."""
        return self.photos.restore(state, event.value, request)

    @property
    def restored(self) -> list[Any]:
        """What `PhotoActions.restore` returns."""
        return [*self.state, *self.three, *self.settings.values(), self.adjust.preset]

    def show_sheet_photo(self, event: Any) -> None:
        """After a photo of the contact sheet: start a history, then show."""
        self._show(event.success(None, self.sheet.file, self._forgotten, js=SHEET_PHOTO))

    def _show_new(self, event: Any) -> None:
        """After another photo: start a history, forget the chosen point, then show."""
        self._show(event.success(None, None, self._forgotten, js=NEW_PHOTO))

    def _show_elsewhere(self, event: Any) -> None:
        """After a change of framing: forget the chosen point, then show."""
        self._show(event.success(None, None, self._forgotten, js=CLEAR_POINT))

    @property
    def _forgotten(self) -> list[Any]:
        return [*self.point, self.fix.suggestions, self.fix.likely, self.fix.unsure]

    def _show(self, event: Any, js: str = SHOW) -> None:
        """Bring the tools up to date with the last state, also when it changes meanwhile."""
        last: Options = {"trigger_mode": "always_last", **HIDDEN, **QUICK}
        fix, frame, pictures, source = self.fix, self.frame, self.pictures, self.source
        event = event.success(
            previews.tools,
            [*self.state, *self.point, fix.brush, fix.unsure],
            [
                self.results,
                self.start.upload,
                frame.straighten,
                frame.degrees,
                pictures.notices,
                pictures.original,
                pictures.whole,
                pictures.marked,
                pictures.facts,
                fix.brush,
                fix.reach,
                fix.hints,
                *(source.taken, source.picture, source.sentence, source.use, source.strength),
                pictures.map,
            ],
            **last,
        )
        self._refresh(event, js)
        gallery, sheet = self.alternatives.gallery, self.adjust.sheet
        last |= NETWORK  # behind the photos of others, which have no color yet
        event.success(previews.preset_sheet, self.state, sheet, **last).success(
            None, sheet, None, js=SHOW_PRESETS
        )
        event.success(previews.thumbnails, self.state, gallery, **last)

    def _refresh(self, event: Any, js: str = SHOW) -> None:
        """Show the pictures in the browser, and add what was done to its history."""
        event.success(None, self.shown, None, js=js)


def build_photo_tab(models: Models, model: gr.State, examples: Sequence[Path] = ()) -> PhotoTab:
    """Lay out the tab within a `gr.Tab` and connect it.

    Args:
        models: the checkpoints that visitors may use.
        model: the name of the visitor's.
        examples: photos to try.
    """
    return PhotoTab(models, model, examples)


def clicked_photo_pixel(event: gr.EventData) -> tuple[int, int]:
    """The photo's pixel that was clicked."""
    x, y = event.value
    return x, y


def clicked_pixel(event: gr.SelectData) -> tuple[int, int]:
    """The pixel that was clicked."""
    x, y = event.index
    return x, y


def chosen_margins(event: gr.EventData) -> tuple[float, float, float, float]:
    """The margins that the frame cuts off at the left, right, top and bottom, in percent."""
    left, right, top, bottom = event.value
    return left, right, top, bottom


def pressed_color(event: gr.EventData) -> str:
    """The color of the pressed button."""
    return str(event.value)


def pressed_number(event: gr.EventData) -> int:
    """The number of the pressed button."""
    return int(event.value)


def chosen_number(event: gr.SelectData) -> int:
    """The number of the chosen picture, from 1."""
    return int(event.index) + 1
