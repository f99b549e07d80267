"""EXIF: TIFF structures, read and written by tag."""

import io
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from fractions import Fraction
from typing import Any, BinaryIO, TypeAlias

import numpy as np

from colorizer.photo.limits import MAX_METADATA_BYTES

# TIFF 6.0, sec. 2; 13 is IFD, 16 to 18 are BigTIFF's, 129 is EXIF 3.0's UTF-8
TYPE_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8}
TYPE_SIZES |= {13: 4, 16: 8, 17: 8, 18: 8, 129: 1}
OFFSET_TYPES = (13, 16, 17, 18)
EXIF_IFD, GPS_IFD, INTEROP_IFD, MAKER_NOTE = 0x8769, 0x8825, 0xA005, 0x927C
SUBDIRECTORIES: dict[int, Any] = {EXIF_IFD: {INTEROP_IFD: {}}, GPS_IFD: {}}
WIDTH, HEIGHT, ORIENTATION, COLOR_SPACE = 0x0100, 0x0101, 0x0112, 0xA001
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
TIFF_XMP, TIFF_IPTC, TIFF_PHOTOSHOP = 0x02BC, 0x83BB, 0x8649
STORAGE_TAGS = {  # tags of IFD0 that describe the pixel data, or whose content is kept elsewhere
    *range(0x00FE, 0x010B),  # size, bits, compression, photometric interpretation
    *range(0x0111, 0x011D),  # strips, orientation, resolution, planes
    *range(0x0120, 0x0129),  # free space, gray response, fax options, resolution unit
    *range(0x013D, 0x0215),  # predictor, color map, tiles, samples, old-style JPEG, thumbnail
    *range(0xC612, 0xC800),  # DNG
    *(0x012D, TIFF_XMP, TIFF_IPTC, TIFF_PHOTOSHOP, 0x8773, 0x935C, 0xEA1C),  # ICC, layers, padding
}
EXIF_STORAGE_TAGS = {0x9102, 0xA002, 0xA003, 0xA500, 0xEA1C}  # bit rate, size, gamma, padding
GEOTIFF_TAGS = {0x830E, 0x8482, 0x85D8, 0x87AF, 0x87B0, 0x87B1}
TIFF_LAYOUTS = {  # classic and BigTIFF: formats of a count, an entry, an offset; an offset's type
    False: ("H", "HHI4s", "I", 4),
    True: ("Q", "HHQ8s", "Q", 16),
}

Directory: TypeAlias = "dict[int, Field | Directory]"  # an IFD, by tag
Resolution = tuple[float, float] | None


@dataclass(frozen=True)
class Field:
    """A value of a TIFF tag: its type, its little-endian bytes and their offset in the file."""

    type: int
    data: bytes
    offset: int = dataclass_field(default=0, compare=False)

    @property
    def count(self) -> int:
        """Number of values."""
        return len(self.data) // TYPE_SIZES[self.type]


def _little_endian(data: bytes, type: int, order: str) -> bytes:
    """Convert bytes of a TIFF type to or from little-endian order."""
    size = 4 if type in (5, 10) else TYPE_SIZES[type]  # a rational is two numbers
    if order == "<" or size == 1:
        return data
    return np.frombuffer(data, f"u{size}").byteswap().tobytes()


def data_of(tags: Directory, tag: int) -> bytes:
    """Return the bytes of a field in little-endian order; empty if there is no such field."""
    field = tags.get(tag)
    return field.data if isinstance(field, Field) else b""


def integer_of(tags: Directory, tag: int) -> int:
    """Return the first value of an integer field; 0 if there is no such field."""
    field = tags.get(tag)
    if not isinstance(field, Field):
        return 0
    return int.from_bytes(field.data[: TYPE_SIZES[field.type]], "little")


