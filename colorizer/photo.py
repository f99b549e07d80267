"""Photos: open any of them upright, know their lightness, save them again."""

import os
from pathlib import Path
from typing import Any, BinaryIO, Self

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from colorizer.bands import Plane, bands
from colorizer.color import (
    RGB_TO_XYZ,
    gray_to_lightness,
    luminance_to_lightness,
    srgb_to_linear,
)
from colorizer.compose import compose_gray

MAX_PIXELS = 250_000_000  # a larger photo is taken for a decompression bomb
SAVED_AS = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "TIFF": ".tif",
    "WEBP": ".webp",
    "AVIF": ".avif",
    "JPEG2000": ".jp2",
}
LOSSY = ("JPEG", "WEBP", "AVIF")
SUFFIX_FORMATS = {suffix: name for name, suffix in SAVED_AS.items()} | {
    ".jpeg": "JPEG",
    ".tiff": "TIFF",
}
READABLE = (*SAVED_AS, "GIF", "BMP", "PPM")  # not EPS, which would start Ghostscript
LEVELS = torch.linspace(0, 1, 256)  # of 8-bit sRGB
LINEAR = srgb_to_linear(LEVELS).numpy()
LUMINANCE_WEIGHTS = np.array(RGB_TO_XYZ[1], np.float32)[None]
GRAY_LIGHTNESS = gray_to_lightness(LEVELS).numpy()


class PhotoError(ValueError):
    """A photo can't be opened or saved; the sentence names it and says what to do."""


