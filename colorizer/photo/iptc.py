"""IPTC-IIM records, and the Photoshop image resources that hold them."""

import struct
from collections.abc import Iterable, Iterator

IPTC_RESOURCE = 0x0404
CAPTION_RESOURCE, COPYRIGHT_FLAG, COPYRIGHT_URL = 0x03F0, 0x040A, 0x040B
RESOURCES_HEADER = b"Photoshop 3.0\0"
CHARACTER_SET = (1, 90)
CAPTION = (2, 120)
IMAGE_ORIENTATION = (2, 131)  # portrait, landscape or square
LOCATION_RECORDS = {(2, dataset) for dataset in (26, 27, 90, 92, 95, 100, 101)}  # IPTC-IIM 4.2
PICTURE_RECORD = 3  # describes how pixels are stored

Key = tuple[int, int]  # record and dataset


def iptc_records(iptc: bytes) -> Iterator[tuple[Key, bytes]]:
    """Yield (record, dataset) and all bytes of each entry, up to the first damaged one."""
    at = 0
    while iptc[at : at + 1] == b"\x1c" and at + 5 <= len(iptc):
        record, dataset, size = struct.unpack_from(">BBH", iptc, at + 1)
        start = at + 5
        if size & 0x8000:  # the next `size & 0x7FFF` bytes hold the size
            start += size & 0x7FFF
            size = int.from_bytes(iptc[at + 5 : start])
        if start + size > len(iptc):
            return
        yield (record, dataset), iptc[at : start + size]
        at = start + size


def merged_iptc(blocks: Iterable[bytes]) -> tuple[bytes, bool]:
    """Merge IPTC blocks of one file; records of an earlier block are not repeated.

    Returns:
        The records, without those that describe how pixels are stored; and whether a block was
        left out, because its text is in another character set.
    """
    merged: list[bytes] = []
    character_set, left_out = None, False
    for block in blocks:
        records = list(iptc_records(block))
        own = next((data for key, data in records if key == CHARACTER_SET), b"")
        if records and character_set is None:
            character_set = own
        if own == character_set:
            earlier = set(merged)
            merged += [
                data for key, data in records if key[0] != PICTURE_RECORD and data not in earlier
            ]
        else:
            left_out |= bool(records)
    return b"".join(merged), left_out


def without_records(iptc: bytes, dropped: set[Key]) -> bytes:
    """Return IPTC without some records."""
    return b"".join(data for key, data in iptc_records(iptc) if key not in dropped)


def photoshop_resources(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the code and the content of each Photoshop image resource, up to a damaged one."""
    at = 0
    while data[at : at + 4] == b"8BIM" and at + 7 <= len(data):
        code, length = struct.unpack_from(">HB", data, at + 4)
        at += 6 + (length + 2) // 2 * 2  # a Pascal string, padded to an even size
        if at + 4 > len(data):
            return
        (size,) = struct.unpack_from(">I", data, at)
        yield code, data[at + 4 : at + 4 + size]
        at += 4 + (size + 1) // 2 * 2


def photoshop_resource(iptc: bytes) -> bytes:
    """Return IPTC as a Photoshop image resource with an empty name."""
    head = struct.pack(">4sHHI", b"8BIM", IPTC_RESOURCE, 0, len(iptc))
    return head + iptc + bytes(len(iptc) % 2)
