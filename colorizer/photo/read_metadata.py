"""Read a photo's metadata from any container. Damaged metadata must not cost the photo."""

import io
import re
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO, TypeVar

from PIL import Image
from PIL.PngImagePlugin import PngStream

from colorizer.photo.exif import (
    HEIGHT,
    ORIENTATION,
    RESOLUTION_UNIT,
    STORAGE_TAGS,
    TIFF_IPTC,
    TIFF_PHOTOSHOP,
    TIFF_XMP,
    WIDTH,
    X_RESOLUTION,
    Y_RESOLUTION,
    Directory,
    Resolution,
    data_of,
    for_upright_srgb,
    integer_of,
    read_exif,
    write_exif,
)
from colorizer.photo.iptc import (
    CAPTION,
    CAPTION_RESOURCE,
    COPYRIGHT_FLAG,
    COPYRIGHT_URL,
    IPTC_RESOURCE,
    RESOURCES_HEADER,
    iptc_records,
    merged_iptc,
    photoshop_resources,
)
from colorizer.photo.limits import MAX_METADATA_BYTES, OversizedError
from colorizer.photo.metadata import Metadata
from colorizer.photo.move import Move
from colorizer.photo.xmp import (
    DUBLIN_CORE,
    MAX_XMP,
    NO_XMP,
    RIGHTS,
    Key,
    add_descriptions,
    add_missing,
    drop_stale,
    edited_xmp,
)

JP2_UUIDS = {
    "exif": b"JpgTiffExif->JP2",
    "xmp": bytes.fromhex("be7acfcb97a942e89c71999491e3afac"),
    "iptc": bytes.fromhex("33c7a4d2b81d4723a0baf1a3e097ad38"),
}
JP2_NAMES = {uuid: name for name, uuid in JP2_UUIDS.items()}
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
EXTENDED_HEADER = len(EXTENDED_XMP) + 32 + 8  # GUID, length of the whole and offset
MAX_TEXTS = 2**20  # characters of all captions of a photo
ENCODER_COMMENT = re.compile("Created by OpenJPEG|Creator: JasPer|Kakadu|Kdu")
Result = TypeVar("Result")
Found = dict[Any, Any]  # by name, as Pillow's info


@dataclass(frozen=True)
class MetadataReading:
    """What was read from a file.

    Attributes:
        metadata: the metadata of the upright photo.
        orientation: EXIF orientation of the stored pixels, 1 to 8.
        damaged: whether some metadata was left out because it is damaged.
        oversized: whether some metadata was left out because it exceeds a limit.
    """

    metadata: Metadata
    orientation: int = 1
    damaged: bool = False
    oversized: bool = False


@dataclass
class _Reader:
    """Reads parts that may be damaged or too large."""

    damaged: bool = False
    oversized: bool = False

    def attempt(self, read: Callable[[], Result], otherwise: Result) -> Result:
        try:
            return read()
        except OversizedError:
            self.oversized = True
            return otherwise
        except Exception:  # damage can raise anything
            self.damaged = True
            return otherwise

    def leave_out(self, tag: int) -> None:
        """Note that a TIFF field is too large, unless it would not be kept in any case."""
        self.oversized |= tag not in STORAGE_TAGS or tag in (TIFF_XMP, TIFF_IPTC, TIFF_PHOTOSHOP)


def read_metadata(image: Image.Image) -> MetadataReading:
    """Read the metadata of the file from which an image was opened.

    Args:
        image: an image opened by Pillow, best before its pixels are loaded: Pillow may then close
            the file, from which much of TIFF, JPEG 2000 and PNG metadata is read.
    """
    if image.format == "TIFF":
        with _file_of(image) as file:
            return read_tiff_metadata(file)
    reader = _Reader()
    found = _container_metadata(image, reader)
    exif = (found.get("exif") or b"").removeprefix(b"Exif\0\0")
    return _read(reader, found, image.format, io.BytesIO(exif), image.size[::-1])


def read_tiff_metadata(file: BinaryIO) -> MetadataReading:
    """Read the metadata of a TIFF file, classic or BigTIFF."""
    file.seek(0)
    return _read(_Reader(), {}, "TIFF", file, None)


