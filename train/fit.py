"""Train a generator: `python -m train.fit --data FOLDER --output RUN`; `--help` lists the
settings.

The same command runs on several devices or machines under `accelerate launch`.
"""

import json
import signal
import sys
from collections import ChainMap
from collections.abc import Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.utils import gather_object
from torch import Tensor
from torch.utils.data import DataLoader
from tqdm import tqdm

from colorizer.checkpoints import load_checkpoint
from colorizer.discriminator import Discriminator, DiscriminatorConfig
from colorizer.generator import Generator
from train.config import Phase, TrainConfig, parse_config
from train.data import CropStream, Skip, collate
from train.engine import (
    StepClock,
    StopSignal,
    dead_workers_explained,
    keep_freed_memory,
    leave_signals_to_parent,
)
from train.learner import Learner
from train.losses import bin_prior
from train.networks import build_discriminator, build_generator
from train.recorder import Recorder
from train.run import CHECKPOINT_FOLDER, Interrupted, RunError, intact, open_run
from train.sources import Source, find_sources, split

PRIOR_CROPS = 2000  # crops from which the share of each ab bin is counted
UNDEFINED_STEPS = 10  # in a row, and the run stops
NETWORKS = ("generator", "discriminator")  # whose losses the progress bar shows
PREFETCH = 4  # parts of a batch that a data worker decodes ahead


def fit(config: TrainConfig) -> Path:
    """Train as `config` says, or go on with a run; Ctrl-C and SIGTERM save and stop it.

    Returns:
        The folder of the checkpoint, which holds the averaged (EMA) weights.

    Raises:
        ValueError: the data, the networks or the run to resume can't be used.
        RunError: training can't go on; what was saved before is intact.
        Interrupted: a signal stopped the run, which is saved.
    """
    keep_freed_memory()
    sources, validation = find_data(config)
    config = config.with_epochs(count(sources))
    state = open_run(config)
    accelerator = Accelerator(
        mixed_precision=config.mixed_precision,
        cpu=not torch.cuda.is_available(),
        kwargs_handlers=[  # steps without hints leave their convolution unused
            DistributedDataParallelKwargs(find_unused_parameters=True, broadcast_buffers=False)
        ],
    )
    crops = CropStream(sources, config)
    learner = start_learner(config, accelerator, crops, state)
    start = int(state.get("step", 0))
    with intact(Path(config.output)):
        recorder = (
            Recorder(config, learner, sources, validation, start)
            if accelerator.is_main_process
            else None
        )
        with closing(recorder) if recorder else nullcontext():
            loop(config, learner, crops, recorder, start, state.get("skipped", {}))
    return Path(config.output) / CHECKPOINT_FOLDER


def find_data(config: TrainConfig) -> tuple[list[Source], list[Source]]:
    """Sources to train on and to validate on."""
    sources = find_sources(config.data)
    if config.val_data:
        return sources, find_sources(config.val_data)
    return split(sources, config.val_fraction)


def count(sources: Sequence[Source]) -> int:
    """Samples in all sources."""
    return sum(len(source.samples) for source in sources)


def start_learner(
    config: TrainConfig, accelerator: Accelerator, crops: CropStream, state: dict[str, Any]
) -> Learner:
    """The networks of a new run, or those of the one that `state` was saved from."""
    torch.manual_seed(config.seed)
    if state:
        checkpoint = load_checkpoint(Path(config.output) / CHECKPOINT_FOLDER)
        generator, prior = checkpoint.generator.train(), state["prior"]
        discriminator = (
            Discriminator(DiscriminatorConfig(**state["discriminator_config"]))
            if config.adversarial
            else None
        )
    else:
        generator = build_generator(config)
        discriminator = (
            build_discriminator(config, generator, accelerator.print)
            if config.adversarial
            else None
        )
        sample = [crops[number][0] for number in range(min(PRIOR_CROPS, len(crops)))]
        distribution = isinstance(generator, Generator) and generator.config.head == "bins"
        prior = bin_prior(generator.bins, sample) if distribution else None
    learner = Learner(config, accelerator, generator, discriminator, prior)
    if state:
        learner.load(state)
    return learner


