"""JPEG files: checked before they are decoded, and decoded without Pillow's copy.

Markers and segments are those of ITU-T T.81, annex B.
"""

import re
from dataclasses import dataclass

import imagecodecs

from colorizer.imaging.arrays import Pixels
from colorizer.photo.limits import JPEG_EXIF_BYTES, JPEG_SCANS, JPEG_SEGMENTS, check_count
from colorizer.photo.raster import UnsupportedError

SIGNATURE, EOI = b"\xff\xd8\xff", b"\xff\xd9"
SOS = 0xDA
FRAME_MARKERS = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # not DHT, JPG and DAC
PROGRESSIVE = (0xC2, 0xCA)
DCT = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)  # neither lossless nor hierarchical
APP1 = 0xE1
# Segments that Pillow can't read if they are shorter; browsers skip those
MIN_LENGTHS = {(0xE0, b"JFIF\0"): 12, (0xEE, b"Adobe"): 12, (0xE2, b"ICC_PROFILE\0"): 15}
MARKER = re.compile(rb"\xff[\x02-\xcf\xd9-\xfe]")  # inside of scans: no restart, no stuffed byte


@dataclass(frozen=True)
class Jpeg:
    """A JPEG file whose segments have been checked.

    Attributes:
        data: the file without segments that are too short, and without EXIF that is too large.
        decoder_bytes: an estimate of the peak memory of decoding.
        oversized: whether EXIF beyond `JPEG_EXIF_BYTES` was left out.
    """

    data: bytes
    decoder_bytes: int
    oversized: bool = False


def check_jpeg(data: bytes) -> Jpeg:
    """Check the segments of a JPEG before it is decoded.

    Args:
        data: the file, from SOI on.

    Raises:
        UnsupportedError: it would take too long, or it is of a kind that can't be read.
    """
    kept, start, position, steps, exif = [], 0, 2, 0, 0
    frame, scan = b"", b""
    frame_kind = 0
    while position + 4 <= len(data):
        steps += 1
        check_count(steps, JPEG_SEGMENTS, "segments")
        marker, kind = data[position], data[position + 1]
        if marker != 0xFF or kind in (0x00, 0xFF):  # a stray byte, or one to fill up
            position += 1
            continue
        if kind == 0x01 or 0xD0 <= kind <= 0xD9:  # markers without a segment
            position += 2
            continue
        end = position + 2 + max(2, int.from_bytes(data[position + 2 : position + 4]))
        content = data[position + 4 : end]
        if kind in FRAME_MARKERS and not frame:
            frame, frame_kind = content, kind
        if kind == APP1 and content.startswith(b"Exif"):
            exif += len(content)
        if (kind == APP1 and exif > JPEG_EXIF_BYTES and content.startswith(b"Exif")) or any(
            kind == short and content.startswith(name) and len(content) < length
            for (short, name), length in MIN_LENGTHS.items()
        ):
            kept.append(data[start:position])
            start = end
        position = end
        if kind == SOS:
            scan = content
            break
    _check_frame(frame, frame_kind)
    _check_scans(data, position)
    needed = _decoder_bytes(frame, frame_kind, scan)
    data = b"".join((*kept, data[start:])) if kept else data
    return Jpeg(data, needed, exif > JPEG_EXIF_BYTES)


def _check_frame(frame: bytes, kind: int) -> None:
    if frame and kind not in DCT:
        raise UnsupportedError("is a lossless JPEG, which can't be read; convert it to TIFF.")
    if frame and frame[0] != 8:
        raise UnsupportedError(
            f"is a JPEG of {frame[0]} bits per channel; convert it to TIFF, or to 8 bits."
        )


def _check_scans(data: bytes, position: int) -> None:
    """Count the scans of the first picture. Most files are cleared without a walk."""
    if data.count(bytes((0xFF, SOS)), position) < JPEG_SCANS:
        return
    scans, steps = 1, 0
    while found := MARKER.search(data, position):
        steps += 1
        check_count(steps, JPEG_SEGMENTS, "segments")
        kind, position = data[found.start() + 1], found.end()
        if kind == EOI[1]:
            return
        scans += kind == SOS
        check_count(scans, JPEG_SCANS, "scans")
        position += int.from_bytes(data[position : position + 2])


def _decoder_bytes(frame: bytes, kind: int, scan: bytes) -> int:
    """Peak memory in bytes: the pixels, and all coefficients where there are several scans."""
    if len(frame) < 6 or len(frame) < 6 + 3 * frame[5]:
        return 0
    pixels = int.from_bytes(frame[1:3]) * int.from_bytes(frame[3:5])
    channels = frame[5]
    needed = pixels * (8 if channels == 4 else channels)  # CMYK: Pillow's copy and ours
    if kind in PROGRESSIVE or (scan and scan[0] < channels):
        factors = [divmod(frame[7 + 3 * channel], 16) for channel in range(channels)]
        across = max(1, *(factor[0] for factor in factors))
        down = max(1, *(factor[1] for factor in factors))
        needed += sum(2 * pixels * h * v // (across * down) for h, v in factors)
    return needed


def read_jpeg(data: bytes) -> Pixels | None:
    """Decode a complete JPEG of 8 bits per channel.

    Args:
        data: gray or YCbCr; more may follow, as in an MPO.

    Returns:
        uint8 (H, W, 1 or 3); None if the file is cut off, which the decoder would fill up silently.
        Neither of the two markers that are searched for occurs inside of a scan.

    Raises:
        RuntimeError: it can't be decoded.
    """
    if data.rfind(EOI) < data.rfind(bytes((0xFF, SOS))):
        return None
    pixels: Pixels = imagecodecs.jpeg8_decode(data)
    return pixels.reshape(*pixels.shape[:2], -1)
