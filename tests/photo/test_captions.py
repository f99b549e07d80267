"""Captions outside of EXIF, XMP and IPTC, and damaged metadata: nothing is lost in silence."""

import io
import struct
import time
import timeit
from hashlib import md5
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.PngImagePlugin import PngInfo

from colorizer import Photo
from colorizer.photo.iptc import iptc_records, merged_iptc, photoshop_resource
from colorizer.photo.metadata import Metadata
from colorizer.photo.xmp import MAX_XMP
from tests.helpers.metadata import CAPTION, IPTC, UTF_8_RECORDS, XMP, record

TEXT = "Aunt Example at the sea, 1931"
RDF = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">%s</rdf:RDF></x:xmpmeta>'
)
DAMAGED = {
    "magic": b"MM\x13*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x01\0\0\0\0\0\0",
    "order": b"XX\0*\0\0\0\x08",
    "short": b"MM\0*\0",
    "offset": b"MM\0*\0\xff\xff\xff",
    "text": b"hello world, no exif here",
    "zeros": bytes(64),
}


def encoded(format: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.full((30, 40, 3), 99, np.uint8)).save(file, format, **options)
    return file.getvalue()


def jpeg(*segments: tuple[int, bytes], **options: object) -> bytes:
    data = encoded("JPEG", **options)
    extra = b"".join(
        struct.pack(">BBH", 255, kind, len(data) + 2) + data for kind, data in segments
    )
    return data[:20] + extra + data[20:]


def opened(data: bytes) -> Photo:
    return Photo.open(io.BytesIO(data))


def through(photo: Photo, name: str, tmp_path: Path) -> Metadata:
    photo.save(tmp_path / name)
    return Photo.open(tmp_path / name).metadata


def test_comments_of_a_jpeg(tmp_path: Path) -> None:
    photo = opened(jpeg((0xFE, TEXT.encode()), (0xFE, "Köln".encode("latin-1"))))
    assert photo.metadata.texts == (("Comment", TEXT), ("Comment", "Köln"))
    assert through(photo, "a.jpg", tmp_path) == photo.metadata
    for name in ("a.tif", "a.webp"):
        assert TEXT.encode() in through(photo, name, tmp_path).xmp


def test_texts_of_a_png(tmp_path: Path) -> None:
    texts = PngInfo()
    for keyword in ("Title", "Description", "Author", "Copyright"):
        texts.add_text(keyword, f"my {keyword}")
    texts.add_itxt("Comment", "写")
    texts.add_text("date:create", "of ImageMagick")
    photo = opened(encoded("PNG", pnginfo=texts))
    assert len(photo.metadata.texts) == 5
    assert through(photo, "a.png", tmp_path) == photo.metadata
    found = through(photo, "a.jpg", tmp_path)
    assert found.texts == (("Comment", "写"),)
    for keyword in ("Title", "Description", "Author", "Copyright"):
        assert f"my {keyword}".encode() in found.xmp


def test_the_comment_of_a_gif(tmp_path: Path) -> None:
    photo = opened(encoded("GIF", comment=TEXT.encode()))
    assert photo.metadata.texts == (("Comment", TEXT),)
    assert through(photo, "a.png", tmp_path) == photo.metadata


