"""The repeatable stream of training crops: which photo each one shows, and which part of it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch import Tensor
from torch.utils.data import Dataset

from colorizer.imaging.color import rgb_to_lab
from colorizer.photo.photo import Photo
from train.data.augment import degrade
from train.data.samples import Pair, Source
from train.settings.config import TrainConfig

NEARLY_GRAY = "nearly gray"  # why a photo was skipped
THUMBNAIL = 64  # pixels; how closely a photo is looked at to tell whether it is gray
CYCLE, ORDER, CROP = range(3)  # what a random generator is for, so that no two draw the same


class Skip(NamedTuple):
    """A photo that another one had to replace."""

    name: str  # source/photo
    reason: str  # NEARLY_GRAY, or "unreadable: ..."


class CropStream(Dataset[tuple[Tensor, list[Skip]]]):
    """Crop number n of the run, for n from 0 to steps * batch: a pure function of n and the seed.

    So a run that is resumed at step s continues with crop s * batch and sees what it would have
    seen. Sources are drawn from in a fixed cycle as long as all their photos together, each as
    often as `draw_counts` says; within a source photos come in a new order each epoch. A photo
    that can't be read, or is nearly gray as a whole, is replaced by the next in its source's
    order.
    """

    def __init__(self, sources: Sequence[Source], config: TrainConfig) -> None:
        self.sources = sources
        self.config = config
        self._counts = draw_counts([len(source.samples) for source in sources], config.balance)
        random = np.random.default_rng((config.seed, CYCLE))
        self._cycle = random.permutation(np.repeat(np.arange(len(sources)), self._counts))
        self._rank = np.empty_like(self._cycle)  # of a position among those of its source
        for source, count in enumerate(self._counts):
            self._rank[self._cycle == source] = np.arange(count)
        # of each source, an epoch and its permutation
        self._orders = [(-1, np.empty(0, np.int64))] * len(sources)

    def __len__(self) -> int:
        return self.config.steps * self.config.batch

    def __getitem__(self, number: int) -> tuple[Tensor, list[Skip]]:
        """Crop number `number`, and the photos that it was not cut from.

        Returns:
            uint8 (4, crop, crop): sRGB color, then the degraded gray input as an sRGB gray level.

        Raises:
            ValueError: the source has no usable photo.
        """
        pair, skips = self._usable_pair(number)
        random = np.random.default_rng((self.config.seed, CROP, number))
        size = self.config.crop_at(number // self.config.batch)
        color, gray = cut_crop(pair, size, self.config.crop_scale, self.config.flip, random)
        gray = degrade(gray, self.config, random)
        return torch.from_numpy(np.dstack((color, gray))).permute(2, 0, 1), skips

    def check(self) -> None:
        """Read one photo of each source. Raises ValueError if a source has none to train on."""
        for number in np.unique(self._cycle, return_index=True)[1]:
            self._usable_pair(int(number))

    def _usable_pair(self, number: int) -> tuple[Pair, list[Skip]]:
        cycle, position = divmod(number, len(self._cycle))
        index = int(self._cycle[position])
        source = self.sources[index]
        drawn = cycle * int(self._counts[index]) + int(self._rank[position])
        skips = []
        for attempt in range(2 * len(source.samples)):  # spans a whole epoch, wherever it starts
            sample = source.samples[self._shuffled(index, drawn + attempt)]
            name = f"{source.name}/{sample.name}"
            try:
                pair = sample.read()
            except OSError as error:
                skips.append(Skip(name, f"unreadable: {error}"))
                continue
            if mean_chroma(pair.color) >= self.config.gray_chroma:
                return pair, skips
            skips.append(Skip(name, NEARLY_GRAY))
        raise ValueError(
            f"None of the photos of {source.name} is a readable color photo; check --data."
        )

    def _shuffled(self, source: int, drawn: int) -> int:
        """Index of the photo that comes as number `drawn` of its source."""
        size = len(self.sources[source].samples)
        epoch, position = divmod(drawn, size)
        if self._orders[source][0] != epoch:
            random = np.random.default_rng((self.config.seed, ORDER, source, epoch))
            self._orders[source] = epoch, random.permutation(size)
        return int(self._orders[source][1][position])


def collate(items: Sequence[tuple[Tensor, list[Skip]]]) -> tuple[Tensor, list[Skip]]:
    """Crops of one size as a batch, uint8 (N, 4, crop, crop), and all of their skips."""
    return torch.stack([crop for crop, _ in items]), [skip for _, skips in items for skip in skips]


def draw_counts(sizes: Sequence[int], balance: float) -> NDArray[np.int64]:
    """How often each source is drawn from in a cycle of sum(sizes) draws.

    Args:
        sizes: photos of each source, at least 1.
        balance: draws are proportional to size ** (1 - balance): 0 draws every photo equally
            often, 1 every source.

    Returns:
        int64 (sources,), each at least 1, rounded by the largest remainder.
    """
    total = sum(sizes)
    weights = np.array(sizes, np.float64) ** (1 - balance)
    quotas = total * weights / weights.sum()  # at least 1, as weights are from 1 to the sizes
    counts: NDArray[np.int64] = np.floor(quotas).astype(np.int64)
    largest = np.argsort(counts - quotas, kind="stable")[: total - counts.sum()]
    counts[largest] += 1
    return counts


def cut_crop(
    pair: Pair, size: int, scale: Sequence[float], flip: float, random: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Cut a random square, resize it to `size` and mirror it with probability `flip`.

    The square's side is a random share of the short side, within `scale`.

    Returns:
        Color, uint8 (size, size, 3) sRGB, and gray, uint8 (size, size): that of the pair, or the
        color's lightness as an sRGB gray level.
    """
    width, height = pair.color.size
    side = min(width, height) * random.uniform(scale[0], scale[1])
    left = random.uniform(0, width - side)
    top = random.uniform(0, height - side)
    mirrored = random.random() < flip

    def cut(image: Image.Image) -> NDArray[np.uint8]:
        box = (left, top, left + side, top + side)
        image = image.resize((size, size), Image.Resampling.BICUBIC, box=box)
        return np.array(ImageOps.mirror(image) if mirrored else image)

    color = cut(pair.color)
    return color, Photo(color).to_gray().pixels[:, :, 0] if pair.gray is None else cut(pair.gray)


def mean_chroma(image: Image.Image) -> float:
    """Mean CIELAB chroma of an RGB image, looked at in at most `THUMBNAIL` rows and columns."""
    width, height = image.size
    small = image.resize((min(width, THUMBNAIL), min(height, THUMBNAIL)), Image.Resampling.NEAREST)
    ab = rgb_to_lab(torch.from_numpy(np.array(small)).permute(2, 0, 1) / 255)[1:]
    return float(ab.norm(dim=0).mean())
