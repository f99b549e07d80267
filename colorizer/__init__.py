"""Turn black-and-white photos into color.

from colorizer import Colorizer, Photo

result = Colorizer.load().colorize(Photo.open("grandma.jpg"))
result.colorized.save("grandma_color.jpg")
"""

from colorizer.adjust.adjustments import PRESETS, Adjustments
from colorizer.edit import Edit, render
from colorizer.errors import (
    CheckpointError,
    ClusterError,
    ColorizerError,
    EngineError,
    ExportError,
    PhotoError,
    RecipeError,
    ReportError,
)
from colorizer.inference.colorization import Colorization
from colorizer.inference.colorizer import Colorizer
from colorizer.inference.hints import ColorHint
from colorizer.photo.photo import Photo
from colorizer.recipe import Recipe

__all__ = [
    "PRESETS",
    "Adjustments",
    "CheckpointError",
    "ClusterError",
    "ColorHint",
    "Colorization",
    "Colorizer",
    "ColorizerError",
    "Edit",
    "EngineError",
    "ExportError",
    "Photo",
    "PhotoError",
    "Recipe",
    "RecipeError",
    "ReportError",
    "render",
]
