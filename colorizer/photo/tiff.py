"""TIFF files: which directory holds the photo, and what its samples mean.

Tags are those of TIFF 6.0, unless a comment names another source. All TIFF files are decoded by
tifffile, or by libtiff where samples are YCbCr.
"""

import os
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from colorizer.photo.exif import TIFF_LAYOUTS, TYPE_SIZES
from colorizer.photo.limits import (
    TIFF_CHANNELS,
    TIFF_DIRECTORIES,
    TIFF_ENTRIES,
    TIFF_NUMBERS,
    TIFF_STRIPS,
    check_count,
)
from colorizer.photo.raster import (
    SIGNED_PIXELS,
    Raster,
    UnsupportedError,
    expand_levels,
    unpremultiply,
)

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
CR2 = b"CR"  # bytes 8 and 9 of Canon's raw photos
NEW_SUBFILE_TYPE, SUBFILE_TYPE, SUB_IFDS = 254, 255, 330
PHOTOMETRIC, STRIP_OFFSETS, TILE_OFFSETS = 262, 273, 324
ORIENTATION, ICC_PROFILE = 274, 34675
REDUCED, MASK = 1, 4  # bits of NewSubfileType
OLD_REDUCED = 2  # SubfileType
INTEGERS = (1, 3, 4, 13, 16, 18)  # types: BYTE, SHORT, LONG, IFD and those of BigTIFF
BYTES = (1, 2, 6, 7)  # types: BYTE, ASCII, SBYTE, UNDEFINED
WHITE_IS_ZERO, PALETTE, YCBCR = 0, 3, 6
RAW = (32803, 34892)  # photometric: color filter array, linear raw (DNG 1.7)
CHANNELS = {WHITE_IS_ZERO: 1, 1: 1, 2: 3, PALETTE: 1, 5: 4, YCBCR: 3}  # by photometric
PREMULTIPLIED, UNASSOCIATED = 1, 2  # of ExtraSamples
JPEG = 7  # compression; its decoder converts YCbCr