class Photo:
    """A photo in memory, upright, 8 bits per channel.

    Attributes:
        pixels: uint8 (height, width, channels) sRGB, with one channel where all three would be
            equal, else three.
        format: how the file was encoded, as Pillow names it ("JPEG", "PNG"); "PNG" for pictures
            that came from no file.
    """

    def __init__(self, pixels: NDArray[np.uint8], format: str = "PNG") -> None:
        if (
            pixels.dtype != np.uint8
            or pixels.ndim != 3
            or pixels.shape[2] not in (1, 3)
            or 0 in pixels.shape
        ):
            raise PhotoError(
                f"The pixels are {pixels.dtype} of shape {pixels.shape}; "
                "give uint8 (height, width, 1 or 3), not empty."
            )
        self.pixels = pixels
        self.format = format

    @classmethod
    def open(cls, source: str | Path | BinaryIO | Image.Image) -> Self:
        """Open a photo: a path, a binary file object or a Pillow image.

        EXIF orientation is applied. Transparent parts are shown on white; of several frames or
        pages the first is taken; an embedded color profile is ignored.

        Raises:
            PhotoError: the source can't be read as a photo.
        """
        name = (
            str(source) if isinstance(source, str | Path) else getattr(source, "name", "The photo")
        )
        Image.MAX_IMAGE_PIXELS = MAX_PIXELS  # Pillow warns at 89 megapixels otherwise
        try:
            if isinstance(source, Image.Image):
                return cls._from_image(source)
            with Image.open(source, formats=READABLE) as image:
                if image.width * image.height > MAX_PIXELS:
                    raise Image.DecompressionBombError
                return cls._from_image(image)
        except PhotoError:
            raise
        except FileNotFoundError:
            raise PhotoError(f"{name} does not exist; check the path.") from None
        except IsADirectoryError:
            raise PhotoError(f"{name} is a folder; name the photos in it.") from None
        except PermissionError:
            raise PhotoError(f"{name} may not be read; change its permissions.") from None
        except UnidentifiedImageError:
            raise PhotoError(
                f"{name} is not a photo in a known format; convert it to JPEG, PNG or TIFF."
            ) from None
        except (Image.DecompressionBombError, Image.DecompressionBombWarning):
            raise PhotoError(
                f"{name} has more than {MAX_PIXELS // 10**6} megapixels; make it smaller first."
            ) from None
        except (OSError, SyntaxError, ValueError) as error:
            raise PhotoError(f"{name} is damaged ({error}); get an intact copy of it.") from error

    @classmethod
    def _from_image(cls, image: Image.Image) -> Self:
        format = image.format or "PNG"
        format = "JPEG" if format == "MPO" else format  # a JPEG with further pictures in it
        image = ImageOps.exif_transpose(image)
        if image.mode.startswith("I;16") or image.mode == "I":
            levels = np.asarray(image).astype(np.float32) / 257  # 65535 / 255
            image = Image.fromarray(np.clip(levels + 0.5, 0, 255).astype(np.uint8))
        elif image.has_transparency_data:
            image = image.convert("RGBA")
            image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert(
                "RGB"
            )
        elif image.mode == "F":
            raise PhotoError("The photo has floating-point pixels; convert it to 8 or 16 bits.")
        elif image.mode in ("1", "L"):
            image = image.convert("L")
        elif image.mode != "RGB":
            image = image.convert("RGB")
        pixels = np.array(image)
        if pixels.ndim == 2:
            return cls(pixels[:, :, None], format)
        first = pixels[:, :, 0]
        if all(
            (pixels[rows, :, channel] == first[rows]).all()
            for channel in (1, 2)
            for rows in bands(pixels.shape[:2])
        ):
            return cls(np.ascontiguousarray(first[:, :, None]), format)
        return cls(pixels, format)

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) in pixels."""
        return self.pixels.shape[0], self.pixels.shape[1]

    @property
    def lightness(self) -> Plane:
        """L* as float32 (height, width), 0 to 100; of a large photo rather take bands."""
        return np.concatenate([self.lightness_band(rows) for rows in bands(self.size)])

    def lightness_band(self, rows: slice) -> Plane:
        """L* of some rows as float32 (rows, width), 0 to 100."""
        pixels = self.pixels[rows]
        if pixels.shape[2] == 1:
            return np.asarray(cv2.LUT(pixels[:, :, 0], GRAY_LIGHTNESS), np.float32)
        luminance = cv2.transform(cv2.LUT(pixels, LINEAR), LUMINANCE_WEIGHTS)
        plane = torch.from_numpy(np.asarray(luminance, np.float32).reshape(pixels.shape[:2]))
        return np.asarray(luminance_to_lightness(plane).numpy())

    def resized_lightness(self, size: tuple[int, int]) -> Plane:
        """L* of a copy of (height, width) pixels, as float32: by area where it shrinks, linear
        where it grows. The full photo's L* is never in memory at once.
        """
        height, width = size
        shrinks = height * width < self.size[0] * self.size[1]
        interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        narrow = [
            cv2.resize(band, (width, len(band)), interpolation=interpolation)
            for band in map(self.lightness_band, bands(self.size))
        ]
        copy = cv2.resize(np.concatenate(narrow), (width, height), interpolation=interpolation)
        return np.asarray(copy, np.float32)

    def to_gray(self) -> Self:
        """The photo without color, with its lightness; itself if it has none."""
        if self.pixels.shape[2] == 1:
            return self
        pixels = np.empty((*self.size, 1), np.uint8)
        for rows in bands(self.size):
            pixels[rows] = compose_gray(self.lightness_band(rows))
        return type(self)(pixels, self.format)

    def shrunk(self, size: tuple[int, int]) -> Self:
        """A smaller copy of (height, width) pixels, each the mean of those that it stands for."""
        pixels = cv2.resize(self.pixels, size[::-1], interpolation=cv2.INTER_AREA)
        return type(self)(np.asarray(pixels, np.uint8).reshape(*size, -1), self.format)

    def to_image(self) -> Image.Image:
        """As a Pillow image, mode L or RGB."""
        return Image.fromarray(self.pixels[:, :, 0] if self.pixels.shape[2] == 1 else self.pixels)

    def save(self, path: str | Path, format: str | None = None, quality: int = 95) -> None:
        """Write the photo; a file of that name is replaced only once the new one is whole.

        Args:
            path: where to.
            format: as Pillow names it, for example "JPEG"; None goes by the path's ending.
            quality: of the lossy formats, 1 to 100. JPEG is written without chroma subsampling.

        Raises:
            PhotoError: the format is unknown or the file can't be written.
        """
        path = Path(path)
        format = format or SUFFIX_FORMATS.get(path.suffix.lower())
        if format not in SAVED_AS:
            raise PhotoError(
                f"{path} can't be written as {format or path.suffix!r}; "
                f"use one of {', '.join(SAVED_AS)}."
            )
        options: dict[str, Any] = {"quality": quality} if format in LOSSY else {}
        if format == "JPEG":
            options["subsampling"] = "4:4:4"
        elif format == "TIFF":
            options["compression"] = "tiff_lzw"
        beside = path.with_name(path.name + ".part")
        try:
            self.to_image().save(beside, format, **options)
            os.replace(beside, path)
        except (OSError, ValueError) as error:  # ValueError: too large for the format
            beside.unlink(missing_ok=True)
            reason = getattr(error, "strerror", None) or error
            raise PhotoError(f"{path} can't be written: {reason}.") from error


def output_name(source: Path, format: str, number: int = 1) -> str:
    """`<stem>_color.<ext>`, or `<stem>_color-<number>.<ext>` from the second on.

    Args:
        source: the input's path; its ending stays where it fits the format.
        format: the input's, as Pillow names it; one that can't be written becomes PNG.
        number: how often the name has come up.
    """
    fits = SUFFIX_FORMATS.get(source.suffix.lower()) == format
    suffix = source.suffix if fits else SAVED_AS.get(format, ".png")
    return f"{source.stem}_color{f'-{number}' if number > 1 else ''}{suffix}"


def output_path(folder: Path, source: Path, format: str, taken: set[str]) -> Path:
    """Where a colorized photo goes that is one of many; no two go to the same file.

    Args:
        folder: of the results.
        source: the input's path.
        format: the input's, as Pillow names it.
        taken: the names of the results so far in lower case; the new one is added.
    """
    number = 1
    while (name := output_name(source, format, number)).casefold() in taken:
        number += 1
    taken.add(name.casefold())  # some file systems ignore case
    return folder / name
