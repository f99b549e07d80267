"""A colorized photo: adjustments, alternatives, confidence and colors, all without the network."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from colorizer.adjust.adjustments import Adjustments
from colorizer.adjust.color import adjust_color
from colorizer.adjust.tone import ToneAdjuster
from colorizer.imaging.arrays import Plane
from colorizer.imaging.bands import map_bands
from colorizer.imaging.compose import compose, compose_gray
from colorizer.imaging.upsampling import ChromaUpsampler
from colorizer.inference.alternatives import as_shown, color_changes, distinct
from colorizer.inference.distribution import Distribution
from colorizer.inference.hints import ColorHint, HintPropagation, Samples, sample
from colorizer.photo.photo import Photo
from colorizer.version import __version__

CONFIDENT_WITHIN = 10.0  # ab units between the prediction and what counts as right
CERTAIN = 1e-6  # nearer to 0 and 1 a probability has no finite logit in float32
SOFTWARE = f"colorizer {__version__}"
SUGGESTION_DISTANCE = 12.0  # ab units between suggested colors


@dataclass(frozen=True, eq=False)
class NetworkOutput:
    """What the network said about a photo, at the working size."""

    lightness: Plane  # (h, w) L*, as the network saw it
    ab: Plane  # (2, h, w)
    distribution: Distribution | None  # of heads that predict one
    confidence: tuple[float, float] = (1.0, 0.0)  # of `scale_confidence`
    checkpoint: str = ""  # SHA-256 of its weights

    @cached_property
    def color_features(self) -> Plane | None:
        """Features that tell pixels apart besides their color, for `HintPropagation`."""
        if self.distribution is None:
            return None
        return self.distribution.features(self.lightness)


class Colorization:
    """A colorized photo, composed into pixels when asked for.

    Attributes:
        photo: the input.
    """

    def __init__(
        self,
        photo: Photo,
        predicted: NetworkOutput,
        ab: Plane | None = None,
        samples: Samples | None = None,
    ) -> None:
        self.photo = photo
        self._predicted = predicted
        self._unhinted = predicted.ab if ab is None else ab  # (2, h, w) of this version
        self._samples = samples

    @cached_property
    def gray(self) -> Photo:
        """The photo without color, at full resolution and with its lightness."""
        return self.photo.to_gray()

    @cached_property
    def colorized(self) -> Photo:
        """The photo in color, at full resolution and with its lightness."""
        return self.adjust(Adjustments())

    def with_hints(
        self, hints: Sequence[ColorHint], size: tuple[int, int] | None = None
    ) -> "Colorization":
        """The same result with other hints, without running the network.

        Args:
            hints: colors that are known, instead of those of before; none takes these back.
            size: (height, width) of the photo in whose pixels they are; None: of `photo`.

        Raises:
            ValueError: a hint lies outside the photo.
        """
        seen = self._predicted.lightness.shape
        samples = sample(hints, size or self.photo.size, (seen[0], seen[1]))
        return Colorization(self.photo, self._predicted, self._unhinted, samples)

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """Probability that a color is within 10 ab units of the truth, by the network's own account
        as `train.calibrate` has scaled it; of an alternative's colors, too. Hints count as true.

        Returns:
            float32 (height, width) at the working size, 0 to 1.

        Raises:
            ValueError: the checkpoint predicts colors without a distribution.
        """
        distribution = self._distribution
        probabilities = torch.softmax(distribution.logits, dim=0)
        _, rows, columns = probabilities.shape
        coarse = F.adaptive_avg_pool2d(torch.from_numpy(self._unhinted), (rows, columns))
        near = (
            torch.cdist(coarse.flatten(1).T, distribution.bins.T.contiguous()) <= CONFIDENT_WITHIN
        )  # (pixels, Q)
        confidence = (probabilities.flatten(1).T * near).sum(1).reshape(rows, columns)
        height, width = self._predicted.lightness.shape
        fine = np.asarray(cv2.resize(confidence.numpy(), (width, height)).clip(0, 1))
        scaled = scale_confidence(fine, *self._predicted.confidence)
        if self._propagation is None:
            return scaled
        certainty = self._propagation.certainty()
        return certainty + (1 - certainty) * scaled

    def suggest(self, x: float, y: float, n: int = 6) -> list[str]:
        """Likely colors of a point, visibly different from each other, most likely first.

        Args:
            x: column in pixels of the photo.
            y: row in pixels of the photo.
            n: how many at most.

        Returns:
            Colors as "#rrggbb", with the lightness of the point.

        Raises:
            ValueError: the point is outside the photo, or the checkpoint predicts colors without a
                distribution.
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
        chosen = likely[:, distinct(as_shown(likely, lightness), SUGGESTION_DISTANCE, n)]
        plane = np.full((1, chosen.shape[1]), lightness, np.float32)
        levels = compose(plane, chosen[:, None].numpy())[0].tolist()
        return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in levels]

    def alternatives(self, n: int = 4) -> list["Colorization"]:
        """Plausible versions of the photo that look different from each other.

        They are made from the network's distribution: what it is sure of stays, and the rest
        changes color region by region; hints hold in all of them. The same photo and working size
        give the same versions, also of a preview and of a version, and more of them begin with the
        same ones.

        Args:
            n: how many at most, this one included; there are fewer only where nothing else is
                plausible.

        Returns:
            The network's own result first, then the most plausible and different.

        Raises:
            ValueError: n is below 1, or the checkpoint predicts colors without a distribution.
        """
        if n < 1:
            raise ValueError(f"n is {n}; ask for at least one version.")
        predicted = self._predicted
        changes = color_changes(predicted.lightness, self._distribution, n - 1)
        versions = [
            Colorization(self.photo, predicted, predicted.ab + change, self._samples)
            for change in changes
        ]
        return [Colorization(self.photo, predicted, samples=self._samples), *versions]

    def adjust(self, settings: Adjustments) -> Photo:
        """Post-process, without running the network; full resolution.

        The metadata of what has color says that an algorithm made it.
        """
        size = self.photo.size
        tone = ToneAdjuster(self.photo, settings)
        ab = adjust_color(self._ab, self._predicted.lightness, settings)
        upsampler = ChromaUpsampler(self._predicted.lightness, ab, size)
        dtype = self.photo.pixels.dtype
        pixels = np.empty((*size, 3 if settings.strength else 1), dtype)

        def make(rows: slice) -> None:
            lightness = self.photo.lightness_band(rows)
            adjusted = tone.band(rows, lightness)
            pixels[rows] = (
                compose(adjusted, upsampler.band(rows, lightness), dtype)
                if settings.strength
                else compose_gray(adjusted, dtype)
            )

        map_bands(make, size)
        metadata = self.photo.metadata
        if settings.strength:
            metadata = metadata.marked(SOFTWARE, self._predicted.checkpoint)
        return replace(self.photo, pixels=pixels, metadata=metadata)

    def preview(self, max_pixels: int = 1_000_000) -> "Colorization":
        """The same result for a smaller copy of the photo, on which adjustments are quick."""
        height, width = self.photo.size
        scale = min(1.0, (max_pixels / (height * width)) ** 0.5)
        size = max(1, round(height * scale)), max(1, round(width * scale))
        size = min(size[0], max_pixels), min(size[1], max(1, max_pixels // size[0]))
        return self.on(self.photo.shrunk(size))

    def on(self, photo: Photo) -> "Colorization":
        """The same result for another copy of the photo, larger or smaller."""
        return Colorization(photo, self._predicted, self._unhinted, self._samples)

    @cached_property
    def _propagation(self) -> HintPropagation | None:
        """Of the hints, if there are any."""
        if not self._samples:
            return None
        predicted = self._predicted
        return HintPropagation(
            predicted.lightness, predicted.ab, self._samples, predicted.color_features
        )

    @cached_property
    def _ab(self) -> Plane:
        """(2, h, w) at the working size."""
        if self._propagation is None:
            return self._unhinted
        return self._propagation.correct(self._unhinted)

    @property
    def _distribution(self) -> Distribution:
        if self._predicted.distribution is None:
            raise ValueError(
                "This checkpoint predicts no color distribution; use one with the head 'bins'."
            )
        return self._predicted.distribution


def scale_confidence(
    confidence: NDArray[np.float32], slope: float, offset: float
) -> NDArray[np.float32]:
    """Scale the logit of probabilities, of any shape (Platt 1999); (1, 0) changes nothing."""
    odds = confidence.clip(CERTAIN, 1 - CERTAIN)
    logit = slope * np.log(odds / (1 - odds)) + offset
    return np.asarray(1 / (1 + np.exp(-logit)), np.float32)
