"""Every container keeps what it can hold of what is known about a photo."""

import io
import json
import shutil
import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
import tifffile
from PIL import Image
from pillow_heif import register_heif_opener

from colorizer.photo.embed import (
    append_exif,
    jp2_boxes,
    pillow_options,
    png_chunks,
    tiff_tags,
)
from colorizer.photo.exif import EXIF_IFD, GPS_IFD, MAKER_NOTE, Directory, Field, write_exif
from colorizer.photo.icc import srgb_profile
from colorizer.photo.metadata import Metadata
from colorizer.photo.xmp import COMPOSITE
from tests.helpers.metadata import (
    CAPTION,
    IPTC,
    KEPT,
    PHOTO,
    full_metadata,
    metadata_of,
    record,
    tags_of,
)

PIXELS = np.arange(16 * 24 * 3, dtype=np.uint8).reshape(16, 24, 3)
PNG_HEADER = 33  # bytes: signature and IHDR
Write = Callable[[Path, Metadata], None]


def with_pillow(format: str) -> Write:
    def write(path: Path, metadata: Metadata) -> None:
        register_heif_opener()
        options = pillow_options(metadata, format, srgb_profile())
        Image.fromarray(PIXELS).save(path, format, **options)

    return write


def encoded(format: str) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, format)
    return file.getvalue()


def write_png(path: Path, metadata: Metadata) -> None:
    png = encoded("PNG")
    chunks = png_chunks(metadata, srgb_profile())
    path.write_bytes(png[:PNG_HEADER] + chunks + png[PNG_HEADER:])


def write_jp2(path: Path, metadata: Metadata) -> None:
    path.write_bytes(encoded("JPEG2000") + jp2_boxes(metadata))


def write_tiff(path: Path, metadata: Metadata, **options: object) -> None:
    tifffile.imwrite(
        path,
        PIXELS.astype(np.uint16) * 257,
        photometric="rgb",
        resolution=metadata.dpi,
        resolutionunit="inch" if metadata.dpi else None,
        extratags=tiff_tags(metadata, srgb_profile()),
        metadata=None,
        software=False,
        **options,  # type: ignore[arg-type]
    )
    append_exif(path, metadata)


WRITERS: dict[str, Write] = {
    "a.jpg": with_pillow("JPEG"),
    "a.webp": with_pillow("WEBP"),
    "a.avif": with_pillow("AVIF"),
    "a.heic": with_pillow("HEIF"),
    "a.png": write_png,
    "a.jp2": write_jp2,
    "a.tif": write_tiff,
}
FORMATS_WITHOUT_IPTC = ("a.webp", "a.avif", "a.heic")
every_container = pytest.mark.parametrize("name", WRITERS)


def properties_of(xmp: bytes) -> list[bytes]:
    return sorted(
        ElementTree.tostring(child)
        for description in ElementTree.fromstring(xmp).iterfind(".//{*}RDF/{*}Description")
        for child in description
    )


def read(path: Path) -> Metadata:
    with path.open("rb") as file, Image.open(file) as image:  # Pillow maps a TIFF by its path
        return metadata_of(image)


def written(path: Path, metadata: Metadata) -> Metadata:
    WRITERS[path.name](path, metadata)
    return read(path)


@every_container
@pytest.mark.parametrize("order", ["<", ">"])
def test_round_trip(tmp_path: Path, name: str, order: str) -> None:
    metadata = full_metadata(order).marked("colorizer 1.0", "0123abcd")
    found = written(tmp_path / name, metadata)
    assert tags_of(found) == tags_of(metadata)
    assert found.xmp == metadata.xmp
    assert found.iptc == (b"" if name in FORMATS_WITHOUT_IPTC else metadata.iptc)
    assert found.dpi == metadata.dpi


@every_container
@pytest.mark.parametrize("kind", ["exif", "xmp", "iptc", "none"])
def test_each_kind_alone(tmp_path: Path, name: str, kind: str) -> None:
    metadata = Metadata()
    if kind == "exif":
        metadata = Metadata(exif=write_exif("<", KEPT))
    elif kind != "none":
        metadata = Metadata(**{kind: getattr(full_metadata(), kind)})
    expected = Metadata() if kind == "iptc" and name in FORMATS_WITHOUT_IPTC else metadata
    found = written(tmp_path / name, metadata)
    assert tags_of(found) == tags_of(expected) if expected.exif else found.exif == b""
    assert (found.xmp, found.iptc, found.dpi) == (expected.xmp, expected.iptc, None)


