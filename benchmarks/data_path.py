"""Time the data path of training: `python -m benchmarks.data_path PHOTOS...`.

Photos are read, cropped and degraded as for `train.fit`, with and without its cache, but nothing is
trained. The cache is filled before the clock starts.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import cv2
from torch.utils.data import DataLoader

from train.data.cache import cached
from train.data.crops import CropStream, collate
from train.data.samples import Source
from train.data.sources import find_sources
from train.measure.tables import markdown_table
from train.run.engine import start_worker
from train.settings.config import TrainConfig

WARM_UP = 4  # batches, in which the workers start


def photos_per_second(
    sources: Sequence[Source], config: TrainConfig, rounds: int, batches: int
) -> list[float]:
    """Crops per second in each round.

    Args:
        sources: to read from.
        config: crops, degradation, batch and workers.
        rounds: stretches of the stream, one value each.
        batches: per round.
    """
    stream = CropStream(sources, config)
    loader = DataLoader(
        stream,
        config.batch,
        collate_fn=collate,
        num_workers=config.workers,
        worker_init_fn=start_worker,
    )
    rates, crops = [], iter(loader)
    for _ in range(WARM_UP):
        next(crops)
    for _ in range(rounds):
        start = time.perf_counter()
        for _ in range(batches):
            next(crops)
        rates.append(batches * config.batch / (time.perf_counter() - start))
    return rates


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
        kinds = {
            "decoded each time": sources,
            "cached": cached(sources, options.cache or Path(folder), max(options.workers)),
        }
        for workers in options.workers:
            config = TrainConfig(
                data=tuple(options.data),
                photos=options.batch * (WARM_UP + options.rounds * options.batches + 64),
                batch=options.batch,
                crops=(options.crop,),
                crop_starts=(0.0,),
                workers=workers,
            )
            for kind, found in kinds.items():
                rates = photos_per_second(found, config, options.rounds, options.batches)
                figures = statistics.median(rates), min(rates), max(rates)
                table.append([kind, str(workers), *(f"{rate:.1f}" for rate in figures)])
    print(markdown_table(table))
    return 0


if __name__ == "__main__":
    sys.exit(main())
