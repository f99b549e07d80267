"""How turning and cropping a photo moves the coordinates in its metadata."""

import struct
from dataclasses import dataclass
from typing import Any
from xml.dom import minidom

import numpy as np

from colorizer.imaging.perspective import Corners, moved, rectangle_size, to_rectangle
from colorizer.photo.exif import EXIF_IFD, Directory, Field
from colorizer.photo.xmp import EXIF, IPTC_EXT, TIFF, children, properties, remove_all

SUBJECT_AREA, SUBJECT_LOCATION = 0x9214, 0xA214
FOCAL_PLANE = (0xA20E, 0xA20F)  # pixels per unit of length, horizontal and vertical
REGIONS = "http://www.metadataworkinggroup.com/schemas/regions/"
ACDSEE_REGIONS = "http://ns.acdsee.com/regions/"
MICROSOFT_REGION = "http://ns.microsoft.com/photo/1.2/t/Region#"
STALE_NAMESPACES = {"http://ns.google.com/photos/1.0/panorama/"}  # pixels of the whole panorama
PAIRS = (  # of values for the horizontal and the vertical direction
    ((TIFF, "XResolution"), (TIFF, "YResolution")),
    ((EXIF, "FocalPlaneXResolution"), (EXIF, "FocalPlaneYResolution")),
)
Box = tuple[float, float, float, float]  # center x, center y, width, height, from 0 to 1
Point = tuple[float, float]


@dataclass(frozen=True)
class Move:
    """A rectification, a turn or a reflection, then a crop.

    Attributes:
        size: (height, width) of the photo before, in pixels.
        orientation: EXIF orientation (1 to 8) of the photo before.
        box: left, top, right and bottom edge of the crop of the turned photo, in pixels; None for
            no crop.
        corners: of the part that is made a rectangle, see `colorizer.imaging.perspective`; None
            for none.
    """

    size: tuple[int, int]
    orientation: int = 1
    box: tuple[int, int, int, int] | None = None
    corners: Corners | None = None

    @property
    def swaps_sides(self) -> bool:
        """Whether width and height change places."""
        return self.orientation in (5, 6, 7, 8)

    @property
    def turned_size(self) -> tuple[int, int]:
        """(height, width) before the crop."""
        size = self.size if self.corners is None else rectangle_size(self.corners)
        return size[::-1] if self.swaps_sides else size

    @property
    def moved_size(self) -> tuple[int, int]:
        """(height, width) after the crop."""
        if self.box is None:
            return self.turned_size
        return self.box[3] - self.box[1], self.box[2] - self.box[0]

    @property
    def is_identity(self) -> bool:
        """Whether nothing changes."""
        whole = self.box in (None, (0, 0, *self.turned_size[::-1]))
        return whole and self.orientation not in range(2, 9) and self.corners is None

    def turned(self, x: float, y: float) -> Point:
        """Turn a point; coordinates are from 0 to 1 before and after."""
        x = 1 - x if self.orientation in (2, 3, 7, 8) else x
        y = 1 - y if self.orientation in (3, 4, 6, 7) else y
        return (y, x) if self.swaps_sides else (x, y)

    def moved(self, box: Box) -> Box | None:
        """Move a box or, with width and height 0, a point; None if its center is cut off."""
        if self.corners is not None:
            box = self._rectified(box)
        (x, y), (width, height) = self.turned(*box[:2]), box[2:]
        if self.swaps_sides:
            width, height = height, width
        if self.box is not None:
            rows, columns = self.turned_size
            left, top, right, bottom = self.box
            x, width = _cut(x, width, left / columns, right / columns)
            y, height = _cut(y, height, top / rows, bottom / rows)
        return (x, y, width, height) if 0 <= x <= 1 and 0 <= y <= 1 else None

    def _rectified(self, box: Box) -> Box:
        """The box around a box after the rectification."""
        assert self.corners is not None
        x, y, width, height = box
        matrix, (rows, columns) = to_rectangle(self.corners), rectangle_size(self.corners)
        points = [
            ((x + across * width) * self.size[1], (y + down * height) * self.size[0])
            for across in (-0.5, 0.5)
            for down in (-0.5, 0.5)
        ]
        corners = np.array([moved(matrix, *point) for point in points]) / (columns, rows)
        low, high = corners.min(0), corners.max(0)
        return (*((low + high) / 2).tolist(), *(high - low).tolist())

    def moved_pixels(self, values: list[float]) -> list[float] | None:
        """Move a subject area of EXIF: x, y, then nothing, a diameter, or width and height."""
        x, y, *extent = values
        height, width = self.size
        sides = (extent[0] / width, extent[1] / height) if len(extent) == 2 else (0.0, 0.0)
        moved = self.moved(((x + 0.5) / width, (y + 0.5) / height, *sides))
        if moved is None:
            return None
        rows, columns = self.moved_size
        center = [moved[0] * columns - 0.5, moved[1] * rows - 0.5]
        return center + ([moved[2] * columns, moved[3] * rows] if len(extent) == 2 else extent)


def _cut(center: float, extent: float, start: float, end: float) -> tuple[float, float]:
    """Center and extent of an interval after a cut, as shares of what the cut leaves.

    A center outside the cut comes out below 0 or above 1.
    """
    scale = end - start
    if not start <= center <= end or not extent:
        return (center - start) / scale, extent / scale
    low, high = max(start, center - extent / 2), min(end, center + extent / 2)
    return ((low + high) / 2 - start) / scale, (high - low) / scale


