"""A training run, from its settings to the folder of its checkpoint."""

import signal
import sys
from collections import ChainMap
from collections.abc import Iterator, Sequence
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

import cv2
import torch
from accelerate import Accelerator, DistributedDataParallelKwargs, PartialState
from accelerate.utils import broadcast_object_list, gather_object
from torch import Tensor
from tqdm import tqdm

from colorizer.checkpoints.checkpoint import load_checkpoint
from colorizer.networks.discriminator import Discriminator, DiscriminatorConfig
from colorizer.networks.generator import Generator
from train.data.cache import cached
from train.data.order import Skip
from train.data.samples import Source, split
from train.data.sources import find_sources
from train.model.bins import bin_prior
from train.model.build import build_discriminator, build_generator, with_working_size
from train.model.learner import Learner
from train.run.batches import Crops, decoders, load_batches, micro_batch_size, open_crops
from train.run.engine import (
    StopSignal,
    explain_dead_workers,
    keep_freed_memory,
)
from train.run.folder import (
    CHECKPOINT_FOLDER,
    Interrupted,
    RunError,
    explain_failed_writes,
    open_run,
)
from train.run.precision import choose_precision
from train.run.recorder import Recorder
from train.settings.config import TrainConfig

PRIOR_CROPS = 2000  # crops from which the share of each ab bin is counted
MAX_UNDEFINED_STEPS = 10  # in a row; more stop the run
NETWORKS = ("generator", "discriminator")  # whose losses the progress bar shows


def fit(config: TrainConfig) -> Path:
    """Start or resume a run. Ctrl-C and SIGTERM save and stop it.

    Returns:
        The folder of the checkpoint, which holds the averaged (EMA) weights.

    Raises:
        ValueError: the data, the networks or the run to resume can't be used.
        RunError: training can't continue; the last save is intact.
        Interrupted: a signal stopped the run after saving it.
    """
    keep_freed_memory()
    cv2.setNumThreads(0)  # its threads would hang in forked data workers
    processes = PartialState(cpu=not torch.cuda.is_available())
    size = micro_batch_size(config, processes.num_processes)
    with processes.local_main_process_first():  # it downloads missing data and fills the cache
        sources, validation = find_data(config)
    config = resolve(config, sources)
    if not validation:
        processes.print("No photos are kept for validation, so there will be no best checkpoint.")
    state = open_run(config, sources)
    start, skipped = int(state.get("step", 0)), state.get("skipped", {})
    accelerator = Accelerator(
        mixed_precision=state.get("precision") or agree_on_precision(config, processes),
        cpu=not torch.cuda.is_available(),
        kwargs_handlers=[  # a loss on the bins alone leaves the residual without gradient
            DistributedDataParallelKwargs(find_unused_parameters=True, broadcast_buffers=False)
        ],
    )
    crops = open_crops(config, accelerator, sources)
    crops.check()
    learner = start_learner(config, accelerator, crops, state)
    state.clear()  # frees a second copy of everything
    batches = load_batches(config, accelerator, crops, start, size)
    output = Path(config.output)
    recorder = None
    if accelerator.is_main_process:
        with explain_failed_writes(output):
            recorder = Recorder(learner, sources, validation, start)
    with closing(recorder) if recorder else nullcontext():
        loop(learner, batches, recorder, start, skipped)
    accelerator.end_training()
    return output / CHECKPOINT_FOLDER


def find_data(config: TrainConfig) -> tuple[list[Source], list[Source]]:
    """Sources to train on and to validate on."""
    sources, validation = find_sources(config.data), find_sources(config.val_data)
    if config.cache:
        sources, validation = (
            cached(each, Path(config.cache), decoders(config)) for each in (sources, validation)
        )
    return (sources, validation) if validation else split(sources, config.val_fraction)


def agree_on_precision(config: TrainConfig, processes: PartialState) -> str:
    """The precision that the main process measures as faster, for all processes."""
    found = [""]
    if processes.is_main_process:
        found[0], reason = choose_precision(config, processes.device)
        if reason:
            print(reason, file=sys.stderr)
    broadcast_object_list(found)
    return found[0]


def resolve(config: TrainConfig, sources: Sequence[Source]) -> TrainConfig:
    """Settings with the values that depend on the data and on the initial checkpoint."""
    return with_working_size(config.with_epochs(sum(map(len, sources))))


def start_learner(
    config: TrainConfig, accelerator: Accelerator, crops: Crops, state: dict[str, Any]
) -> Learner:
    """The networks of a new run, or of the run that `state` was saved from."""
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
            prior = bin_prior(generator.bins, (crops[number][0].cpu() for number in numbers))
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
    """Train from step `start` to the end.

    Args:
        learner: the networks to train.
        batches: as of `load_batches`.
        recorder: None in all processes but the main one.
        start: number of steps done already.
        skipped: photos skipped in these, with the reasons, by name.
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
        with explain_failed_writes(output):  # the run stopped before it could
            recorder.validate_and_draw(start)
    with closing(progress), stop.caught(), explain_dead_workers():
        for step in range(start, config.steps):
            with learner.clock("data"):
                micro_batches, skips = next(batches)
            skipped |= {skip.name: skip.reason for skip in skips}
            losses = learner.step(step, micro_batches)
            if learner.undefined_steps == MAX_UNDEFINED_STEPS:
                raise RunError(
                    f"The loss was not a number {MAX_UNDEFINED_STEPS} times in a row, up to step "
                    f"{step}. The last save is intact; start again with a lower "
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
                    with explain_failed_writes(output):
                        recorder.log_step(done, values)
            if saves:
                everywhere = gather_object([skipped])
                if recorder is not None:
                    with learner.clock("metrics"), explain_failed_writes(output):
                        recorder.save(done, dict(ChainMap(*everywhere)))
                        if not stopped:
                            recorder.validate_and_draw(done)
            if stopped:
                raise Interrupted(
                    f"Stopped, and saved at step {done} of {config.steps}; continue with --resume.",
                    stop.number or signal.SIGTERM,
                )


def mean_over_processes(losses: dict[str, Tensor], accelerator: Accelerator) -> dict[str, float]:
    """A step's losses, averaged over all processes."""
    means: Tensor = accelerator.reduce(torch.stack(list(losses.values())), "mean")
    return dict(zip(losses, means.tolist(), strict=True))