def read_exif(
    file: BinaryIO, leave_out: Callable[[int], None] = lambda tag: None
) -> tuple[str, Directory]:
    """Read a TIFF structure, classic or BigTIFF.

    Args:
        file: a file that starts with the structure.
        leave_out: called with the tag of a field that exceeds `MAX_METADATA_BYTES`.

    Returns:
        The byte order ("<" or ">") and the first directory, with the EXIF, GPS and
        interoperability directories in place of the tags that point to them. Fields that lie
        outside the file are left out.

    Raises:
        KeyError, struct.error: the file is no TIFF structure.
    """
    order = {b"II": "<", b"MM": ">"}[file.read(2)]
    big = struct.unpack(order + "H", file.read(2)) == (43,)
    head, entry, pointer, _ = (order + str(part) for part in TIFF_LAYOUTS[big])
    file.seek(8 if big else 4)
    (start,) = struct.unpack(pointer, file.read(struct.calcsize(pointer)))
    budget, end = MAX_METADATA_BYTES, file.seek(0, io.SEEK_END)

    def read_directory(offset: int, subdirectories: dict[int, Any]) -> Directory:
        nonlocal budget
        file.seek(offset)
        (count,) = struct.unpack(head, file.read(struct.calcsize(head)))
        width = struct.calcsize(entry)
        table = file.read(min(count, 65535) * width)
        table = table[: len(table) // width * width]
        tags: Directory = {}
        for tag, type, count, inline in struct.iter_unpack(entry, table):
            size = TYPE_SIZES.get(type, 0) * count
            where = int.from_bytes(inline, "little" if order == "<" else "big")
            if size > budget and where + size <= end:
                leave_out(tag)
            if not 0 < size <= budget:
                continue
            if size <= len(inline):
                where, data = 0, inline[:size]
            else:
                file.seek(where)
                data = file.read(size)
            if len(data) < size:
                continue
            budget -= size
            data = _little_endian(data, type, order)
            if tag not in subdirectories:
                tags[tag] = Field(type, data, where)
                continue
            with suppress(Exception):  # a damaged directory is left out
                inner = int.from_bytes(data, "little")
                if directory := read_directory(inner, subdirectories[tag]):
                    tags[tag] = directory
        return tags

    return order, read_directory(start, SUBDIRECTORIES)


class ExifWriter:
    """Lays out TIFF directories one after another.

    Args:
        order: byte order, "<" or ">".
        base: offset in the file at which the bytes will be written.
        fixed: a field that keeps its offset, because maker notes contain offsets in the file.
        big: whether to write BigTIFF.
    """

    def __init__(
        self, order: str, base: int = 0, fixed: Field | None = None, big: bool = False
    ) -> None:
        self.order, self.base, self.fixed = order, base, fixed
        self.layout = TIFF_LAYOUTS[big]
        self.buffer = bytearray()

    def place(self, data: bytes) -> int:
        """Append bytes at an even offset and return it."""
        start = len(self.buffer) + len(self.buffer) % 2
        if self.fixed is not None:
            end = self.fixed.offset + len(self.fixed.data)
            if start < end and start + len(data) > self.fixed.offset:
                start = end + end % 2
        self._put(start, data)
        return self.base + start

    def write(self, tags: Directory) -> int:
        """Append a directory with its fields and return its offset."""
        head, entry, pointer, pointer_type = self.layout
        width = struct.calcsize("=" + pointer)
        size = struct.calcsize("=" + head) + struct.calcsize("=" + entry) * len(tags) + width
        start = self.place(bytes(size))  # ends with 0: no further directory
        table = struct.pack(self.order + head, len(tags))
        for tag, field in sorted(tags.items(), key=lambda item: item[0]):
            if isinstance(field, dict):
                type, count = pointer_type, 1
                value = struct.pack(self.order + pointer, self.write(field))
            else:
                type, count = field.type, field.count
                value = _little_endian(field.data, type, self.order)
                if len(value) > width:
                    value = struct.pack(self.order + pointer, self._offset_of(field, value))
            table += struct.pack(self.order + entry, tag, type, count, value)
        self._put(start - self.base, table)
        return start

    def _offset_of(self, field: Field, value: bytes) -> int:
        if field is not self.fixed:
            return self.place(value)
        self._put(field.offset, value)
        return field.offset

    def _put(self, start: int, data: bytes) -> None:
        self.buffer.extend(bytes(max(0, start + len(data) - len(self.buffer))))
        self.buffer[start : start + len(data)] = data


def write_exif(order: str, tags: Directory) -> bytes:
    """Write a directory as a TIFF structure, empty for no tags; the inverse of `read_exif`."""
    if not tags:
        return b""
    photo = tags.get(EXIF_IFD)
    note = photo.get(MAKER_NOTE) if isinstance(photo, dict) else None
    near = isinstance(note, Field) and 8 <= note.offset < 2**16  # as in files but TIFF
    writer = ExifWriter(order, fixed=note if near and isinstance(note, Field) else None)
    writer.place(struct.pack(order + "2sHI", b"II" if order == "<" else b"MM", 42, 8))
    start = writer.write(tags)
    struct.pack_into(order + "I", writer.buffer, 4, start)
    return bytes(writer.buffer)


def edited_exif(exif: bytes, change: Callable[[Directory], None]) -> bytes:
    """Change the first directory of a TIFF structure."""
    order, tags = read_exif(io.BytesIO(exif))
    change(tags)
    return write_exif(order, tags)


def without_tags(exif: bytes, dropped: set[int]) -> bytes:
    """Return a TIFF structure without some tags of its first directory."""
    order, tags = read_exif(io.BytesIO(exif))
    return write_exif(order, {tag: field for tag, field in tags.items() if tag not in dropped})


def for_upright_srgb(tags: Directory, dpi: Resolution) -> Directory:
    """Drop tags that are wrong for upright sRGB pixels in any layout, and set the resolution."""
    tags = _without(tags, STORAGE_TAGS)
    for tag in (EXIF_IFD, GPS_IFD):
        if isinstance(directory := tags.pop(tag, None), dict) and (
            kept := _without(directory, EXIF_STORAGE_TAGS if tag == EXIF_IFD else set())
        ):
            tags[tag] = kept
    photo = tags.get(EXIF_IFD)
    if isinstance(photo, dict):
        if COLOR_SPACE in photo:
            photo[COLOR_SPACE] = Field(3, b"\1\0")  # sRGB
        interop = photo.get(INTEROP_IFD)
        if isinstance(interop, dict) and data_of(interop, 1)[:3] == b"R03":  # Adobe RGB
            del photo[INTEROP_IFD]
    if dpi is not None:
        for tag, value in zip((X_RESOLUTION, Y_RESOLUTION), dpi, strict=True):
            ratio = Fraction(round(value * 100), 100)
            tags[tag] = Field(5, struct.pack("<2I", ratio.numerator, ratio.denominator))
        tags[RESOLUTION_UNIT] = Field(3, b"\2\0")  # inch
    return tags


def _without(tags: Directory, dropped: set[int]) -> Directory:
    return {
        tag: field
        for tag, field in tags.items()
        if tag not in dropped and not (isinstance(field, Field) and field.type in OFFSET_TYPES)
    }
