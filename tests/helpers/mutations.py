"""Change a file of a known format so that its structure stays: lengths, checksums, directories.

Random bytes mostly break a file before a decoder gets to see it. Here, the parts of a file
(segments of a JPEG, chunks of a PNG, boxes and markers of a JPEG 2000, entries of a TIFF directory)
are dropped, repeated, swapped, inserted from another file, or changed inside, and joined again.
"""

import struct
import zlib
from collections.abc import Callable
from contextlib import suppress
from random import Random

Part = tuple[bytes, bytes]  # kind and content
Edit = Callable[[bytes], bytes]
Format = tuple[Callable[[bytes], list[Part]], Callable[[bytes, list[Part]], bytes]]

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
JP2, CODESTREAM = b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"
TIFF = (b"II*\0", b"MM\0*")
INTERESTING = (0, 1, 2, 3, 4, 8, 16, 127, 128, 255, 256, 32767, 65535, 2**24, 2**31 - 1, 2**32 - 1)
TIFF_ENTRIES = (  # tag, type and value
    *((254, 4, 1), (266, 3, 2), (274, 3, 6), (274, 1, 6), (284, 3, 2), (317, 3, 2), (330, 4, 8)),
    *((338, 3, 2), (339, 3, 2), (700, 1, 4), (33723, 7, 4), (34377, 7, 4), (34665, 4, 8)),
    (34675, 7, 9),
)
NEW_PARTS: dict[bytes, list[Part]] = {  # what the sample files lack
    JPEG: [
        (b"\xff\xe1", b"Exif\0\0II*\0\x08\0\0\0\0\0"),
        (b"\xff\xfe", b"comment"),
        (b"\xff\xee", b"Adobe\0\x64\0\0\0\0\2"),
        (b"\xff\xdd", b"\0\1"),
        (b"\xff\xe2", b"ICC_PROFILE\0\1\1"),
        (b"\xff\xe2", b"MPF\0II*\0\x08\0\0\0\0\0"),
        (b"\xff\xed", b"Photoshop 3.0\x008BIM\4\4\0\0\0\0\0\5\x1c\2\x78\0\0"),
    ],
    PNG: [
        (b"gAMA", b"\0\1\x86\xa0"),
        (b"cICP", b"\1\x0d\0\1"),
        (b"tRNS", b"\0\1\0\1\0\1"),
        (b"cHRM", bytes(32)),
        (b"eXIf", b"MM\0*\0\0\0\x08\0\0"),
        (b"zTXt", b"Title\0\0x\x9c\3\0\0\0\0\1"),
        (b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0<x/>"),
        (b"iCCP", b"a\0\0x\x9c\3\0\0\0\0\1"),
        (b"acTL", b"\0\0\0\2\0\0\0\0"),
        (b"pHYs", b"\0\0\x0b\x13\0\0\x0b\x13\1"),
    ],
    JP2: [
        (b"colr", b"\2\0\0" + bytes(128)),
        (b"cdef", b"\0\3\0\0\0\0\0\3\0\1\0\0\0\2\0\2\0\0\0\1"),
        (b"pclr", b"\0\2\3\7\7\7" + bytes(6)),
        (b"cmap", b"\0\0\1\0\0\0\1\1"),
        (b"free", b""),
        (b"uuid", b"JpgTiffExif->JP2II*\0\x08\0\0\0\0\0"),
        (b"xml ", b"<x/>"),
    ],
    TIFF[0]: [
        (struct.pack("<H", tag), struct.pack("<HII", type, 1, value))
        for tag, type, value in TIFF_ENTRIES
    ],
}


def mutated(data: bytes, random: Random, edit: Edit, other: bytes = b"") -> bytes:
    """The file with some of its parts changed; of another format, an edit of its bytes.

    Args:
        data: the file.
        random: decides what changes.
        edit: changes bytes somehow.
        other: a file whose parts may be inserted; of no use if it has another format.
    """
    start = next((start for start in FORMATS if data.startswith(start)), None)
    if start is None:
        return edit(data)
    split, join = FORMATS[start]
    parts = split(data)
    if not parts:
        return edit(data)
    more = NEW_PARTS.get(start, [])
    if other.startswith(start):
        more = more + split(other)
    for _ in range(random.choice((1, 1, 2, 4))):
        at = random.randrange(len(parts))
        action = random.randrange(9)
        if action == 0 and len(parts) > 1:
            del parts[at]
        elif action == 1:
            parts[at:at] = parts[at : at + 1] * random.choice((1, 1, 2, 50))
        elif action == 2:
            to = random.randrange(len(parts))
            parts[at], parts[to] = parts[to], parts[at]
        elif action in (3, 4) and more:
            parts.insert(random.randrange(1, len(parts) + 1), random.choice(more))
        else:
            kind, content = parts[at]
            parts[at] = kind, _changed(kind, content, random, edit)
    return join(data, parts)


def _changed(kind: bytes, content: bytes, random: Random, edit: Edit) -> bytes:
    """The content of a part with another number in it, or edited."""
    if kind == b"IDAT" and random.random() < 0.7:
        with suppress(zlib.error):
            return zlib.compress(edit(zlib.decompress(content)))
    if kind == b"jp2h" and random.random() < 0.9:
        return mutated(JP2 + content, random, edit)[len(JP2) :]
    if kind == b"jp2c" and random.random() < 0.9:
        return mutated(content, random, edit)
    if not content or random.random() < 0.4:
        return edit(content)
    size = random.choice((1, 2, 4))
    at = random.randrange(max(1, len(content) - size + 1))
    value = random.choice(INTERESTING) % (1 << 8 * size)
    order = random.choice(("big", "little"))
    return content[:at] + value.to_bytes(size, order) + content[at + size :]


def _split_jpeg(data: bytes) -> list[Part]:
    """Markers with their segments; what follows a scan's header is a part without a kind."""
    parts, at = [], 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker, size = data[at : at + 2], int.from_bytes(data[at + 2 : at + 4])
        if marker == b"\xff\xd9":
            break
        parts.append((marker, data[at + 4 : at + 2 + size]))
        at += 2 + max(2, size)
        if marker == b"\xff\xda":
            end = at
            while end + 1 < len(data) and not (data[end] == 0xFF and 0 < data[end + 1] < 0xD0):
                end += 1
                if data[end : end + 2] in (b"\xff\xd9", b"\xff\xda", b"\xff\xc4", b"\xff\xdb"):
                    break
            parts.append((b"", data[at:end]))
            at = end
    return parts


def _join_jpeg(_: bytes, parts: list[Part]) -> bytes:
    return b"\xff\xd8" + b"".join(map(_segment, parts)) + b"\xff\xd9"


def _segment(part: Part) -> bytes:
    kind, content = part
    content = content[:65533]
    return kind + struct.pack(">H", len(content) + 2) + content if kind else content


def _split_png(data: bytes) -> list[Part]:
    parts, at = [], len(PNG)
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4])
        parts.append((data[at + 4 : at + 8], data[at + 8 : at + 8 + size]))
        at += 12 + size
    return parts


