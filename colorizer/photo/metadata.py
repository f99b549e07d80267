"""What is known about a photo besides its pixels: EXIF, XMP, IPTC and resolution."""

import io
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, BinaryIO, Self, TypeVar

from PIL import Image
from PIL.PngImagePlugin import PngStream

from colorizer.photo.exif import (
    GEOTIFF,
    GPS_IFD,
    LARGEST,
    RESOLUTION_UNIT,
    TIFF_IPTC,
    TIFF_PHOTOSHOP,
    TIFF_XMP,
    X_RESOLUTION,
    Y_RESOLUTION,
    Directory,
    Resolution,
    cleaned,
    data_of,
    read_exif,
    without_tags,
    write_exif,
)
from colorizer.photo.xmp import NO_XMP, drop_location, drop_stale, edited_xmp, mark

IPTC_RESOURCE = 0x0404  # among Photoshop's image resources
JP2_UUIDS = {
    "exif": b"JpgTiffExif->JP2",
    "xmp": bytes.fromhex("be7acfcb97a942e89c71999491e3afac"),
    "iptc": bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38"),
}
JP2_NAMES = {uuid: name for name, uuid in JP2_UUIDS.items()}
LOCATION_RECORDS = {(2, dataset) for dataset in (26, 27, 90, 92, 95, 100, 101)}  # IPTC-IIM 4.2
Result = TypeVar("Result")
Found = dict[Any, Any]


@dataclass(frozen=True)
class Metadata:
    """What is known about a photo, true of its pixels shown upright in sRGB.

    Attributes:
        exif: a TIFF structure, without the `Exif\\0\\0` before it; empty if there is none. It
            has the resolution, but no orientation, no thumbnail and no layout of pixels.
        xmp: the packet, RDF/XML in UTF-8; empty if there is none.
        iptc: records of IPTC-IIM; empty if there are none.
        dpi: horizontal and vertical pixels per inch; None if unknown.
    """

    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    dpi: Resolution = None

    @classmethod
    def of(cls, image: Image.Image) -> Self:
        """What the file says that an image was opened from.

        What can't be read of it is left out: a photo must not fail for its metadata.

        Args:
            image: as Pillow has opened it, best before its pixels are loaded: Pillow may close
                its file then, and much of a TIFF, JPEG 2000 or PNG is read from that.
        """
        if image.format == "TIFF":
            with _file_of(image) as file:
                return cls.of_tiff(file)
        info = _found(image)
        exif = io.BytesIO((info.get("exif") or b"").removeprefix(b"Exif\0\0"))
        return cls._of(info, image.format, exif)

    @classmethod
    def of_tiff(cls, file: BinaryIO) -> Self:
        """What a TIFF file says, classic or BigTIFF; as `of`."""
        file.seek(0)
        return cls._of({}, "TIFF", file)

    @classmethod
    def _of(cls, info: Found, format: str | None, structure: BinaryIO) -> Self:
        nothing: tuple[str, Directory] = "<", {}
        order, tags = _attempt(lambda: read_exif(structure), nothing)
        dpi = _attempt(lambda: _resolution(info, format, tags), None)
        exif = _attempt(lambda: write_exif(order, cleaned(tags, dpi)), b"")
        xmp = info.get("xmp") or data_of(tags, TIFF_XMP)
        xmp = _attempt(lambda: edited_xmp(xmp, drop_stale), b"")
        iptc = info.get("iptc") or data_of(tags, TIFF_IPTC) or data_of(tags, TIFF_PHOTOSHOP)
        iptc = _attempt(lambda: _photoshop_iptc(iptc), b"") or iptc
        return cls(exif, xmp, b"".join(record for _, record in iptc_records(iptc)), dpi)

    def without_location(self) -> Self:
        """The same without where the photo was taken and what place it shows.

        Notes of the camera's maker stay, and free texts such as the caption.
        """
        exif = _attempt(lambda: without_tags(self.exif, {GPS_IFD, *GEOTIFF}), b"")
        xmp = _attempt(lambda: edited_xmp(self.xmp, drop_location), b"")
        records = iptc_records(self.iptc)
        iptc = b"".join(record for key, record in records if key not in LOCATION_RECORDS)
        return replace(self, exif=exif, xmp=xmp, iptc=iptc)

    def marked(self, software: str, checkpoint: str) -> Self:
        """The same with XMP that says that an algorithm made the color.

        The digital source type is IPTC's for a composite with elements from a trained model;
        the history gets one more event. It has no time, so that the same input gives the same
        file. XMP that can't be parsed is replaced.

        Args:
            software: name and version, for example "colorizer 0.1.0".
            checkpoint: SHA-256 of the weights, in hexadecimal.
        """
        parameters = f"colorized; checkpoint sha256 {checkpoint}"
        edit = partial(mark, software=software, parameters=parameters)
        xmp = _attempt(lambda: edited_xmp(self.xmp, edit), b"") or edited_xmp(NO_XMP, edit)
        return replace(self, xmp=xmp)


def _attempt(read: Callable[[], Result], otherwise: Result) -> Result:
    """What a reader gives; damage of any kind in metadata must not cost the photo."""
    try:
        return read()
    except Exception:
        return otherwise


