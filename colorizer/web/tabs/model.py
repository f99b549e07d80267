"""The tab that shows the visitor's model and offers others."""

import gradio as gr

from colorizer.web.actions.model import ModelActions
from colorizer.web.server.models import Models
from colorizer.web.server.settings import settings
from colorizer.web.texts import text


def build_model_tab(models: Models, model_state: gr.State) -> None:
    """Build the tab.

    Args:
        models: the checkpoints that visitors may use.
        model_state: the name of the visitor's model, "" for the default; the tab changes it.
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
