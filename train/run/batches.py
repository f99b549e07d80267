"""Batches of crops for each step of a run."""

from collections.abc import Iterator
from itertools import islice

from accelerate import Accelerator
from torch import Tensor
from torch.utils.data import DataLoader

from train.data.crops import CropStream, Skip, collate
from train.run.engine import start_worker
from train.run.folder import RunError
from train.settings.config import TrainConfig

PREFETCH = 4  # micro-batches that a data worker decodes ahead


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


def load_batches(
    config: TrainConfig, accelerator: Accelerator, crops: CropStream, start: int, size: int
) -> Iterator[tuple[list[Tensor], list[Skip]]]:
    """Yield for each step from `start` on this process's micro-batches and the skipped photos."""
    firsts = range(
        start * config.batch + accelerator.process_index * size,
        len(crops),
        accelerator.num_processes * size,
    )
    loader = DataLoader(
        crops,
        batch_sampler=(list(range(first, first + size)) for first in firsts),
        collate_fn=collate,
        num_workers=config.workers,
        prefetch_factor=PREFETCH if config.workers else None,
        worker_init_fn=start_worker,
        pin_memory=accelerator.device.type == "cuda",
    )
    micro_batches = iter(loader)
    while batch := list(islice(micro_batches, config.accumulate)):
        yield [pixels for pixels, _ in batch], [skip for _, skips in batch for skip in skips]
