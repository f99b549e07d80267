"""How what is known about a photo is written into its file."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any
from xml.dom import minidom

from colorizer.photo.exif import (
    RESOLUTION_UNIT,
    TIFF_IPTC,
    TIFF_LAYOUTS,
    TIFF_XMP,
    X_RESOLUTION,
    Y_RESOLUTION,
    Directory,
    ExifWriter,
    Field,
    read_exif,
    write_exif,
)
from colorizer.photo.metadata import IPTC_RESOURCE, JP2_UUIDS, Metadata
from colorizer.photo.xmp import (
    HISTORY,
    RDF,
    SOURCE_TYPE,
    children,
    edited_xmp,
    properties,
    remove,
)

SEGMENT = 65533  # bytes that one segment of a JPEG holds at most
EXIF_HEADER, XMP_HEADER = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
METERS_PER_INCH = 0.0254
TIFF_ICC = 0x8773
BYTE, ASCII, LONG, UNDEFINED, UTF_8 = 1, 2, 4, 7, 129  # types of TIFF values


def pillow_options(metadata: Metadata, format: str, icc: bytes | None) -> dict[str, Any]:
    """Options for Pillow's `Image.save`.

    WebP, AVIF and HEIF have no place for IPTC. A segment of a JPEG holds 64 kB: of larger EXIF or
    XMP the largest parts are left out, except the mark of an algorithm; larger IPTC is left out.

    Args:
        metadata: what is known about the photo.
        format: "JPEG", "WEBP", "AVIF" or "HEIF".
        icc: the profile of the pixels.
    """
    exif, xmp = metadata.exif, metadata.xmp
    options: dict[str, Any] = {}
    if format == "JPEG":
        exif = _limited_exif(exif, SEGMENT - len(EXIF_HEADER))
        xmp = _limited_xmp(xmp, SEGMENT - len(XMP_HEADER))
        resources = b"Photoshop 3.0\0" + _photoshop_resource(metadata.iptc)
        if metadata.iptc and len(resources) <= SEGMENT:
            options["extra"] = b"\xff\xed" + struct.pack(">H", len(resources) + 2) + resources
        if metadata.dpi is not None:
            options["dpi"] = metadata.dpi
    if exif:
        options["exif"] = EXIF_HEADER + exif
    if xmp:
        options["xmp"] = xmp
    if icc:
        options["icc_profile"] = icc
    return options


def _photoshop_resource(iptc: bytes) -> bytes:
    """IPTC as one of Photoshop's image resources, with an empty name."""
    head = struct.pack(">4sHHI", b"8BIM", IPTC_RESOURCE, 0, len(iptc))
    return head + iptc + bytes(len(iptc) % 2)


def _limited_exif(exif: bytes, limit: int) -> bytes:
    """EXIF of at most `limit` bytes; the largest fields go first."""
    while (excess := len(exif) - limit) > 0:
        order, tags = read_exif(io.BytesIO(exif))
        fields = sorted(_fields(tags), key=lambda item: len(item[2].data), reverse=True)
        for directory, tag, field in fields:
            del directory[tag]
            excess -= 12 + len(field.data)
            if excess <= 0:
                break
        exif = write_exif(order, tags) if fields else b""
    return exif


def _fields(tags: Directory) -> list[tuple[Directory, int, Field]]:
    """Each field with its directory and tag, those of directories within, too."""
    fields = []
    for tag, field in tags.items():
        fields += _fields(field) if isinstance(field, dict) else [(tags, tag, field)]
    return fields


def _limited_xmp(xmp: bytes, limit: int) -> bytes:
    """XMP of at most `limit` bytes; the largest properties and oldest events go first."""

    def shorten(rdf: minidom.Element) -> None:
        parts: list[minidom.Attr | minidom.Element] = []
        for key, node in properties(rdf):
            if key == HISTORY:
                parts += [part for s in children(node, RDF, "Seq") for part in _old_events(s)]
            elif key != SOURCE_TYPE:
                parts.append(node)
        excess = len(xmp) - limit
        for part in sorted(parts, key=_length, reverse=True):
            if excess <= 0:
                break
            excess -= _length(part)
            remove(part)

    while len(xmp) > limit:
        shorter = edited_xmp(xmp, shorten)
        if len(shorter) >= len(xmp):
            return b""
        xmp = shorter
    return xmp


def _old_events(sequence: minidom.Element) -> list[minidom.Element]:
    return children(sequence, RDF, "li")[:-1]


