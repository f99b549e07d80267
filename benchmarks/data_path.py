"""Time the data path of training: `python -m benchmarks.data_path PHOTOS...`.

Crops are cut and degraded as for `train.fit`, but nothing is trained: by data workers, with and
without a cache of decoded photos, and on each device that can keep the photos. The cache and the
devices are filled before the clock starts.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import cv2
import torch
from torch import Tensor
from torch.utils.data import DataLoader

from train.data.cache import cached
from train.data.crops import CropStream
from train.data.device import load_photos
from train.data.device_crops import DeviceCrops
from train.data.samples import Source
from train.data.sources import find_sources
from train.measure.tables import markdown_table
from train.run.batches import Crops, parts_of
from train.run.engine import start_worker
from train.settings.config import TrainConfig

WARM_UP = 4  # batches, in which the workers start


def photos_per_second(crops: Crops, config: TrainConfig, rounds: int, batches: int) -> list[float]:
    """Crops per second in each round.

    Args:
        crops: made by data workers or on a device.
        config: batch and workers.
        rounds: stretches of the stream, one value each.
        batches: per round.
    """
    dataset, join, make = parts_of(crops)
    loader = DataLoader(
        dataset,
        config.batch,
        collate_fn=join,
        num_workers=config.workers,
        worker_init_fn=start_worker,
    )
    rates, made = [], (make(part) for part, _ in loader)
    _take(made, WARM_UP)
    for _ in range(rounds):
        start = time.perf_counter()
        _take(made, batches)
        rates.append(batches * config.batch / (time.perf_counter() - start))
    return rates


def _take(made: Iterator[Tensor], count: int) -> None:
    for _ in range(count):
        pixels = next(made)
    if pixels.device.type == "cuda":
        torch.cuda.synchronize(pixels.device)


def kinds(
    sources: Sequence[Source], kept: Sequence[Source], config: TrainConfig
) -> dict[str, Callable[[], Crops]]:
    """Ways to make crops, by name: from photos, from a cache of them, on each device."""
    devices = [torch.device("cpu")]
    devices += [torch.device("cuda")] if torch.cuda.is_available() else []

    def on(device: torch.device) -> Callable[[], Crops]:
        return lambda: DeviceCrops(kept, config, load_photos(kept, config, device))

    return {
        "workers, decoded each time": lambda: CropStream(sources, config),
        "workers, cached": lambda: CropStream(kept, config),
        **{f"kept on {device.type}": on(device) for device in devices},
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.data_path", description=__doc__)
    parser.add_argument("data", nargs="+", help="as --data of train.fit")
    parser.add_argument("--crop", type=int, default=160, help="pixels (default: 160)")
    parser.add_argument("--batch", type=int, default=32, help="default: 32")
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2], help="default: 1 2")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--batches", type=int, default=10, help="of a round (default: 10)")
    parser.add_argument("--cache", type=Path, help="folder of the cache (default: a temporary one)")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(0)  # as in training
    sources = find_sources(options.data)
    table = [["photos/s", "workers", "median", "lowest", "highest"]]
    with tempfile.TemporaryDirectory() as folder:
        kept = cached(sources, options.cache or Path(folder), max(options.workers))
        for workers in options.workers:
            config = TrainConfig(
                data=tuple(options.data),
                photos=options.batch * (WARM_UP + options.rounds * options.batches + 64),
                batch=options.batch,
                crops=(options.crop,),
                crop_starts=(0.0,),
                workers=workers,
            )
            for kind, crops in kinds(sources, kept, config).items():
                rates = photos_per_second(crops(), config, options.rounds, options.batches)
                figures = statistics.median(rates), min(rates), max(rates)
                table.append([kind, str(workers), *(f"{rate:.1f}" for rate in figures)])
    print(markdown_table(table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
