"""What the model tab does; each public method is an event of the page."""

from html import escape
from typing import Any

import gradio as gr

from colorizer import CheckpointError
from colorizer.checkpoints.describe import METRIC_GROUPS, CheckpointInfo
from colorizer.web.actions.card import card_html
from colorizer.web.server.errors import LOG, explain_errors
from colorizer.web.server.models import Models
from colorizer.web.texts import say

HUB = "https://huggingface.co/"  # a pasted address is as good as a name
METRICS = ("lpips", "delta_e00", "fid", "psnr", "ssim", "cf")


class ModelActions:
    """What the tab does.

    Args:
        models: the checkpoints that visitors may use.
    """

    def __init__(self, models: Models) -> None:
        self.models = models

    @explain_errors
    def show(self, model: str, request: gr.Request) -> tuple[str, str, Any]:
        """The model in use: its facts, its card, and whether the way back is shown."""
        try:
            info = self.models.describe(model)
        except CheckpointError as error:
            return refused(error, model, request), "", gr.update(visible=True)
        return facts(info, request), card(info, request), gr.update(visible=bool(model))

    @explain_errors
    def look_up(self, name: str, request: gr.Request) -> tuple[str, str, str, Any, Any]:
        """What a model is, before it is used.

        Returns:
            Its name with the commit, its facts, its card, and whether the card and the button to
            use it are shown; for one that can't be used the reason in place of the facts.
        """
        try:
            if not hub_name(name):
                raise CheckpointError("No name was given; type one like user/repo.", "name")
            info = self.models.describe(hub_name(name))
        except CheckpointError as error:
            LOG.info("%s", error)
            hidden = gr.update(visible=False)
            return "", refused(error, name, request), "", hidden, hidden
        shown = gr.update(visible=True)
        return info.source, facts(info, request), card(info, request), shown, shown

    @explain_errors
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


def hub_name(name: str) -> str:
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
        f'<th scope="col">{escape(say(f"model.{part}", request))}</th>' for part in METRIC_GROUPS
    )
    lines = "".join(
        row(
            say(f"model.metric_{name}", request),
            *(number(info.metrics.get(part, {}).get(name)) for part in METRIC_GROUPS),
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
