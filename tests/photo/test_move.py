"""Coordinates in metadata follow the pixels when a photo is turned and cropped."""

import io
import struct
from xml.etree import ElementTree

import numpy as np
import pytest
from PIL import Image

from colorizer import Photo
from colorizer.adjust.framing import Framing
from colorizer.photo.exif import EXIF_IFD, Directory, Field, write_exif
from colorizer.photo.iptc import iptc_records
from colorizer.photo.metadata import Metadata
from colorizer.photo.move import Move
from tests.helpers.metadata import record, tags_of

FACE = (slice(165, 255), slice(60, 100))  # rows and columns of 300 x 400: 0.2, 0.7, 0.1, 0.3
AS_ATTRIBUTES = """<mwg-rs:Area stArea:x="{0}" stArea:y="{1}" stArea:w="{2}" stArea:h="{3}"
 stArea:unit="normalized"/>"""
AS_ELEMENTS = """<mwg-rs:Area rdf:parseType="Resource"><stArea:x>{0}</stArea:x>
<stArea:y>{1}</stArea:y><stArea:w>{2}</stArea:w><stArea:h>{3}</stArea:h>
<stArea:unit>normalized</stArea:unit></mwg-rs:Area>"""
XMP = """<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF
 xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:mwg-rs="http://www.metadataworkinggroup.com/schemas/regions/"
 xmlns:stArea="http://ns.adobe.com/xmp/sType/Area#"
 xmlns:stDim="http://ns.adobe.com/xap/1.0/sType/Dimensions#"
 xmlns:MP="http://ns.microsoft.com/photo/1.2/"
 xmlns:MPRI="http://ns.microsoft.com/photo/1.2/t/RegionInfo#"
 xmlns:MPReg="http://ns.microsoft.com/photo/1.2/t/Region#"
 xmlns:exif="http://ns.adobe.com/exif/1.0/">
<exif:SubjectArea><rdf:Seq><rdf:li>80</rdf:li><rdf:li>210</rdf:li></rdf:Seq></exif:SubjectArea>
<mwg-rs:Regions rdf:parseType="Resource">
<mwg-rs:AppliedToDimensions stDim:w="400" stDim:h="300" stDim:unit="pixel"/>
<mwg-rs:RegionList><rdf:Bag><rdf:li>
<rdf:Description mwg-rs:Name="Aunt Example" mwg-rs:Type="Face">AREA</rdf:Description>
</rdf:li></rdf:Bag></mwg-rs:RegionList></mwg-rs:Regions>
<MP:RegionInfo rdf:parseType="Resource"><MPRI:Regions><rdf:Bag>
<rdf:li MPReg:Rectangle="0.15, 0.55, 0.1, 0.3" MPReg:PersonDisplayName="Aunt Example"/>
</rdf:Bag></MPRI:Regions></MP:RegionInfo></rdf:Description></rdf:RDF></x:xmpmeta>"""


def packet(area: str = AS_ATTRIBUTES, values: tuple[object, ...] = (0.2, 0.7, 0.1, 0.3)) -> bytes:
    return XMP.replace("AREA", area.format(*values)).encode()


def photo_with(orientation: int, xmp: bytes, subject: tuple[int, ...] = (80, 210)) -> Photo:
    """A photo of 300 x 400 stored pixels with a bright face, as opened."""
    pixels = np.zeros((300, 400), np.uint8)
    pixels[FACE] = 255
    area: Directory = {
        0x9214: Field(3, struct.pack(f"<{len(subject)}H", *subject)),
        0xA20E: Field(5, struct.pack("<2I", 1000, 1)),
        0xA20F: Field(5, struct.pack("<2I", 500, 1)),
    }
    tags: Directory = {
        0x0112: Field(3, struct.pack("<H", orientation)),
        0x011A: Field(5, struct.pack("<2I", 300, 1)),
        0x011B: Field(5, struct.pack("<2I", 150, 1)),
        EXIF_IFD: area,
    }
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", exif=b"Exif\0\0" + write_exif("<", tags))
    photo = Photo.open(file)
    reading = Metadata(photo.metadata.exif, xmp, dpi=photo.metadata.dpi)
    moved = Metadata(xmp=xmp, iptc=record(131, b"L")).moved(Move((300, 400), orientation))
    assert bool(list(iptc_records(moved.iptc))) == (orientation < 5)
    return Photo(photo.pixels, metadata=Metadata(reading.exif, moved.xmp, dpi=reading.dpi))


def area_of(xmp: bytes) -> list[float]:
    """x, y, width and height of the only area."""
    (area,) = ElementTree.fromstring(xmp).iterfind(".//{*}Area")
    values = {name.rpartition("}")[2]: value for name, value in area.attrib.items()}
    values |= {child.tag.rpartition("}")[2]: child.text or "" for child in area}
    return [float(values[name]) for name in "xywh"]


def rectangle_of(xmp: bytes) -> list[float]:
    (text,) = (
        value
        for node in ElementTree.fromstring(xmp).iter()
        for name, value in node.attrib.items()
        if name.endswith("Rectangle")
    )
    return [float(value) for value in text.split(",")]


def size_of(xmp: bytes) -> list[str]:
    (node,) = ElementTree.fromstring(xmp).iterfind(".//{*}AppliedToDimensions")
    return [value for name, value in node.attrib.items() if name[-2:] in ("}w", "}h")]


