"""Photos with full metadata."""

import io
import struct
from typing import Any

from PIL import Image

from colorizer.photo.exif import (
    EXIF_IFD,
    GPS_IFD,
    INTEROP_IFD,
    MAKER_NOTE,
    Directory,
    Field,
    read_exif,
    write_exif,
)
from colorizer.photo.metadata import Metadata
from colorizer.photo.read_metadata import read_metadata


def record(dataset: int, value: bytes) -> bytes:
    return struct.pack(">BBBH", 0x1C, 2, dataset, len(value)) + value


RESOLUTION: Directory = {
    0x011A: Field(5, struct.pack("<2I", 300, 1)),
    0x011B: Field(5, struct.pack("<2I", 600, 1)),
    0x0128: Field(3, b"\2\0"),
}

NOTE = Field(7, b"MakerNote\0" + bytes(range(256)) * 3, 1000)
GPS: Directory = {
    0: Field(1, b"\2\3\0\0"),
    1: Field(2, b"N\0"),
    2: Field(5, struct.pack("<6I", 47, 1, 22, 1, 30, 1)),
    3: Field(2, b"E\0"),
    4: Field(5, struct.pack("<6I", 8, 1, 32, 1, 15, 1)),
}
XMP = b"""<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:stEvt="http://ns.adobe.com/xap/1.0/sType/ResourceEvent#">
<rdf:Description rdf:about="" xmlns:photoshop="http://ns.adobe.com/photoshop/1.0/"
 xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:tiff="http://ns.adobe.com/tiff/1.0/"
 xmlns:mine="https://example.org/mine/" photoshop:City="Z\xc3\xbcrich" photoshop:Headline="A&#xA;B"
 exif:GPSLatitude="47,22.5N" tiff:Orientation="6" mine:album="&lt;7&gt;">
<mine:box><rdf:Bag><rdf:li>attic</rdf:li></rdf:Bag></mine:box>
<exif:PixelXDimension>9</exif:PixelXDimension></rdf:Description>
<rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/"
 xmlns:Iptc4xmpCore="http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
 xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 Iptc4xmpCore:Location="Bellevue" xmp:Rating="5"
 Iptc4xmpExt:DigitalSourceType="http://cv.iptc.org/newscodes/digitalsourcetype/negativeFilm">
<dc:subject><rdf:Bag><rdf:li>lake</rdf:li></rdf:Bag></dc:subject>
<xmp:Thumbnails><rdf:Alt><rdf:li>stale</rdf:li></rdf:Alt></xmp:Thumbnails>
<Iptc4xmpExt:LocationShown><rdf:Bag><rdf:li>quay</rdf:li></rdf:Bag></Iptc4xmpExt:LocationShown>
<xmpMM:History><rdf:Seq><rdf:li stEvt:action="created" stEvt:softwareAgent="scanner"/></rdf:Seq>
</xmpMM:History></rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""
UTF_8_RECORDS = b"\x1c\x01\x5a\x00\x03\x1b%G"

CAPTION = "Großmutter am See".encode()
PHOTO: Directory = {
    0x9000: Field(7, b"0232"),
    0x9003: Field(2, b"1931:05:17 12:00:00\0"),
    0x829A: Field(5, struct.pack("<2I", 1, 50)),
    0x9204: Field(10, struct.pack("<2i", -1, 3)),
    0x9286: Field(7, b"ASCII\0\0\0by hand"),
    0xA001: Field(3, b"\1\0"),
    0xA431: Field(2, b"1234567\0"),
    MAKER_NOTE: NOTE,
    INTEROP_IFD: {1: Field(2, b"R98\0"), 2: Field(7, b"0100")},
}
KEPT: Directory = {
    0x010E: Field(2, CAPTION + b"\0"),
    0x010F: Field(2, b"Leica\0"),
    0x0110: Field(2, b"I (Model C)\0"),
    0x0131: Field(2, b"VueScan\0"),
    0x0132: Field(2, b"2020:01:02 03:04:05\0"),
    0x013B: Field(2, b"E. Muster\0"),
    0x8298: Field(2, b"Public domain\0"),
    0x9C9E: Field(1, "see".encode("utf-16-le") + b"\0\0"),
    EXIF_IFD: PHOTO,
    GPS_IFD: GPS,
}
IPTC = UTF_8_RECORDS + b"".join(
    (record(25, b"lake"), record(25, b"boat"), record(90, b"Zurich"), record(120, CAPTION))
)


def full_metadata(order: str = "<") -> Metadata:
    return metadata_of(image_with(exif(order), XMP, IPTC))


def tags_of(metadata: Metadata) -> Directory:
    return read_exif(io.BytesIO(metadata.exif))[1]


def exif(order: str = "<", **more: Any) -> bytes:
    return write_exif(order, KEPT | RESOLUTION | more.get("tags", {}))


def image_with(
    exif: bytes = b"", xmp: bytes = b"", iptc: bytes = b"", dpi: Any = None
) -> Image.Image:
    """As Pillow opens a JPEG."""
    image = Image.new("L", (3, 2))
    image.format = "JPEG"
    image.info = {"exif": b"Exif\0\0" + exif, "xmp": xmp, "photoshop": {0x0404: iptc}}
    if dpi:
        image.info |= {"jfif_unit": 1, "dpi": dpi}
    return image


def metadata_of(image: Image.Image) -> Metadata:
    return read_metadata(image).metadata
