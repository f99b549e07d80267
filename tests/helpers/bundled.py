"""What the bundled checkpoint makes of a photo."""

import torch

from colorizer import Colorization, Colorizer, Photo
from colorizer.imaging.color import rgb_to_lab
from tests.helpers.paths import EXAMPLES


def colorize(colorizer: Colorizer, name: str) -> Colorization:
    return colorizer.colorize(Photo.open(EXAMPLES / name))


def mean_ab(result: Colorization, x: float, y: float, share: float = 0.03) -> tuple[float, float]:
    """Mean (a*, b*) of a square around a point; x, y and its half side are shares of the size."""
    height, width = result.photo.size
    rows = slice(round((y - share) * height), round((y + share) * height))
    columns = slice(round((x - share) * width), round((x + share) * width))
    pixels = torch.from_numpy(result.colorized.pixels[rows, columns]).permute(2, 0, 1) / 255
    a, b = rgb_to_lab(pixels)[1:].mean((1, 2)).tolist()
    return a, b