def subject_of(metadata: Metadata) -> tuple[int, ...]:
    photo = tags_of(metadata)[EXIF_IFD]
    assert isinstance(photo, dict)
    field = photo[0x9214]
    assert isinstance(field, Field)
    return struct.unpack(f"<{field.count}H", field.data)


def bright_box(photo: Photo) -> list[float]:
    """Center x and y, width and height of the face in the pixels, from 0 to 1."""
    rows, columns = np.nonzero(photo.pixels[:, :, 0])
    height, width = photo.size
    top, bottom, left, right = rows.min(), rows.max() + 1, columns.min(), columns.max() + 1
    center = [(left + right) / 2 / width, (top + bottom) / 2 / height]
    return [*center, (right - left) / width, (bottom - top) / height]


def test_face_regions_of_a_straightened_print() -> None:
    """The region is the box around the face, which is slanted in the result."""
    corners = ((5, 5), (95, 15), (90, 98), (2, 92))
    straight = Framing(corners=corners)(photo_with(1, packet()))
    box = bright_box(straight)
    assert area_of(straight.metadata.xmp) == pytest.approx(box, abs=0.01)
    left, top, width, height = rectangle_of(straight.metadata.xmp)
    assert [left + width / 2, top + height / 2, width, height] == pytest.approx(box, abs=0.01)
    assert size_of(straight.metadata.xmp) == [str(side) for side in straight.size[::-1]]


def test_values_of_a_photo_on_its_side() -> None:
    photo = photo_with(6, packet())
    assert photo.size == (400, 300)
    assert area_of(photo.metadata.xmp) == pytest.approx([0.3, 0.2, 0.3, 0.1])
    assert rectangle_of(photo.metadata.xmp) == pytest.approx([0.15, 0.15, 0.3, 0.1])
    assert size_of(photo.metadata.xmp) == ["300", "400"]
    assert subject_of(photo.metadata) == (89, 80)
    assert photo.metadata.dpi == (150, 300)
    items = ElementTree.fromstring(photo.metadata.xmp).findall(".//{*}SubjectArea/{*}Seq/{*}li")
    assert [item.text for item in items] == ["89", "80"]
    camera = tags_of(photo.metadata)[EXIF_IFD]
    assert isinstance(camera, dict)
    assert camera[0xA20E] == Field(5, struct.pack("<2I", 500, 1))


@pytest.mark.parametrize("form", [AS_ATTRIBUTES, AS_ELEMENTS])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_regions_stay_on_the_face(orientation: int, form: str) -> None:
    for turns in range(4):
        photo = photo_with(orientation, packet(form), (80, 210, 40, 90)).turned(turns)
        expected = bright_box(photo)
        assert area_of(photo.metadata.xmp) == pytest.approx(expected, abs=1e-5)
        left, top, width, height = rectangle_of(photo.metadata.xmp)
        center = [left + width / 2, top + height / 2, width, height]
        assert center == pytest.approx(expected, abs=1e-5)
        x, y, width, height = subject_of(photo.metadata)
        rows, columns = photo.size
        assert [(x + 0.5) / columns, (y + 0.5) / rows] == pytest.approx(expected[:2], abs=0.01)
        assert [width / columns, height / rows] == pytest.approx(expected[2:], abs=0.01)


def test_a_crop_moves_regions_and_cuts_them() -> None:
    photo = Framing(turns=1, margins=(20, 10, 5, 10))(photo_with(1, packet()))
    assert photo.size == (340, 210)
    assert area_of(photo.metadata.xmp) == pytest.approx(bright_box(photo), abs=1e-5)
    assert size_of(photo.metadata.xmp) == ["210", "340"]
    cut = photo.cropped((0, 0, photo.size[1], 65))
    assert area_of(cut.metadata.xmp) == pytest.approx(bright_box(cut), abs=1e-5)


def test_what_is_cut_off_or_cannot_be_moved_is_dropped() -> None:
    photo = photo_with(1, packet()).cropped((200, 0, 400, 150))
    assert b"Aunt Example" not in photo.metadata.xmp
    assert 0x9214 not in (tags_of(photo.metadata)[EXIF_IFD] or {})
    for values in (("a", 0.7, 0.1, 0.3), ("nan", 0.7, 0.1, 0.3)):
        turned = photo_with(6, packet(values=values))
        assert turned.metadata.xmp.count(b"Aunt Example") == 1  # that of Microsoft's region


def test_nothing_moves_without_a_turn() -> None:
    metadata = Metadata(xmp=packet(), iptc=record(131, b"L"), dpi=(300, 150))
    assert metadata.moved(Move((300, 400))) is metadata
    assert metadata.moved(Move((300, 400), box=(0, 0, 400, 300))) is metadata


def test_a_circle_keeps_its_diameter() -> None:
    circle = """<mwg-rs:Area stArea:x="0.5" stArea:y="0.5" stArea:d="0.2"/>"""
    xmp = Metadata(xmp=packet(circle)).moved(Move((300, 400), box=(100, 50, 300, 200))).xmp
    (area,) = ElementTree.fromstring(xmp).iterfind(".//{*}Area")
    values = {name.rpartition("}")[2]: float(value) for name, value in area.attrib.items()}
    assert values["d"] * 150 == pytest.approx(0.2 * 300, abs=1e-3)
    assert (values["x"], values["y"]) == pytest.approx((0.5, 2 / 3), abs=1e-5)
