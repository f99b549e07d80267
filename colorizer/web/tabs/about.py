"""The tab about the model's limits and quality, privacy and licenses."""

import gradio as gr

from colorizer.checkpoints.describe import CheckpointInfo
from colorizer.web.server.errors import kept_time
from colorizer.web.server.models import Models
from colorizer.web.texts import say, text


def build_about_tab(models: Models) -> None:
    """Build the tab.

    Args:
        models: the tab shows the quality of the default.
    """

    def show(request: gr.Request) -> tuple[str, str]:
        """The model's quality, and how long files are kept."""
        return quality(models.describe(""), request), say(
            "about.privacy", request, time=kept_time(request)
        )

    with gr.Row():
        with gr.Column(min_width=300):
            gr.Markdown(text("about.limits"))
            good = gr.Markdown(elem_id="about-quality")
        with gr.Column(min_width=300):
            privacy = gr.Markdown(elem_id="about-privacy")
            gr.Markdown(text("about.licenses"))
    gr.on(None, show, None, [good, privacy], api_visibility="private", show_progress="hidden")


def quality(info: CheckpointInfo, request: gr.Request) -> str:
    """Markdown about the measured quality of a checkpoint."""
    output, gray, truth = (info.metrics.get(part, {}) for part in ("output", "gray", "truth"))
    if not {"delta_e00", "cf"} <= output.keys() or not gray.get("delta_e00") or not truth.get("cf"):
        return say("about.unmeasured", request)
    return say(
        "about.quality",
        request,
        photos=info.photos,
        distance=f"{output['delta_e00']:.1f}",
        gray_distance=f"{gray['delta_e00']:.1f}",
        colorful=round(100 * output["cf"] / truth["cf"]),
    )
