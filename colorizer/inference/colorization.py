"""A colorized photo. Hints, alternatives and adjustments don't run the network again."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from colorizer.adjust.adjustments import Adjustments
from colorizer.adjust.color import adjust_color
from colorizer.adjust.strokes import Retouch
from colorizer.adjust.tone import ToneAdjuster
from colorizer.imaging.arrays import Pixels, Plane
from colorizer.imaging.bands import map_bands
from colorizer.imaging.compose import compose, compose_gray
from colorizer.imaging.upsampling import ChromaUpsampler
from colorizer.inference.alternatives import (
    alternative_changes,
    displayable,
    select_distinct,
)
from colorizer.inference.distribution import Distribution
from colorizer.inference.hints import ColorHint, HintPropagation, Samples, sample
from colorizer.inference.local_hints import LocalPropagation
from colorizer.photo.photo import Photo
from colorizer.sources.evidence import Evidence
from colorizer.version import __version__

CONFIDENT_WITHIN = 10.0  # ab units from the true color, up to which a prediction is right
MIN_PROBABILITY = 1e-6  # closer to 0 or 1, a float32 probability has no finite logit
SOFTWARE = f"colorizer {__version__}"
SUGGESTION_DISTANCE = 12.0  # ab units between suggested colors


@dataclass(frozen=True, eq=False)
class NetworkOutput:
    """What the network predicted for a photo, at the working size."""

    lightness: Plane  # (h, w) L*, the network's input
    ab: Plane  # (2, h, w)
    distribution: Distribution | None  # None if the network predicts none
    confidence_scaling: tuple[float, float] = (1.0, 0.0)  # for `scale_confidence`
    checkpoint: str = ""  # SHA-256 of the weights

    @cached_property
    def color_features(self) -> Plane | None:
        """Features that distinguish pixels beyond their color, for `HintPropagation`."""
        if self.distribution is None:
            return None
        return self.distribution.features(self.lightness)


class Colorization:
    """A colorized photo; its pixels are computed on demand.

    Attributes:
        photo: the input.
        evidence: colors taken from another picture, at the working size; None without one.
        retouch: strokes by hand, which `adjust` follows; None without any.
    """

    def __init__(
        self,
        photo: Photo,
        output: NetworkOutput,
        ab: Plane | None = None,
        samples: Samples | None = None,
        evidence: Evidence | None = None,
        retouch: Retouch | None = None,
    ) -> None:
        self.photo = photo
        self.evidence = evidence
        self.retouch = retouch
        self._output = output
        self._unhinted_ab = output.ab if ab is None else ab  # (2, h, w)
        self._samples = samples

    @cached_property
    def gray(self) -> Photo:
        """The photo without color, at full resolution and with its lightness."""
        return self.photo.to_gray()

    @cached_property
    def colorized(self) -> Photo:
        """The photo in color, at full resolution and with its lightness, not retouched."""
        return self._adjusted(Adjustments(), None)

    def with_hints(
        self, hints: Sequence[ColorHint], size: tuple[int, int] | None = None
    ) -> "Colorization":
        """Return the same result with other hints, without running the network.

        Args:
            hints: known colors, which replace the current hints; an empty sequence removes them.
            size: (height, width) of the photo that the hints' coordinates refer to; None: `photo`.

        Raises:
            ValueError: a hint lies outside the photo.
        """
        rows, columns = self._output.lightness.shape
        samples = sample(hints, size or self.photo.size, (rows, columns))
        return self._changed(samples=samples)

    def with_evidence(self, evidence: Evidence | None) -> "Colorization":
        """Return the same result with colors taken from another picture.

        Hints still hold, and alternatives change what the picture leaves open.

        Args:
            evidence: at the working size; None takes no colors.
        """
        return self._changed(evidence=evidence)

    def with_retouch(self, retouch: Retouch | None) -> "Colorization":
        """Return the same result with other strokes by hand.

        Args:
            retouch: for the photo before its framing; None follows no strokes.
        """
        return self._changed(retouch=retouch)

    @property
    def input_lightness(self) -> Plane:
        """L* at the working size, (h, w), as the network saw the photo."""
        return self._output.lightness

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """Probability that a color is within 10 ab units of the true color.

        It comes from the network's distribution, calibrated by `train.calibrate`. For an
        alternative it refers to the alternative's colors. Hints count as true, and so do colors
        taken from another picture.

        Returns:
            float32 (height, width) at the working size, 0 to 1.

        Raises:
            ValueError: the checkpoint predicts no distribution.
        """
        distribution = self._distribution
        probabilities = torch.softmax(distribution.logits, dim=0)
        _, rows, columns = probabilities.shape
        coarse = F.adaptive_avg_pool2d(torch.from_numpy(self._unhinted_ab), (rows, columns))
        near = (
            torch.cdist(coarse.flatten(1).T, distribution.bins.T.contiguous()) <= CONFIDENT_WITHIN
        )  # (pixels, Q)
        confidence = (probabilities.flatten(1).T * near).sum(1).reshape(rows, columns)
        height, width = self._output.lightness.shape
        fine = np.asarray(cv2.resize(confidence.numpy(), (width, height)).clip(0, 1))
        scaled = scale_confidence(fine, *self._output.confidence_scaling)
        if self.evidence is not None:
            scaled = scaled + self.evidence.weight * (1 - scaled)
        for propagation in self._propagations:
            scaled = scaled + propagation.certainty() * (1 - scaled)
        return scaled

    def suggest(self, x: float, y: float, n: int = 6) -> list[str]:
        """Suggest likely colors for a point, visibly different from each other, likeliest first.

        Args:
            x: column, in pixels of the photo.
            y: row, in pixels of the photo.
            n: the most colors to return.

        Returns:
            Colors as "#rrggbb", at the lightness of the point.

        Raises:
            ValueError: the point is outside the photo, or the checkpoint predicts no distribution.
        """
        if n < 1:
            raise ValueError(f"n is {n}; ask for at least one color.")
        height, width = self.photo.size
        if not (0 <= x < width and 0 <= y < height):
            raise ValueError(
                f"The point x={x:g}, y={y:g} lies outside the photo of {width} x {height} pixels."
            )
        logits, bins = self._distribution.logits, self._distribution.bins
        row, column = int(y * logits.shape[1] / height), int(x * logits.shape[2] / width)
        likely = bins[:, logits[:, row, column].argsort(descending=True)]
        lightness = float(self.photo.lightness_band(slice(int(y), int(y) + 1))[0, int(x)])
        chosen = likely[:, select_distinct(displayable(likely, lightness), SUGGESTION_DISTANCE, n)]
        plane = np.full((1, chosen.shape[1]), lightness, np.float32)
        levels = compose(plane, chosen[:, None].numpy())[0].tolist()
        return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in levels]

    def alternatives(self, n: int = 4) -> list["Colorization"]:
        """Return plausible colorizations of the photo that look different from each other.

        They come from the network's distribution: certain colors stay, and the others change region
        by region. Hints hold in all of them. The same photo and working size always give the same
        alternatives, also for a preview or for one of the alternatives, and a larger `n` returns
        the same ones, then more.

        Args:
            n: the most to return, with the network's own result; fewer are returned if nothing else
                is plausible.

        Returns:
            The network's own result first, then the most plausible and different.

        Raises:
            ValueError: n is below 1, or the checkpoint predicts no distribution.
        """
        if n < 1:
            raise ValueError(f"n is {n}; ask for at least one alternative.")
        ab = self._output.ab
        changes = alternative_changes(self._output.lightness, self._distribution, n - 1)
        return [self._changed(ab=other) for other in (ab, *(ab + change for change in changes))]

    def adjust(self, settings: Adjustments) -> Photo:
        """Post-process at full resolution, without running the network.

        Unless the strength is 0, the metadata declares that an algorithm made the colors.
        """
        return self._adjusted(settings, self.retouch)

    def _adjusted(self, settings: Adjustments, retouch: Retouch | None) -> Photo:
        height, width = self.photo.size
        pixels = self._paint(settings, (0, 0, width, height), retouch)
        metadata = self.photo.metadata
        if settings.strength:
            picture = "" if self.evidence is None else self.evidence.picture
            metadata = metadata.marked(SOFTWARE, self._output.checkpoint, picture)
        return replace(self.photo, pixels=pixels, metadata=metadata)

    def part(self, settings: Adjustments | None, box: tuple[int, int, int, int]) -> Photo:
        """Return a part of what `adjust` returns, with the same pixels, in less time.

        Args:
            settings: of the post-processing; None: a part of `colorized`.
            box: left, top, right and bottom edge of the part, in pixels of the photo.
        """
        retouch = None if settings is None else self.retouch
        pixels = self._paint(settings or Adjustments(), box, retouch)
        return replace(self.photo.cropped(box), pixels=pixels)

    def _paint(
        self, settings: Adjustments, box: tuple[int, int, int, int], retouch: Retouch | None
    ) -> Pixels:
        """Compose the adjusted pixels within a box, (height, width, channels)."""
        left, top, right, bottom = box
        columns, (_, width) = slice(left, right), self.photo.size
        tone = ToneAdjuster(self.photo, settings, retouch)
        ab = adjust_color(self._ab, self._output.lightness, settings)
        upsampler = ChromaUpsampler(self._output.lightness, ab, self.photo.size)
        dtype = self.photo.pixels.dtype
        pixels = np.empty((bottom - top, right - left, 3 if settings.strength else 1), dtype)

        def make(band: slice) -> None:
            rows = slice(top + band.start, top + band.stop)
            lightness = self.photo.lightness_band(rows)
            adjusted, lightness = tone.band(rows, lightness)[:, columns], lightness[:, columns]
            pixels[band] = (
                compose(adjusted, upsampler.band(rows, lightness, columns), dtype)
                if settings.strength
                else compose_gray(adjusted, dtype)
            )

        map_bands(make, (bottom - top, width))
        return pixels

    def preview(self, max_pixels: int = 1_000_000) -> "Colorization":
        """Return the same result for a smaller copy of the photo, which adjusts faster."""
        height, width = self.photo.size
        scale = min(1.0, (max_pixels / (height * width)) ** 0.5)
        size = max(1, round(height * scale)), max(1, round(width * scale))
        size = min(size[0], max_pixels), min(size[1], max(1, max_pixels // size[0]))
        return self.on(self.photo.shrunk(size))

    def on(self, photo: Photo) -> "Colorization":
        """Return the same result for another copy of the photo, larger or smaller."""
        return self._changed(photo=photo)

    def _changed(self, **changes: Any) -> "Colorization":
        """The same result with some of the constructor's arguments changed."""
        values: dict[str, Any] = {
            "photo": self.photo,
            "output": self._output,
            "ab": self._unhinted_ab,
            "samples": self._samples,
            "evidence": self.evidence,
            "retouch": self.retouch,
        }
        return Colorization(**values | changes)

    @cached_property
    def _propagations(self) -> list[HintPropagation | LocalPropagation]:
        """Of the hints without a reach, then of those with one; empty without hints."""
        samples, output = self._samples, self._output
        if samples is None:
            return []
        whole = np.isnan(samples.reach)
        kinds = ((HintPropagation, samples.take(whole)), (LocalPropagation, samples.take(~whole)))
        return [
            kind(output.lightness, output.ab, found, output.color_features)
            for kind, found in kinds
            if found
        ]

    @cached_property
    def _ab(self) -> Plane:
        """(2, h, w) at the working size."""
        ab = self._unhinted_ab
        if self.evidence is not None:
            ab = self.evidence.join(ab)
        for propagation in self._propagations:
            ab = propagation.apply(ab)
        return ab

    @property
    def _distribution(self) -> Distribution:
        if self._output.distribution is None:
            raise ValueError(
                "This checkpoint predicts no color distribution; use one with the head 'bins'."
            )
        return self._output.distribution


def scale_confidence(
    confidence: NDArray[np.float32], slope: float, offset: float
) -> NDArray[np.float32]:
    """Scale the logit of probabilities, of any shape (Platt 1999); (1, 0) changes nothing."""
    odds = confidence.clip(MIN_PROBABILITY, 1 - MIN_PROBABILITY)
    logit = slope * np.log(odds / (1 - odds)) + offset
    return np.asarray(1 / (1 + np.exp(-logit)), np.float32)
