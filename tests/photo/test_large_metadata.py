"""Metadata that exceeds its limit is left out and reported; the photo opens."""

import io
import struct
import time
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from colorizer import Photo
from colorizer.photo.exif import TIFF_PHOTOSHOP, TIFF_XMP
from colorizer.photo.limits import JPEG_EXIF_BYTES, MAX_METADATA_BYTES, PNG_TEXT_BYTES
from colorizer.photo.png import check_png
from colorizer.photo.read_metadata import EXTENDED_XMP, JP2_UUIDS
from tests.helpers.photos import color_pixels

SECONDS = 5.0
XMP = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
    b'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><!--'
    + b"a" * 90_000_000
    + b"--></rdf:RDF></x:xmpmeta>"
)
PIXELS = color_pixels(20, 30)


def encoded(format: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, format, **options)
    return file.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


def png(*chunks: bytes, end: bool = False) -> bytes:
    data, at = encoded("PNG"), -12 if end else 33
    return data[:at] + b"".join(chunks) + data[at:]


def png_xmp(compressed: bool = False) -> bytes:
    text = zlib.compress(XMP, 1) if compressed else XMP
    return chunk(b"iTXt", b"XML:com.adobe.xmp\0" + bytes([compressed, 0, 0, 0]) + text)


def png_profiles() -> bytes:
    """Profiles as ImageMagick writes them, each of which unpacks to 90 MB."""
    text = chunk(b"zTXt", b"Raw profile type xmp\0\0" + zlib.compress(XMP, 1))
    return png(*[text] * 100)


def jpeg(*segments: bytes) -> bytes:
    data = encoded("JPEG", quality=95)
    written = (b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment for segment in segments)
    return data[:2] + b"".join(written) + data[2:]


def jpeg_extended_xmp() -> bytes:
    guid, step = b"0" * 32, 65_000
    packet = XMP[: XMP.index(b"<!--")] + (
        b'<rdf:Description xmlns:xmpNote="http://ns.adobe.com/xmp/note/" '
        b'xmpNote:HasExtendedXMP="' + guid + b'"/></rdf:RDF></x:xmpmeta>'
    )
    head = EXTENDED_XMP + guid
    parts = [
        head + struct.pack(">II", len(XMP), at) + XMP[at : at + step]
        for at in range(0, len(XMP), step)
    ]
    return jpeg(b"http://ns.adobe.com/xap/1.0/\0" + packet, *parts)


def jpeg_exif() -> bytes:
    return jpeg(*[b"Exif\0\0".ljust(60_000, b"\0")] * (JPEG_EXIF_BYTES // 60_000 + 1))


def tiff(tag: int) -> bytes:
    file = io.BytesIO()
    extra = [(tag, 1, len(XMP), XMP, True)]
    tifffile.imwrite(file, PIXELS, photometric="rgb", metadata=None, extratags=extra)
    return file.getvalue()


def jp2() -> bytes:
    box = struct.pack(">I4s", len(XMP) + 24, b"uuid") + JP2_UUIDS["xmp"] + XMP
    return encoded("JPEG2000") + box


FILES = {
    "PNG": lambda: png(png_xmp()),
    "PNG, after the pixels": lambda: png(png_xmp(), end=True),
    "PNG, compressed": lambda: png(png_xmp(compressed=True)),
    "PNG, profiles": png_profiles,
    "PNG, captions": lambda: png(*[chunk(b"tEXt", b"Comment\0" + b"a" * 900_000)] * 100),
    "JPEG": jpeg_extended_xmp,
    "JPEG, EXIF": jpeg_exif,
    "TIFF": lambda: tiff(TIFF_XMP),
    "TIFF, Photoshop": lambda: tiff(TIFF_PHOTOSHOP),
    "WebP": lambda: encoded("WEBP", lossless=True, xmp=XMP),
    "JPEG 2000": jp2,
    "AVIF": lambda: encoded("AVIF", quality=100, xmp=XMP),
}


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
@pytest.mark.parametrize("container", FILES)
def test_large_metadata_costs_no_photo(container: str) -> None:
    data = FILES[container]()
    start = time.process_time()
    photo = Photo.open(io.BytesIO(data))
    assert time.process_time() - start < SECONDS
    assert "large_metadata" in photo.notices
    assert len(photo.metadata.xmp) < 1000
    assert np.abs(photo.pixels.astype(int) - PIXELS).mean() < 8


def test_other_metadata_of_a_png_stays() -> None:
    caption = chunk(b"tEXt", b"Title\0By the lake")
    photo = Photo.open(io.BytesIO(png(png_xmp(), caption)))
    assert photo.metadata.texts == (("Title", "By the lake"),)
    assert photo.notices == ("large_metadata",)


def test_a_png_within_the_limits_stays_as_it_is() -> None:
    data = png(chunk(b"eXIf", bytes(MAX_METADATA_BYTES - 100)), chunk(b"tEXt", b"Title\0lake"))
    checked = check_png(data)
    assert checked.data is data
    assert not checked.oversized


def test_a_field_of_a_tiff_that_is_never_kept_is_not_reported() -> None:
    assert Photo.open(io.BytesIO(tiff(0x935C))).notices == ()  # layers of Photoshop


@pytest.mark.parametrize("kind", [b"zTXt", b"iCCP"])
def test_damaged_texts_of_a_png_take_no_time(kind: bytes) -> None:
    """Each of them unpacks to 16 MB before its checksum turns out wrong."""
    packed = zlib.compress(bytes(PNG_TEXT_BYTES - 1))[:-4] + b"oops"
    start = time.process_time()
    photo = Photo.open(io.BytesIO(png(*[chunk(kind, b"Comment\0\0" + packed)] * 200)))
    assert time.process_time() - start < SECONDS
    assert "large_metadata" in photo.notices


def test_a_damaged_text_of_a_png_costs_no_other() -> None:
    damaged = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"a" * 1000)[:-4] + b"oops")
    photo = Photo.open(io.BytesIO(png(damaged, chunk(b"tEXt", b"Title\0By the lake"))))
    assert photo.metadata.texts == (("Title", "By the lake"),)
    assert "large_metadata" not in photo.notices
