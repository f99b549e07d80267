"""Samples of training data, sources of samples, and how to divide them."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
from PIL import Image

from colorizer.photo.photo import Photo

MAX_NAMES = 3  # in an error message


class Pair(NamedTuple):
    """A color photo and, where the source has one, the gray input that belongs to it."""

    color: Image.Image  # RGB
    gray: Image.Image | None  # mode L, the same size; None: to be made from color

    def input(self) -> Photo:
        """The gray input: the given one, or the color photo without its colors."""
        if self.gray is None:
            return Photo(np.array(self.color)).to_gray()
        return Photo(np.array(self.gray)[:, :, None])

    def shrunk(self, short: int) -> "Pair":
        """The same at a short side of at most `short` pixels."""
        scale = short / min(self.color.size)
        if scale >= 1:
            return self
        width, height = (max(1, round(side * scale)) for side in self.color.size)
        gray = None if self.gray is None else self.gray.resize((width, height))
        return Pair(self.color.resize((width, height)), gray)


class Sample(Protocol):
    """One photo of a source; small enough that millions can be listed."""

    @property
    def name(self) -> str:
        """Unique in its source, the same wherever the source lies."""

    def read(self) -> Pair:
        """Decode it. Raises OSError if it can't be read."""

    def files(self) -> tuple[Path, ...]:
        """The files that it is read from."""


@dataclass(frozen=True)
class Source:
    """What one path of --data or --val-data holds."""

    name: str
    samples: Sequence[Sample]

    def __len__(self) -> int:
        return len(self.samples)


def pick(sources: Iterable[Source], count: int | None) -> list[tuple[str, Sample]]:
    """Samples with the names of their sources, evenly over all; None takes every one."""
    samples = [(source.name, sample) for source in sources for sample in source.samples]
    if count is None or count >= len(samples):
        return samples
    return [samples[index] for index in np.linspace(0, len(samples) - 1, count).astype(int)]


def split(sources: Sequence[Source], val_fraction: float) -> tuple[list[Source], list[Source]]:
    """Divide sources into training and validation.

    The side of a sample follows from its name alone, so photos that are added later move none of
    the others. A source that has nothing on a side is left out there.

    Args:
        sources: what to divide.
        val_fraction: share of the samples to validate on, 0 to 1; met roughly, but by at least
            one of several samples unless it is 0.

    Raises:
        ValueError: nothing is left to train on.
    """
    shares = sorted(_hash_share(sample.name) for _, sample in pick(sources, None))
    limit = max(val_fraction, shares[0]) if val_fraction and len(shares) > 1 else val_fraction

    def side(validate: bool) -> list[Source]:
        halves = [
            Source(
                source.name,
                [each for each in source.samples if (_hash_share(each.name) <= limit) == validate],
            )
            for source in sources
        ]
        return [half for half in halves if half.samples]

    training, validation = side(False), side(True)
    if not training:
        raise ValueError(
            f"val_fraction {val_fraction} leaves no photos to train on; lower it or add photos."
        )
    return training, validation


def _hash_share(name: str) -> float:
    """A number in [0, 1) that follows from the name, the same on every machine."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big") / 2**48


def first_names(names: Sequence[str]) -> str:
    """A few names for an error message."""
    return ", ".join(names[:MAX_NAMES]) + (", ..." if len(names) > MAX_NAMES else "")
