"""Limits of work and memory: what a file may cost besides its pixels.

A few kilobytes can ask for minutes of work. Each format counts what costs time in a cheap walk over
its headers, before a decoder sees the file, and refuses a file above the limit; metadata above its
limit is left out instead, and the photo opens. All limits are far above what cameras, scanners and
editors write.
"""

from colorizer.photo.formats import MAX_PIXELS
from colorizer.photo.raster import UnsupportedError

JPEG_SEGMENTS = 10_000  # before the first scan; 100 MB of extended XMP need 1,500
JPEG_EXIF_BYTES = 1 << 24  # in all EXIF segments; Pillow joins them in quadratic time
JPEG_SCANS = 100  # encoders write about 10; each takes a pass over all blocks
PNG_TEXT_BYTES = 1 << 24  # of an unpacked text or profile; profiles of printers have some MB
PNG_CHUNKS = 10_000  # and one more per KiB of the file; encoders write chunks of 8 KiB and more
TIFF_DIRECTORIES = 100  # searched for the photo; there may be more
TIFF_ENTRIES = 4096  # tags in a directory; editors write fewer than 100
TIFF_STRIPS = 100_000  # or tiles; 30,000 rows in three planes of strips of one row need 90,000
TIFF_NUMBERS = 500_000  # values of a directory besides bytes and text, mostly offsets of strips
TIFF_CHANNELS = 16  # CMYK, transparency and some spot colors
GIF_BLOCKS = 4_000  # before the first frame, 1 MB; Pillow joins comments in quadratic time
GIF_MORE_BLOCKS = 64  # bytes of the file per further block; most blocks have 255
JP2_BOXES = 10_000  # files have about 10
JPEG2000_MARKERS = 500_000  # there are at most 65,535 tiles
PNM_HEADER = 1 << 16  # bytes of magic number, comments, width, height and highest level
# Seconds of one processor for OpenJPEG; grain that is stored losslessly has a byte per sample
JPEG2000_SECONDS_PER_MEGABYTE = 0.35  # of the codestream
JPEG2000_SECONDS_PER_MEGASAMPLE = 0.03
BYTES_PER_PIXEL = 8  # of memory for the largest photo: 4 for Pillow's copy and 4 for ours
# Peak memory of decoders in bytes per pixel, Pillow's copy included; measured at 25 megapixels
DECODER_BYTES = {"WEBP": 16, "AVIF": 12}
GIGABYTE, MEGA = 10**9, 10**6
MAX_METADATA_BYTES = 2**24  # bytes read from one photo; a hostile file can claim any number


class CostError(UnsupportedError):
    """A file would take longer than the caller allows."""


class OversizedError(ValueError):
    """Metadata exceeds its limit and is left out."""


def check_count(count: int, limit: int, things: str) -> None:
    """Refuse a file that holds too many of something.

    Raises:
        UnsupportedError: the count exceeds the limit.
    """
    if count > limit:
        raise UnsupportedError(
            f"has more than {limit:,} {things}, which no photo needs; save it again in an editor."
        )


def check_memory(needed: int, max_pixels: int) -> None:
    """Refuse a file that would take more memory than the largest photo.

    Args:
        needed: bytes that decoding takes at its peak.
        max_pixels: of a photo; a limit above the default allows more memory.

    Raises:
        UnsupportedError: it would take more.
    """
    if needed > BYTES_PER_PIXEL * max(max_pixels, MAX_PIXELS):
        raise UnsupportedError(
            f"takes {needed / GIGABYTE:.1f} GB of memory to decode; convert it to TIFF."
        )


def check_seconds(expected: float, allowed: float) -> None:
    """Refuse a file that would take too long.

    Args:
        expected: seconds of one processor that decoding takes, roughly.
        allowed: how many there are.

    Raises:
        CostError: it would take longer.
    """
    if expected > allowed:
        raise CostError(
            f"takes about {expected:.0f} seconds to decode, more than the {allowed:.0f} that are "
            "allowed here; convert it to TIFF."
        )
