"""JPEG 2000 files: boxes, colors, and what decoding takes; ISO/IEC 15444-1, annexes A and I.

The codestream is decoded by itself, and its channels are interpreted here: decoders ignore the ICC
profile and the order of the channels, or mix them up.
"""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image

from colorizer.photo.limits import (
    JP2_BOXES,
    JPEG2000_MARKERS,
    JPEG2000_SECONDS_PER_MEGABYTE,
    JPEG2000_SECONDS_PER_MEGASAMPLE,
    MEGA,
    check_count,
)
from colorizer.photo.raster import SIGNED_PIXELS, UnsupportedError

SIGNATURE = b"\0\0\0\x0cjP  \r\n\x87\n"
CODESTREAM = b"\xff\x4f\xff\x51"  # markers SOC and SIZ
SIZ = struct.Struct(">H8IH")  # capabilities, size, origin, tile, its origin, channels
COMPONENT = struct.Struct(">3B")  # depth and sign, horizontal and vertical distance of samples
SOT, SOD, EOC, COD, COC = 0xFF90, 0xFF93, 0xFFD9, 0xFF52, 0xFF53
CMYK, GRAY, SYCC = 12, 17, 18  # enumerated color spaces
COLOR, OPACITY = 0, 1  # types of channels in cdef
BLOCK_BYTES = 400  # that OpenJPEG takes per code block, measured with blocks of 4 x 4
TYPICAL_BLOCKS_PER_PIXEL = 1 / 64**2  # in the files that the memory was measured with


@dataclass(frozen=True)
class Header:
    """The header of a codestream. Sizes are (height, width).

    Attributes:
        size: of the photo.
        tile: of a tile.
        channels: how many there are.
        depth: bits of the first channel.
        signed: whether the levels of the first channel can be negative.
        subsampled: whether a channel has fewer samples than pixels.
        blocks_per_pixel: code blocks of a channel; fewer pixels per block take more memory.
    """

    size: tuple[int, int]
    tile: tuple[int, int]
    channels: int
    depth: int
    signed: bool = False
    subsampled: bool = False
    blocks_per_pixel: float = field(default=TYPICAL_BLOCKS_PER_PIXEL, compare=False)

    @property
    def plain(self) -> bool:
        """Whether it has one tile of unsigned bytes, with a sample of each channel per pixel."""
        one_tile = self.tile[0] >= self.size[0] and self.tile[1] >= self.size[1]
        return one_tile and self.depth == 8 and not (self.signed or self.subsampled)

    @property
    def decoder_bytes(self) -> int:
        """Bytes that OpenJPEG and its caller take at most, measured at 25 megapixels.

        Up to 8 bits, Pillow decodes tile by tile into 4 bytes per pixel; each tile takes 4 bytes
        per sample and one more. imagecodecs decodes deeper files at once into 2 bytes per sample,
        and plain ones into one, which takes less than Pillow.
        A tile's code blocks are all in memory.
        """
        pixels, tile = self.size[0] * self.size[1], self.tile[0] * self.tile[1]
        in_memory = pixels if self.depth > 8 else min(pixels, tile)
        more_blocks = self.channels * in_memory * (self.blocks_per_pixel - TYPICAL_BLOCKS_PER_PIXEL)
        blocks = max(0, round(BLOCK_BYTES * more_blocks))
        if self.depth > 8:
            return 6 * self.channels * pixels + blocks
        return 4 * pixels + 5 * self.channels * in_memory + blocks


@dataclass(frozen=True)
class Jpeg2000:
    """A JPEG 2000 file.

    Attributes:
        header: of the codestream; None if it is damaged.
        codestream: the file's codestream.
        profile: the ICC profile; empty if there is none.
        space: the enumerated color space; 0 if there is none.
        channels: (type, association) of each channel, as in the box cdef; empty if it is absent.
        mapped: whether the decoder must see the boxes, for a palette or for sYCC.
    """

    header: Header | None
    codestream: bytes = field(repr=False)
    profile: bytes = b""
    space: int = 0
    channels: tuple[tuple[int, int], ...] = ()
    mapped: bool = False

    @property
    def decoder_seconds(self) -> float:
        """Seconds of one processor that decoding takes, roughly; grain and depth cost bytes.

        Measured at 2 megapixels, in gray and in RGB, from smooth to grainy; checked in gray at 12
        and 25 megapixels, where the estimate is right within about 15 %.
        """
        if self.header is None:
            return 0.0
        samples = self.header.size[0] * self.header.size[1] * self.header.channels
        return (
            JPEG2000_SECONDS_PER_MEGABYTE * len(self.codestream)
            + JPEG2000_SECONDS_PER_MEGASAMPLE * samples
        ) / MEGA

    def order(self, count: int, colors: int) -> tuple[list[int], int | None]:
        """Which of the decoded channels hold the colors, in order, and which the transparency.

        Args:
            count: decoded channels.
            colors: channels of the color space, or 0 if it is unknown.
        """
        found = {
            place: number
            for number, (kind, place) in enumerate(self.channels[:count])
            if kind == COLOR and 1 <= place <= count
        }
        opacity = [
            number for number, (kind, _) in enumerate(self.channels[:count]) if kind == OPACITY
        ]
        if not self.mapped and len(found) == (colors or len(found)) and len(found) in (1, 3, 4):
            return [found[place] for place in sorted(found)], opacity[0] if opacity else None
        colors = colors or (1 if count < 3 else 3)
        return list(range(min(colors, count))), colors if count > colors else None