def _length(node: minidom.Attr | minidom.Element) -> int:
    text = node.value if isinstance(node, minidom.Attr) else node.toxml()
    return len(text.encode())


def png_chunks(metadata: Metadata, icc: bytes | None) -> bytes:
    """Chunks of a PNG, to go right after its first one (IHDR).

    Args:
        metadata: what is known about the photo. IPTC is stored as ImageMagick and ExifTool do;
            PNG itself has no place for it.
        icc: the profile of the pixels.
    """
    chunks = b""
    if icc:
        chunks += _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc))
    if metadata.dpi is not None:
        across, down = (round(value / METERS_PER_INCH) for value in metadata.dpi)
        chunks += _chunk(b"pHYs", struct.pack(">2IB", across, down, 1))  # 1: per meter
    if metadata.exif:
        chunks += _chunk(b"eXIf", metadata.exif)
    if metadata.xmp:
        chunks += _chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp)
    if metadata.iptc:
        resource = _photoshop_resource(metadata.iptc)
        profile = f"\niptc\n{len(resource):8}\n{resource.hex()}\n".encode()
        chunks += _chunk(b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(profile))
    return chunks


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jp2_boxes(metadata: Metadata) -> bytes:
    """Boxes to go to the end of a .jp2 file; its resolution is in the EXIF."""
    contents = {"exif": metadata.exif, "xmp": metadata.xmp, "iptc": metadata.iptc}
    return b"".join(
        struct.pack(">I4s", 24 + len(content), b"uuid") + JP2_UUIDS[name] + content
        for name, content in contents.items()
        if content
    )


def tiff_tags(metadata: Metadata, icc: bytes | None) -> list[tuple[int, int, int, bytes, bool]]:
    """Tags for tifffile's `extratags`: all but the resolution and what `append_exif` writes.

    Args:
        metadata: what is known about the photo.
        icc: the profile of the pixels.
    """
    tags: Directory = {}
    if metadata.exif:
        _, tags = read_exif(io.BytesIO(metadata.exif))
    tags |= {
        tag: Field(type, data)
        for tag, type, data in (
            (TIFF_XMP, BYTE, metadata.xmp),
            (TIFF_IPTC, LONG, metadata.iptc + bytes(-len(metadata.iptc) % 4)),  # as Photoshop does
            (TIFF_ICC, UNDEFINED, icc),
        )
        if data
    }
    elsewhere = (X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT)
    return [
        (tag, ASCII if field.type == UTF_8 else field.type, field.count, field.data, True)
        for tag, field in tags.items()
        if isinstance(field, Field) and tag not in elsewhere
    ]


def append_exif(path: Path, metadata: Metadata) -> None:
    """Append the EXIF and GPS directories to a little-endian TIFF, classic or BigTIFF.

    Its first directory is written anew at the end, with tags that point to them.

    Raises:
        ValueError: the file is not such a TIFF.
    """
    if not metadata.exif:
        return
    _, tags = read_exif(io.BytesIO(metadata.exif))
    directories = {tag: field for tag, field in tags.items() if isinstance(field, dict)}
    if not directories:
        return
    with path.open("r+b") as file:
        kind = file.read(4)
        if kind not in (b"II\x2a\0", b"II\x2b\0"):
            raise ValueError(f"{path} is not a little-endian TIFF; write it as one.")
        big = kind == b"II\x2b\0"
        head, entry, pointer, pointer_type = TIFF_LAYOUTS[big]
        width = struct.calcsize(pointer)
        first = file.seek(8 if big else 4)
        file.seek(int.from_bytes(file.read(width), "little"))
        count = int.from_bytes(file.read(struct.calcsize(head)), "little")
        entries = [file.read(struct.calcsize("<" + entry)) for _ in range(count)]
        following = file.read(width)  # where the next directory is
        end = file.seek(0, io.SEEK_END)
        writer = ExifWriter("<", end + end % 2, big=big)
        for tag, directory in directories.items():
            where = struct.pack("<" + pointer, writer.write(directory))
            entries.append(struct.pack("<" + entry, tag, pointer_type, 1, where))
        entries.sort(key=lambda entry: int.from_bytes(entry[:2], "little"))
        table = struct.pack("<" + head, len(entries)) + b"".join(entries) + following
        start = writer.place(table)
        file.write(bytes(end % 2) + writer.buffer)
        file.seek(first)
        file.write(struct.pack("<" + pointer, start))
