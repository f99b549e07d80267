"""Train a generator: `python -m train.fit --data FOLDER --output RUN`; `--help` lists the
settings.

The same command runs on several devices or machines under `accelerate launch`.
"""

import json
import os
import signal
import sys
from collections import ChainMap
from collections.abc import Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs
from accelerate.utils import gather_object
from torch import Tensor
from torch.utils.data import DataLoader
from tqdm import tqdm

from colorizer.checkpoints.checkpoint import load_checkpoint
from colorizer.networks.discriminator import Discriminator, DiscriminatorConfig
from colorizer.networks.generator import Generator
from train.data.crops import CropStream, Skip, collate
from train.data.sources import Source, find_sources, split
from train.model.build import build_discriminator, build_generator, with_working_size
from train.model.learner import Learner
from train.model.losses import bin_prior
from train.run.config import Phase, TrainConfig, parse_config
from train.run.engine import (
    StopSignal,
    dead_workers_explained,
    keep_freed_memory,
    precision,
    start_worker,
)
from train.run.folder import (
    CHECKPOINT_FOLDER,
    Interrupted,
    RunError,
    failed_writes_explained,
    open_run,
)
from train.run.recorder import Recorder

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
    cv2.setNumThreads(0)  # threads of OpenCV would hang in data workers, which are forked
    accelerator = Accelerator(
        mixed_precision=precision(config.mixed_precision),
        cpu=not torch.cuda.is_available(),
        kwargs_handlers=[  # a loss on the bins alone leaves the residual without gradient
            DistributedDataParallelKwargs(find_unused_parameters=True, broadcast_buffers=False)
        ],
    )
    size = part_size(config, accelerator.num_processes)
    with accelerator.local_main_process_first():  # which downloads what isn't there
        sources, validation = find_data(config)
    config = resolve(config, sources)
    if not validation:
        accelerator.print("Nothing is kept for validation, so there will be no best checkpoint.")
    state = open_run(config, sources)
    start, skipped = int(state.get("step", 0)), state.get("skipped", {})
    crops = CropStream(sources, config)
    crops.check()
    learner = start_learner(config, accelerator, crops, state)
    state.clear()  # else a second copy of everything would stay
    batches = load_batches(config, accelerator, crops, start, size)
    output = Path(config.output)
    recorder = None
    if accelerator.is_main_process:
        with failed_writes_explained(output):
            recorder = Recorder(learner, sources, validation, start)
    with closing(recorder) if recorder else nullcontext():
        loop(learner, batches, recorder, start, skipped)
    accelerator.end_training()
    return output / CHECKPOINT_FOLDER


def find_data(config: TrainConfig) -> tuple[list[Source], list[Source]]:
    """Sources to train on and to validate on."""
    sources = find_sources(config.data)
    if config.val_data:
        return sources, find_sources(config.val_data)
    return split(sources, config.val_fraction)


def resolve(config: TrainConfig, sources: Sequence[Source]) -> TrainConfig:
    """The settings with what depends on the data and on the checkpoint to start from."""
    return with_working_size(config.with_epochs(sum(map(len, sources))))


def part_size(config: TrainConfig, processes: int) -> int:
    """Photos that a process computes at a time.

    Raises:
        RunError: the batch can't be divided.
    """
    size, rest = divmod(config.batch, processes * config.accumulate)
    if rest:
        raise RunError(
            f"The batch of {config.batch} photos can't be divided into {config.accumulate} parts "
            f"for each of {processes} processes; choose another --batch."
        )
    return size


def start_learner(
    config: TrainConfig, accelerator: Accelerator, crops: CropStream, state: dict[str, Any]
) -> Learner:
    """The networks of a new run, or those of the one that `state` was saved from."""
    torch.manual_seed(config.seed)
    discriminator = None
    if state:
        checkpoint = load_checkpoint(Path(config.output) / CHECKPOINT_FOLDER)
        generator, prior = checkpoint.generator.train(), state["prior"]
        if config.adversarial:
            discriminator = Discriminator(DiscriminatorConfig(**state["discriminator_config"]))
    else:
        generator, prior = build_generator(config), None
        if config.adversarial:
            discriminator = build_discriminator(config, generator, accelerator.print)
        if isinstance(generator, Generator) and generator.config.head == "bins":
            numbers = range(min(PRIOR_CROPS, len(crops)))
            prior = bin_prior(generator.bins, (crops[number][0] for number in numbers))
    learner = Learner(config, accelerator, generator, discriminator, prior)
    if state:
        learner.load(state)
    return learner