def extended_xmp(size: int = 0) -> list[tuple[int, bytes]]:
    """Segments of a packet and of extended XMP in chunks, of which the last comes first."""
    title = '<rdf:li xml:lang="x-default">Aunt Example</rdf:li>' + size * "x"
    body = f'<dc:title xmlns:dc="http://purl.org/dc/elements/1.1/">{title}</dc:title>'
    more = (RDF % f'<rdf:Description rdf:about="">{body}</rdf:Description>').encode()
    guid = md5(more).hexdigest().upper().encode()
    note = 'xmlns:xmpNote="http://ns.adobe.com/xmp/note/"'
    main = RDF % f'<rdf:Description {note} xmpNote:HasExtendedXMP="{guid.decode()}"/>'
    segments = [(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + main.encode())]
    step = max(100, size // 20)
    for start in reversed(range(0, len(more), step)):
        head = b"http://ns.adobe.com/xmp/extension/\0" + guid + struct.pack(">II", len(more), start)
        segments.append((0xE1, head + more[start : start + step]))
    return segments


def test_extended_xmp(tmp_path: Path) -> None:
    photo = opened(jpeg(*extended_xmp()))
    assert b"Aunt Example" in photo.metadata.xmp
    assert b"HasExtendedXMP" not in photo.metadata.xmp
    assert photo.notices == ("metadata",)[:0]
    assert b"Aunt Example" in through(photo, "a.png", tmp_path).xmp


@pytest.mark.parametrize(
    ("segments", "notice"),
    [(extended_xmp()[:-1], "metadata"), (extended_xmp(MAX_XMP), "large_metadata")],
)
def test_extended_xmp_that_is_incomplete_or_large_is_reported(
    segments: list[bytes], notice: str
) -> None:
    photo = opened(jpeg(*segments))
    assert photo.notices == (notice,)
    assert b"Aunt" not in photo.metadata.xmp


def resource(code: int, data: bytes) -> bytes:
    head = struct.pack(">4sHHI", b"8BIM", code, 0, len(data))
    return head + data + bytes(len(data) % 2)


def test_captions_and_rights_in_resources_of_photoshop(tmp_path: Path) -> None:
    data = b"Photoshop 3.0\0" + resource(0x040A, b"\1")
    data += resource(0x03F0, bytes([len(TEXT)]) + TEXT.encode())
    data += resource(0x040B, b"https://example.org/rights")
    photo = opened(jpeg((0xED, data)))
    for name in ("a.jpg", "a.webp", "a.tif"):
        xmp = through(photo, name, tmp_path).xmp
        for text in (TEXT, "https://example.org/rights", "xmpRights:Marked"):
            assert text.encode() in xmp


def test_a_second_block_of_iptc() -> None:
    head, second = b"Photoshop 3.0\0", UTF_8_RECORDS + record(105, b"Headline")
    data = jpeg(
        (0xED, head + photoshop_resource(IPTC)),
        (0xED, head + photoshop_resource(second + record(25, b"lake"))),
    )
    photo = opened(data)
    found = [data for key, data in iptc_records(photo.metadata.iptc)]
    assert photo.metadata.iptc == IPTC + record(105, b"Headline")
    assert len(found) == len(set(found))
    assert photo.notices == ()


def test_a_block_in_another_character_set_is_reported() -> None:
    merged, left_out = merged_iptc([IPTC, record(105, "Köln".encode("latin-1"))])
    assert (merged, left_out) == (IPTC, True)
    assert CAPTION in merged


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("kind", DAMAGED)
@pytest.mark.parametrize("format", ["JPEG", "JPEG with a resolution", "PNG", "16 bits", "WEBP"])
def test_damaged_exif_costs_no_photo(format: str, kind: str) -> None:
    exif = DAMAGED[kind]
    if format == "16 bits":
        file = io.BytesIO()
        Image.fromarray(np.full((30, 40), 9999, np.uint16)).save(file, "PNG", exif=exif)
        data = file.getvalue()
    elif format.startswith("JPEG"):
        options = {"dpi": (300, 300)} if "resolution" in format else {}
        data = jpeg((0xE1, b"Exif\0\0" + exif), **options)
    else:
        data = encoded(format, exif=exif)
    photo = opened(data)
    assert photo.size == (30, 40)
    assert photo.metadata.exif == b"" or kind == "magic" or "with" in format
    assert ("metadata" in photo.notices) == (kind != "magic")  # of which the rest can be read


@pytest.mark.parametrize("hexadecimal", ["zz", "4578696", "4578696600004d4d"])
def test_a_damaged_raw_profile_costs_no_photo(hexadecimal: str) -> None:
    texts = PngInfo()
    texts.add_text("Raw profile type exif", f"\nexif\n       9\n{hexadecimal}\n")
    photo = opened(encoded("PNG", pnginfo=texts))
    assert photo.notices == ("metadata",)


def test_orientation_of_xmp_alone_turns_nothing() -> None:
    assert opened(encoded("PNG", pnginfo=with_xmp(XMP))).size == (30, 40)  # tiff:Orientation 6


def with_xmp(xmp: bytes) -> PngInfo:
    texts = PngInfo()
    texts.add_itxt("XML:com.adobe.xmp", xmp.decode())
    return texts


def test_huge_xmp_is_left_out_at_once() -> None:
    data = encoded("PNG", pnginfo=with_xmp(XMP.replace(b"attic", b"<mine:a/>" * 1_600_000)))
    start = time.process_time()
    photo = opened(data)
    assert time.process_time() - start < 2
    assert photo.metadata.xmp == b""
    assert photo.notices == ("large_metadata",)


def test_many_compressed_texts_take_no_time() -> None:
    """Each of them would be 16 MB."""
    texts = PngInfo()
    texts.add_text("Comment", "a" * (1 << 24), zip=True)
    texts.chunks *= 500
    data = encoded("PNG", pnginfo=texts)
    start = time.process_time()
    assert opened(data).notices == ("large_metadata",)
    assert time.process_time() - start < 2


def test_profile_of_more_than_a_megabyte() -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    padded = profile + np.random.default_rng(0).bytes(3 << 20)
    padded = len(padded).to_bytes(4) + padded[4:]
    assert opened(encoded("PNG", icc_profile=padded)).notices == ()


@pytest.mark.slow
def test_location_is_removed_in_linear_time() -> None:
    """Elements of the location between others took a time that grew with the square."""
    gps = '<e:GPSa xmlns:e="http://ns.adobe.com/exif/1.0/"/><b xmlns="urn:b"/>'
    seconds = []
    for count in (1000, 8000):
        metadata = Metadata(
            xmp=(RDF % f"<rdf:Description>{gps * count}</rdf:Description>").encode()
        )
        placeless = metadata.without_location().xmp
        assert b"GPSa" not in placeless
        assert placeless.count(b"urn:b") == count
        seconds.append(min(timeit.repeat(metadata.without_location, number=1, repeat=3)))
    assert seconds[1] < 32 * seconds[0]  # with the square it was 64
