"""What the header of a JPEG 2000 file tells, and Pillow doesn't; ISO/IEC 15444-1, annex A.5."""

import struct
from dataclasses import dataclass
from typing import BinaryIO

START = b"\xff\x4f\xff\x51"  # markers SOC and SIZ
SIZ = struct.Struct(">2H8IHB")
LONGEST = 1 << 16  # bytes in which these stand, after the boxes of a JP2 file


@dataclass(frozen=True)
class Header:
    """Sizes are (height, width); the depth is in bits, of the first channel."""

    size: tuple[int, int]
    tile: tuple[int, int]
    channels: int
    depth: int

    @property
    def decoder_bytes(self) -> int:
        """That OpenJPEG and what calls it take at most, measured at 25 megapixels.

        Up to 8 bits Pillow decodes tile by tile, to 4 bytes per pixel; each tile takes 4 bytes per
        channel, and one more. Deeper ones imagecodecs decodes as a whole, to 2 bytes per channel.
        """
        pixels, tile = self.size[0] * self.size[1], self.tile[0] * self.tile[1]
        if self.depth > 8:
            return 6 * self.channels * pixels
        return 4 * pixels + 5 * self.channels * min(pixels, tile)


def read_header(file: BinaryIO) -> Header | None:
    """Of a file, whose position is its start again; None where it can't be found."""
    file.seek(0)
    start = file.read(LONGEST)
    file.seek(0)
    position = start.find(START) + len(START)
    if position < len(START) or len(start) < position + SIZ.size:
        return None
    _, _, right, bottom, left, top, width, height, _, _, channels, depth = SIZ.unpack_from(
        start, position
    )
    return Header((bottom - top, right - left), (height, width), channels, (depth & 0x7F) + 1)
