"""Bands of rows: what touches every pixel of a photo works in these, so that memory stays
bounded.
"""

from collections.abc import Iterator

BAND_PIXELS = 1 << 20


def bands(size: tuple[int, int]) -> Iterator[slice]:
    """Slices of rows that cover a picture of (height, width), each of about a megapixel and at
    least one row.
    """
    height, width = size
    rows = max(1, BAND_PIXELS // width)
    for top in range(0, height, rows):
        yield slice(top, min(top + rows, height))
