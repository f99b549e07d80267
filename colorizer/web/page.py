"""The page: its tabs, the state they share, its documentation and its theme."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_function_description

from colorizer.web.api.endpoints import add_endpoints
from colorizer.web.server.models import Models
from colorizer.web.server.settings import settings
from colorizer.web.tabs.about import build_about_tab
from colorizer.web.tabs.batch import build_batch_tab
from colorizer.web.tabs.contact_sheet import connect_contact_sheet
from colorizer.web.tabs.model import build_model_tab
from colorizer.web.tabs.notice import build_notice
from colorizer.web.tabs.photo import build_photo_tab
from colorizer.web.texts import marks_to_english, text

MAX_WAITING = 200  # jobs in the queue, up to three for each photo
FONT = gr.themes.LocalFont(
    "Source Sans Pro", (400, 700)
)  # Gradio includes it, so no other host is asked
BROWN = gr.themes.Color(
    c50="#fdf6ef",
    c100="#f9e8d8",
    c200="#f0cfb0",
    c300="#e4b083",
    c400="#d38d58",
    c500="#b96f3a",
    c600="#9c5728",
    c700="#7f4420",
    c800="#64361b",
    c900="#4d2b17",
    c950="#2f190c",
    name="brown",
)


class Page(gr.Blocks):
    """Blocks that document their endpoints in English, with a description of every argument."""

    def get_api_info(self, *args: Any, **options: Any) -> Any:
        """Extend Gradio's description: texts instead of marks, arguments as in the docstrings."""
        info = marks_to_english(super().get_api_info(*args, **options))
        functions = {f"/{fn.api_name}": fn.fn for fn in self.fns.values() if fn.fn}
        for name, endpoint in info["named_endpoints"].items():
            _, lines, _ = get_function_description(functions[name])
            for parameter in endpoint["parameters"]:
                parameter["label"] = parameter["parameter_name"]
                parameter["python_type"]["description"] = lines[parameter["parameter_name"]]
        return info


def build_page(models: Models, examples: Sequence[Path] = ()) -> gr.Blocks:
    """Build the page.

    Args:
        models: the checkpoints that visitors may use.
        examples: example photos.
    """
    blocks: Page
    with Page(
        title="Colorizer",
        analytics_enabled=False,
        delete_cache=(settings().sweep_seconds, settings().kept_seconds),
    ) as blocks:
        add_endpoints(models)  # first, so that they get the names without numbers
        gr.Markdown(text("page.intro"), elem_id="title")
        build_notice(models)
        model = gr.State("", time_to_live=settings().kept_seconds)
        with gr.Tabs(elem_id="tabs"):
            with gr.Tab(text("page.photo_tab"), id="photo"):
                photo_tab = build_photo_tab(models, model, examples)
            with gr.Tab(text("page.batch_tab"), id="batch") as tab:
                batch_tab = build_batch_tab(models, model, tab)
            if not settings().kiosk:
                with gr.Tab(text("page.model_tab"), id="model"):
                    build_model_tab(models, model)
            with gr.Tab(text("page.about_tab"), id="about"):
                build_about_tab(models)
        connect_contact_sheet(models, photo_tab, batch_tab)
    blocks.queue(max_size=MAX_WAITING, api_open=False)  # False: every job waits in the queue
    return blocks


def theme() -> gr.themes.Base:
    """The theme: neutral, so that its colors don't change how the photo's colors look."""
    return gr.themes.Base(
        primary_hue=BROWN,
        secondary_hue=BROWN,
        neutral_hue=gr.themes.colors.stone,
        font=(FONT, "system-ui", "sans-serif"),
        radius_size=gr.themes.sizes.radius_lg,
        text_size=gr.themes.sizes.text_lg if settings().kiosk else gr.themes.sizes.text_md,
    ).set(
        body_background_fill="*neutral_50",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_400",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_600",
        button_primary_text_color="white",
        checkbox_border_radius="4px",
    )