def _read(
    reader: _Reader,
    found: Found,
    format: str | None,
    structure: BinaryIO,
    size: tuple[int, int] | None,
) -> MetadataReading:
    nothing: tuple[str, Directory] = "<", {}
    has_exif = bool(structure.read(1))
    structure.seek(0)
    order, tags = nothing
    if has_exif:
        order, tags = reader.attempt(lambda: read_exif(structure, reader.leave_out), nothing)
    size = size or (integer_of(tags, HEIGHT) or 1, integer_of(tags, WIDTH) or 1)
    orientation = integer_of(tags, ORIENTATION) if format != "JPEG2000" else 1
    orientation = orientation if orientation in range(1, 9) else 1
    dpi = _resolution(found, format, tags)
    exif = reader.attempt(lambda: write_exif(order, for_upright_srgb(tags, dpi)), b"")
    resources = found.get("resources") or data_of(tags, TIFF_PHOTOSHOP)
    blocks = [found.get("iptc") or b"", data_of(tags, TIFF_IPTC)]
    blocks += [data for code, data in photoshop_resources(resources) if code == IPTC_RESOURCE]
    iptc, left_out = reader.attempt(lambda: merged_iptc(blocks), (b"", True))
    reader.damaged |= left_out
    xmp = found.get("xmp") or data_of(tags, TIFF_XMP)
    xmp = reader.attempt(lambda: edited_xmp(xmp, drop_stale), b"") if xmp.strip(b"\0 ") else b""
    if extended := found.get("extended_xmp"):
        add = partial(add_descriptions, xmp=extended)
        xmp = reader.attempt(lambda: edited_xmp(edited_xmp(xmp, add), drop_stale), xmp)
    if captions := _resource_captions(resources, iptc):
        add = partial(add_missing, values=captions)
        xmp = reader.attempt(lambda: edited_xmp(xmp or NO_XMP, add), xmp)
    texts = tuple(dict.fromkeys(_texts(found.get("texts", ()), reader)))
    metadata = Metadata(exif, xmp, iptc, texts, dpi).moved(Move(size, orientation))
    return MetadataReading(metadata, orientation, reader.damaged, reader.oversized)


@contextmanager
def _file_of(image: Image.Image) -> Iterator[BinaryIO]:
    """The file from which an image was opened, at its start; its position is restored."""
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


def _container_metadata(image: Image.Image, reader: _Reader) -> Found:
    """Pillow's info, with "exif", "xmp", "iptc", "resources", "extended_xmp" and "texts"."""
    info: Found = dict(image.info)
    if image.format in ("JPEG", "MPO"):
        return info | _jpeg_segments(image, reader)
    if image.format == "JPEG2000":
        return _with_comment(info) | reader.attempt(partial(_jp2_boxes, image, reader), Found())
    if image.format == "GIF":
        return _with_comment(info)
    if image.format == "PNG":
        info |= reader.attempt(partial(_png_chunks, image, reader), Found())
        for kind in ("exif", "xmp", "iptc"):
            if not info.get(kind):
                info[kind] = reader.attempt(partial(_png_profile, info, kind), b"")
        info["resources"] = info["iptc"]  # ImageMagick stores them instead of IPTC
    return info


def _jpeg_segments(image: Image.Image, reader: _Reader) -> Found:
    """Comments, extended XMP and all Photoshop resources of a JPEG."""
    segments = getattr(image, "applist", [])
    resources = b"".join(
        data.removeprefix(RESOURCES_HEADER)
        for kind, data in segments
        if kind == "APP13" and data.startswith(RESOURCES_HEADER)
    )
    resources = resources or b"".join(
        struct.pack(">4sHHI", b"8BIM", code, 0, len(data)) + data + bytes(len(data) % 2)
        for code, data in image.info.get("photoshop", {}).items()
        if isinstance(data, bytes)
    )
    chunks = [data for kind, data in segments if kind == "APP1" and data.startswith(EXTENDED_XMP)]
    xmp = image.info.get("xmp") or b""
    extended = reader.attempt(partial(_joined_xmp, xmp, chunks), b"") if chunks else b""
    comments = [("Comment", data) for kind, data in segments if kind == "COM"]
    return {"resources": resources, "extended_xmp": extended, "texts": comments}


def _joined_xmp(xmp: bytes, chunks: list[bytes]) -> bytes:
    """Join the chunks of extended XMP to which a packet refers (XMP part 3, sec. 1.1.3.1)."""
    reference = re.search(rb"HasExtendedXMP[^0-9A-Fa-f]*([0-9A-Fa-f]{32})", xmp)
    assert reference is not None
    start = EXTENDED_XMP + reference[1]
    joined = bytearray()
    for chunk in sorted(
        (chunk for chunk in chunks if chunk.startswith(start)),
        key=lambda chunk: chunk[EXTENDED_HEADER - 4 : EXTENDED_HEADER],
    ):
        whole, offset = struct.unpack_from(">II", chunk, EXTENDED_HEADER - 8)
        if whole > MAX_XMP:
            raise OversizedError(f"The extended XMP has {whole} bytes; at most {MAX_XMP} are read.")
        if offset != len(joined):
            raise ValueError("Extended XMP is incomplete.")
        joined += chunk[EXTENDED_HEADER:]
    return bytes(joined)


