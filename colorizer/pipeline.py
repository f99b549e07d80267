"""The pipeline: load a checkpoint once, colorize many photos, adjust each without the network."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Self

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from colorizer.bands import bands
from colorizer.checkpoints import WORKING_SIZES, Checkpoint, load_checkpoint
from colorizer.chroma import ChromaUpsampler, Plane
from colorizer.color import lab_to_rgb_in_gamut, rgb_to_lab
from colorizer.hints import ColorHint, rasterize
from colorizer.photo import Photo
from colorizer.postprocess import Adjustments, adjust_color, adjust_tone

LONGEST_SIDE = 4  # of the network's picture, in working sizes, for strips of 1 x 20,000 pixels
CONFIDENT_WITHIN = 10.0  # ab units between the prediction and what counts as right
SUGGESTION_DISTANCE = 12.0  # ab units between suggested colors


class Colorizer:
    """A generator, ready to colorize photos; use `Colorizer.load`.

    One object may serve several threads.
    """

    def __init__(self, checkpoint: Checkpoint, device: torch.device) -> None:
        self.checkpoint = checkpoint
        self.device = device
        self._generator = checkpoint.generator.eval().to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    @classmethod
    def load(cls, source: str | Path | None = None, device: str = "auto") -> Self:
        """Load a checkpoint.

        Args:
            source: a folder, "user/repo" or "user/repo@revision" on the Hugging Face Hub; None
                takes the bundled one.
            device: "auto" (CUDA, then Apple's MPS, then CPU) or a torch device.

        Raises:
            CheckpointError: the checkpoint can't be found or isn't one of ours.
            ValueError: there is no such device.
        """
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
        return cls(load_checkpoint(source), chosen)

    def colorize(
        self, photo: Photo, hints: Sequence[ColorHint] = (), working_size: int | None = None
    ) -> "Colorization":
        """Colorize a photo; its own colors, if it has any, are ignored.

        Args:
            photo: any size.
            hints: colors that are known, in pixels of the photo.
            working_size: short side in pixels at which the network sees the photo, 192 to 512; None
                takes the checkpoint's own. Larger finds smaller things, smaller paints large areas
                more evenly.

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
        lightness = resize(photo.lightness, size)
        planes = rasterize(hints, photo.size, size)
        with torch.inference_mode():
            prediction = self._generator(
                torch.from_numpy(lightness)[None, None].to(self.device),
                None if planes is None else planes.to(self.device),
            )
        ab = prediction.ab[0].float().cpu().numpy()
        logits = None if prediction.logits is None else prediction.logits[0].float().cpu()
        return Colorization(photo, lightness, ab, logits, self.checkpoint.generator.bins.cpu())


class Colorization:
    """What the network said about a photo, composed into pixels when asked for.

    Attributes:
        photo: the input.
    """

    def __init__(
        self, photo: Photo, lightness: Plane, ab: Plane, logits: Tensor | None, bins: Tensor
    ) -> None:
        self.photo = photo
        self._lightness = lightness  # (h, w) at the working size
        self._ab = ab  # (2, h, w) at the working size
        self._logits = logits  # (Q, h / 4, w / 4)
        self._bins = bins  # (2, Q)

    @cached_property
    def gray(self) -> Photo:
        """The photo without color, at full resolution and with its lightness."""
        return self.photo.to_gray()

    @cached_property
    def colorized(self) -> Photo:
        """The photo in color, at full resolution and with its lightness."""
        return self.adjust(Adjustments())

    @cached_property
    def confidence(self) -> NDArray[np.float32]:
        """Probability, by the network's own account, that a color is within 10 ab units of the
        truth.

        Returns:
            float32 (height, width) at the working size, 0 to 1.

        Raises:
            ValueError: the checkpoint predicts colors without a distribution.
        """
        probabilities = torch.softmax(self._distribution, dim=0)
        _, rows, columns = probabilities.shape
        coarse = F.adaptive_avg_pool2d(torch.from_numpy(self._ab), (rows, columns))
        near = (
            torch.cdist(coarse.flatten(1).T, self._bins.T.contiguous()) <= CONFIDENT_WITHIN
        )  # (pixels, Q)
        confidence = (probabilities.flatten(1).T * near).sum(1).reshape(rows, columns)
        height, width = self._lightness.shape
        return np.asarray(cv2.resize(confidence.numpy(), (width, height)).clip(0, 1))

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
        logits = self._distribution
        row, column = int(y * logits.shape[1] / height), int(x * logits.shape[2] / width)
        likely = self._bins[:, logits[:, row, column].argsort(descending=True)]
        lightness = torch.full((1, likely.shape[1]), float(self.photo.lightness[int(y), int(x)]))
        rgb = lab_to_rgb_in_gamut(torch.cat((lightness, likely))[:, None])  # (3, 1, Q)
        shown = rgb_to_lab(rgb)[1:, 0]  # (2, Q), nearer to gray than asked for at the gamut's ends
        chosen: list[int] = []
        for index, color in enumerate(shown.T):
            others = shown[:, chosen].T
            if not chosen or torch.cdist(color[None], others).min() >= SUGGESTION_DISTANCE:
                chosen.append(index)
            if len(chosen) == n:
                break
        levels = (rgb[:, :, chosen] * 255).round().int()[:, 0].T.tolist()
        return [f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in levels]

    def adjust(self, settings: Adjustments) -> Photo:
        """Post-process, without running the network; full resolution."""
        lightness = adjust_tone(self.photo.lightness, settings)
        ab = adjust_color(self._ab, self._lightness, settings)
        upsampler = ChromaUpsampler(self._lightness, ab, self.photo.size)
        pixels = np.empty((*self.photo.size, 3 if settings.strength else 1), np.uint8)
        for rows in bands(self.photo.size):
            lab = torch.from_numpy(
                np.concatenate(
                    (lightness[None, rows], upsampler.band(rows, self.photo.lightness[rows]))
                )
            )
            rgb = lab_to_rgb_in_gamut(lab)[: pixels.shape[2]]
            pixels[rows] = (rgb * 255).round_().byte().permute(1, 2, 0).numpy()
        return Photo(pixels, self.photo.format)

    def preview(self, max_pixels: int = 1_000_000) -> "Colorization":
        """The same result for a smaller copy of the photo, on which adjustments are quick."""
        height, width = self.photo.size
        scale = min(1.0, (max_pixels / (height * width)) ** 0.5)
        size = max(1, round(height * scale)), max(1, round(width * scale))
        size = min(size[0], max_pixels), min(size[1], max(1, max_pixels // size[0]))
        pixels = cv2.resize(self.photo.pixels, size[::-1], interpolation=cv2.INTER_AREA).reshape(
            *size, -1
        )
        photo = Photo(np.asarray(pixels, np.uint8), self.photo.format)
        return Colorization(photo, self._lightness, self._ab, self._logits, self._bins)

    @property
    def _distribution(self) -> Tensor:
        if self._logits is None:
            raise ValueError(
                "This checkpoint predicts no color distribution; use one with the head 'bins'."
            )
        return self._logits


def network_size(size: tuple[int, int], short: int) -> tuple[int, int]:
    """(height, width) at which the network sees a photo of `size`: its short side is `short`, less
    for extreme strips.
    """
    scale = min(short / min(size), LONGEST_SIDE * short / max(size))
    return max(1, round(size[0] * scale)), max(1, round(size[1] * scale))


def resize(plane: Plane, size: tuple[int, int]) -> Plane:
    """Resize (H, W) to `size`, by area when it shrinks and linearly when it grows."""
    shrinks = size[0] * size[1] < plane.size
    interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(plane, size[::-1], interpolation=interpolation), np.float32)
