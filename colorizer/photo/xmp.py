"""XMP: packets of RDF/XML, changed without losing what is foreign in them."""

import re
from collections.abc import Callable, Iterator
from xml.dom import minidom

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
EXIF, TIFF = "http://ns.adobe.com/exif/1.0/", "http://ns.adobe.com/tiff/1.0/"
XMP, XMP_MM = "http://ns.adobe.com/xap/1.0/", "http://ns.adobe.com/xap/1.0/mm/"
EVENT = "http://ns.adobe.com/xap/1.0/sType/ResourceEvent#"
PHOTOSHOP = "http://ns.adobe.com/photoshop/1.0/"
IPTC_CORE = "http://iptc.org/std/Iptc4xmpCore/1.0/xmlns/"
IPTC_EXT = "http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
CAMERA = "http://ns.google.com/photos/1.0/camera/"
PREFIXES = {RDF: "rdf", XMP_MM: "xmpMM", EVENT: "stEvt", IPTC_EXT: "Iptc4xmpExt"}
SOURCE_TYPE = (IPTC_EXT, "DigitalSourceType")
HISTORY = (XMP_MM, "History")
COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
STALE_PROPERTIES = {  # true of the file that was read, not of the one that is written
    *((TIFF, name) for name in ("Orientation", "ImageWidth", "ImageLength", "BitsPerSample")),
    *((TIFF, name) for name in ("Compression", "PhotometricInterpretation", "SamplesPerPixel")),
    *((TIFF, name) for name in ("PlanarConfiguration", "TransferFunction", "WhitePoint")),
    *((TIFF, name) for name in ("PrimaryChromaticities", "YCbCrSubSampling", "NativeDigest")),
    *((EXIF, name) for name in ("PixelXDimension", "PixelYDimension", "ColorSpace", "Gamma")),
    *((EXIF, name) for name in ("CompressedBitsPerPixel", "NativeDigest")),
    *((PHOTOSHOP, name) for name in ("ICCProfile", "ColorMode")),
    *((CAMERA, name) for name in ("MotionPhoto", "MicroVideo", "MicroVideoOffset")),
    (XMP, "Thumbnails"),
    ("http://ns.adobe.com/xmp/note/", "HasExtendedXMP"),
}
STALE_NAMESPACES = {  # of gain maps and of further pictures in the same file
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

Key = tuple[str, str]  # namespace and name of a property


def edited_xmp(xmp: bytes, edit: Callable[[minidom.Element], None]) -> bytes:
    """A packet after a change to its rdf:RDF element.

    Raises:
        ValueError: it has no such element, or a document type, whose entities could be a bomb.
        ExpatError: it is not XML.
    """
    text = xmp.strip(b"\0\t\n\r ").decode("utf-8-sig")
    if "<!DOCTYPE" in text:
        raise ValueError("An XMP packet has no document type.")
    # Line breaks in attributes survive as references only, which minidom would not write.
    text = re.sub("&#(x0*[9aAdD]|0*9|0*1[03]);", "\ue000\\1\ue001", text)
    document = minidom.parseString(text)
    root = document.documentElement
    assert root is not None
    found = children(document, RDF, "RDF") or children(root, RDF, "RDF")
    if not found:
        raise ValueError("The XML has no rdf:RDF.")
    edit(found[0])
    return XMP_PACKET % re.sub("\ue000(\\w+)\ue001", "&#\\1;", root.toxml()).encode()


def children(parent: minidom.Node, uri: str, name: str) -> list[minidom.Element]:
    """The child elements of a namespace and name."""
    return [
        node
        for node in parent.childNodes
        if isinstance(node, minidom.Element) and (node.namespaceURI, node.localName) == (uri, name)
    ]


def properties(rdf: minidom.Element) -> Iterator[tuple[Key, minidom.Attr | minidom.Element]]:
    """The properties of a packet, each an attribute or an element, by namespace and name."""
    for description in children(rdf, RDF, "Description"):
        for node in [*description.attributes.values(), *description.childNodes]:
            if isinstance(node, minidom.Attr | minidom.Element):
                yield (node.namespaceURI or "", node.localName or ""), node


def remove(node: minidom.Attr | minidom.Element) -> None:
    """Take a node out of its document."""
    if isinstance(node, minidom.Attr):
        if node.ownerElement is not None:
            node.ownerElement.removeAttributeNode(node)
    elif node.parentNode is not None:
        node.parentNode.removeChild(node)


def _drop(rdf: minidom.Element, doomed: Callable[[Key], bool]) -> None:
    for key, node in list(properties(rdf)):
        if doomed(key):
            remove(node)


def drop_stale(rdf: minidom.Element) -> None:
    """Drop what is true of the file that was read, not of the one that is written."""
    _drop(rdf, lambda key: key in STALE_PROPERTIES or key[0] in STALE_NAMESPACES)


def drop_location(rdf: minidom.Element) -> None:
    """Drop where the photo was taken and what place it shows."""

    def is_location(key: Key) -> bool:
        return key in LOCATION_PROPERTIES or (key[0] == EXIF and key[1].startswith("GPS"))

    _drop(rdf, is_location)


def mark(rdf: minidom.Element, software: str, parameters: str) -> None:
    """Say that an algorithm made part of the photo, and add an event to its history."""
    _drop(rdf, lambda key: key == SOURCE_TYPE)
    descriptions = children(rdf, RDF, "Description")
    description = descriptions[0] if descriptions else _add(rdf, RDF, "Description")
    if not descriptions:
        description.setAttributeNS(RDF, "rdf:about", "")
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


def _add(parent: minidom.Element, uri: str, name: str, text: str = "") -> minidom.Element:
    """Append an element that says itself what its prefix stands for."""
    document = parent.ownerDocument
    assert document is not None
    element = document.createElementNS(uri, f"{PREFIXES[uri]}:{name}")
    element.setAttribute(f"xmlns:{PREFIXES[uri]}", uri)
    if text:
        element.appendChild(document.createTextNode(text))
    parent.appendChild(element)
    return element
