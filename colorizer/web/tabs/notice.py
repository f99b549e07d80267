"""The notice about the model, above the tabs."""

from html import escape

import gradio as gr

from colorizer.web.server.models import Models
from colorizer.web.texts import say


def build_notice(models: Models) -> None:
    """Build the notice; it is empty while there is nothing to tell.

    Args:
        models: the notice is about their default.
    """

    def show(request: gr.Request) -> str:
        return notice_html(models, request)

    line = gr.HTML(elem_id="notice")
    gr.on(None, show, None, line, api_visibility="private", show_progress="hidden")


def notice_html(models: Models, request: gr.Request | None) -> str:
    """HTML of the notice in the language of the request; "" if there is none."""
    notice = models.notice
    if not notice:
        return ""
    key = f"notice.{notice.state}_{'cached' if notice.used else 'bundled'}"
    line = escape(say(key, request, name=notice.name, used=notice.used))
    return f'<p role="status">{line}</p>'