def _jp2_boxes(image: Image.Image, reader: _Reader) -> Found:
    """Contents of the uuid boxes of a JPEG 2000 file (ISO 15444-1, annex I)."""
    found = Found()
    with _file_of(image) as file:
        start = 0
        while len(header := file.read(16)) >= 8:
            size, kind = struct.unpack(">I4s", header[:8])
            head = 16 if size == 1 else 8
            size = int.from_bytes(header[8:16]) if size == 1 else size
            if size < head:  # 0: the box reaches to the end of the file
                break
            if kind == b"uuid":
                file.seek(start + head)
                name = JP2_NAMES.get(file.read(16), "")
                reader.oversized |= bool(name) and size > MAX_METADATA_BYTES
                found[name] = file.read(size - head - 16) if size <= MAX_METADATA_BYTES else b""
            start = file.seek(start + size)
    return found


def _png_chunks(image: Image.Image, reader: _Reader) -> Found:
    """EXIF and texts of a PNG, also those after its pixels."""
    with _file_of(image) as file:
        file.seek(8)
        stream = PngStream(file)
        while (chunk := stream.read())[0] != b"IEND":
            kind, position, length = chunk
            if kind in (b"eXIf", b"tEXt", b"zTXt", b"iTXt"):
                reader.attempt(partial(stream.call, kind, position, length), b"")
            file.seek(position + length + 4)  # after the checksum
        texts = [
            (keyword, text)
            for keyword, text in stream.im_text.items()
            # XML:com.adobe.xmp, and ImageMagick's date:modify, exif:Make and the like
            if ":" not in keyword and not keyword.startswith("Raw profile type ")
        ]
        return dict(stream.im_info) | {"texts": texts}


def _png_profile(info: Found, kind: str) -> bytes:
    """A profile as ImageMagick and ExifTool store it: lines of name, length, hexadecimal bytes."""
    text = info.get(f"Raw profile type {kind}", "")
    return bytes.fromhex("".join(text.strip().split("\n")[2:]))


def _with_comment(info: Found) -> Found:
    comment = info.get("comment") or b""
    return info | {"texts": [("Comment", comment)]}


def _texts(found: Any, reader: _Reader) -> Iterator[tuple[str, str]]:
    """Decode captions; those beyond `MAX_TEXTS` are left out."""
    room = MAX_TEXTS
    for keyword, value in found:
        text = value if isinstance(value, str) else _decoded(value)
        text = text.strip("\0\t\n\r ")
        if not text or ENCODER_COMMENT.match(text):
            continue
        room -= len(text)
        if room < 0:
            reader.oversized = True
            return
        yield str(keyword), str(text)


def _decoded(text: bytes) -> str:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


def _resource_captions(resources: bytes, iptc: bytes) -> dict[Key, str]:
    """XMP properties for the caption and the rights in Photoshop's image resources."""
    found = dict(photoshop_resources(resources))
    captions: dict[Key, str] = {}
    caption = found.get(CAPTION_RESOURCE, b"")
    if not any(key == CAPTION for key, _ in iptc_records(iptc)) and len(caption) > 1:
        captions[DUBLIN_CORE, "description"] = caption[1 : 1 + caption[0]].decode("mac-roman")
    if found.get(COPYRIGHT_FLAG, b"")[:1] == b"\1":
        captions[RIGHTS, "Marked"] = "True"
    if url := found.get(COPYRIGHT_URL):
        captions[RIGHTS, "WebStatement"] = _decoded(url)
    return captions


def _resolution(info: Found, format: str | None, tags: Directory) -> Resolution:
    """Pixels per inch of the container, else of the EXIF; None if neither states it."""
    in_tags = format == "TIFF" or (format in ("JPEG", "MPO") and not info.get("jfif_unit"))
    stated = None if in_tags else info.get("dpi")  # Pillow invents one if there is none
    with suppress(Exception):
        if stated is None:
            across = struct.unpack("<2I", data_of(tags, X_RESOLUTION)[:8])
            down = struct.unpack("<2I", data_of(tags, Y_RESOLUTION)[:8])
            per_inch = {2: 1, 3: 2.54}[integer_of(tags, RESOLUTION_UNIT) or 2]  # 2: inch, 3: cm
            stated = across[0] / across[1] * per_inch, down[0] / down[1] * per_inch
        horizontal, vertical = (round(float(value), 2) for value in stated)
        if 1 <= horizontal <= 65535 and 1 <= vertical <= 65535:  # as in JFIF
            return horizontal, vertical
    return None
