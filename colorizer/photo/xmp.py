"""XMP packets: RDF/XML, edited so that unknown properties stay."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from xml.dom import minidom

from colorizer.photo.limits import OversizedError

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
NOT_PROPERTIES = ("http://www.w3.org/2000/xmlns/", RDF)  # prefixes, rdf:about
EXIF, TIFF = "http://ns.adobe.com/exif/1.0/", "http://ns.adobe.com/tiff/1.0/"
XMP, XMP_MM = "http://ns.adobe.com/xap/1.0/", "http://ns.adobe.com/xap/1.0/mm/"
EVENT = "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
IPTC_CORE = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
NOTE = "http://ns.adobe.com/xmp/note/"
CAMERA = "http://ns.google.com/photos/1.0/camera/"
DUBLIN_CORE = "http://purl.org/dc/elements/1.1/"
RIGHTS = "http://ns.adobe.com/xap/1.0/rights/"
PREFIXES = {
    **{RDF: "rdf", XMP_MM: "xmpMM", EVENT: "stEvt", IPTC_EXT: "Iptc4xmpExt", EXIF: "exif"},
    **{DUBLIN_CORE: "dc", RIGHTS: "xmpRights", NOTE: "xmpNote"},
}
TEXT_PROPERTIES = {  # PNG keywords, and the comments of JPEG and GIF
    "Title": (DUBLIN_CORE, "title"),
    "Author": (DUBLIN_CORE, "creator"),
    "Description": (DUBLIN_CORE, "description"),
    "Copyright": (DUBLIN_CORE, "rights"),
    "Comment": (EXIF, "UserComment"),
}
MAX_XMP = 2**20  # bytes; minidom takes 2 s and 0.1 GB for the densest packet of that size
SOURCE_TYPE = (IPTC_EXT, "DigitalSourceType")
HISTORY = (XMP_MM, "History")
COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
STALE_PROPERTIES = {  # describe the file that was read, not the one that is written
    *((TIFF, name) for name in ("Orientation", "ImageWidth", "ImageLength", "BitsPerSample")),
    *((TIFF, name) for name in ("Compression", "PhotometricInterpretation", "SamplesPerPixel")),
    *((TIFF, name) for name in ("PlanarConfiguration", "TransferFunction", "WhitePoint")),
    *((TIFF, name) for name in ("PrimaryChromaticities", "YCbCrSubSampling", "NativeDigest")),
    *((EXIF, name) for name in ("PixelXDimension", "PixelYDimension", "ColorSpace", "Gamma")),
    *((EXIF, name) for name in ("CompressedBitsPerPixel", "NativeDigest")),
    *((PHOTOSHOP, name) for name in ("ICCProfile", "ColorMode")),
    *((CAMERA, name) for name in ("MotionPhoto", "MicroVideo", "MicroVideoOffset")),
    (XMP, "Thumbnails"),
    (NOTE, "HasExtendedXMP"),
}
STALE_NAMESPACES = {  # describe gain maps and further pictures in the same file
    "http://ns.adobe.com/hdr-gain-map/1.0/",
    "http://ns.google.com/photos/1.0/container/",
}
LOCATION_PROPERTIES = {
    *((PHOTOSHOP, name) for name in ("City", "State", "Country")),
    *((IPTC_CORE, name) for name in ("Location", "CountryCode")),
    *((IPTC_EXT, name) for name in ("LocationCreated", "LocationShown")),
}
XMP_PACKET = (
    b'<?xpacket begin="\xef\xbb\xbf" id="W5M0MpCehiHzreSzNTczkc9d"?>\n%s\n<?xpacket end="w"?>'
)
NO_XMP = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="%s"/></x:xmpmeta>' % RDF.encode()

NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Key = tuple[str, str]  # namespace and name of a property


def edited_xmp(xmp: bytes, edit: Callable[[minidom.Element], None]) -> bytes:
    """Edit the rdf:RDF element of a packet.

    Raises:
        OversizedError: the packet is longer than `MAX_XMP`.
        ValueError: it has no such element, or has a document type, whose entities could be a bomb.
        ExpatError: the packet is not XML.
    """
    document, rdf = _parsed(xmp)
    edit(rdf)
    root = document.documentElement
    assert root is not None
    return XMP_PACKET % re.sub("\ue000(\\w+)\ue001", "&#\\1;", root.toxml()).encode()


def _parsed(xmp: bytes) -> tuple[minidom.Document, minidom.Element]:
    """The document and the rdf:RDF element of a packet."""
    if len(xmp) > MAX_XMP:
        raise OversizedError(f"The XMP packet has {len(xmp)} bytes; at most {MAX_XMP} are read.")
    text = xmp.strip(b"\0\t\n\r ").decode("utf-8-sig")
    if "<!DOCTYPE" in text:
        raise ValueError("An XMP packet has no document type.")
    # Line breaks in attributes survive only as references, which minidom does not write.
    text = re.sub("&#(x0*[9aAdD]|0*9|0*1[03]);", "\ue000\\1\ue001", text)
    document = minidom.parseString(text)
    root = document.documentElement
    assert root is not None
    found = children(document, RDF, "RDF") or children(root, RDF, "RDF")
    if not found:
        raise ValueError("The XML has no rdf:RDF.")
    return document, found[0]


def children(parent: minidom.Node, uri: str, name: str) -> list[minidom.Element]:
    """Return the child elements with a namespace and name."""
    return [
        node
        for node in parent.childNodes
        if isinstance(node, minidom.Element) and (node.namespaceURI, node.localName) == (uri, name)
    ]


def properties(rdf: minidom.Element) -> Iterator[tuple[Key, minidom.Attr | minidom.Element]]:
    """Yield the namespace, name and node of each property; nodes are attributes or elements."""
    for description in children(rdf, RDF, "Description"):
        for node in [*description.attributes.values(), *description.childNodes]:
            if (
                isinstance(node, minidom.Attr | minidom.Element)
                and node.namespaceURI not in NOT_PROPERTIES
            ):
                yield (node.namespaceURI or "", node.localName or ""), node


def remove_all(nodes: Iterable[minidom.Attr | minidom.Element]) -> None:
    """Remove nodes from their document, in linear time."""
    parents: dict[int, tuple[minidom.Node, set[int]]] = {}
    for node in nodes:
        if isinstance(node, minidom.Attr):
            if node.ownerElement is not None:
                node.ownerElement.removeAttributeNode(node)
        elif node.parentNode is not None:
            parents.setdefault(id(node.parentNode), (node.parentNode, set()))[1].add(id(node))
    for parent, removed in parents.values():
        siblings: Any = parent.childNodes
        siblings[:] = [node for node in siblings if id(node) not in removed]


def _drop(rdf: minidom.Element, dropped: Callable[[Key], bool]) -> None:
    remove_all([node for key, node in properties(rdf) if dropped(key)])


def drop_stale(rdf: minidom.Element) -> None:
    """Drop properties that describe the file that was read."""
    _drop(rdf, lambda key: key in STALE_PROPERTIES or key[0] in STALE_NAMESPACES)


def drop_location(rdf: minidom.Element) -> None:
    """Drop the place of the photo and the places that it shows."""

    def is_location(key: Key) -> bool:
        return key in LOCATION_PROPERTIES or (key[0] == EXIF and key[1].startswith("GPS"))

    _drop(rdf, is_location)


def mark(rdf: minidom.Element, software: str, parameters: str) -> None:
    """Set the digital source type and append an event to the history."""
    _drop(rdf, lambda key: key == SOURCE_TYPE)
    description = _description(rdf)
    _add(description, *SOURCE_TYPE, COMPOSITE)
    sequences = [
        sequence
        for key, node in properties(rdf)
        if key == HISTORY
        for sequence in children(node, RDF, "Seq")
    ]
    sequence = sequences[0] if sequences else _add(_add(description, *HISTORY), RDF, "Seq")
    event = _add(sequence, RDF, "li")
    event.setAttributeNS(RDF, "rdf:parseType", "Resource")
    _add(event, EVENT, "action", "edited")
    _add(event, EVENT, "softwareAgent", software)
    _add(event, EVENT, "parameters", parameters)


def add_missing(rdf: minidom.Element, values: Mapping[Key, str]) -> None:
    """Add properties that a packet lacks.

    Args:
        rdf: the rdf:RDF element.
        values: text of each property; rights may be simple, creators are a list, and the others
            texts in a language.
    """
    present = {key for key, _ in properties(rdf)}
    for key, text in values.items():
        text = NOT_XML.sub("", text)
        if key in present or not text:
            continue
        if key[0] == RIGHTS:
            _add(_description(rdf), *key, text)
            continue
        kind = "Seq" if key[1] == "creator" else "Alt"
        item = _add(_add(_add(_description(rdf), *key), RDF, kind), RDF, "li", text)
        if kind == "Alt":
            item.setAttribute("xml:lang", "x-default")


def add_descriptions(rdf: minidom.Element, xmp: bytes) -> None:
    """Append the rdf:Description elements of another packet, such as extended XMP."""
    document = rdf.ownerDocument
    assert document is not None
    other, other_rdf = _parsed(xmp)
    root = other.documentElement
    assert root is not None
    for description in children(other_rdf, RDF, "Description"):
        copy = document.importNode(description, True)
        for ancestor in (root, other_rdf):
            for name, value in ancestor.attributes.items():
                if name.startswith("xmlns:") and not description.hasAttribute(name):
                    copy.setAttribute(name, value)
        rdf.appendChild(copy)


def _description(rdf: minidom.Element) -> minidom.Element:
    """The first rdf:Description, which is made if there is none."""
    if descriptions := children(rdf, RDF, "Description"):
        return descriptions[0]
    description = _add(rdf, RDF, "Description")
    description.setAttributeNS(RDF, "rdf:about", "")
    return description


def _add(parent: minidom.Element, uri: str, name: str, text: str = "") -> minidom.Element:
    """Append an element that declares its own prefix."""
    document = parent.ownerDocument
    assert document is not None
    element = document.createElementNS(uri, f"{PREFIXES[uri]}:{name}")
    element.setAttribute(f"xmlns:{PREFIXES[uri]}", uri)
    if text:
        element.appendChild(document.createTextNode(text))
    parent.appendChild(element)
    return element
