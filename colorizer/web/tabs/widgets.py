"""Small controls that Gradio lacks, built on `gr.HTML` from elements that work with a keyboard.

They are functions, because Gradio writes a stub file beside each module with a subclass.
"""

from typing import Any

import gradio as gr

SWATCHES = """<div class="swatches" role="group" aria-label="${label}">${(value || []).map(
  ([color, name, current]) => `<button type="button" value="${color}" aria-current="${current}"
    aria-label="${label}: ${name}" title="${name} ${color}"
    ><i style="background: ${color}"></i><small>${name}</small></button>`).join('')}</div>"""
HINTS = """<div class="swatches" role="group" aria-label="${label}">${(value || []).map(
  ([color, name], index) => `<button type="button" value="${index + 1}" title="${color}"
    aria-label="${label} ${index + 1} (${name}, ${color})"
    ><i style="background: ${color}"><span>&times;</span></i><small>${name}</small></button>`
  ).join('')}</div>"""
MOUNT_STAGE = """
element.send = (event, value) => trigger(event, {value});
element.dataset.mount = 'stage';
"""
PRESS = """
element.addEventListener('click', event => {
  const button = event.target.closest('button');
  if (button) trigger('select', {value: button.value});
});
"""


def stage(**options: Any) -> gr.HTML:
    """The place for pictures, which `assets/stage.js` fills.

    Its events: `select` has as its value the column and row of the photo's chosen pixel, `apply`
    those of a pixel of the map, `change` the work to go back to, see `actions.work`, `input` the
    part of the photo that is seen, see `actions.parts`, `submit` a stroke, see `actions.strokes`,
    and `release` the margins that the frame cuts off.

    Args:
        **options: options of `gr.HTML`.
    """
    return gr.HTML(js_on_load=MOUNT_STAGE, apply_default_css=False, **options)


def paste() -> gr.HTML:
    """The button that takes a photo from the clipboard; hidden where the browser can't read it."""
    start = "element.dataset.mount = 'paste';"
    return gr.HTML(js_on_load=start, apply_default_css=False, elem_id="paste")


def swatches(**options: Any) -> gr.HTML:
    """Color buttons; the event `select` has the chosen color as its value.

    Args:
        **options: options of `gr.HTML`; the value is a list of "#rrggbb", the color's name and, for
            the current color, true; the label describes the buttons.
    """
    return gr.HTML(html_template=SWATCHES, js_on_load=PRESS, **options)


def removable_swatches(**options: Any) -> gr.HTML:
    """Color buttons with a cross; the event `select` has the chosen button's number, from 1."""
    return gr.HTML(html_template=HINTS, js_on_load=PRESS, **options)
