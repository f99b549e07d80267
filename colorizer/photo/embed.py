"""Write a photo's metadata into its file."""

import io
import struct
import zlib
from functools import partial
from hashlib import md5
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
from colorizer.photo.iptc import RESOURCES_HEADER, photoshop_resource
from colorizer.photo.metadata import Metadata
from colorizer.photo.read_metadata import EXTENDED_HEADER, EXTENDED_XMP, JP2_UUIDS
from colorizer.photo.xmp import (
    NO_XMP,
    NOTE,
    PREFIXES,
    RDF,
    SOURCE_TYPE,
    TEXT_PROPERTIES,
    add_missing,
    edited_xmp,
    properties,
    remove_all,
)

SEGMENT = 65533  # bytes in one segment of a JPEG
EXIF_HEADER, XMP_HEADER = b"Exif\0\0", b"http://ns.adobe.com/xap/1.0/\0"
METERS_PER_INCH = 0.0254
REFERENCE_BYTES = 200  # for the property that refers to extended XMP
TIFF_ICC = 0x8773
BYTE, ASCII, LONG, UNDEFINED, UTF_8 = 1, 2, 4, 7, 129  # types of TIFF values


def pillow_options(metadata: Metadata, format: str, icc: bytes | None) -> dict[str, Any]:
    """Return options for Pillow's `Image.save`.

    WebP, AVIF and HEIF can't hold IPTC. A segment of a JPEG holds 64 kB: the largest fields of
    larger EXIF are left out, larger XMP goes on as extended XMP, and larger IPTC in further
    segments.

    Args:
        metadata: the metadata of the photo.
        format: "JPEG", "WEBP", "AVIF" or "HEIF".
        icc: the ICC profile of the pixels.
    """
    exif, xmp = metadata.exif, _xmp_with_texts(metadata, native=("Comment",) * (format == "JPEG"))
    options: dict[str, Any] = {}
    if format == "JPEG":
        exif = _limited_exif(exif, SEGMENT - len(EXIF_HEADER))
        xmp, extended = _split_xmp(xmp, SEGMENT - len(XMP_HEADER))
        options["extra"] = b""
        if metadata.iptc:
            resource = photoshop_resource(metadata.iptc)
            options["extra"] += _segments(0xED, RESOURCES_HEADER, resource)
        for start in range(0, len(extended), SEGMENT - EXTENDED_HEADER):
            digest = md5(extended, usedforsecurity=False).hexdigest().upper().encode()
            head = EXTENDED_XMP + digest + struct.pack(">II", len(extended), start)
            part = extended[start : start + SEGMENT - EXTENDED_HEADER]
            options["extra"] += _segments(0xE1, head, part)
        for keyword, text in metadata.texts:
            if keyword == "Comment":
                options["extra"] += _segments(0xFE, b"", text.encode())
        if metadata.dpi is not None:
            options["dpi"] = metadata.dpi
    if exif:
        options["exif"] = EXIF_HEADER + exif
    if xmp:
        options["xmp"] = xmp
    if icc:
        options["icc_profile"] = icc
    return options


def _segments(marker: int, head: bytes, data: bytes) -> bytes:
    """Segments of a JPEG with a kind's header each."""
    step = SEGMENT - len(head)
    return b"".join(
        struct.pack(">BBH", 0xFF, marker, 2 + len(head) + len(data[at : at + step]))
        + head
        + data[at : at + step]
        for at in range(0, len(data), step)
    )


def _xmp_with_texts(metadata: Metadata, native: tuple[str, ...] = ()) -> bytes:
    """XMP with the captions for which a format has no place of its own."""
    values: dict[tuple[str, str], str] = {}
    for keyword, text in metadata.texts:
        if keyword in TEXT_PROPERTIES and keyword not in native:
            key = TEXT_PROPERTIES[keyword]
            values[key] = f"{values[key]}\n{text}" if key in values else text
    if not values:
        return metadata.xmp
    return edited_xmp(metadata.xmp or NO_XMP, partial(add_missing, values=values))


