"""What is known about a photo: it is read, cleaned and marked, and damage in it costs no photo."""

import io
import struct
import zlib
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image
from PIL.ExifTags import IFD
from PIL.PngImagePlugin import PngInfo

from colorizer.photo.exif import (
    EXIF_IFD,
    GPS_IFD,
    INTEROP_IFD,
    MAKER_NOTE,
    Directory,
    Field,
    write_exif,
)
from colorizer.photo.metadata import Metadata
from colorizer.photo.xmp import COMPOSITE
from tests.helpers.metadata import (
    IPTC,
    KEPT,
    NOTE,
    PHOTO,
    RESOLUTION,
    XMP,
    exif,
    full_metadata,
    image_with,
    metadata_of,
    record,
    tags_of,
)


def properties(xmp: bytes) -> dict[str, Any]:
    """Of the descriptions: texts of attributes and elements, by "{namespace}name"."""
    found: dict[str, Any] = {}
    for description in ElementTree.fromstring(xmp).iterfind(".//{*}RDF/{*}Description"):
        found |= description.attrib
        found |= {child.tag: "".join(child.itertext()).strip() for child in description}
    return {name.rpartition("/")[2].replace("}", ":"): text for name, text in found.items()}


def opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def saved(format: str, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.new("L", (3, 2)).save(file, format, **options)
    return file.getvalue()


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_is_kept_whole(order: str) -> None:
    metadata = full_metadata(order)
    assert metadata.exif[:2] == (b"II" if order == "<" else b"MM")
    assert tags_of(metadata) == KEPT | RESOLUTION
    assert metadata.dpi == (300, 600)


@pytest.mark.parametrize("order", ["<", ">"])
def test_notes_of_the_maker_stay_where_they_were(order: str) -> None:
    for metadata in (full_metadata(order), full_metadata(order).without_location()):
        assert metadata.exif[NOTE.offset :].startswith(NOTE.data)


def test_pillow_reads_the_exif_that_is_kept() -> None:
    tags = Image.Exif()
    tags.load(full_metadata(">").exif)
    assert tags[0x010F] == "Leica"
    assert tags[0x011B] == 600
    assert tags.get_ifd(GPS_IFD)[2] == (47, 22, 30)
    assert tags.get_ifd(EXIF_IFD)[MAKER_NOTE] == NOTE.data


def test_what_is_not_true_of_upright_srgb_pixels_is_dropped() -> None:
    stale: Directory = {
        0x0100: Field(4, struct.pack("<I", 9)),  # width
        0x0103: Field(3, b"\6\0"),  # compression
        0x0111: Field(4, struct.pack("<I", 9)),  # strips
        0x0112: Field(3, b"\6\0"),  # orientation
        0x014A: Field(13, struct.pack("<I", 8)),  # further directories
        0x0201: Field(4, struct.pack("<I", 9)),  # thumbnail
        0x8773: Field(7, b"an ICC profile"),
    }
    photo: Directory = {
        0xA002: Field(4, struct.pack("<I", 9)),
        0xA003: Field(4, struct.pack("<I", 9)),
        0xA001: Field(3, b"\xff\xff"),  # uncalibrated
        INTEROP_IFD: {1: Field(2, b"R03\0")},  # Adobe RGB
    }
    tags = exif(tags=stale | {EXIF_IFD: PHOTO | photo})
    rest = {tag: field for tag, field in PHOTO.items() if tag != INTEROP_IFD}
    cleaned = tags_of(metadata_of(image_with(tags)))
    assert cleaned == KEPT | RESOLUTION | {EXIF_IFD: rest}


def test_thumbnail_directory_is_dropped() -> None:
    data = exif()
    thumbnail = b"\xff\xd8 a stale thumbnail \xff\xd9"
    directory = struct.pack("<HHHII", 1, 0x0201, 4, 1, len(data) + 18) + bytes(4)
    end = 10 + 12 * struct.unpack_from("<H", data, 8)[0]
    with_thumbnail = bytearray(data + directory + thumbnail)
    struct.pack_into("<I", with_thumbnail, end, len(data))
    image = image_with(bytes(with_thumbnail))
    assert image.getexif().get_ifd(IFD.IFD1)
    metadata = metadata_of(image)
    assert thumbnail not in metadata.exif
    assert struct.unpack_from("<I", metadata.exif, end) == (0,)
    assert tags_of(metadata) == KEPT | RESOLUTION


def test_exif_gets_the_resolution_of_the_container() -> None:
    metadata = metadata_of(image_with(exif(), dpi=(96, 72.5)))
    assert metadata.dpi == (96, 72.5)
    tags = tags_of(metadata)
    assert [tags[tag].data for tag in (0x011A, 0x011B)] == [  # type: ignore[union-attr]
        struct.pack("<2I", 96, 1),
        struct.pack("<2I", 145, 2),
    ]


def test_resolution_in_centimeters() -> None:
    tags = exif(tags={0x0128: Field(3, b"\3\0")})
    assert metadata_of(image_with(tags)).dpi == (762, 1524)


@pytest.mark.parametrize("dpi", [(0, 0), (1e9, 1e9), (float("nan"), 72), ("a", "b"), 72, (72,)])
def test_impossible_resolution_is_none(dpi: Any) -> None:
    assert metadata_of(image_with(dpi=dpi)) == Metadata()


def test_resolution_that_is_not_stated_is_none() -> None:
    image = opened(saved("JPEG", exif=b"Exif\0\0" + write_exif("<", KEPT)))
    assert image.info["dpi"]  # made up by Pillow
    assert metadata_of(image).dpi is None


def test_xmp_keeps_what_it_does_not_know_and_drops_what_is_stale() -> None:
    metadata = full_metadata()
    before, after = properties(XMP), properties(metadata.xmp)
    dropped = {name.rpartition(":")[2] for name in before if name not in after}
    assert dropped == {"Orientation", "PixelXDimension", "Thumbnails"}
    assert {name: before[name] for name in after} == after
    assert b"xmlns:mine" in metadata.xmp
    assert b"A&#xA;B" in metadata.xmp


def test_location_goes_and_nothing_else() -> None:
    metadata = full_metadata()
    placeless = metadata.without_location()
    rest = {tag: field for tag, field in KEPT.items() if tag != GPS_IFD}
    assert tags_of(placeless) == rest | RESOLUTION
    assert struct.pack("<6I", 47, 1, 22, 1, 30, 1) not in placeless.exif
    before, after = properties(metadata.xmp), properties(placeless.xmp)
    dropped = {name.rpartition(":")[2] for name in before if name not in after}
    assert dropped == {"City", "GPSLatitude", "Location", "LocationShown"}
    assert {name: before[name] for name in after} == after
    assert placeless.iptc == IPTC.replace(record(90, b"Zurich"), b"")
    assert placeless.dpi == metadata.dpi


@pytest.mark.parametrize("xmp", [XMP, b"", b"<no xmp", b"<a/>", b"\xff\xfe\0", b"<!DOCTYPE a><a/>"])
def test_mark(xmp: bytes) -> None:
    unmarked = Metadata(xmp=xmp)
    marked = unmarked.marked("colorizer <1.0>", "0123abcd")
    found = properties(marked.xmp)
    assert marked.xmp.count(b"<Iptc4xmpExt:DigitalSourceType") == 1
    assert [text for name, text in found.items() if name.endswith(":DigitalSourceType")] == [
        COMPOSITE
    ]
    events = ElementTree.fromstring(marked.xmp).findall(".//{*}History/{*}Seq/{*}li")
    assert len(events) == (2 if xmp == XMP else 1)
    event = {child.tag.rpartition("#")[2].strip("}"): child.text for child in events[-1]}
    assert [text for name, text in sorted(event.items())] == [
        "edited",
        "colorized; checkpoint sha256 0123abcd",
        "colorizer <1.0>",
    ]
    assert marked == unmarked.marked("colorizer <1.0>", "0123abcd")
    again = marked.marked("colorizer <1.0>", "0123abcd")
    assert again.xmp.count(b"DigitalSourceType") == marked.xmp.count(b"DigitalSourceType")
    if xmp == XMP:
        assert set(events[0].attrib.values()) == {"created", "scanner"}
        before = properties(XMP)
        changed = {name.rpartition(":")[2] for name in before if found[name] != before[name]}
        assert changed == {"DigitalSourceType", "History"}


def test_entities_are_not_expanded() -> None:
    bomb = b'<!DOCTYPE a [<!ENTITY e "boom">]>' + XMP.partition(b"?>")[2].replace(b"attic", b"&e;")
    assert metadata_of(image_with(xmp=bomb)).xmp == b""
    assert b"boom" not in Metadata(xmp=bomb).marked("colorizer", "0").xmp


def test_mark_has_no_time() -> None:
    assert b"when" not in Metadata().marked("colorizer", "0").xmp


def truncations(data: bytes) -> list[bytes]:
    return [data[:end] for end in range(0, len(data), max(1, len(data) // 60))]


@pytest.mark.slow
def test_damaged_metadata_never_raises() -> None:
    random = np.random.default_rng(0)
    for part, whole in (("exif", exif()), ("exif", exif(">")), ("xmp", XMP), ("iptc", IPTC)):
        damaged = [random.bytes(size) for size in (1, 10, 1000)] + truncations(whole)
        for _ in range(200):
            bytes_ = np.frombuffer(whole, np.uint8).copy()
            at = random.integers(0, len(whole), 8)
            bytes_[at] = random.integers(0, 256, 8)
            damaged.append(bytes_.tobytes())
        for data in damaged:
            metadata = metadata_of(image_with(**{part: data}))
            metadata = metadata.without_location().marked("colorizer", "0")
            assert ElementTree.fromstring(metadata.xmp).findall(".//{*}History/{*}Seq/{*}li")
            metadata = Metadata(**{part: data}).without_location().marked("colorizer", "0")
            assert ElementTree.fromstring(metadata.xmp).findall(".//{*}History/{*}Seq/{*}li")


def test_directories_that_contain_themselves_end() -> None:
    looped = write_exif("<", KEPT | {EXIF_IFD: Field(4, struct.pack("<I", 8))})
    assert tags_of(metadata_of(image_with(looped)))[0x010F] == KEPT[0x010F]


def test_claims_of_a_huge_size_take_no_memory() -> None:
    entries = [struct.pack("<HHII", tag, 7, 2**32 - 1, 8) for tag in range(0x9000, 0x9100)]
    table = struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4)
    assert metadata_of(image_with(b"II\x2a\0\x08\0\0\0" + table)) == Metadata()


@pytest.mark.slow
def test_deep_xmp_is_left_out() -> None:
    deep = XMP.replace(b"attic", b"<a>" * 50_000 + b"</a>" * 50_000)
    assert metadata_of(image_with(xmp=deep)).xmp == b""


def raw_profile(kind: str, data: bytes) -> str:
    hexadecimal = data.hex()
    rows = [hexadecimal[at : at + 72] for at in range(0, len(hexadecimal), 72)]
    return "\n".join(["", kind, f"{len(data):8}", *rows, ""])


@pytest.mark.parametrize("late", [False, True])
def test_png_with_raw_profiles(late: bool) -> None:
    texts = PngInfo()
    resource = struct.pack(">4sHHI", b"8BIM", 0x0404, 0, len(IPTC)) + IPTC
    texts.add_text("Raw profile type exif", raw_profile("exif", b"Exif\0\0" + exif()), zip=True)
    texts.add_text("Raw profile type iptc", raw_profile("IPTC profile", resource))
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
    data = saved("PNG", pnginfo=texts)
    if late:  # as of ExifTool before version 12
        end, pixels = data.index(b"IEND") - 4, data.index(b"IDAT") - 4
        data = data[:33] + data[pixels:end] + data[33:pixels] + data[end:]
    image = opened(data)
    assert metadata_of(image) == full_metadata()
    image.load()  # Pillow reads on as if nothing had happened
    assert metadata_of(image) == full_metadata()


def test_png_with_a_damaged_text_keeps_the_rest() -> None:
    texts = PngInfo()
    texts.add(b"zTXt", b"Raw profile type iptc\0\0" + zlib.compress(b"\niptc\n 2\nno hexadecimal"))
    texts.add_itxt("XML:com.adobe.xmp", XMP.decode())
    metadata = metadata_of(opened(saved("PNG", pnginfo=texts)))
    assert metadata == Metadata(xmp=full_metadata().xmp)


def test_tiff_is_read_from_a_path_after_loading_too(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tags = Image.Exif()
    tags[0x010F] = "Leica"
    tags[0x0112] = 6
    path.write_bytes(saved("TIFF", exif=tags, dpi=(300, 300)))
    with Image.open(path) as image:
        before = metadata_of(image)
        image.load()
        assert image.fp is None  # closed by Pillow
        assert metadata_of(image) == before
    assert tags_of(before).keys() == {0x010F, 0x011A, 0x011B, 0x0128}
    assert before.dpi == (300, 300)


@pytest.mark.parametrize("format", ["BMP", "GIF", "PPM", "PNG", "JPEG", "TIFF", "WEBP", "JPEG2000"])
def test_nothing_is_made_up(format: str) -> None:
    metadata = metadata_of(opened(saved(format)))
    assert (metadata.xmp, metadata.iptc) == (b"", b"")
    assert format == "BMP" or metadata == Metadata()  # a BMP states 96 dpi
    assert metadata_of(Image.new("L", (1, 1))) == Metadata()