@every_container
def test_pixels_and_profile(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path, full_metadata())
    with Image.open(path) as image:
        image.load()
        assert image.size == (24, 16)
        assert image.getexif().get(0x0112, 1) == 1
        if name != "a.jp2":  # an enumerated sRGB of its own
            assert image.info["icc_profile"] == srgb_profile()


@every_container
def test_same_file_from_the_same_input(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path, full_metadata())
    first = path.read_bytes()
    WRITERS[name](path, full_metadata())
    assert path.read_bytes() == first


@pytest.mark.parametrize("name", ["a.jpg", "a.webp", "a.avif", "a.png", "a.jp2"])
def test_notes_of_the_maker_stay_where_they_were(tmp_path: Path, name: str) -> None:
    note = KEPT[EXIF_IFD][MAKER_NOTE]  # type: ignore[index]
    assert isinstance(note, Field)
    found = written(tmp_path / name, full_metadata())
    assert found.exif[note.offset :].startswith(note.data)


@pytest.mark.parametrize("bigtiff", [False, True])
def test_tiff_directories(tmp_path: Path, bigtiff: bool) -> None:
    path = tmp_path / "a.tif"
    write_tiff(path, full_metadata(), bigtiff=bigtiff)
    assert tags_of(read(path)) == tags_of(full_metadata())
    with tifffile.TiffFile(path) as file:
        assert file.is_bigtiff == bigtiff
        assert len(file.pages) == 1
        assert (file.asarray() == PIXELS.astype(np.uint16) * 257).all()
        tags = file.pages.first.tags
        assert tags[GPS_IFD].value["GPSLatitude"] == (47, 1, 22, 1, 30, 1)
        assert tags[0x010F].value == "Leica"
        assert list(tags.keys()) == sorted(tags.keys())


def test_big_endian_tiff_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PIXELS, byteorder=">", photometric="rgb")
    with pytest.raises(ValueError, match="not a little-endian TIFF"):
        append_exif(path, full_metadata())


def test_tiff_without_directories_is_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, PIXELS, photometric="rgb")
    before = path.read_bytes()
    append_exif(path, Metadata())
    append_exif(path, Metadata(exif=write_exif("<", {0x010F: Field(2, b"Leica\0")})))
    assert path.read_bytes() == before


def test_large_notes_of_the_maker_are_left_out_of_a_jpeg(tmp_path: Path) -> None:
    note = Field(7, bytes(70_000), 2000)
    metadata = Metadata(exif=write_exif("<", KEPT | {EXIF_IFD: PHOTO | {MAKER_NOTE: note}}))
    rest: Directory = {tag: field for tag, field in PHOTO.items() if tag != MAKER_NOTE}
    assert tags_of(written(tmp_path / "a.jpg", metadata)) == KEPT | {EXIF_IFD: rest}
    assert tags_of(written(tmp_path / "a.webp", metadata)) == tags_of(metadata)


@pytest.mark.parametrize("size", [65400, 65450, 65500, 65504, 65505, 65527, 65528, 65536])
def test_exif_and_xmp_of_the_size_of_a_segment(tmp_path: Path, size: int) -> None:
    exif = write_exif("<", {0x010F: Field(2, b"Leica\0"), 0x0131: Field(2, bytes(size - 44))})
    assert len(exif) == size
    empty = full_metadata().marked("", "").xmp
    xmp = empty.replace(b"attic", b"x" * (size - len(empty) + 5))
    assert len(xmp) == size
    found = written(tmp_path / "a.jpg", Metadata(exif, xmp))
    assert (0x0131 in tags_of(found)) == (size <= 65533 - 6)
    assert tags_of(found)[0x010F] == Field(2, b"Leica\0")
    assert (found.xmp == xmp) == (size <= 65533 - 29)
    assert COMPOSITE.encode() in found.xmp


@pytest.mark.slow
def test_many_small_fields_are_reduced_quickly(tmp_path: Path) -> None:
    tags: Directory = {tag: Field(3, b"\1\0") for tag in range(0x9000, 0x9000 + 20_000)}
    options = pillow_options(Metadata(exif=write_exif(">", tags)), "JPEG", None)
    assert 65_000 < len(options["exif"]) <= 65_533


def test_large_xmp_of_a_jpeg_goes_on_in_further_segments(tmp_path: Path) -> None:
    events = b"<rdf:li>%s</rdf:li>" % (b"y" * 1000) * 80
    xmp = full_metadata().xmp.replace(b"attic", b"x" * 100_000)
    xmp = xmp.replace(b"<rdf:Seq>", b"<rdf:Seq>" + events)
    metadata = Metadata(xmp=xmp).marked("colorizer 1.0", "0123abcd")
    found = written(tmp_path / "a.jpg", metadata).xmp
    for text in (b"checkpoint sha256 0123abcd", b"lake", b"x" * 100_000):
        assert text in found
    assert len(ElementTree.fromstring(found).findall(".//{*}History/{*}Seq/{*}li")) == 82
    with Image.open(tmp_path / "a.jpg") as image:
        assert COMPOSITE.encode() in image.info["xmp"]  # in the first segment
        assert len(image.info["xmp"]) <= 65_533
    again = written(tmp_path / "a.jpg", Metadata(xmp=found))
    assert properties_of(again.xmp) == properties_of(found)


