"""Photos: open any of them upright, know their lightness, save them again."""

import hashlib
import stat
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any, BinaryIO, Self

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorizer.errors import PhotoError
from colorizer.imaging.arrays import Pixels, Plane
from colorizer.imaging.bands import bands, map_bands
from colorizer.imaging.color import (
    RGB_TO_XYZ,
    gray_to_lightness,
    luminance_to_lightness,
    srgb_to_linear,
)
from colorizer.imaging.compose import compose_gray
from colorizer.imaging.curves import TABLE_STEPS, look_up, tabulate
from colorizer.imaging.perspective import Corners, rectangle_size, rectify
from colorizer.imaging.resampling import resize
from colorizer.photo.decode import Decoded, decode
from colorizer.photo.encode import on_white, to_8_bits, write
from colorizer.photo.formats import (
    FORMATS_WITH_16_BITS,
    FORMATS_WITHOUT_ALPHA,
    MAX_PIXELS,
    format_of,
)
from colorizer.photo.metadata import Metadata
from colorizer.photo.move import Move
from colorizer.photo.notices import Notice

CACHED_SIDE = 640  # pixels: short side of a large photo's cached lightness, for face detection
LARGE_SIDE = 4 * CACHED_SIDE  # pixels: short side from which a photo's lightness is cached
MIN_REDUCTION = 1.5  # factor by which copies of the cached lightness must be smaller
MAX_RECTIFIED_SIDE = 32_766  # pixels: OpenCV's limit
ORIENTATIONS = (1, 6, 3, 8)  # EXIF orientation of 0 to 3 quarter turns clockwise
Decoder = Callable[[BinaryIO | Image.Image, str, int], Decoded]
LUMINANCE_WEIGHTS = np.array(RGB_TO_XYZ[1], np.float32)[None]


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo in memory, upright, in sRGB.

    Attributes:
        pixels: uint8 or uint16 (height, width, channels), with one channel where all three would
            be equal, else three.
        format: to save it in, as Pillow names it ("JPEG", "PNG"): how the file was
            encoded, or PNG.
        alpha: (height, width) of the pixels' type, 0 where the photo is transparent; None where it
            nowhere is.
        metadata: what is known about it.
        notices: what a person should know about its file.
    """

    pixels: Pixels
    format: str = "PNG"
    alpha: Pixels | None = None
    metadata: Metadata = field(default_factory=Metadata)
    notices: tuple[Notice, ...] = ()

    def __post_init__(self) -> None:
        pixels, alpha = self.pixels, self.alpha
        if (
            pixels.dtype not in (np.uint8, np.uint16)
            or pixels.ndim != 3
            or pixels.shape[2] not in (1, 3)
            or 0 in pixels.shape
        ):
            raise PhotoError(
                f"The pixels are {pixels.dtype} of shape {pixels.shape}; "
                "give uint8 or uint16 (height, width, 1 or 3), not empty."
            )
        if alpha is not None and (alpha.dtype != pixels.dtype or alpha.shape != pixels.shape[:2]):
            raise PhotoError(
                f"alpha is {alpha.dtype} of shape {alpha.shape}; give it the size and the type of "
                f"the pixels, {pixels.dtype} {pixels.shape[:2]}."
            )

    @classmethod
    def open(
        cls,
        source: str | Path | BinaryIO | Image.Image,
        max_pixels: int = MAX_PIXELS,
        decoder: Decoder = decode,
    ) -> Self:
        """Open a photo: a path, a binary file object or a Pillow image.

        EXIF orientation is applied, and an embedded color profile; of several frames or pages the
        first is taken. See `colorizer.photo.formats.READABLE_FORMATS`.

        Args:
            source: of the photo.
            max_pixels: beyond which it is taken for a decompression bomb.
            decoder: what decodes the file; a server does it in another process.

        Raises:
            PhotoError: the source can't be read as a photo.
        """
        if not isinstance(source, str | Path):
            return cls._of(decoder(source, getattr(source, "name", "The photo"), max_pixels))
        try:
            kind = Path(source).stat().st_mode
            if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):  # opening a pipe would hang
                raise PhotoError(f"{source} is a pipe, socket or device; save the photo as a file.")
            with open(source, "rb") as file:
                return cls._of(decoder(file, str(source), max_pixels))
        except FileNotFoundError:
            raise PhotoError(f"{source} does not exist; check the path.") from None
        except IsADirectoryError:
            raise PhotoError(f"{source} is a folder; name the photos in it.") from None
        except PermissionError:
            raise PhotoError(f"{source} may not be read; change its permissions.") from None
        except OSError as error:
            raise PhotoError(f"{source} can't be read: {error.strerror}.") from error

    @classmethod
    def _of(cls, found: Decoded) -> Self:
        return cls(found.pixels, found.format, found.alpha, found.metadata, found.notices)

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
        return _lightness(self.pixels[rows])

    def resized_lightness(self, size: tuple[int, int]) -> Plane:
        """Return L* of a resized copy, float32 (height, width), 0 to 100.

        Shrinking averages areas, enlarging is linear, and transparent areas become white. The full
        photo's L* is never in memory at once.

        Args:
            size: (height, width) of the copy in pixels.
        """
        if min(self.size) >= LARGE_SIDE and (
            size == self._cached_lightness.shape or MIN_REDUCTION * min(size) <= CACHED_SIDE
        ):
            return resize(self._cached_lightness, size)
        return self._resized_lightness(size)

    def to_gray(self) -> Self:
        """The photo without color, with its lightness; itself if it has none."""
        if self.pixels.shape[2] == 1:
            return self
        pixels = np.empty((*self.size, 1), self.pixels.dtype)
        for rows in bands(self.size):
            pixels[rows] = compose_gray(self.lightness_band(rows), self.pixels.dtype)
        return replace(self, pixels=pixels)

    def shrunk(self, size: tuple[int, int]) -> Self:
        """Return a smaller copy for viewing: 8 bits per channel, on white, without metadata.

        Args:
            size: (height, width) of the copy in pixels, which are means of areas.
        """
        pixels = self.pixels if self.alpha is None else on_white(self.pixels, self.alpha)
        copy = np.asarray(cv2.resize(pixels, size[::-1], interpolation=cv2.INTER_AREA))
        return type(self)(to_8_bits(copy.reshape(*size, -1)), self.format)

    def transformed(self, move: Callable[[NDArray[Any]], NDArray[Any]]) -> Self:
        """The photo with its pixels moved, as by turning or cropping.

        Args:
            move: (height, width) and (height, width, channels) to the same of another size.
        """
        alpha = None if self.alpha is None else np.ascontiguousarray(move(self.alpha))
        return replace(self, pixels=np.ascontiguousarray(move(self.pixels)), alpha=alpha)

    def turned(self, quarters: int) -> Self:
        """The photo after 0 to 3 quarter turns clockwise, with its metadata."""
        if not quarters:
            return self
        turned = self.transformed(lambda pixels: np.rot90(pixels, -quarters))
        move = Move(self.size, ORIENTATIONS[quarters])
        return replace(turned, metadata=self.metadata.moved(move))

    def cropped(self, box: tuple[int, int, int, int]) -> Self:
        """The photo between a left, top, right and bottom edge in pixels, with its metadata."""
        left, top, right, bottom = box
        cropped = self.transformed(lambda pixels: pixels[top:bottom, left:right])
        return replace(cropped, metadata=self.metadata.moved(Move(self.size, box=box)))

    def rectified(self, corners: Corners) -> Self:
        """The part between four corners as an upright rectangle, with its metadata.

        Args:
            corners: in pixels, clockwise from the top left, see `colorizer.imaging.perspective`.

        Raises:
            PhotoError: a side is longer than OpenCV can move.
        """
        if max(*self.size, *rectangle_size(corners)) > MAX_RECTIFIED_SIDE:
            raise PhotoError(
                f"The photo is too large to straighten; resize it to {MAX_RECTIFIED_SIDE} pixels "
                "at its longest side."
            )
        rectified = self.transformed(lambda pixels: rectify(pixels, corners))
        return replace(rectified, metadata=self.metadata.moved(Move(self.size, corners=corners)))

    def inverted(self) -> Self:
        """The positive of a negative."""
        return replace(self, pixels=np.iinfo(self.pixels.dtype).max - self.pixels)

    def without_location(self) -> Self:
        """The photo without metadata about where it was taken."""
        return replace(self, metadata=self.metadata.without_location())

    def to_image(self) -> Image.Image:
        """As a Pillow image to look at, mode L or RGB, 8 bits per channel, on white."""
        pixels = self.pixels if self.alpha is None else on_white(self.pixels, self.alpha)
        pixels = to_8_bits(pixels)
        return Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels)

    def lost_in(self, format: str) -> list[Notice]:
        """What of this photo a format can't hold."""
        losses: list[Notice] = []
        if self.pixels.dtype != np.uint8 and format not in FORMATS_WITH_16_BITS:
            losses.append("depth")
        if self.alpha is not None and format in FORMATS_WITHOUT_ALPHA:
            losses.append("transparency")
        if self.metadata.loses_captions(format):
            losses.append("captions")
        return losses

    def save(self, path: str | Path, format: str | None = None, quality: int = 95) -> None:
        """Write the photo; a file of that name is replaced only once the new one is whole.

        Args:
            path: where to.
            format: as Pillow names it, for example "JPEG"; None goes by the path's ending. What it
                can't hold is left out: see `lost_in`.
            quality: of the lossy formats, 1 to 100. JPEG is written without chroma subsampling.

        Raises:
            PhotoError: the format is unknown or the file can't be written.
        """
        path = Path(path)
        format = format_of(path, format)
        write(path, self.pixels, self.alpha, format, quality, self.metadata)

    @cached_property
    def _cached_lightness(self) -> Plane:
        """L* of a copy of a large photo, of which smaller ones are made."""
        scale = CACHED_SIDE / min(self.size)
        return self._resized_lightness((round(self.size[0] * scale), round(self.size[1] * scale)))

    def _resized_lightness(self, size: tuple[int, int]) -> Plane:
        height, width = size
        shrinks = height * width < self.size[0] * self.size[1]
        interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        halves = self._may_be_halved(size)

        def narrow(rows: slice) -> Plane:
            band = self._halved_lightness(rows) if halves else self._lightness_on_white(rows)
            return np.asarray(cv2.resize(band, (width, len(band)), interpolation=interpolation))

        lines = self.size[0] // 2 if halves else self.size[0]
        copy = np.concatenate(map_bands(narrow, (lines, self.size[1])))
        copy = cv2.resize(copy, (width, height), interpolation=interpolation)
        return np.asarray(copy, np.float32)

    def _may_be_halved(self, size: tuple[int, int]) -> bool:
        """Check whether L* of a copy may be computed from means of 2 x 2 levels.

        This halves the time. On a grainy color photo the mean error is 0.05. An odd last row or
        column is ignored, which shifts the copy by less than a quarter of its pixels.
        """
        scale = min(self.size[0] / size[0], self.size[1] / size[1])
        return self.alpha is None and scale >= 4

    def _halved_lightness(self, rows: slice) -> Plane:
        """L* of some rows of a copy of half the size."""
        height, width = rows.stop - rows.start, self.size[1] // 2
        pixels = self.pixels[2 * rows.start : 2 * rows.stop, : 2 * width]
        halved = np.asarray(cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA))
        return _lightness(halved.reshape(height, width, -1))

    def _lightness_on_white(self, rows: slice) -> Plane:
        lightness = self.lightness_band(rows)
        if self.alpha is None:
            return lightness
        share = self.alpha[rows] / np.float32(np.iinfo(self.alpha.dtype).max)
        return np.asarray(100 + share * (lightness - 100), np.float32)