def _join_png(_: bytes, parts: list[Part]) -> bytes:
    pack = struct.Struct(">I").pack
    return PNG + b"".join(
        b"".join((pack(len(content)), kind, content, pack(zlib.crc32(kind + content))))
        for kind, content in parts
    )


def _split_boxes(data: bytes) -> list[Part]:
    parts, at = [], len(JP2) if data[len(JP2) :][:4] != b"\r\n\x87\n" else len(JP2) + 4
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4]) or len(data) - at
        parts.append((data[at + 4 : at + 8], data[at + 8 : at + size]))
        at += max(8, size)
    return parts


def _join_boxes(data: bytes, parts: list[Part]) -> bytes:
    head = JP2 + (b"\r\n\x87\n" if data[len(JP2) :][:4] == b"\r\n\x87\n" else b"")
    boxes = (struct.pack(">I", 8 + len(content)) + kind + content for kind, content in parts)
    return head + b"".join(boxes)


def _split_codestream(data: bytes) -> list[Part]:
    parts, at = [], 2
    while at + 4 <= len(data):
        marker, size = data[at : at + 2], int.from_bytes(data[at + 2 : at + 4])
        if marker == b"\xff\x93":  # data of a tile
            return [*parts, (b"", data[at:])]
        parts.append((marker, data[at + 4 : at + 2 + size]))
        at += 2 + max(2, size)
    return parts


def _join_codestream(_: bytes, parts: list[Part]) -> bytes:
    return b"\xff\x4f" + b"".join(map(_segment, parts))


def _split_tiff(data: bytes) -> list[Part]:
    """Tag, and type, count and value of each entry of the first directory."""
    order = _order(data)
    (at,) = struct.unpack_from(f"{order}I", data.ljust(8, b"\0"), 4)
    if at + 2 > len(data):
        return []
    (count,) = struct.unpack_from(f"{order}H", data, at)
    entries = data[at + 2 : at + 2 + 12 * min(count, 1000)]
    return [
        (entries[start : start + 2], entries[start + 2 : start + 12])
        for start in range(0, len(entries) - 11, 12)
    ]


def _join_tiff(data: bytes, parts: list[Part]) -> bytes:
    """The file with a directory at its end."""
    order = _order(data)
    entries = b"".join(tag + content[:10].ljust(10, b"\0") for tag, content in parts)
    directory = struct.pack(f"{order}H", len(entries) // 12) + entries + bytes(4)
    return data[:4] + struct.pack(f"{order}I", len(data)) + data[8:] + directory


def _order(data: bytes) -> str:
    return "<" if data.startswith(b"II") else ">"


FORMATS: dict[bytes, Format] = {
    JPEG: (_split_jpeg, _join_jpeg),
    PNG: (_split_png, _join_png),
    JP2: (_split_boxes, _join_boxes),
    CODESTREAM: (_split_codestream, _join_codestream),
    TIFF[0]: (_split_tiff, _join_tiff),
    TIFF[1]: (_split_tiff, _join_tiff),
}