def test_large_iptc_takes_several_segments_of_a_jpeg(tmp_path: Path) -> None:
    metadata = Metadata(iptc=record(120, bytes(20_000)) * 4)
    for name in ("a.jpg", "a.png"):
        assert written(tmp_path / name, metadata) == metadata


@every_container
@pytest.mark.skipif(not shutil.which("exiftool"), reason="ExifTool is not installed")
def test_exiftool_agrees(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    WRITERS[name](path, full_metadata().marked("colorizer 1.0", "0123abcd"))
    command = ["exiftool", "-j", "-G1", "-a", "-n", "-struct", path]
    (found,) = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    assert found.pop("ExifTool:Warning") == "[minor] Unrecognized MakerNotes"  # they are made up
    assert not [tag for tag in found if "Warning" in tag or "Error" in tag], found
    assert found["IFD0:Make"] == "Leica"
    assert found["IFD0:ImageDescription"] == CAPTION.decode()
    assert found["IFD0:XResolution"] == 300
    assert found["ExifIFD:UserComment"] == "by hand"
    assert found["GPS:GPSLatitude"] == pytest.approx(47 + 22 / 60 + 30 / 3600)
    assert found["XMP-iptcExt:DigitalSourceType"] == COMPOSITE
    assert found["XMP-xmpMM:History"][-1]["SoftwareAgent"] == "colorizer 1.0"
    assert found["XMP-xmpMM:History"][0]["SoftwareAgent"] == "scanner"
    assert found["XMP-mine:Album"] == "<7>"
    if name not in FORMATS_WITHOUT_IPTC:
        assert found["IPTC:Caption-Abstract"] == CAPTION.decode()
        assert found["IPTC:Keywords"] == ["lake", "boat"]
    if name == "a.jpg":
        assert (found["JFIF:XResolution"], found["JFIF:YResolution"]) == (300, 600)
    if name == "a.png":
        assert found["PNG-pHYs:PixelsPerUnitX"] == 11811


def test_iptc_of_odd_size(tmp_path: Path) -> None:
    for iptc in (IPTC, IPTC + record(5, b"a"), IPTC + record(5, b"ab")):
        for name in ("a.jpg", "a.png", "a.jp2", "a.tif"):
            assert written(tmp_path / name, Metadata(iptc=iptc)).iptc == iptc


def test_png_chunks_are_whole_and_in_order() -> None:
    chunks = png_chunks(full_metadata(), srgb_profile())
    kinds, at = [], 0
    while at < len(chunks):
        (size,) = struct.unpack_from(">I", chunks, at)
        kinds.append(chunks[at + 4 : at + 8])
        at += 12 + size
    assert kinds == [b"iCCP", b"pHYs", b"eXIf", b"iTXt", b"zTXt"]


TEXTS = (("Title", "Aunt Example"), ("Author", "Köln"), ("Comment", "At the 写 sea"))


@every_container
def test_captions_reach_every_container(tmp_path: Path, name: str) -> None:
    found = written(tmp_path / name, Metadata(texts=TEXTS))
    everything = found.xmp.decode() + str(found.texts)
    for keyword, text in TEXTS:
        assert text in everything, keyword
    if name == "a.png":
        assert found == Metadata(texts=TEXTS)
    if name == "a.jpg":
        assert found.texts == TEXTS[2:]
    texts = (*TEXTS, ("Creation Time", "1931"))
    format = {".jpg": "JPEG", ".tif": "TIFF", ".png": "PNG"}.get(Path(name).suffix, "WEBP")
    assert Metadata(texts=texts).loses_captions(format) == (name != "a.png")
    assert not Metadata(texts=TEXTS).loses_captions(format)
    assert Metadata(iptc=IPTC).loses_captions(format) == (format == "WEBP")


@every_container
def test_captions_do_not_replace_xmp(tmp_path: Path, name: str) -> None:
    xmp = written(tmp_path / "a.tif", Metadata(texts=(("Title", "The first"),))).xmp
    found = written(tmp_path / name, Metadata(xmp=xmp, texts=(("Title", "The second"),)))
    assert b"The first" in found.xmp
    assert b"The second" not in found.xmp