def loop(
    config: TrainConfig,
    learner: Learner,
    crops: CropStream,
    recorder: Recorder | None,
    start: int,
    skipped: dict[str, str],
) -> None:
    """Do the steps from `start` on.

    Args:
        config: of the run.
        learner: what learns.
        crops: what it learns from.
        recorder: None in all processes but the main one.
        start: how many steps are done already.
        skipped: photos that were left out in those, by name, and why.
    """
    accelerator = learner.accelerator
    clock, stop = StepClock(), StopSignal()
    batches = load_batches(config, accelerator, crops, start)
    progress = tqdm(
        total=len(crops), initial=start * config.batch, unit="photo", disable=recorder is None
    )
    with closing(progress), stop.caught(), dead_workers_explained():
        for step in range(start, config.steps):
            with clock("data"):
                parts, skips = next(batches)
            skipped |= {skip.name: skip.reason for skip in skips}
            losses = learner.step(step, parts, clock)
            if learner.undefined_steps == UNDEFINED_STEPS:
                raise RunError(
                    f"The loss was not a number {UNDEFINED_STEPS} times in a row, up to step "
                    f"{step}. What was saved before is intact; start again with a lower "
                    "--learning-rate."
                )
            done = step + 1
            last = done == config.steps
            progress.update(config.batch)
            if done % config.log_every == 0 or last:
                values = mean_over_processes(losses, accelerator)
                progress.set_postfix(
                    {name: values[name] for name in NETWORKS if name in values}, refresh=False
                )
                if recorder is not None:
                    recorder.log_step(done, values, clock.read())
            stopped = any(gather_object([stop.number]))
            if done % config.save_every == 0 or last or stopped:
                with clock("metrics"):
                    everywhere = gather_object([skipped])
                    if recorder is not None:
                        recorder.save(done, dict(ChainMap(*everywhere)))
                    if recorder is not None and not stopped:
                        recorder.look(done)
            if stopped:
                raise Interrupted(
                    f"Stopped, and saved at step {done} of {config.steps}; continue with --resume.",
                    stop.number or signal.SIGTERM,
                )


def load_batches(
    config: TrainConfig, accelerator: Accelerator, crops: CropStream, start: int
) -> Iterator[tuple[list[Tensor], list[Skip]]]:
    """For each step from `start` on: this process's parts of the batch, and the photos that were
    left out.

    Raises:
        RunError: the batch can't be divided.
    """
    processes, rank = accelerator.num_processes, accelerator.process_index
    size, rest = divmod(config.batch, processes * config.accumulate)
    if rest:
        raise RunError(
            f"The batch of {config.batch} photos can't be divided into {config.accumulate} parts "
            f"for each of {processes} processes; choose another --batch."
        )
    starts = range(start * config.batch + rank * size, len(crops), processes * size)
    loader = DataLoader(
        crops,
        batch_sampler=[list(range(first, first + size)) for first in starts],
        collate_fn=collate,
        num_workers=config.workers,
        prefetch_factor=PREFETCH if config.workers else None,
        worker_init_fn=leave_signals_to_parent,
        pin_memory=accelerator.device.type == "cuda",
    )
    parts = iter(loader)
    while batch := list(islice(parts, config.accumulate)):
        yield [pixels for pixels, _ in batch], [skip for _, skips in batch for skip in skips]


def mean_over_processes(losses: dict[str, Tensor], accelerator: Accelerator) -> dict[str, float]:
    """Values of a step's losses."""
    means: Tensor = accelerator.reduce(torch.stack(list(losses.values())), "mean")
    return dict(zip(losses, means.tolist(), strict=True))


def main() -> int:
    """Run the command line; returns the exit code, 128 plus the signal for a stopped run."""
    config, dry_run = parse_config()
    try:
        if dry_run:
            print(describe(config))
            return 0
        print(fit(config))
    except Interrupted as error:
        print(f"train.fit: {error}", file=sys.stderr)
        return 128 + error.signal
    except ValueError as error:
        print(f"train.fit: {error}", file=sys.stderr)
        return 1
    return 0


def describe(config: TrainConfig) -> str:
    """The resolved settings and what would be trained on, as JSON."""
    sources, validation = find_data(config)
    config = config.with_epochs(count(sources))
    found = {
        "train": {source.name: len(source.samples) for source in sources},
        "validation": {source.name: len(source.samples) for source in validation},
        "steps": {
            phase: sum(config.phase_at(step) is phase for step in range(config.steps))
            for phase in Phase
        },
    }
    return json.dumps({"settings": asdict(config), "found": found}, indent=1)


if __name__ == "__main__":
    sys.exit(main())
