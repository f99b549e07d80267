"""Decoded photos on the device that trains: all of them, as uint8, decoded once.

A photo is stored no larger than the crops need it. Photos are packed into chunks, because a
device's allocator rounds each block of memory up.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
import psutil
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm import tqdm

from colorizer.errors import ColorizerError
from train.data.crops import read_usable
from train.data.processes import map_in_order
from train.data.samples import Sample, Source
from train.settings.config import TrainConfig

CHUNK = 64 << 20  # bytes
ESTIMATE_AFTER = 64  # photos from which the size of all is estimated
SHARE = 0.6  # of the free memory that photos may take; training needs the rest

Size = tuple[int, int]  # (width, height) in pixels
Planes = NDArray[np.uint8]  # (3 or 4, H, W): sRGB, then the gray input if the source has one


class DeviceMemoryError(ColorizerError, ValueError):
    """The photos don't fit on the device; the message says what to do."""


@dataclass
class DevicePhotos:
    """Photos of all sources, one after the other; those of no use have no pixels."""

    pixels: list[Tensor] = field(default_factory=list)  # uint8 (3 or 4, H, W) each
    sizes: list[Size] = field(default_factory=list)  # of the photos before they were shrunk
    reasons: list[str] = field(default_factory=list)  # why a photo is of no use; empty if it is

    @property
    def stored_bytes(self) -> int:
        """Memory that the pixels take."""
        return sum(photo.nbytes for photo in self.pixels)


def load_photos(
    sources: Sequence[Source], config: TrainConfig, device: torch.device, processes: int = 0
) -> DevicePhotos:
    """Decode all photos and move them to a device.

    Args:
        sources: to decode, maybe from a cache.
        config: of the run; crop sizes and scale say how large the photos have to be.
        device: to keep them on.
        processes: that decode; 0 decodes in this one.

    Raises:
        DeviceMemoryError: there is not enough room, which is estimated from the first photos.
    """
    samples = [sample for source in sources for sample in source.samples]
    room = SHARE * free_bytes(device)
    prepare = partial(_prepare, short=stored_side(config), gray_chroma=config.gray_chroma)
    prepared = map_in_order(prepare, samples, processes)
    progress = tqdm(prepared, f"photos to {device}", len(samples), mininterval=5)
    photos, chunk, total = DevicePhotos(), _Chunk(device), 0
    for count, (planes, size, reason) in enumerate(progress, 1):
        total += planes.nbytes
        if count >= min(ESTIMATE_AFTER, len(samples)) or total > room:
            _check_room(max(total, total * len(samples) / count), room, device)
        photos.sizes.append(size)
        photos.reasons.append(reason)
        if not chunk.fits(planes):
            photos.pixels += chunk.unload()
        chunk.add(planes)
    photos.pixels += chunk.unload()
    return photos


def stored_side(config: TrainConfig) -> int:
    """Short side in pixels to which photos are shrunk, so that no crop has to enlarge them."""
    return math.ceil(max(config.crops) / config.crop_scale[0])


def free_bytes(device: torch.device) -> int:
    """Memory of a device that nothing uses yet."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type == "mps":
        return torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory()
    return int(psutil.virtual_memory().available)


class _Chunk:
    """Photos on their way to the device, which they reach together."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.waiting: list[Planes] = []

    def fits(self, planes: Planes) -> bool:
        return sum(each.nbytes for each in self.waiting) + planes.nbytes <= CHUNK

    def add(self, planes: Planes) -> None:
        self.waiting.append(planes)

    def unload(self) -> list[Tensor]:
        """Move the photos; returns them as views into one block of memory."""
        if not self.waiting:
            return []
        flat = torch.from_numpy(np.concatenate([each.ravel() for each in self.waiting]))
        parts = torch.split(flat.to(self.device), [each.size for each in self.waiting])
        shapes = [each.shape for each in self.waiting]
        self.waiting = []
        return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]


def _prepare(sample: Sample, short: int, gray_chroma: float) -> tuple[Planes, Size, str]:
    """Decode and shrink a photo: pixels, size before, and why it is of no use."""
    pair = read_usable(sample, gray_chroma)
    if isinstance(pair, str):
        return np.empty((3, 0, 0), np.uint8), (0, 0), pair
    small = pair.shrunk(short)
    planes = [*np.array(small.color).transpose(2, 0, 1)]
    planes += [] if small.gray is None else [np.array(small.gray)]
    return np.stack(planes), pair.color.size, ""


def _check_room(needed: float, room: float, device: torch.device) -> None:
    if needed > room:
        raise DeviceMemoryError(
            f"The photos need about {needed / 1e9:.1f} GB on {device}, but it has room for "
            f"{room / 1e9:.1f} GB beside training; use --device-augment no, fewer photos, smaller "
            "--crops or a larger --crop-scale."
        )