def move_exif(tags: Directory, move: Move) -> None:
    """Move the subject area and turn the resolution of the sensor."""
    photo = tags.get(EXIF_IFD)
    if not isinstance(photo, dict):
        return
    for tag in (SUBJECT_AREA, SUBJECT_LOCATION):
        field = photo.pop(tag, None)
        if isinstance(field, Field) and field.type == 3 and field.count in (2, 3, 4):
            values = struct.unpack(f"<{field.count}H", field.data)
            if moved := move.moved_pixels([float(value) for value in values]):
                levels = [min(65535, max(0, round(value))) for value in moved]
                photo[tag] = Field(3, struct.pack(f"<{len(levels)}H", *levels))
    if move.swaps_sides:
        across, down = (photo.pop(tag, None) for tag in FOCAL_PLANE)
        photo |= {
            tag: field
            for tag, field in zip(FOCAL_PLANE, (down, across), strict=True)
            if field is not None
        }


def move_xmp(rdf: minidom.Element, move: Move) -> None:
    """Move face regions and subject areas; drop regions that can't be moved."""
    doomed: list[minidom.Attr | minidom.Element] = []
    found: dict[tuple[str, str], minidom.Attr | minidom.Element] = {}
    for key, node in properties(rdf):
        found[key] = node
        subject = key in ((EXIF, "SubjectArea"), (EXIF, "SubjectLocation"))
        if (
            key[0] in STALE_NAMESPACES
            or key == (IPTC_EXT, "ImageRegion")
            or (subject and not (isinstance(node, minidom.Element) and _move_subject(node, move)))
        ):
            doomed.append(node)
    if move.swaps_sides:
        for first, second in PAIRS:
            if first in found and second in found:
                one, other = _text(found[first]), _text(found[second])
                _set_text(found[first], other)
                _set_text(found[second], one)
    for region in rdf.getElementsByTagNameNS("*", "li"):
        if not _move_region(region, move):
            doomed.append(region)
    for size in rdf.getElementsByTagNameNS("*", "AppliedToDimensions"):
        _set_size(size, move)
    remove_all(doomed)


def _move_subject(node: minidom.Element, move: Move) -> bool:
    items = node.getElementsByTagNameNS("*", "li")
    try:
        moved = move.moved_pixels([float(_text(item)) for item in items])
    except (ValueError, TypeError):
        return False
    for item, value in zip(items, moved or [], strict=False):
        _set_text(item, str(round(value)))
    return moved is not None


def _move_region(item: minidom.Element, move: Move) -> bool:
    """Move the coordinates of a list's item; False if they can't be."""
    for holder in (item, *_inner_descriptions(item)):
        for node in _nodes(holder):
            kind = node.namespaceURI, node.localName or ""
            moved = True
            if kind == (MICROSOFT_REGION, "Rectangle"):
                moved = _move_rectangle(node, move)
            elif kind[0] in (REGIONS, ACDSEE_REGIONS) and kind[1].endswith("Area"):
                moved = isinstance(node, minidom.Element) and _move_area(node, move)
            if not moved:
                return False
    return True


def _move_rectangle(node: minidom.Attr | minidom.Element, move: Move) -> bool:
    """Move "left, top, width, height", from 0 to 1, of Microsoft's regions."""
    try:
        left, top, width, height = (float(value) for value in _text(node).split(","))
    except ValueError:
        return False
    moved = move.moved((left + width / 2, top + height / 2, width, height))
    if moved is None:
        return False
    x, y, width, height = moved
    edges = (x - width / 2, y - height / 2, width, height)
    _set_text(node, ", ".join(_number(value) for value in edges))
    return True


def _move_area(area: minidom.Element, move: Move) -> bool:
    """Move center, size or diameter of an area of the Metadata Working Group."""
    values = _values(area)
    try:
        x, y = (float(_text(values[name])) for name in "xy")
        width, height = (float(_text(values[name])) if name in values else 0.0 for name in "wh")
    except (KeyError, ValueError):
        return False
    if "unit" in values and _text(values["unit"]) != "normalized":
        return False
    moved = move.moved((x, y, width, height))
    if moved is None:
        return False
    for name, value in zip("xywh", moved, strict=True):
        if name in values:
            _set_text(values[name], _number(value))
    if "d" in values:  # a share of the shorter side
        diameter = float(_text(values["d"])) * min(move.size) / min(move.moved_size)
        _set_text(values["d"], _number(diameter))
    return True


def _set_size(node: minidom.Element, move: Move) -> None:
    """Update the size of the picture to which regions apply."""
    values = _values(node)
    if "w" not in values or "h" not in values:
        return
    height, width = _text(values["h"]), _text(values["w"])
    if move.swaps_sides:
        height, width = width, height
    if move.box is not None or move.corners is not None:
        height, width = (str(value) for value in move.moved_size)
    _set_text(values["h"], height)
    _set_text(values["w"], width)


def _values(node: minidom.Element) -> dict[str, minidom.Attr | minidom.Element]:
    """Fields of an XMP structure by local name, in any of the forms that RDF allows."""
    return {
        field.localName or "": field
        for holder in (node, *_inner_descriptions(node))
        for field in _nodes(holder)
    }


def _inner_descriptions(node: minidom.Element) -> list[minidom.Element]:
    return children(node, "http://www.w3.org/1999/02/22-rdf-syntax-ns#", "Description")


def _nodes(holder: minidom.Element) -> list[Any]:
    elements = [node for node in holder.childNodes if isinstance(node, minidom.Element)]
    return [*holder.attributes.values(), *elements]


def _text(node: minidom.Attr | minidom.Element) -> str:
    if isinstance(node, minidom.Attr):
        return node.value
    return "".join(child.data for child in node.childNodes if isinstance(child, minidom.Text))


def _set_text(node: minidom.Attr | minidom.Element, text: str) -> None:
    if isinstance(node, minidom.Attr):
        node.value = text
        return
    document = node.ownerDocument
    assert document is not None
    node.childNodes[:] = [document.createTextNode(text)]


def _number(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
