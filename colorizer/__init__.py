"""Turn black-and-white photos into color.

from colorizer import Colorizer, Photo

result = Colorizer.load().colorize(Photo.open("grandma.jpg"))
result.colorized.save("grandma_color.jpg")
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from colorizer.errors import (
    CheckpointError,
    ClusterError,
    ColorizerError,
    ColorSourceError,
    EngineError,
    ExportError,
    PhotoCostError,
    PhotoError,
    RecipeError,
    ReportError,
)

if TYPE_CHECKING:
    from colorizer.adjust.adjustments import PRESETS, Adjustments
    from colorizer.adjust.strokes import Stroke
    from colorizer.edit import Edit, render
    from colorizer.inference.colorization import Colorization
    from colorizer.inference.colorizer import Colorizer
    from colorizer.inference.hints import ColorHint
    from colorizer.photo.photo import Photo
    from colorizer.recipe import Recipe
    from colorizer.sources.color_source import ColorSource

# Imported when they are first used, because PyTorch takes seconds and not every process needs it.
_MODULES = {
    "PRESETS": "adjust.adjustments",
    "Adjustments": "adjust.adjustments",
    "ColorHint": "inference.hints",
    "ColorSource": "sources.color_source",
    "Colorization": "inference.colorization",
    "Colorizer": "inference.colorizer",
    "Edit": "edit",
    "Photo": "photo.photo",
    "Recipe": "recipe",
    "Stroke": "adjust.strokes",
    "render": "edit",
}

__all__ = [
    "PRESETS",
    "Adjustments",
    "CheckpointError",
    "ClusterError",
    "ColorHint",
    "ColorSource",
    "ColorSourceError",
    "Colorization",
    "Colorizer",
    "ColorizerError",
    "Edit",
    "EngineError",
    "ExportError",
    "Photo",
    "PhotoCostError",
    "PhotoError",
    "Recipe",
    "RecipeError",
    "ReportError",
    "Stroke",
    "render",
]


def __getattr__(name: str) -> Any:
    """Import a public name."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
