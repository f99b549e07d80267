"""The stream of training crops, made on the device that trains.

Data workers only draw by chance: which photo, which square of it, which flaws. They draw as
`CropStream` does, so crop n shows the same place of the same photo with the same flaws, but for
rounding. The device then makes a whole batch at once.
"""

from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset

from colorizer.imaging.color import RGB_TO_XYZ, linear_to_srgb, srgb_to_linear
from train.data.crops import draw_window
from train.data.device import DevicePhotos
from train.data.device_augment import Batch, degrade, moved, stack_flaws
from train.data.flaws import Flaws, draw_flaws
from train.data.order import CROP, PhotoOrder, Skip
from train.data.resampling import cut_squares
from train.data.samples import Source
from train.settings.config import TrainConfig


class Drawing(NamedTuple):
    """What was drawn for one crop."""

    photo: int  # its index among those of all sources
    box: tuple[float, float, float, float]  # left, top, width, height, as shares of the photo's
    mirrored: bool
    flaws: Flaws
    size: int  # of the crop in pixels


class Drawings(NamedTuple):
    """What was drawn for a batch of N crops of one size."""

    photos: Tensor  # int64 (N,)
    boxes: Tensor  # float64 (N, 4)
    mirrored: Tensor  # bool (N,)
    flaws: Batch
    size: int


class DrawingStream(Dataset[tuple[Drawing, list[Skip]]]):
    """What is drawn for crop number n: a pure function of n and the seed, without any pixels."""

    def __init__(
        self, sources: Sequence[Source], config: TrainConfig, photos: DevicePhotos
    ) -> None:
        self.config = config
        self.order = PhotoOrder(sources, config)
        self._firsts = list(accumulate(map(len, sources), initial=0))
        self._sizes, self._reasons = photos.sizes, photos.reasons

    def __len__(self) -> int:
        return self.config.steps * self.config.batch

    def __getitem__(self, number: int) -> tuple[Drawing, list[Skip]]:
        """Draw crop number `number`. Raises ValueError if its source has no usable photo."""
        photo, skips = self.order.find(number, self._look)
        random = np.random.default_rng((self.config.seed, CROP, number))
        size = self.config.crop_at(number // self.config.batch)
        width, height = self._sizes[photo]
        left, top, side, mirrored = draw_window((width, height), self.config, random)
        box = left / width, top / height, side / width, side / height
        flaws = draw_flaws((size, size), self.config, random)
        return Drawing(photo, box, mirrored, flaws, size), skips

    def check(self) -> None:
        """Raises ValueError if a source has no photo to train on."""
        self.order.check(self._look)

    def _look(self, source: int, place: int) -> int | str:
        photo = self._firsts[source] + place
        return self._reasons[photo] or photo


def collate_drawings(
    items: Sequence[tuple[Drawing, list[Skip]]],
) -> tuple[Drawings, list[Skip]]:
    """Join what was drawn for crops of one size, and all of their skips."""
    drawn = [drawing for drawing, _ in items]
    drawings = Drawings(
        torch.tensor([drawing.photo for drawing in drawn]),
        torch.tensor([drawing.box for drawing in drawn], dtype=torch.float64),
        torch.tensor([drawing.mirrored for drawing in drawn]),
        stack_flaws([drawing.flaws for drawing in drawn]),
        drawn[0].size,
    )
    return drawings, [skip for _, skips in items for skip in skips]


class DeviceCrops:
    """Crops cut and degraded on a device.

    Attributes:
        drawings: what is drawn for each crop; all that data workers need.
    """

    def __init__(
        self, sources: Sequence[Source], config: TrainConfig, photos: DevicePhotos
    ) -> None:
        self.drawings = DrawingStream(sources, config, photos)
        self._pixels = photos.pixels

    def __len__(self) -> int:
        return len(self.drawings)

    def __getitem__(self, number: int) -> tuple[Tensor, list[Skip]]:
        """As of `CropStream`, but on the device."""
        drawings, skips = collate_drawings([self.drawings[number]])
        return self.make(drawings)[0], skips

    def check(self) -> None:
        """Raises ValueError if a source has no photo to train on."""
        self.drawings.check()

    def make(self, drawings: Drawings) -> Tensor:
        """Cut, resize, mirror and degrade a batch.

        Returns:
            uint8 (N, 4, size, size) on the device: sRGB color, then the degraded gray input.
        """
        photos = [self._pixels[index] for index in drawings.photos.tolist()]
        device = photos[0].device
        extent = torch.tensor([[photo.shape[2], photo.shape[1]] for photo in photos])
        boxes = drawings.boxes * extent.repeat(1, 2)
        planes = cut_squares(photos, boxes, drawings.mirrored, drawings.size)
        color, gray = planes[:, :3], to_gray(planes[:, :3])
        given = [row for row, photo in enumerate(photos) if len(photo) == 4]
        if given:
            gray[given] = planes[given, 3]
        gray = degrade(gray, moved(drawings.flaws, device))
        return torch.cat((color, gray[:, None]), 1).byte()


def to_gray(color: Tensor) -> Tensor:
    """sRGB (N, 3, H, W) to gray of the same lightness (N, H, W); levels from 0 to 255."""
    red, green, blue = srgb_to_linear(color / 255).unbind(1)
    of_red, of_green, of_blue = RGB_TO_XYZ[1]
    luminance = of_red * red + of_green * green + of_blue * blue
    return (255 * linear_to_srgb(luminance)).round()
