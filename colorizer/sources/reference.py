"""Reference photos: what looks alike in another photo is likely to have its colors.

The encoder's features of all places of both photos are compared, wherever they are and at several
sizes. The best matches of a place give it a color (after Zhang et al. 2019, "Deep exemplar-based
video colorization", sec. 3.2). How far that is believed comes from a logistic regression over how
alike the matches are, how far their colors agree, and how alike the two photos are as a whole.
"""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from colorizer.imaging.arrays import Plane
from colorizer.imaging.guided_filter import guided_filter
from colorizer.imaging.resampling import resize

SHORT_SIDE = 224  # pixels, at which photos are compared
LONG_SIDE = 672  # pixels at most, of strips
SCALES = (0.7, 1.0, 1.4)  # of the reference
CELL = 8  # pixels that share a color
MATCHES = 32  # of each place, the best
TEMPERATURE = 0.08  # of the softmax over cosine similarities
LIGHTNESS_SIGMA = 8.0  # L* units: standard deviation within which alike places have one color
# Weights of a place's similarity, its matches' spread in 10 ab units, and the photo's similarity,
# and the offset, of the log-odds; benchmarks/references.py
CONFIDENCE = (5.05, -0.48, 38.0, -18.95)
EDGE_RADIUS = 6  # pixels at the working size: of the filter that aligns colors with edges
EDGE_EPSILON = 20.0  # L* units squared

Encode = Callable[[Plane], Tensor]  # L* (h, w) to features (C, h / 16, w / 16)


class Places(NamedTuple):
    """Of a picture, which are compared.

    Attributes:
        features: (places, C).
        means: (places, channels), of the picture's channels.
    """

    features: Tensor
    means: Tensor


class ReferenceMatcher:
    """Finds the colors that a reference photo gives to photos.

    What was computed of the last reference is kept: an album has one for all its photos. Several
    threads may share a matcher.

    Args:
        encode: computes features, see `Colorizer.encode`.
    """

    def __init__(self, encode: Encode) -> None:
        self._encode = encode
        self._last: tuple[Plane, Places] | None = None

    def match(self, working: Plane, reference: Plane) -> tuple[Plane, Plane]:
        """Find the colors that a reference gives to a photo.

        Args:
            working: (h, w) float32 L* of the photo at the working size.
            reference: (3, H, W) float32 CIELAB of the reference, of any size; it must not be
                changed later.

        Returns:
            The ab (2, h, w) and how far it is believed (h, w), 0 to 1, both float32.
        """
        lightness = resize(working, compared_size(working.shape))
        photo, cells = self._describe(lightness[None])
        others = self._describe_reference(reference)
        lab = others.means
        center = (photo.features.mean(0) + others.features.mean(0)) / 2
        features, known = (
            F.normalize(places.features - center, dim=1) for places in (photo, others)
        )
        similarity, best = (features @ known.T).topk(min(MATCHES, len(known)), dim=1)
        off = (lab[best, 0] - photo.means) / LIGHTNESS_SIGMA
        shares = torch.softmax(similarity / TEMPERATURE - off**2 / 2, dim=1)  # (places, matches)
        colors = lab[best, 1:]
        ab = (shares[:, :, None] * colors).sum(1)
        spread = (shares[:, :, None] * (colors - ab[:, None]) ** 2).sum((1, 2)).sqrt()
        alike = (shares * similarity).sum(1)
        of_place, of_spread, of_photo, offset = CONFIDENCE
        whole = similarity[:, 0].mean()
        odds = of_place * alike + of_spread * spread / 10 + of_photo * whole + offset
        found = torch.cat((ab, torch.sigmoid(odds)[:, None]), dim=1).reshape(*cells, 3).numpy()
        size = working.shape[1], working.shape[0]
        large = np.asarray(cv2.resize(found, size, interpolation=cv2.INTER_LINEAR), np.float32)
        smooth = guided_filter(working, large, EDGE_RADIUS, EDGE_EPSILON)
        return np.ascontiguousarray(smooth[:, :, :2].transpose(2, 0, 1)), smooth[:, :, 2].clip(0, 1)

    def _describe_reference(self, reference: Plane) -> Places:
        """Describe the places of a reference at all scales, unless it is the last one."""
        last = self._last
        if last is not None and last[0] is reference:
            return last[1]
        sizes = [compared_size(reference.shape[1:], scale) for scale in SCALES]
        copies = [np.stack([resize(plane, size) for plane in reference]) for size in sizes]
        described = [self._describe(copy)[0] for copy in copies]
        places = Places(*(torch.cat(tensors) for tensors in zip(*described, strict=True)))
        self._last = reference, places
        return places

    def _describe(self, picture: Plane) -> tuple[Places, tuple[int, int]]:
        """Describe the places of a picture (channels, h, w), the first of which is L*.

        Returns:
            The places, and their rows and columns.
        """
        height, width = picture.shape[1:]
        cells = -(-height // CELL), -(-width // CELL)
        features = F.interpolate(self._encode(picture[0])[None], size=cells, mode="bilinear")
        means = F.adaptive_avg_pool2d(torch.from_numpy(picture)[None], cells)
        return Places(features[0].flatten(1).T, means[0].flatten(1).T), cells


def compared_size(size: tuple[int, ...], scale: float = 1.0) -> tuple[int, int]:
    """(height, width) at which a photo of some size is compared."""
    scale *= min(SHORT_SIDE / min(size), LONG_SIDE / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