def loop(
    learner: Learner,
    batches: Iterator[tuple[list[Tensor], list[Skip]]],
    recorder: Recorder | None,
    start: int,
    skipped: dict[str, str],
) -> None:
    """Do the steps from `start` on.

    Args:
        learner: what learns.
        batches: what it learns from; see `load_batches`.
        recorder: None in all processes but the main one.
        start: how many steps are done already.
        skipped: photos that were left out in those, by name, and why.
    """
    config, accelerator, stop = learner.config, learner.accelerator, StopSignal()
    output = Path(config.output)
    progress = tqdm(
        total=config.steps * config.batch,
        initial=start * config.batch,
        unit="photo",
        disable=recorder is None,
    )
    if start and recorder is not None and not recorder.is_drawn(start):
        with failed_writes_explained(output):  # the run was stopped before it came to that
            recorder.validate_and_draw(start)
    with closing(progress), stop.caught(), dead_workers_explained():
        for step in range(start, config.steps):
            with learner.clock("data"):
                parts, skips = next(batches)
            skipped |= {skip.name: skip.reason for skip in skips}
            losses = learner.step(step, parts)
            if learner.undefined_steps == UNDEFINED_STEPS:
                raise RunError(
                    f"The loss was not a number {UNDEFINED_STEPS} times in a row, up to step "
                    f"{step}. What was saved before is intact; start again with a lower "
                    "--learning-rate."
                )
            done = step + 1
            progress.update(config.batch)
            stopped = any(gather_object([stop.number]))
            saves = done % config.save_every == 0 or done == config.steps or stopped
            if saves or done % config.log_every == 0:
                values = mean_over_processes(losses, accelerator)
                shown = {name: values[name] for name in NETWORKS if name in values}
                progress.set_postfix(shown, refresh=False)
                if recorder is not None:
                    with failed_writes_explained(output):
                        recorder.log_step(done, values)
            if saves:
                everywhere = gather_object([skipped])
                if recorder is not None:
                    with learner.clock("metrics"), failed_writes_explained(output):
                        recorder.save(done, dict(ChainMap(*everywhere)))
                        if not stopped:
                            recorder.validate_and_draw(done)
            if stopped:
                raise Interrupted(
                    f"Stopped, and saved at step {done} of {config.steps}; continue with --resume.",
                    stop.number or signal.SIGTERM,
                )


def load_batches(
    config: TrainConfig, accelerator: Accelerator, crops: CropStream, start: int, size: int
) -> Iterator[tuple[list[Tensor], list[Skip]]]:
    """For each step from `start` on: this process's parts of the batch, of `size` photos each, and
    the photos that were left out.
    """
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
    parts = iter(loader)
    while batch := list(islice(parts, config.accumulate)):
        yield [pixels for pixels, _ in batch], [skip for _, skips in batch for skip in skips]


def mean_over_processes(losses: dict[str, Tensor], accelerator: Accelerator) -> dict[str, float]:
    """Values of a step's losses."""
    means: Tensor = accelerator.reduce(torch.stack(list(losses.values())), "mean")
    return dict(zip(losses, means.tolist(), strict=True))


def describe(config: TrainConfig) -> str:
    """The resolved settings and what would be trained on, as JSON."""
    sources, validation = find_data(config)
    config = resolve(config, sources)
    found = {
        "train": {source.name: len(source) for source in sources},
        "validation": {source.name: len(source) for source in validation},
        "steps": {
            Phase.RECONSTRUCTION: config.steps - config.critic_steps - config.adversarial_steps,
            Phase.CRITIC: config.critic_steps,
            Phase.ADVERSARIAL: config.adversarial_steps,
        },
    }
    return json.dumps({"settings": asdict(config), "found": found}, indent=1)


def main() -> int:
    """Run the command line; returns the exit code, 128 plus the signal for a stopped run."""
    config, dry_run = parse_config()
    try:
        if dry_run:
            print(describe(config))
            return 0
        checkpoint = fit(config)
        if int(os.environ.get("RANK", 0)) == 0:  # of several processes, as their launcher numbers
            print(checkpoint)
    except Interrupted as error:
        print(f"train.fit: {error}", file=sys.stderr)
        return 128 + error.signal
    except (ValueError, OSError) as error:
        print(f"train.fit: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
