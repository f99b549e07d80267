"""Turn black-and-white photos into color.

from colorizer import Colorizer, Photo

result = Colorizer.load().colorize(Photo.open("grandma.jpg"))
result.colorized.save("grandma_color.jpg")
"""

from colorizer.checkpoints import CheckpointError
from colorizer.formats import PhotoError
from colorizer.hints import ColorHint
from colorizer.photo import Photo
from colorizer.pipeline import Colorization, Colorizer
from colorizer.postprocess import PRESETS, Adjustments
from colorizer.recipe import Recipe, RecipeError

__all__ = [
    "PRESETS",
    "Adjustments",
    "CheckpointError",
    "ColorHint",
    "Colorization",
    "Colorizer",
    "Photo",
    "PhotoError",
    "Recipe",
    "RecipeError",
]
