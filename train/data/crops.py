"""The repeatable stream of training crops, cut by data workers on the CPU."""

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
from train.data.flaws import draw_flaws
from train.data.order import CROP, NEARLY_GRAY, PhotoOrder, Skip
from train.data.samples import Pair, Sample, Source
from train.settings.config import TrainConfig

THUMBNAIL = 64  # pixels; how closely a photo is looked at to tell whether it is gray


class CropStream(Dataset[tuple[Tensor, list[Skip]]]):
    """Crop number n of the run, for n from 0 to steps * batch: a pure function of n and the seed.

    So a run that is resumed at step s continues with crop s * batch and sees what it would have
    seen. `PhotoOrder` says which photo a crop shows; one that can't be read, or is nearly gray as
    a whole, is replaced.
    """

    def __init__(self, sources: Sequence[Source], config: TrainConfig) -> None:
        self.sources = sources
        self.config = config
        self.order = PhotoOrder(sources, config)

    def __len__(self) -> int:
        return self.config.steps * self.config.batch

    def __getitem__(self, number: int) -> tuple[Tensor, list[Skip]]:
        """Crop number `number`, and the photos that it was not cut from.

        Returns:
            uint8 (4, crop, crop): sRGB color, then the degraded gray input as an sRGB gray level.

        Raises:
            ValueError: the source has no usable photo.
        """
        pair, skips = self.order.find(number, self._look)
        random = np.random.default_rng((self.config.seed, CROP, number))
        size = self.config.crop_at(number // self.config.batch)
        window = draw_window(pair.color.size, self.config, random)
        color, gray = cut_crop(pair, size, window)
        gray = degrade(gray, draw_flaws(gray.shape, self.config, random))
        return torch.from_numpy(np.dstack((color, gray))).permute(2, 0, 1), skips

    def check(self) -> None:
        """Read one photo of each source. Raises ValueError if a source has none to train on."""
        self.order.check(self._look)

    def _look(self, source: int, place: int) -> Pair | str:
        return read_usable(self.sources[source].samples[place], self.config.gray_chroma)


def read_usable(sample: Sample, gray_chroma: float) -> Pair | str:
    """Decode a photo to train on, or say why it is of no use: unreadable or nearly gray."""
    try:
        pair = sample.read()
    except OSError as error:
        return f"unreadable: {error}"
    return pair if mean_chroma(pair.color) >= gray_chroma else NEARLY_GRAY


def collate(items: Sequence[tuple[Tensor, list[Skip]]]) -> tuple[Tensor, list[Skip]]:
    """Crops of one size as a batch, uint8 (N, 4, crop, crop), and all of their skips."""
    return torch.stack([crop for crop, _ in items]), [skip for _, skips in items for skip in skips]


class Window(NamedTuple):
    """A square of a photo, in its pixels, and whether it is mirrored."""

    left: float
    top: float
    side: float
    mirrored: bool


def draw_window(size: tuple[int, int], config: TrainConfig, random: np.random.Generator) -> Window:
    """Draw a square whose side is a random share of the short side, within `crop_scale`.

    Args:
        size: (width, height) of the photo.
        config: `crop_scale` and `flip`, the probability that it is mirrored.
        random: the only source of chance.
    """
    width, height = size
    side = min(width, height) * random.uniform(config.crop_scale[0], config.crop_scale[1])
    left = random.uniform(0, width - side)
    top = random.uniform(0, height - side)
    return Window(left, top, side, random.random() < config.flip)


def cut_crop(pair: Pair, size: int, window: Window) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Cut a square and resize it to `size`.

    Returns:
        Color, uint8 (size, size, 3) sRGB, and gray, uint8 (size, size): that of the pair, or the
        color's lightness as an sRGB gray level.
    """
    left, top, side, mirrored = window

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