def pixel_hash(photo: Photo) -> str:
    """SHA-256 over the shape and the pixels of a photo, 64 hexadecimal digits."""
    digest = hashlib.sha256(repr(photo.pixels.shape).encode())
    digest.update(np.ascontiguousarray(photo.pixels).data)
    return digest.hexdigest()


def _lightness(pixels: Pixels) -> Plane:
    """L* of (H, W, 1 or 3), as float32 (H, W), 0 to 100."""
    if pixels.shape[2] == 1:
        return look_up(_gray_lightness(pixels.dtype), pixels[:, :, 0])
    linear = look_up(_linear(pixels.dtype), pixels)
    luminance = np.asarray(cv2.transform(linear, LUMINANCE_WEIGHTS), np.float32)
    return look_up(_luminance_lightness(pixels.dtype), luminance.reshape(pixels.shape[:2]))


@cache
def _linear(dtype: np.dtype[Any]) -> Plane:
    """Linear light of each level of sRGB."""
    return tabulate(srgb_to_linear, np.iinfo(dtype).max)


@cache
def _gray_lightness(dtype: np.dtype[Any]) -> Plane:
    """L* of each level of gray."""
    return tabulate(gray_to_lightness, np.iinfo(dtype).max)


@cache
def _luminance_lightness(dtype: np.dtype[Any]) -> Plane:
    """L* of luminance."""
    return tabulate(luminance_to_lightness, TABLE_STEPS[dtype])
