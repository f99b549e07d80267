"""Small controls that Gradio lacks, built on `gr.HTML` from elements that work with a keyboard.

They are functions, because Gradio writes a stub file beside each module with a subclass.
"""

from typing import Any

import gradio as gr

COMPARE = """${value ? `<div class="compare">
  <img src="${value[0]}" alt=""><img src="${value[1]}" alt="">
  <input type="range" min="0" max="100" step="0.5" value="50" aria-label="${label}"><i></i>
</div>` : ''}"""
MOVE_DIVIDER = """
element.addEventListener('input', event =>
  element.style.setProperty('--divider', event.target.value + '%'));
"""
SWATCHES = """<div class="swatches" role="group" aria-label="${label}">${(value || []).map(color =>
  `<button type="button" value="${color}" aria-label="${label}: ${color}"
    title="${color}" style="background: ${color}"></button>`).join('')}</div>"""
HINTS = """<div class="swatches" role="group" aria-label="${label}">${(value || []).map(
  (color, index) => `<button type="button" value="${index + 1}" title="${label}"
    aria-label="${label} ${index + 1} (${color})" style="background: ${color}"
    ><span>&times;</span></button>`).join('')}</div>"""
PRESS = """
element.addEventListener('click', event => {
  const button = event.target.closest('button');
  if (button) trigger('select', {value: button.value});
});
"""


def compare(**options: Any) -> gr.HTML:
    """Two pictures on top of each other with a divider between them, which is a native slider.

    `gr.ImageSlider` has no keyboard focus, and it blocks scrolling by finger and wheel.

    Args:
        **options: options of `gr.HTML`; the value is a list of the two pictures' URLs, the label
            describes the slider.
    """
    return gr.HTML(html_template=COMPARE, js_on_load=MOVE_DIVIDER, **options)


def swatches(**options: Any) -> gr.HTML:
    """Color buttons; the event `select` has the chosen color as its value.

    Args:
        **options: options of `gr.HTML`; the value is a list of "#rrggbb", the label describes the
            buttons.
    """
    return gr.HTML(html_template=SWATCHES, js_on_load=PRESS, **options)


def removable_swatches(**options: Any) -> gr.HTML:
    """Color buttons with a cross; the event `select` has the chosen button's number, from 1."""
    return gr.HTML(html_template=HINTS, js_on_load=PRESS, **options)
