"""What another picture says of a photo's colors, and how far it is believed."""

from dataclasses import dataclass

import cv2
import numpy as np

from colorizer.errors import ColorSourceError
from colorizer.imaging.arrays import Plane
from colorizer.imaging.guided_filter import guided_filter
from colorizer.imaging.resampling import resize
from colorizer.photo.photo import Photo
from colorizer.sources.color_source import ColorSource, Use
from colorizer.sources.reference import Encode, match_reference
from colorizer.sources.registration import Registration, match_size, register

FILTER_RADIUS = 2  # pixels at the working size, over which the picture's noise is smoothed
FILTER_EPSILON = 20.0  # L* units squared


@dataclass(frozen=True, eq=False)
class Evidence:
    """Colors that another picture gives to a photo, at the working size.

    Attributes:
        ab: (2, h, w) float32.
        weight: (h, w) float32, 0 where the photo keeps its own colors, 1 where it takes these.
        share: of the photo that takes colors, at full strength, 0 to 1.
        picture: SHA-256 of the picture's pixels, in hexadecimal; empty if nothing is taken of it.
        use: of the picture, as of `ColorSource`.
    """

    ab: Plane
    weight: Plane
    share: float = 1.0
    picture: str = ""
    use: Use = "same"

    def join(self, ab: Plane) -> Plane:
        """Put the colors into those of a photo, (2, h, w)."""
        return np.asarray(ab + self.weight * (self.ab - ab), np.float32)


def find_evidence(photo: Photo, source: ColorSource, working: Plane, encode: Encode) -> Evidence:
    """Find the colors that a source gives to a photo.

    Args:
        photo: of any size.
        source: another picture.
        working: (h, w) float32 L* of the photo at the working size.
        encode: computes features of a picture, by which a reference is compared.

    Raises:
        ColorSourceError: the picture shall show the same photo and shows another one, its copy is
            damaged, or the checkpoint can't compare photos.
    """
    if source.use == "reference":
        ab, weight = match_reference(working, source.lab, encode)
    else:
        ab, weight = take_same(photo, source, working)
    strength = np.float32(source.strength)
    picture = source.sha256 if source.strength else ""
    return Evidence(ab, strength * weight, float(weight.mean()), picture, source.use)


def take_same(photo: Photo, source: ColorSource, working: Plane) -> tuple[Plane, Plane]:
    """Find the colors of the same photo that was colored elsewhere.

    Returns:
        The ab (2, h, w) and where it is believed (h, w), 0 to 1.
    """
    lightness, ab = source.lab[0], source.lab[1:]
    found = register(photo.resized_lightness(match_size(photo.size)), lightness)
    if found is None:
        raise ColorSourceError(
            "The other picture does not show this photo, so its colors can't be put in place. "
            "Use another version of the same photo, or take this picture as a reference.",
            "other",
        )
    agreement = resize(found.agreement, working.shape).clip(0, 1)
    return taken(found, ab, working), agreement


def taken(found: Registration, picture_ab: Plane, working: Plane) -> Plane:
    """The picture's ab where each pixel of the photo is, (2, h, w), noise removed."""
    height, width = picture_ab.shape[1:]
    columns = resize(found.columns, working.shape) * width - 0.5
    rows = resize(found.rows, working.shape) * height - 0.5
    scale = (found.span * height * width / working.size) ** 0.5  # its pixels per pixel of ours
    planes = np.ascontiguousarray(picture_ab.transpose(1, 2, 0))
    if scale > 1:
        planes = np.asarray(cv2.GaussianBlur(planes, (0, 0), 0.4 * scale), np.float32)
    moved = cv2.remap(planes, columns, rows, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    smooth = guided_filter(working, np.asarray(moved, np.float32), FILTER_RADIUS, FILTER_EPSILON)
    return np.ascontiguousarray(smooth.transpose(2, 0, 1))