def _limited_exif(exif: bytes, limit: int) -> bytes:
    """Drop the largest fields of EXIF until it has at most `limit` bytes."""
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
    """Return each field with its directory and tag, also from inner directories."""
    fields = []
    for tag, field in tags.items():
        fields += _fields(field) if isinstance(field, dict) else [(tags, tag, field)]
    return fields


def _split_xmp(xmp: bytes, limit: int) -> tuple[bytes, bytes]:
    """Split XMP into a packet of at most `limit` bytes and extended XMP (XMP part 3, 1.1.3.1).

    The largest properties move to the extended XMP, but never the mark of an algorithm.
    """
    if len(xmp) <= limit:
        return xmp, b""
    moved: list[tuple[str, str]] = []

    def keep(rdf: minidom.Element) -> None:
        sizes = [(_length(node), key, node) for key, node in properties(rdf) if key != SOURCE_TYPE]
        excess = len(xmp) + REFERENCE_BYTES - limit
        removed = []
        for length, key, node in sorted(sizes, key=lambda item: item[0], reverse=True):
            if excess <= 0:
                break
            excess -= length
            moved.append(key)
            removed.append(node)
        remove_all(removed)

    def drop(rdf: minidom.Element) -> None:
        remove_all([node for key, node in properties(rdf) if key not in moved])

    def refer(rdf: minidom.Element) -> None:
        description = rdf.getElementsByTagNameNS(RDF, "Description")[0]
        description.setAttribute(f"xmlns:{PREFIXES[NOTE]}", NOTE)
        digest = md5(extended, usedforsecurity=False).hexdigest().upper()
        description.setAttributeNS(NOTE, f"{PREFIXES[NOTE]}:HasExtendedXMP", digest)

    main = edited_xmp(xmp, keep)
    extended = edited_xmp(xmp, drop).partition(b"?>\n")[2].rpartition(b"\n<?xpacket")[0]
    main = edited_xmp(main, refer)
    return (main, extended) if len(main) <= limit else (b"", b"")


def _length(node: minidom.Attr | minidom.Element) -> int:
    text = node.value if isinstance(node, minidom.Attr) else node.toxml()
    return len(text.encode())


def png_chunks(metadata: Metadata, icc: bytes | None) -> bytes:
    """Return chunks of a PNG that belong right after its first one (IHDR).

    Args:
        metadata: the metadata of the photo. PNG has no place for IPTC, which is stored as by
            ImageMagick and ExifTool.
        icc: the ICC profile of the pixels.
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
        resource = photoshop_resource(metadata.iptc)
        profile = f"\niptc\n{len(resource):8}\n{resource.hex()}\n".encode()
        chunks += _chunk(b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(profile))
    for keyword, text in metadata.texts:
        key = keyword.encode("latin-1", "replace")
        try:
            chunks += _chunk(b"tEXt", key + b"\0" + text.encode("latin-1"))
        except UnicodeEncodeError:
            chunks += _chunk(b"iTXt", key + b"\0\0\0\0\0" + text.encode())
    return chunks


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def jp2_boxes(metadata: Metadata) -> bytes:
    """Return boxes that belong at the end of a .jp2 file; its resolution is in the EXIF."""
    contents = {"exif": metadata.exif, "xmp": _xmp_with_texts(metadata), "iptc": metadata.iptc}
    return b"".join(
        struct.pack(">I4s", 24 + len(content), b"uuid") + JP2_UUIDS[name] + content
        for name, content in contents.items()
        if content
    )


def tiff_tags(metadata: Metadata, icc: bytes | None) -> list[tuple[int, int, int, bytes, bool]]:
    """Return tags for tifffile's `extratags`, without the resolution and `append_exif`'s tags.

    Args:
        metadata: the metadata of the photo.
        icc: the ICC profile of the pixels.
    """
    tags: Directory = {}
    if metadata.exif:
        _, tags = read_exif(io.BytesIO(metadata.exif))
    tags |= {
        tag: Field(type, data)
        for tag, type, data in (
            (TIFF_XMP, BYTE, _xmp_with_texts(metadata)),
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

    The first directory is written again at the end, with tags that point to them.

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
