"""Batches of crops for each step of a run, made by data workers or on the device."""

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import gather_object
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from train.data.crops import CropStream, collate
from train.data.device import DeviceMemoryError, DevicePhotos, load_photos
from train.data.device_crops import DeviceCrops, collate_drawings
from train.data.order import Skip
from train.data.samples import Source
from train.run.engine import start_worker
from train.run.folder import RunError
from train.settings.config import TrainConfig

PREFETCH = 4  # micro-batches that a data worker decodes ahead

Crops = CropStream | DeviceCrops


def micro_batch_size(config: TrainConfig, processes: int) -> int:
    """Photos that a process computes at once.

    Raises:
        RunError: the batch can't be divided.
    """
    size, rest = divmod(config.batch, processes * config.accumulate)
    if rest:
        raise RunError(
            f"The batch of {config.batch} photos can't be divided into {config.accumulate} "
            f"micro-batches for each of {processes} processes; choose another --batch."
        )
    return size


def open_crops(config: TrainConfig, accelerator: Accelerator, sources: Sequence[Source]) -> Crops:
    """The crops of a run, made where `device_augment` says.

    Raises:
        RunError: they should be made on a device that lacks the room for the photos.
    """
    if not makes_crops(config, accelerator.device):
        return CropStream(sources, config)
    photos, problem = DevicePhotos(), ""
    workers = decoders(config) and max(1, decoders(config) // accelerator.num_processes)
    try:
        photos = load_photos(sources, config, accelerator.device, workers)
    except DeviceMemoryError as error:
        problem = str(error)
    problem = next(filter(None, gather_object([problem])), "")  # the same in all processes
    if not problem:
        if accelerator.is_main_process:
            print(
                f"{accelerator.device} keeps {len(photos.pixels)} photos, "
                f"{photos.stored_bytes / 1e9:.2f} GB, and makes the crops.",
                file=sys.stderr,
            )
        return DeviceCrops(sources, config, photos)
    if config.device_augment == "yes":
        raise RunError(problem)
    if accelerator.is_main_process:
        print(f"Data workers make the crops instead of the device. {problem}", file=sys.stderr)
    return CropStream(sources, config)


def makes_crops(config: TrainConfig, device: torch.device) -> bool:
    """Whether a device should make the crops."""
    if config.device_augment == "auto":
        return device.type == "cuda"
    return config.device_augment == "yes"


def decoders(config: TrainConfig) -> int:
    """Processes that decode all photos before a run; 0 decodes in the main one."""
    return (os.cpu_count() or 1) if config.workers else 0


def load_batches(
    config: TrainConfig, accelerator: Accelerator, crops: Crops, start: int, size: int
) -> Iterator[tuple[list[Tensor], list[Skip]]]:
    """Yield for each step from `start` on this process's micro-batches and the skipped photos."""
    firsts = range(
        start * config.batch + accelerator.process_index * size,
        len(crops),
        accelerator.num_processes * size,
    )
    dataset, join, make = parts_of(crops)
    loader = DataLoader(
        dataset,
        batch_sampler=(list(range(first, first + size)) for first in firsts),
        collate_fn=join,
        num_workers=config.workers,
        prefetch_factor=PREFETCH if config.workers else None,
        worker_init_fn=start_worker,
        pin_memory=accelerator.device.type == "cuda",
    )
    micro_batches = iter(loader)
    while batch := list(islice(micro_batches, config.accumulate)):
        yield [make(part) for part, _ in batch], [skip for _, skips in batch for skip in skips]


def parts_of(crops: Crops) -> tuple[Dataset[Any], Callable[..., Any], Callable[[Any], Tensor]]:
    """What data workers fetch, how they join it to batches, and what makes pixels of these."""
    if isinstance(crops, DeviceCrops):
        return crops.drawings, collate_drawings, crops.make
    return crops, collate, lambda pixels: pixels
