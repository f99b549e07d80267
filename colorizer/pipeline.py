"""The pipeline: load a checkpoint once, colorize many photos, adjust each without the network."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Self

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from colorizer.alternatives import Distribution, as_shown, color_changes, distinct
from colorizer.bands import Plane, map_bands
from colorizer.checkpoints import WORKING_SIZES, Checkpoint, load_checkpoint
from colorizer.chroma import ChromaUpsampler
from colorizer.compose import compose, compose_gray
from colorizer.engines import PRECISIONS, file_engine, torch_engine
from colorizer.faces import find_faces
from colorizer.generator import Generator
from colorizer.hints import ColorHint, Samples, Spreading, sample
from colorizer.photo import Photo
from colorizer.postprocess import Adjustments, ToneAdjuster, adjust_color
from colorizer.second_look import SIDE, expect_faces, take_skin, windows
from colorizer.version import __version__

LONGEST_SIDE = 4  # of the network's picture, in working sizes, for strips of 1 x 20,000 pixels
CONFIDENT_WITHIN = 10.0  # ab units between the prediction and what counts as right
CERTAIN = 1e-6  # nearer to 0 and 1 a probability has no finite logit in float32
SOFTWARE = f"colorizer {__version__}"
SUGGESTION_DISTANCE = 12.0  # ab units between suggested colors


class Colorizer:
    """A generator, ready to colorize photos; use `Colorizer.load`.

    One object may serve several threads.

    Attributes:
        checkpoint: of the generator.
        device: on which torch runs it.
        engine: what runs it: "torch", or what runs the exported file.
    """

    def __init__(
        self,
        checkpoint: Checkpoint,
        device: torch.device,
        onnx: Path | None = None,
        precision: str = "auto",
    ) -> None:
        self.checkpoint = checkpoint
        self.device = device
        self._run_network, self.engine = (
            (torch_engine(checkpoint.generator, device, precision), "torch")
            if onnx is None
            else file_engine(onnx, checkpoint, torch.get_num_threads(), precision)
        )

    @classmethod
    def load(
        cls,
        source: str | Path | None = None,
        device: str = "auto",
        onnx: str | Path | None = None,
        precision: str = "auto",
    ) -> Self:
        """Load a checkpoint.

        Args:
            source: a folder, "user/repo" or "user/repo@revision" on the Hugging Face Hub; None
                takes the bundled one.
            device: "auto" (CUDA, then Apple's MPS, then CPU) or a torch device.
            onnx: a file that `colorizer.export` made of this checkpoint, to be run on the CPU
                instead: by OpenVINO, which is faster than torch, or else by ONNX Runtime.
            precision: in which torch and OpenVINO compute: "fp32", "bf16", or "auto": bf16 on CPUs
                that have it. So colors differ by less than is visible from one kind of CPU to
                another; with fp32 hardly at all.

        Raises:
            CheckpointError: the checkpoint can't be found or isn't one of ours.
            EngineError: the file is of another checkpoint, or nothing can run it.
            ValueError: there is no such device or precision, or it doesn't go with the file.
        """
        if precision not in PRECISIONS:
            raise ValueError(f"precision is {precision!r}; use one of {', '.join(PRECISIONS)}.")
        if onnx is not None:
            if device not in ("auto", "cpu"):
                raise ValueError(
                    f"An exported file runs on the CPU, not on {device}; take auto or cpu."
                )
            device = "cpu"
        if device == "auto":
            device = (
                "cuda"
                if torch.cuda.is_available()
                else "mps"
                if torch.backends.mps.is_available()
                else "cpu"
            )
        try:
            chosen = torch.empty(0, device=device).device
        except (RuntimeError, AssertionError) as error:  # a torch without CUDA asserts
            raise ValueError(f"The device {device} can't be used; take auto or cpu.") from error
        path = None if onnx is None else Path(onnx)
        return cls(load_checkpoint(source), chosen, path, precision)

    def colorize(
        self, photo: Photo, hints: Sequence[ColorHint] = (), working_size: int | None = None
    ) -> "Colorization":
        """Colorize a photo; its own colors, if it has any, are ignored.

        Args:
            photo: any size.
            hints: colors that are known, in pixels of the photo.
            working_size: short side in pixels at which the network sees the photo, 192 to 512.
                Larger finds smaller things, smaller paints large areas more evenly. None takes the
                checkpoint's own. Small faces are seen again, enlarged.

        Raises:
            ValueError: the working size is out of range, or a hint outside the photo.
        """
        short = self.checkpoint.working_size if working_size is None else working_size
        if not WORKING_SIZES[0] <= short <= WORKING_SIZES[1]:
            raise ValueError(
                f"The working size is {short}; "
                f"it goes from {WORKING_SIZES[0]} to {WORKING_SIZES[1]}."
            )
        size = network_size(photo.size, short)
        samples = sample(hints, photo.size, size)
        predicted = self._look_closer(photo, self.predict(photo.resized_lightness(size)))
        return Colorization(photo, predicted, samples=samples)

    def predict(self, lightness: Plane) -> "Predicted":
        """Run the network, and nothing else; what comes back lies in the memory of the CPU.

        Args:
            lightness: (h, w) L* of a photo at the working size.
        """
        return self.predict_all([lightness])[0]

    def predict_all(self, pictures: Sequence[Plane]) -> list["Predicted"]:
        """The same for several pictures, one after the other."""
        return [self._predict(lightness) for lightness in pictures]

    def _predict(self, lightness: Plane) -> "Predicted":
        ab, logits = self._run_network(lightness)
        generator, distribution = self.checkpoint.generator, None
        if logits is not None and isinstance(generator, Generator):
            distribution = Distribution(logits, generator.bins.cpu(), generator.config.temperature)
        scaling = generator.config.confidence if isinstance(generator, Generator) else (1.0, 0.0)
        return Predicted(lightness, ab, distribution, scaling, self.checkpoint.sha256)

    def _look_closer(self, photo: Photo, first: "Predicted") -> "Predicted":
        """Add what a second look at each small face finds."""
        generator = self.checkpoint.generator
        if first.distribution is None or not isinstance(generator, Generator):
            return first
        shown = first.lightness.shape[0], first.lightness.shape[1]
        found = list(windows(find_faces(photo), photo.size, shown))
        if not found:
            return first
        parts = [photo.moved(partial(window.cut, shown=shown)) for window in found]
        looks = self.predict_all([part.resized_lightness((SIDE, SIDE)) for part in parts])
        ab, logits = first.ab.copy(), first.distribution.logits.clone()
        for window, closer in zip(found, looks, strict=True):
            assert closer.distribution is not None
            look = expect_faces(
                closer.ab, closer.distribution, generator.config.chroma_gain, window
            )
            take_skin((ab, logits), look, first.lightness, window)
        return replace(first, ab=ab, distribution=replace(first.distribution, logits=logits))


@dataclass(frozen=True, eq=False)
class Predicted:
    """What the network said about a photo, at the working size."""

    lightness: Plane  # (h, w) L*, as the network saw it
    ab: Plane  # (2, h, w)
    distribution: Distribution | None  # of heads that predict one
    confidence: tuple[float, float] = (1.0, 0.0)  # of `scale_confidence`
    checkpoint: str = ""  # SHA-256 of its weights

    @cached_property
    def beliefs(self) -> Plane | None:
        """What tells pixels apart beside their color, for `Spreading`; the same for all hints."""
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
        predicted: Predicted,
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
        if self._spreading is None:
            return scaled
        certainty = self._spreading.certainty()
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
    def _spreading(self) -> Spreading | None:
        """Of the hints, if there are any."""
        if not self._samples:
            return None
        predicted = self._predicted
        return Spreading(predicted.lightness, predicted.ab, self._samples, predicted.beliefs)

    @cached_property
    def _ab(self) -> Plane:
        """(2, h, w) at the working size."""
        if self._spreading is None:
            return self._unhinted
        return self._spreading.correct(self._unhinted)

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


def network_size(size: tuple[int, int], short: int) -> tuple[int, int]:
    """(height, width) at which the network sees a photo of `size`: its short side is `short`, less
    for extreme strips.
    """
    scale = min(short / min(size), LONGEST_SIDE * short / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))