@dataclass(frozen=True)
class Directory:
    """A TIFF directory: type, count and value or offset of each tag."""

    offset: int
    following: int
    entries: dict[int, tuple[int, int, bytes]]
    order: str

    def integers(self, file: BinaryIO, tag: int, most: int = 1) -> list[int]:
        """Up to `most` values of a tag; none if it is absent or no integer."""
        type, count, inline = self.entries.get(tag, (0, 0, b""))
        if type not in INTEGERS:
            return []
        count, width = min(count, most), TYPE_SIZES[type]
        data, byteorder = inline, "little" if self.order == "<" else "big"
        if self.entries[tag][1] * width > len(inline):
            file.seek(int.from_bytes(inline, byteorder))  # type: ignore[arg-type]
            data = file.read(count * width)
        return [
            int.from_bytes(data[at : at + width], byteorder)  # type: ignore[arg-type]
            for at in range(0, min(len(data), count * width) // width * width, width)
        ]

    def integer(self, file: BinaryIO, tag: int, default: int = 0) -> int:
        """The first value of a tag."""
        return (self.integers(file, tag) or [default])[0]

    def is_photo(self, file: BinaryIO) -> bool:
        """Whether it is neither a thumbnail nor a mask."""
        kind = self.integer(file, NEW_SUBFILE_TYPE)
        return not kind & (REDUCED | MASK) and self.integer(file, SUBFILE_TYPE) != OLD_REDUCED


def read_tiff(file: BinaryIO, max_pixels: int) -> Raster:
    """Read the photo of a TIFF file.

    That is the first directory, or the first SubIFD or later directory that is no thumbnail.

    Args:
        file: the file.
        max_pixels: a larger photo is refused.

    Raises:
        UnsupportedError: the photo is of a kind that can't be read.
        Image.DecompressionBombError: it has more pixels.
        Exception: of tifffile; the file is damaged.
    """
    from tifffile import TiffFile, TiffPage

    index, chosen, several = _find_photo(file)
    if chosen.integer(file, PHOTOMETRIC) in RAW or _is_cr2(file):
        raise UnsupportedError("is a raw photo; develop it, and save it as TIFF or JPEG.")
    file.seek(0)
    with TiffFile(file) as tiff:
        page: Any = tiff.pages.first
        if index != 0:
            tiff.filehandle.seek(chosen.offset)
            page = TiffPage(tiff, index=0)
        _check_page(page, max_pixels)
        if page.photometric == YCBCR and page.compression != JPEG:
            raster = _read_ycbcr(file, index, chosen)
        else:
            raster = _read_samples(page)
        raster.orientation = chosen.integer(file, ORIENTATION, 1)
        profile = page.tags.valueof(ICC_PROFILE, b"")
        raster.profile = bytes(profile) if isinstance(profile, bytes | tuple) else b""
        raster.several = several
        return raster


def _is_cr2(file: BinaryIO) -> bool:
    file.seek(8)
    return file.read(2) == CR2


def _find_photo(file: BinaryIO) -> tuple[int | None, Directory, bool]:
    """Find the photo in a file.

    Returns:
        Its index among the directories (None for a SubIFD), its directory, and whether the file
        holds several photos.
    """
    first = None
    photos: list[tuple[int | None, Directory]] = []
    for index, directory in enumerate(_chain(file)):
        first = first or directory
        if directory.is_photo(file):
            photos.append((index, directory))
        elif not photos:
            for offset in directory.integers(file, SUB_IFDS, TIFF_DIRECTORIES):
                inner = _read_directory(file, offset)
                if inner is not None and inner.is_photo(file):
                    photos.append((None, inner))
                    break
        if len(photos) > 1:
            break
    if first is None:
        raise ValueError("it has no directory")
    _check_directory(file, first)  # tifffile reads this one in any case
    place, chosen = photos[0] if photos else (0, first)
    if chosen is not first:
        _check_directory(file, chosen)
    return place, chosen, len(photos) > 1


def _chain(file: BinaryIO) -> Iterator[Directory]:
    """The directories in order, as many as are searched."""
    file.seek(0)
    start = file.read(16)
    order = "<" if start[:2] == b"II" else ">"
    big = start[:4] in SIGNATURES[2:]
    (offset,) = struct.unpack_from(order + TIFF_LAYOUTS[big][2], start, 8 if big else 4)
    seen: set[int] = set()
    while offset and offset not in seen and len(seen) < TIFF_DIRECTORIES:
        seen.add(offset)
        directory = _read_directory(file, offset)
        if directory is None:
            return
        yield directory
        offset = directory.following


def _read_directory(file: BinaryIO, offset: int) -> Directory | None:
    """A directory; None if it lies outside of the file."""
    file.seek(0)
    start = file.read(4)
    order, big = "<" if start[:2] == b"II" else ">", start in SIGNATURES[2:]
    head, entry, pointer, _ = (order + str(part) for part in TIFF_LAYOUTS[big])
    file.seek(offset)
    data = file.read(struct.calcsize(head))
    if len(data) < struct.calcsize(head):
        return None
    (count,) = struct.unpack(head, data)
    check_count(count, TIFF_ENTRIES, "tags in a directory")
    table = file.read(count * struct.calcsize(entry))
    table = table[: len(table) // struct.calcsize(entry) * struct.calcsize(entry)]
    entries = {tag: (type, n, value) for tag, type, n, value in struct.iter_unpack(entry, table)}
    rest = file.read(struct.calcsize(pointer))
    following = struct.unpack(pointer, rest)[0] if len(rest) == struct.calcsize(pointer) else 0
    return Directory(offset, following, entries, order)


def _check_directory(file: BinaryIO, directory: Directory) -> None:
    """Refuse a directory whose values take too long to read."""
    size = file.seek(0, os.SEEK_END)
    numbers = total = 0
    for tag, (type, count, _) in directory.entries.items():
        if tag in (STRIP_OFFSETS, TILE_OFFSETS):
            check_count(count, TIFF_STRIPS, "strips or tiles")
        length = TYPE_SIZES.get(type, 0) * count
        if length > size:  # it isn't read
            continue
        total += length
        numbers += 0 if type in BYTES else count
    check_count(numbers, TIFF_NUMBERS, "numbers in a directory")
    check_count(total, max(size, 1 << 16), "bytes in its directory, more than in the file")


def _check_page(page: Any, max_pixels: int) -> None:
    """Refuse what can't be read, before it is decoded."""
    from tifffile import TIFF

    for size in ((page.imagewidth, page.imagelength), (page.tilewidth, page.tilelength)):
        if size[0] * size[1] > max_pixels:
            raise Image.DecompressionBombError
    if not page.imagewidth or not page.imagelength:
        raise ValueError("its directory holds no photo")
    if page.samplesperpixel > TIFF_CHANNELS or page.imagedepth > 1:
        raise UnsupportedError("has more channels than a photo; convert it to gray or RGB.")
    if page.photometric not in CHANNELS:
        name = getattr(page.photometric, "name", page.photometric)
        raise UnsupportedError(f"stores its colors as {name}; convert it to RGB.")
    kind = None if page.dtype is None else page.dtype.kind
    if kind in ("f", "c"):
        raise UnsupportedError("has floating-point pixels; convert it to 8 or 16 bits.")
    if kind == "i":
        raise UnsupportedError(SIGNED_PIXELS)
    if kind not in ("b", "u"):
        raise UnsupportedError("has pixels of an unusual depth; convert it to 8 or 16 bits.")
    if page.samplesperpixel < CHANNELS[page.photometric]:
        raise UnsupportedError("has fewer channels than its colors need; convert it to RGB.")
    if page.photometric != YCBCR or page.compression == JPEG:
        try:
            TIFF.DECOMPRESSORS[page.compression]
        except KeyError:
            name = getattr(page.compression, "name", page.compression)
            raise UnsupportedError(
                f"uses the compression {name}, which can't be read; save it with another."
            ) from None
    if len(page.dataoffsets) < np.prod(page.chunked):  # tifffile would look for each of them
        raise ValueError("strips or tiles are missing")


def _check_strips(offsets: Sequence[int], byte_counts: Sequence[int]) -> None:
    """Refuse strips or tiles that tifffile would silently make black; some may be left out."""
    if len(byte_counts) < len(offsets):
        raise ValueError("strips or tiles have no byte counts")
    if not any(offset and count for offset, count in zip(offsets, byte_counts, strict=False)):
        raise ValueError("all strips or tiles are empty")


def _read_samples(page: Any) -> Raster:
    """Pixels of gray, RGB, CMYK or a palette, and the transparency."""
    if not page.is_contiguous:  # otherwise, tifffile needs no byte counts
        _check_strips(page.dataoffsets, page.databytecounts)
    planes = page.asarray(maxworkers=os.cpu_count()).reshape(page.shaped)[:, 0]
    samples = np.moveaxis(planes, 0, 2).reshape(*planes.shape[1:3], -1)  # planes apart or not
    colors = CHANNELS[page.photometric]
    extra = page.extrasamples[0] if page.extrasamples and samples.shape[2] > colors else None
    if page.photometric == PALETTE:
        return Raster(_palette(page.colormap).take(samples[:, :, 0], axis=0, mode="clip"))
    samples = expand_levels(samples, page.bitspersample)
    if page.photometric == WHITE_IS_ZERO:
        samples[:, :, 0] = np.iinfo(samples.dtype).max - samples[:, :, 0]
    if extra == PREMULTIPLIED:
        samples = unpremultiply(samples[:, :, : colors + 1])
    alpha = samples[:, :, colors] if extra in (PREMULTIPLIED, UNASSOCIATED) else None
    return Raster(samples[:, :, :colors], alpha)


def _palette(colormap: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """RGB of each index, (n, 3). Old scanner software wrote 8 bits in place of 16."""
    colors = np.asarray(colormap).reshape(3, -1).T
    return (colors if colors.max() < 256 else colors >> 8).astype(np.uint8)


def _read_ycbcr(file: BinaryIO, index: int | None, directory: Directory) -> Raster:
    """YCbCr samples, subsampled or not, of any compression but JPEG."""
    if index is None:
        raise UnsupportedError("stores its colors as YCBCR in a SubIFD; convert it to RGB.")
    file.seek(0)
    data = bytearray(file.read())
    _set_upright(data, directory)  # libtiff would flip some orientations
    try:
        pixels = imagecodecs.tiff_decode(bytes(data), index=index, asrgb=True)
    except (RuntimeError, ValueError, IndexError) as error:
        raise UnsupportedError("stores its colors as YCBCR; convert it to RGB.") from error
    return Raster(pixels[:, :, :3])


def _set_upright(data: bytearray, directory: Directory) -> None:
    """Overwrite the orientation of a directory with 1."""
    big = bytes(data[:4]) in SIGNATURES[2:]
    head, entry = (struct.calcsize("=" + part) for part in TIFF_LAYOUTS[big][:2])
    for number, tag in enumerate(directory.entries):
        if tag == ORIENTATION:
            at = directory.offset + head + number * entry
            one = struct.pack(directory.order + "HH", tag, 3)
            count = struct.pack(directory.order + ("Q" if big else "I"), 1)
            value = struct.pack(directory.order + "H", 1).ljust(8 if big else 4, b"\0")
            data[at : at + entry] = one + count + value
