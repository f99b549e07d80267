"""The tab that shows the model in use, and lets a visitor use another one."""

from html import escape
from typing import Any

import gradio as gr

from colorizer import CheckpointError
from colorizer.describe import MEASURED, CheckpointInfo
from colorizer.web.card import card_html
from colorizer.web.errors import LOG, in_words
from colorizer.web.models import Models
from colorizer.web.settings import settings
from colorizer.web.texts import say, text

HUB = "https://huggingface.co/"  # a pasted address is as good as a name
METRICS = ("lpips", "delta_e00", "fid", "psnr", "ssim", "cf")


class ModelActions:
    """What the tab does.

    Args:
        models: the checkpoints that visitors may use.
    """

    def __init__(self, models: Models) -> None:
        self.models = models

    @in_words
    def show(self, model: str, request: gr.Request) -> tuple[str, str, Any]:
        """The model in use: its facts, its card, and whether the way back is shown."""
        try:
            info = self.models.describe(model)
        except CheckpointError as error:
            return refused(error, model, request), "", gr.update(visible=True)
        return facts(info, request), card(info, request), gr.update(visible=bool(model))

    @in_words
    def look_up(self, name: str, request: gr.Request) -> tuple[str, str, str, Any, Any]:
        """What a model is, before it is used.

        Returns:
            Its name with the commit, its facts, its card, and whether the card and the button to
            use it are shown; for one that can't be used the reason in place of the facts.
        """
        try:
            if not plain(name):
                raise CheckpointError("No name was given; type one like user/repo.", "name")
            info = self.models.describe(plain(name))
        except CheckpointError as error:
            LOG.info("%s", error)
            hidden = gr.update(visible=False)
            return "", refused(error, name, request), "", hidden, hidden
        shown = gr.update(visible=True)
        return info.source, facts(info, request), card(info, request), shown, shown

    @in_words
    def use(self, found: str, request: gr.Request) -> tuple[Any, str, Any, Any]:
        """Load the model that was looked up and make it the visitor's.

        Returns:
            The visitor's model, a sentence, and whether the card and the button are shown; if it
            can't be loaded, the visitor's model stays.
        """
        hidden = gr.update(visible=False)
        try:
            self.models.get(found)
        except CheckpointError as error:
            LOG.warning("%s", error)
            return gr.skip(), refused(error, found, request), hidden, hidden
        line = escape(say("model.in_use", request, name=found))
        return found, f'<p role="status">{line}</p>', hidden, hidden


def plain(name: str) -> str:
    """A name on the Hub as a visitor types or pastes it."""
    return (name or "").strip().removeprefix(HUB).rstrip("/")


def refused(error: CheckpointError, name: str, request: gr.Request) -> str:
    """HTML of why a model can't be used; the name is a visitor's."""
    return f'<p role="alert">{escape(say(f"model.refused_{error.reason}", request, name=name))}</p>'


def card(info: CheckpointInfo, request: gr.Request) -> str:
    """HTML of the model card."""
    return card_html(info.card) or f"<p>{escape(say('model.no_card', request))}</p>"


def facts(info: CheckpointInfo, request: gr.Request) -> str:
    """HTML of what is known of a model; the Hub's part of it is written by strangers."""
    encoder = f", {info.encoder}" if info.encoder else ""
    named = {None: "model.no_license", "other": "model.other_license"}.get(info.license)
    rows = {
        "source": say("model.bundled", request) if info.source == "bundled" else info.source,
        "license": say(named, request) if named else str(info.license),
        "architecture": {"unet": "U-Net", "pix2pix": "pix2pix"}[info.architecture] + encoder,
        "working_size": say("model.pixels", request, pixels=info.working_size),
        "size": f"{info.size / 1e6:.1f} MB",
        "sha256": info.sha256 or say("model.unknown", request),
    }
    lines = "".join(row(say(f"model.{key}", request), value) for key, value in rows.items())
    return f"<table><tbody>{lines}</tbody></table>{figures(info, request)}"


def figures(info: CheckpointInfo, request: gr.Request) -> str:
    """HTML of what was measured."""
    output = info.metrics.get("output", {})
    if not output:
        return f"<p>{escape(say('model.unmeasured', request))}</p>"
    heads = "".join(
        f'<th scope="col">{escape(say(f"model.{part}", request))}</th>' for part in MEASURED
    )
    lines = "".join(
        row(
            say(f"model.metric_{name}", request),
            *(number(info.metrics.get(part, {}).get(name)) for part in MEASURED),
        )
        for name in METRICS
        if name in output
    )
    measured = escape(say("model.measured", request, photos=info.photos))
    return (
        f'<p>{measured}</p><table class="figures"><thead><tr><td></td>{heads}</tr></thead>'
        f"<tbody>{lines}</tbody></table>"
    )


def row(head: str, *cells: str) -> str:
    """HTML of a table's row; what stands in it may be anything."""
    data = "".join(f"<td>{escape(cell)}</td>" for cell in cells)
    return f'<tr><th scope="row">{escape(head)}</th>{data}</tr>'


def number(value: float | None) -> str:
    """A figure as people read it."""
    return "" if value is None else f"{value:#.3g}"


def build_model_tab(models: Models, model_state: gr.State) -> None:
    """Lay out the tab and connect it.

    Args:
        models: the checkpoints that visitors may use.
        model_state: the name of the visitor's, "" for the default; what the tab changes.
    """
    actions = ModelActions(models)
    found = gr.State("", time_to_live=settings().kept_seconds)
    gr.Markdown(text("model.intro"))
    with gr.Row():
        with gr.Column(min_width=300):
            gr.Markdown(text("model.current"))
            current = gr.HTML(elem_id="model-current", elem_classes="facts")
            back = gr.Button(text("model.back"), visible=False, elem_id="model-back")
            with gr.Accordion(text("model.card"), open=False, elem_id="model-card"):
                current_card = gr.HTML(elem_classes="card", max_height=480)
        with gr.Column(min_width=300):
            gr.Markdown(text("model.another"))
            name = gr.Textbox(
                label=text("model.name"),
                info=text("model.name_info"),
                placeholder="user/repo",
                max_length=200,
                elem_id="model-name",
            )
            look_up = gr.Button(text("model.look_up"), elem_id="model-look-up")
            other = gr.HTML(elem_id="model-other", elem_classes="facts")
            use = gr.Button(
                text("model.use"), variant="primary", visible=False, elem_id="model-use"
            )
            with gr.Accordion(
                text("model.card"), open=False, visible=False, elem_id="model-other-card"
            ) as other_box:
                other_card = gr.HTML(elem_classes="card", max_height=480)
    shown = [current, current_card, back]
    gr.on(None, actions.show, model_state, shown, api_visibility="private", show_progress="hidden")
    gr.on(
        [name.submit, look_up.click],
        actions.look_up,
        name,
        [found, other, other_card, other_box, use],
        show_progress_on=other,
        api_visibility="private",
    )
    use.click(
        actions.use,
        found,
        [model_state, other, other_box, use],
        show_progress_on=other,
        concurrency_limit=1,
        api_visibility="private",
    )
    back.click(lambda: "", None, model_state, api_visibility="private")
