"""A photo's metadata: EXIF, XMP, IPTC, captions and resolution."""

from dataclasses import dataclass, replace
from functools import partial
from typing import Self

from colorizer.photo.exif import GEOTIFF_TAGS, GPS_IFD, Resolution, edited_exif, without_tags
from colorizer.photo.iptc import IMAGE_ORIENTATION, LOCATION_RECORDS, without_records
from colorizer.photo.move import Move, move_exif, move_xmp
from colorizer.photo.xmp import NO_XMP, TEXT_PROPERTIES, drop_location, edited_xmp, mark

FORMATS_WITHOUT_IPTC = ("WEBP", "AVIF", "HEIF")


@dataclass(frozen=True)
class Metadata:
    r"""Metadata of a photo whose pixels are upright sRGB.

    Attributes:
        exif: a TIFF structure, without the leading `Exif\0\0`; empty if there is none. It holds
            the resolution, but no orientation, thumbnail or pixel layout.
        xmp: an RDF/XML packet in UTF-8; empty if there is none.
        iptc: IPTC-IIM records; empty if there are none.
        texts: captions outside of the above, as pairs of a PNG keyword and a text; comments of
            JPEG and GIF files have the keyword "Comment".
        dpi: horizontal and vertical pixels per inch; None if unknown.
    """

    exif: bytes = b""
    xmp: bytes = b""
    iptc: bytes = b""
    texts: tuple[tuple[str, str], ...] = ()
    dpi: Resolution = None

    def without_location(self) -> Self:
        """Return the metadata without the place of the photo and the places that it shows.

        Maker notes and free text, such as captions, stay.
        """
        exif = _edited(partial(without_tags, self.exif, {GPS_IFD, *GEOTIFF_TAGS}))
        xmp = _edited(partial(edited_xmp, self.xmp, drop_location))
        return replace(self, exif=exif, xmp=xmp, iptc=without_records(self.iptc, LOCATION_RECORDS))

    def moved(self, move: Move) -> Self:
        """Return the metadata of the turned and cropped photo.

        Face regions and other coordinates move with the pixels. Those outside the crop are
        dropped. The resolution turns, too.
        """
        if move.is_identity:
            return self
        exif = _edited(partial(edited_exif, self.exif, partial(move_exif, move=move)))
        xmp = _edited(partial(edited_xmp, self.xmp, partial(move_xmp, move=move)))
        dpi, iptc = self.dpi, self.iptc
        if move.swaps_sides:
            dpi = dpi and (dpi[1], dpi[0])
            iptc = without_records(iptc, {IMAGE_ORIENTATION})
        return replace(self, exif=exif, xmp=xmp, iptc=iptc, dpi=dpi)

    def marked(self, software: str, checkpoint: str, picture: str = "") -> Self:
        """Return the metadata with XMP that says that an algorithm made the color.

        The digital source type is IPTC's for a composite with elements from a trained model. The
        history gets one more event, without a time, so that equal inputs give equal files. XMP
        that can't be parsed is replaced.

        Args:
            software: name and version, for example "colorizer 0.1.0".
            checkpoint: SHA-256 of the weights, in hexadecimal.
            picture: SHA-256 of another picture's pixels from which colors were taken, in
                hexadecimal; empty without one.
        """
        parameters = f"colorized; checkpoint sha256 {checkpoint}"
        if picture:
            parameters += f"; colors from another picture, sha256 {picture}"
        edit = partial(mark, software=software, parameters=parameters)
        xmp = _edited(partial(edited_xmp, self.xmp, edit)) or edited_xmp(NO_XMP, edit)
        return replace(self, xmp=xmp)

    def loses_captions(self, format: str) -> bool:
        """Whether a format, as Pillow names it, can't hold some of the captions."""
        if self.iptc and format in FORMATS_WITHOUT_IPTC:
            return True
        return format != "PNG" and any(keyword not in TEXT_PROPERTIES for keyword, _ in self.texts)


def _edited(edit: partial[bytes]) -> bytes:
    """Run an edit; damaged metadata becomes empty, because it must not cost the photo."""
    try:
        return edit()
    except Exception:
        return b""
