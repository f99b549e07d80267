"""Color hints: what a person says about a point, and the planes that tell the generator."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import Tensor

from colorizer.color import rgb_to_lab
from colorizer.generator import AB_SCALE

MIN_RADIUS = 2.0  # in pixels at the working size; training simulates patches of 1 to 9 pixels


@dataclass(frozen=True)
class ColorHint:
    """The color of a point.

    Attributes:
        x: column in pixels of the upright full photo, 0 at the left edge.
        y: row in pixels of the upright full photo, 0 at the top edge.
        color: sRGB as "#rrggbb"; its lightness is ignored, the photo's own stays.
        radius: of the disc that surely has this color, in pixels of the full photo; 0 means the
            point alone.
    """

    x: float
    y: float
    color: str
    radius: float = 0.0

    def __post_init__(self) -> None:
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", self.color):
            raise ValueError(
                f"The hint's color is {self.color!r}; write it as #rrggbb, for example #7fb2e5."
            )
        if not (self.radius >= 0):
            raise ValueError(f"The hint's radius is {self.radius}; it must be 0 or more pixels.")

    @property
    def ab(self) -> tuple[float, float]:
        """a* and b* of the color."""
        rgb = torch.tensor([int(self.color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        _, a, b = rgb_to_lab(rgb.view(3, 1, 1)).flatten().tolist()
        return a, b


def rasterize(
    hints: Iterable[ColorHint], photo_size: tuple[int, int], size: tuple[int, int]
) -> Tensor | None:
    """Draw hints as the generator's planes.

    Args:
        hints: later ones cover earlier ones.
        photo_size: (height, width) of the upright full photo, in which the hints are measured.
        size: (height, width) at the working size.

    Returns:
        (1, 3, height, width) float32: a* / 110, b* / 110 and the mask, 0 where nothing is known;
        None without hints.

    Raises:
        ValueError: a hint lies outside the photo.
    """
    hints = list(hints)
    if not hints:
        return None
    scale_y, scale_x = size[0] / photo_size[0], size[1] / photo_size[1]
    rows = torch.arange(size[0]).view(-1, 1) + 0.5
    columns = torch.arange(size[1]).view(1, -1) + 0.5
    planes = torch.zeros(1, 3, *size)
    for hint in hints:
        if not (0 <= hint.x < photo_size[1] and 0 <= hint.y < photo_size[0]):
            raise ValueError(
                f"The hint at x={hint.x:g}, y={hint.y:g} lies outside the photo of "
                f"{photo_size[1]} x {photo_size[0]} pixels."
            )
        radius = max(hint.radius * (scale_x * scale_y) ** 0.5, MIN_RADIUS)
        # A click means the pixel it falls into, hence the half pixel.
        y, x = (hint.y + 0.5) * scale_y, (hint.x + 0.5) * scale_x
        disc = (rows - y) ** 2 + (columns - x) ** 2 <= radius**2
        a, b = hint.ab
        planes[0, :, disc] = torch.tensor([a / AB_SCALE, b / AB_SCALE, 1.0]).view(3, 1)
    return planes
