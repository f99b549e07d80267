"""GIF files: blocks are counted before they are read (GIF89a, section 18 and following)."""

from colorizer.photo.limits import GIF_BLOCKS, GIF_MORE_BLOCKS, check_count

SIGNATURES = (b"GIF87a", b"GIF89a")
IMAGE, EXTENSION, TRAILER = 0x2C, 0x21, 0x3B


def check_gif(data: bytes) -> None:
    """Refuse a GIF with more blocks than its size explains.

    Raises:
        UnsupportedError: it would take too long to read.
    """
    if len(data) < 13:
        return
    position, count, frames = 13 + _table(data[10]), 0, 0
    more = GIF_BLOCKS + len(data) // GIF_MORE_BLOCKS

    def step() -> None:
        nonlocal count
        count += 1
        if count > (limit := more if frames else GIF_BLOCKS):
            check_count(count, limit, "blocks")

    while position < len(data) and data[position] != TRAILER:
        kind = data[position]
        step()
        if kind not in (IMAGE, EXTENSION):
            position += 1
            continue
        if kind == IMAGE:
            frames += 1
            if frames > 1 or position + 9 >= len(data):  # no later frame is ever read
                return
            position += 9 + _table(data[position + 9])
        position += 2  # the size of codes, or the label of an extension
        while position < len(data) and (size := data[position]):
            step()
            position += 1 + size
        position += 1


def _table(flags: int) -> int:
    """Bytes of a color table."""
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
