"""Names of colors, for people who can't tell them apart by sight."""

from collections.abc import Sequence
from functools import cache

import gradio as gr
import numpy as np

from colorizer.imaging.arrays import Plane
from colorizer.imaging.color import hex_to_lab
from colorizer.web.texts import say

Swatch = tuple[str, str, bool]  # "#rrggbb", its name, whether the point has it now

NAMED = {  # key of the text under "color" -> a typical sRGB color of that name
    "black": "#101010",
    "charcoal": "#3a3a3a",
    "gray": "#808080",
    "silver": "#b4b4b4",
    "white": "#f2f2f2",
    "cream": "#efe3c4",
    "beige": "#cdb899",
    "tan": "#b08a5a",
    "brown": "#7a5230",
    "dark_brown": "#43301f",
    "taupe": "#857566",
    "skin": "#d9a98a",
    "salmon": "#e0907a",
    "terracotta": "#b8603f",
    "orange": "#e08a2c",
    "gold": "#c9a23a",
    "yellow": "#e6d24a",
    "olive": "#75733a",
    "moss": "#56633f",
    "green": "#4c8c40",
    "light_green": "#a3c48a",
    "dark_green": "#2a4a2c",
    "sage": "#8c9c82",
    "teal": "#3c7c7a",
    "turquoise": "#62b8b4",
    "sky_blue": "#93bde0",
    "steel_blue": "#5a7391",
    "blue": "#3a5fb0",
    "navy": "#263454",
    "slate": "#5c6670",
    "lavender": "#a69bc8",
    "violet": "#6a4a94",
    "plum": "#6b3f5c",
    "pink": "#dc94ac",
    "rose": "#b06a78",
    "magenta": "#b23a8a",
    "red": "#b83030",
    "wine": "#6e2a30",
    "pale_blue": "#bfe2ee",
    "pale_green": "#d4e8cc",
    "pale_pink": "#f8cfda",
    "pale_violet": "#e4d6ef",
    "peach": "#f5d3c4",
}


def lab_of(color: str) -> Plane:
    """(3,) L*, a*, b* of "#rrggbb"."""
    return hex_to_lab(color).numpy()


@cache
def named_lab() -> Plane:
    """(n, 3) L*, a*, b* of `NAMED`."""
    return np.stack([lab_of(color) for color in NAMED.values()])


def color_key(color: str) -> str:
    """The key in `NAMED` whose color is the nearest to "#rrggbb" in CIELAB."""
    distances = np.linalg.norm(named_lab() - lab_of(color), axis=1)
    return list(NAMED)[int(distances.argmin())]


def swatches(
    colors: Sequence[str], request: gr.Request, current: str | None = None
) -> list[Swatch]:
    """Colors with their names in the visitor's language; equal names are numbered.

    Args:
        colors: as "#rrggbb".
        request: the visitor's.
        current: the color that the point has now; the most similar one is marked.
    """
    keys = [color_key(color) for color in colors]
    names = [
        say(f"color.{key}", request)
        + (f" {keys[: index + 1].count(key)}" if keys.count(key) > 1 else "")
        for index, key in enumerate(keys)
    ]
    nearest = None
    if current and colors:
        wanted = lab_of(current)[1:]  # lightness is the photo's
        distances = [float(np.linalg.norm(lab_of(color)[1:] - wanted)) for color in colors]
        nearest = int(np.argmin(distances))
    return [
        (color, name, index == nearest)
        for index, (color, name) in enumerate(zip(colors, names, strict=True))
    ]
