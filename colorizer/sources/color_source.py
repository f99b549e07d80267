"""Another picture whose colors a photo takes, small enough to travel within a recipe."""

import base64
import binascii
import io
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Literal, Self, get_args

import numpy as np
import torch

from colorizer.errors import ColorSourceError, PhotoError
from colorizer.imaging.arrays import Plane
from colorizer.imaging.color import rgb_to_lab
from colorizer.photo.photo import Photo, pixel_hash

SIDE = 512  # pixels: short side of the copy, the largest working size
LONG_SIDE = 2048  # pixels, of strips
SMALLEST_SIDE = 16  # pixels: less shows nothing
QUALITY = 92  # of the copy, a JPEG without chroma subsampling
MAX_LETTERS = 2_000_000  # of the copy, as base64
COLORFUL = 5.0  # chroma of the most colorful hundredth, below which a picture is gray

MAX_REGIONS = 200  # edits may come from strangers

Use = Literal["same", "reference"]


@dataclass(frozen=True)
class Region:
    """A choice by hand: whether the region around a point takes the picture's colors.

    It goes as far as the picture is believed throughout, or not believed throughout. A point
    outside of the photo, as after a crop, chooses nothing.

    Attributes:
        x: column in pixels of the framed photo.
        y: row in pixels of the framed photo.
        take: whether the region takes the picture's colors, or keeps the photo's own.
    """

    x: float
    y: float
    take: bool


@dataclass(frozen=True)
class ColorSource:
    """Another picture whose colors a photo takes; `ColorSource.of` makes one.

    Attributes:
        picture: a small copy of the picture, a JPEG as base64, so that recipes are complete.
        sha256: of the picture's own pixels, see `pixel_hash`, for information.
        use: "same" takes the colors of the same photo that was colored elsewhere, where both show
            the same; "reference" those of what looks alike in another photo.
        strength: 0 keeps the photo's own colors, 1 takes the picture's.
        regions: where a person decided otherwise than the program, the last choice counts.

    Raises:
        ColorSourceError: the copy can't be read, or a value is out of range.
    """

    picture: str = field(repr=False)
    sha256: str
    use: Use = "same"
    strength: float = 1.0
    regions: tuple[Region, ...] = ()

    def __post_init__(self) -> None:
        if self.use not in get_args(Use):
            raise ColorSourceError(
                f"use is {self.use!r}; use one of {', '.join(get_args(Use))}.", "range"
            )
        if not re.fullmatch("[0-9a-f]{64}", self.sha256):
            raise ColorSourceError(
                f"sha256 is {self.sha256!r}; it must be 64 hexadecimal digits.", "range"
            )
        if not 0 <= self.strength <= 1:
            raise ColorSourceError(f"strength is {self.strength}; it goes from 0 to 1.", "range")
        if len(self.regions) > MAX_REGIONS:
            raise ColorSourceError(
                f"There are {len(self.regions)} regions; give at most {MAX_REGIONS}.", "range"
            )
        if len(self.picture) > MAX_LETTERS:
            raise ColorSourceError(
                f"The copy of the other picture has {len(self.picture)} letters; at most "
                f"{MAX_LETTERS} are read. Give the picture itself again.",
                "broken",
            )

    @classmethod
    def of(cls, picture: Photo, use: Use = "same", strength: float = 1.0) -> Self:
        """Take the colors of a picture.

        Args:
            picture: in color, of any size.
            use: as of the class.
            strength: 0 to 1.

        Raises:
            ColorSourceError: the picture is too small, has no color, or the strength is out of
                range.
        """
        height, width = picture.size
        if min(height, width) < SMALLEST_SIDE:
            raise ColorSourceError(
                f"The other picture has {width} x {height} pixels; "
                f"use one whose sides have at least {SMALLEST_SIDE}.",
                "size",
            )
        scale = min(1.0, SIDE / min(height, width), LONG_SIDE / max(height, width))
        size = max(1, round(height * scale)), max(1, round(width * scale))
        file = io.BytesIO()
        small = picture.shrunk(size).to_image().convert("RGB")
        small.save(file, "JPEG", quality=QUALITY, subsampling=0)
        source = cls(base64.b64encode(file.getvalue()).decode(), pixel_hash(picture), use, strength)
        if np.quantile(np.hypot(*source.lab[1:]), 0.99) < COLORFUL:
            raise ColorSourceError("The other picture has no color; use one in color.", "gray")
        return source

    @cached_property
    def lab(self) -> Plane:
        """CIELAB of the copy, (3, h, w) float32.

        Raises:
            ColorSourceError: the copy is damaged.
        """
        try:
            data = base64.b64decode(self.picture, validate=True)
            copy = Photo.open(io.BytesIO(data), max_pixels=SIDE * LONG_SIDE)
        except (binascii.Error, PhotoError) as error:
            raise ColorSourceError(
                f"The copy of the other picture can't be read ({error}); get an intact recipe, or "
                "give the picture itself again.",
                "broken",
            ) from None
        rgb = np.asarray(copy.to_image().convert("RGB"), np.float32) / np.float32(255)
        return rgb_to_lab(torch.from_numpy(rgb).permute(2, 0, 1)).numpy()