@contextmanager
def _file_of(image: Image.Image) -> Iterator[BinaryIO]:
    """The file that an image was opened from, at its start; Pillow reads on where it was."""
    file = getattr(image, "fp", None)
    if file is None:
        with open(getattr(image, "filename", ""), "rb") as file:
            yield file
        return
    position = file.tell()
    file.seek(0)
    try:
        yield file
    finally:
        file.seek(position)


def _found(image: Image.Image) -> Found:
    """Pillow's notes on an image, with "exif", "xmp" and "iptc" for those of its container."""
    info, more = dict(image.info), Found()
    if image.format in ("JPEG", "MPO"):
        more["iptc"] = info.get("photoshop", {}).get(IPTC_RESOURCE, b"")
    elif image.format == "JPEG2000":
        more = _attempt(partial(_jp2_boxes, image), more)
    elif image.format == "PNG":
        more = info | _attempt(partial(_png_notes, image), more)
        for kind in ("exif", "xmp", "iptc"):
            if not more.get(kind):
                more[kind] = _attempt(partial(_png_profile, more, kind), b"")
    return info | more


def _jp2_boxes(image: Image.Image) -> Found:
    """What the uuid boxes of a JPEG 2000 file hold (ISO 15444-1, annex I)."""
    found = Found()
    with _file_of(image) as file:
        start = 0
        while len(header := file.read(16)) >= 8:
            size, kind = struct.unpack(">I4s", header[:8])
            head = 16 if size == 1 else 8
            size = int.from_bytes(header[8:16]) if size == 1 else size
            if size < head:  # 0: it reaches to the end of the file
                break
            if kind == b"uuid" and size <= LARGEST:
                file.seek(start + head)
                name = JP2_NAMES.get(file.read(16), "")
                found[name] = file.read(size - head - 16)
            start = file.seek(start + size)
    return found


def _png_notes(image: Image.Image) -> Found:
    """Pillow's notes on a PNG's texts, of which it sees those behind the pixels late."""
    with _file_of(image) as file:
        file.seek(8)
        stream = PngStream(file)
        while (chunk := stream.read())[0] != b"IEND":
            kind, position, length = chunk
            if kind in (b"eXIf", b"tEXt", b"zTXt", b"iTXt") and length <= LARGEST:
                _attempt(partial(stream.call, kind, position, length), b"")
            file.seek(position + length + 4)  # after the checksum
        return dict(stream.im_info)


def _png_profile(info: Found, kind: str) -> bytes:
    """A profile as ImageMagick and ExifTool store it: lines of name, length, hexadecimal bytes."""
    text = info.get(f"Raw profile type {kind}", "")
    return bytes.fromhex("".join(text.strip().split("\n")[2:]))


def _resolution(info: Found, format: str | None, tags: Directory) -> Resolution:
    """Pixels per inch, as the container has them, else the EXIF."""
    in_tags = format == "TIFF" or (format in ("JPEG", "MPO") and not info.get("jfif_unit"))
    stated = None if in_tags else info.get("dpi")  # Pillow makes it up where there is none
    if stated is None:
        across = struct.unpack("<2I", data_of(tags, X_RESOLUTION)[:8])
        down = struct.unpack("<2I", data_of(tags, Y_RESOLUTION)[:8])
        unit = int.from_bytes(data_of(tags, RESOLUTION_UNIT)[:2], "little") or 2
        per_inch = {2: 1, 3: 2.54}[unit]  # 2: inch, 3: cm
        stated = across[0] / across[1] * per_inch, down[0] / down[1] * per_inch
    horizontal, vertical = (round(float(value), 2) for value in stated)
    plausible = 1 <= horizontal <= 65535 and 1 <= vertical <= 65535  # as in JFIF
    return (horizontal, vertical) if plausible else None


def iptc_records(iptc: bytes) -> Iterator[tuple[tuple[int, int], bytes]]:
    """(record, dataset) and all bytes of each entry, up to the first damaged one."""
    at = 0
    while iptc[at : at + 1] == b"\x1c" and at + 5 <= len(iptc):
        record, dataset, size = struct.unpack_from(">BBH", iptc, at + 1)
        start = at + 5
        if size & 0x8000:  # the size follows, in that many bytes
            start += size & 0x7FFF
            size = int.from_bytes(iptc[at + 5 : start])
        if start + size > len(iptc):
            return
        yield (record, dataset), iptc[at : start + size]
        at = start + size


def _photoshop_iptc(resources: bytes) -> bytes:
    """The IPTC among Photoshop's image resources; empty if they are none, or have none."""
    resources = resources.removeprefix(b"Photoshop 3.0\0")
    at = 0
    while resources[at : at + 4] == b"8BIM":
        code, length = struct.unpack_from(">HB", resources, at + 4)
        at += 6 + (length + 2) // 2 * 2  # a name of even size, with the byte for its length
        (size,) = struct.unpack_from(">I", resources, at)
        if code == IPTC_RESOURCE:
            return resources[at + 4 : at + 4 + size]
        at += 4 + (size + 1) // 2 * 2
    return b""
