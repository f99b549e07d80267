"""Photos to train on, from folders and tar shards, and the repeatable stream of their crops."""

import io
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor
from torch.utils.data import Dataset

from colorizer.color import rgb_to_lab
from train.config import TrainConfig

SUFFIXES = {".avif", ".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}


@dataclass(frozen=True)
class PhotoFile:
    """Where one photo lies: a file, or a stretch of a tar shard."""

    path: Path
    name: str
    offset: int = 0
    length: int = -1  # bytes; -1 means the whole file

    def open(self) -> Image.Image:
        """Decode the photo, upright, as RGB. Raises OSError if it can't be read."""
        with self.path.open("rb") as file:
            file.seek(self.offset)
            data = file.read(self.length)
        try:
            return ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
        except (
            UnidentifiedImageError,
            SyntaxError,
            ValueError,
            Image.DecompressionBombError,
        ) as error:
            raise OSError(f"{self.name} can't be read as a photo: {error}") from error


def find_photos(sources: Iterable[str | Path]) -> list[PhotoFile]:
    """List the photos of folders (searched recursively) and tar shards, sorted by name.

    Raises:
        ValueError: a source doesn't exist or holds no photo.
    """
    photos: list[PhotoFile] = []
    for source in map(Path, sources):
        if source.is_dir():
            files = [path for path in source.rglob("*") if path.is_file()]
            found = [PhotoFile(path, path.relative_to(source).as_posix()) for path in files]
        elif source.is_file() and tarfile.is_tarfile(source):
            found = _members(source)
        else:
            raise ValueError(
                f"{source} is neither a folder nor a tar archive of photos; check the path."
            )
        found = [photo for photo in found if Path(photo.name).suffix.lower() in SUFFIXES]
        if not found:
            raise ValueError(
                f"{source} holds no photos; "
                f"put color photos ({', '.join(sorted(SUFFIXES))}) into it."
            )
        photos += sorted(found, key=lambda photo: photo.name)
    return photos


def read_small(photos: Iterable[PhotoFile], short: int) -> list[Tensor]:
    """Whole photos as uint8 (3, H, W) sRGB, shrunk to a short side of at most `short` pixels.

    Photos that can't be read are left out.
    """
    small = []
    for photo in photos:
        try:
            image = photo.open()
        except OSError:
            continue
        scale = min(1.0, short / min(image.size))
        size = max(1, round(image.width * scale)), max(1, round(image.height * scale))
        small.append(torch.from_numpy(np.array(image.resize(size))).permute(2, 0, 1))
    return small


def _members(archive: Path) -> list[PhotoFile]:
    try:
        with tarfile.open(archive, "r:") as tar:
            members = [member for member in tar if member.isfile()]
    except tarfile.ReadError:
        raise ValueError(f"{archive} is compressed; pack the photos with plain tar.") from None
    return [PhotoFile(archive, member.name, member.offset_data, member.size) for member in members]


class CropStream(Dataset[Tensor]):
    """Crop number n of the run, for n from 0 to `config.photos`: a pure function of n and the seed.

    So a run that is resumed at step s continues with crop s * batch and sees what it would have
    seen. Photos come in a new order each epoch. A photo that can't be read, or is nearly gray, is
    replaced by the next in the order.
    """

    def __init__(self, photos: Sequence[PhotoFile], config: TrainConfig) -> None:
        self.photos = photos
        self.config = config
        # an epoch and its permutation
        self._order: tuple[int, NDArray[np.int64]] = (-1, np.empty(0, np.int64))

    def __len__(self) -> int:
        return self.config.steps * self.config.batch

    def __getitem__(self, number: int) -> Tensor:
        """Crop number `number` as uint8 (3, crop, crop) sRGB."""
        crop = self.config.crop_at(number // self.config.batch)
        for attempt in range(len(self.photos)):
            random = np.random.default_rng((self.config.seed, number, attempt))
            try:
                image = self._photo(number + attempt).open()
            except OSError:
                continue
            pixels = cut_crop(image, crop, self.config.crop_scale, random)
            if mean_chroma(pixels) >= self.config.gray_chroma:
                return pixels
        raise ValueError("None of the photos is a readable color photo; check --data.")

    def _photo(self, number: int) -> PhotoFile:
        epoch, position = divmod(number, len(self.photos))
        if self._order[0] != epoch:
            self._order = (
                epoch,
                np.random.default_rng((self.config.seed, epoch)).permutation(len(self.photos)),
            )
        return self.photos[int(self._order[1][position])]


def cut_crop(
    image: Image.Image, size: int, scale: Sequence[float], random: np.random.Generator
) -> Tensor:
    """Cut a random square whose side is a random share (`scale`) of the short side, resize it to
    `size`, maybe mirror it.

    Returns:
        uint8 (3, size, size) sRGB.
    """
    short = min(image.size)
    side = short * random.uniform(scale[0], scale[1])
    left = random.uniform(0, image.width - side)
    top = random.uniform(0, image.height - side)
    box = (left, top, left + side, top + side)
    image = image.resize((size, size), Image.Resampling.BICUBIC, box=box)
    if random.random() < 0.5:
        image = ImageOps.mirror(image)
    return torch.from_numpy(np.array(image)).permute(2, 0, 1)


def mean_chroma(pixels: Tensor) -> float:
    """Mean CIELAB chroma of uint8 (3, H, W), looked at in every fourth row and column."""
    ab = rgb_to_lab(pixels[:, ::4, ::4] / 255)[1:]
    return float(ab.norm(dim=0).mean())