def read_jpeg2000(data: bytes) -> Jpeg2000:
    """Read the boxes and the codestream's header.

    Raises:
        UnsupportedError: there are too many boxes or markers.
    """
    found = Jpeg2000(None, data)
    if data.startswith(SIGNATURE):
        boxes = list(_boxes(data, 0, len(data)))
        for kind, start, end in boxes:
            if kind == b"jp2c":
                found = replace(found, codestream=data[start:end])
                break
        for kind, start, end in boxes:
            if kind == b"jp2h":
                for inner, inner_start, inner_end in _boxes(data, start, end):
                    found = _with_box(found, inner, data[inner_start:inner_end])
                break
    return replace(found, header=read_header(found.codestream))


def _boxes(data: bytes, position: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, and start and end of the content of each box."""
    count = 0
    while position + 8 <= end:
        count += 1
        check_count(count, JP2_BOXES, "boxes")
        size, kind = struct.unpack_from(">I4s", data, position)
        head = 8
        if size == 1:
            head, size = 16, int.from_bytes(data[position + 8 : position + 16])
        size = size or end - position  # 0: to the end of the file
        if size < head:
            return
        yield kind, position + head, min(position + size, end)
        position += size


def _with_box(found: Jpeg2000, kind: bytes, content: bytes) -> Jpeg2000:
    if kind == b"colr" and len(content) > 3 and not (found.profile or found.space):
        if content[0] == 1:
            space = int.from_bytes(content[3:7])
            return replace(found, space=space, mapped=found.mapped or space == SYCC)
        if content[0] in (2, 3):
            return replace(found, profile=content[3:])
    if kind == b"pclr":
        return replace(found, mapped=True)
    if kind == b"cdef" and len(content) >= 2:
        count = min(int.from_bytes(content[:2]), (len(content) - 2) // 6)
        entries = {
            number: (type, place)
            for number, type, place in struct.iter_unpack(">3H", content[2 : 2 + 6 * count])
        }
        known = tuple(entries.get(number, (COLOR, 0)) for number in range(count))
        return replace(found, channels=known)
    return found


def read_header(codestream: bytes) -> Header | None:
    """The header of a codestream; None if it is damaged.

    Raises:
        UnsupportedError: there are too many markers.
    """
    components = 6 + SIZ.size
    if not codestream.startswith(CODESTREAM) or len(codestream) < components + COMPONENT.size:
        return None
    _, right, bottom, left, top, width, height, _, _, channels = SIZ.unpack_from(codestream, 6)
    end = components + channels * COMPONENT.size
    if not channels or len(codestream) < end:
        return None
    depths, *distances = zip(*COMPONENT.iter_unpack(codestream[components:end]), strict=True)
    blocks = 0.0
    for kind, content in _segments(codestream):
        skipped = {COD: 5, COC: (2 if channels < 257 else 3)}.get(kind)
        if skipped is not None and len(content) >= skipped + 5:
            style = content[0 if kind == COD else skipped - 1]
            blocks = max(blocks, _blocks_per_pixel(style, content[skipped:]))
    return Header(
        (bottom - top, right - left),
        (height, width),
        channels,
        depth=(depths[0] & 0x7F) + 1,
        signed=depths[0] > 0x7F,
        subsampled=any(max(places) > 1 for places in distances),
        blocks_per_pixel=blocks,
    )


def _segments(codestream: bytes) -> Iterator[tuple[int, bytes]]:
    """Marker and content of each segment in the headers of the codestream and of its tiles."""
    position, tile_end, count = 2, 0, 0
    while position + 4 <= len(codestream):
        count += 1
        check_count(count, JPEG2000_MARKERS, "markers")
        kind, length = struct.unpack_from(">2H", codestream, position)
        if kind == SOD:
            if tile_end <= position:
                return
            position = tile_end
            continue
        if kind == EOC or kind < 0xFF00:
            return
        content = codestream[position + 4 : position + 2 + max(2, length)]
        if kind == SOT and len(content) >= 6:
            tile_end = position + int.from_bytes(content[2:6])
        elif kind in (COD, COC):
            yield kind, content
        position += 2 + max(2, length)


def _blocks_per_pixel(style: int, content: bytes) -> float:
    """Code blocks per pixel of a coding style (annex A.6.1), over all its resolutions."""
    levels, width, height = content[0], (content[1] & 15) + 2, (content[2] & 15) + 2
    precincts = content[5 : 6 + levels] if style & 1 else b""
    total = 0.0
    for number in range(levels + 1):
        size = precincts[number] if number < len(precincts) else 0xFF
        inner = 0 if number == 0 else 1  # a precinct of a band has half the side
        block = min(width, max(0, (size & 15) - inner)) + min(height, max(0, (size >> 4) - inner))
        share = 4.0 ** -(levels - number) * (0.75 if number else 1)  # of the pixels
        total += share / 2**block
    return total


def open_codestream(found: Jpeg2000) -> Image.Image:
    """Open the codestream with Pillow."""
    return Image.open(io.BytesIO(found.codestream), formats=("JPEG2000",))


def decode_whole(found: Jpeg2000, data: bytes) -> Any:
    """Decode all tiles at once to uint8 or uint16 (H, W, C), not scaled.

    A plain file takes two thirds of Pillow's time (11.4 instead of 17.6 s for 50 megapixels of
    grain, 83 MB) and less memory; others may take more memory.

    Raises:
        UnsupportedError: its levels are signed, or its channels differ in size.
    """
    if found.header is not None and found.header.signed:
        raise UnsupportedError(SIGNED_PIXELS)
    if found.header is not None and found.header.subsampled:
        raise UnsupportedError("has channels of several sizes; convert it to TIFF.")
    pixels = imagecodecs.jpeg2k_decode(data if found.mapped else found.codestream)
    return np.asarray(pixels).reshape(*pixels.shape[:2], -1)
