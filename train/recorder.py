"""What a run writes while it goes on: log, state, checkpoints, validation, samples, curves."""

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from torch.utils.tensorboard import SummaryWriter

from colorizer import Colorizer, Photo
from colorizer.checkpoints import Checkpoint, save_checkpoint
from train.config import Phase, TrainConfig
from train.data import NEARLY_GRAY
from train.evaluate import evaluate
from train.learner import Learner, rate_factor
from train.plots import draw_curves, draw_grid, read_log
from train.run import (
    BEST_FOLDER,
    CHECKPOINT_FOLDER,
    LOG_FILE,
    SAMPLES_FOLDER,
    SKIPPED_FILE,
    TENSORBOARD_FOLDER,
    log,
    save_state,
    write_skipped,
)
from train.sources import Sample, Source

GRID_PHOTOS = 12


class Recorder:
    """Writes into the folder of a run; used by the main process alone.

    Args:
        config: of the run.
        learner: what to save and to look at.
        sources: to draw samples from where nothing is kept for validation.
        validation: what to validate on, maybe nothing.
        step: how many are done already.
    """

    def __init__(
        self,
        config: TrainConfig,
        learner: Learner,
        sources: Sequence[Source],
        validation: Sequence[Source],
        step: int,
    ) -> None:
        self.config = config
        self.output = Path(config.output)
        self.learner = learner
        self.validation = validation
        errors = [
            row["val_delta_e00"]
            for row in read_log(self.output / LOG_FILE)
            if "val_delta_e00" in row
        ]
        self.best = min(errors, default=math.inf)  # lowest validation error so far
        self._skipped: Mapping[str, str] = {}
        self._logged_step = step
        self._shown = _picked(validation or sources, GRID_PHOTOS)
        self._board = SummaryWriter(self.output / TENSORBOARD_FOLDER, purge_step=step + 1)

    def log(self, step: int, **values: float | str) -> None:
        """Append a line to metrics.jsonl, and its numbers to TensorBoard."""
        log(self.output, step=step, **values)
        for name, value in values.items():
            if not isinstance(value, str):
                self._board.add_scalar(name, value, step)

    def log_step(
        self, step: int, losses: Mapping[str, float], seconds: Mapping[str, float]
    ) -> None:
        """Log losses, rate and speed; `seconds` are those of `StepClock` since the last time."""
        config = self.config
        steps = step - self._logged_step
        training = seconds["all"] - seconds.get("metrics", 0.0)
        self._logged_step = step
        self.log(
            step,
            photos=step * config.batch,
            phase=config.phase_at(step - 1).value,
            crop=config.crop_at(step - 1),
            rate=self.learner.rate_scale * rate_factor(step - 1, config),
            photos_per_second=steps * config.batch / training,
            **losses,
            **{f"seconds_{part}": value / steps for part, value in seconds.items()},
        )

    def save(self, step: int, skipped: Mapping[str, str]) -> None:
        """Write the state to resume from, the checkpoint, and the list of skipped photos."""
        save_state(self.output, {"step": step, "skipped": skipped} | self.learner.state())
        self._save_checkpoint(CHECKPOINT_FOLDER, step)
        if skipped:
            write_skipped(self.output, skipped)
        self._skipped = skipped

    def look(self, step: int) -> None:
        """Validate, keep the checkpoint if it is the best, draw samples and curves."""
        checkpoint = Checkpoint(self.learner.ema.module, self.config.working_size, "", "")
        colorizer = Colorizer(checkpoint, self.learner.accelerator.device)
        if self.validation:
            self._validate(colorizer, step)
        self._draw_samples(colorizer, self.output / SAMPLES_FOLDER / f"{step:07d}.png")
        draw_curves(self.output / LOG_FILE, self.output)
        self._board.flush()

    def close(self) -> None:
        """End the log, and say what was left out of training."""
        self._board.close()
        if self._skipped:
            gray = sum(reason == NEARLY_GRAY for reason in self._skipped.values())
            print(
                f"{len(self._skipped)} photos were left out, {len(self._skipped) - gray} of them "
                f"unreadable, {gray} nearly gray: {self.output / SKIPPED_FILE} lists them."
            )

    def _save_checkpoint(self, folder: str, step: int) -> None:
        critic = self.learner.discriminator
        if self.config.phase_at(step - 1) is Phase.RECONSTRUCTION:
            critic = None  # it has learned nothing yet
        save_checkpoint(
            self.output / folder, self.learner.ema.module, self.config.working_size, critic
        )

    def _validate(self, colorizer: Colorizer, step: int) -> None:
        limit = self.config.val_photos
        try:
            summary = evaluate(colorizer, self.validation, limit=limit, quiet=True).summary
        except ValueError as error:
            print(f"Validation is left out from now on: {error}", file=sys.stderr)
            self.validation = ()
            return
        values = {f"val_{name}": value for name, value in summary["output"].items()}
        values |= {f"val_{name}": value for name, value in summary["ratios"].items()}
        self.log(step, **values)
        if values["val_delta_e00"] < self.best:
            self.best = values["val_delta_e00"]
            self._save_checkpoint(BEST_FOLDER, step)

    def _draw_samples(self, colorizer: Colorizer, path: Path) -> None:
        rows = []
        for sample in self._shown:
            try:
                pair = sample.read()
            except OSError:
                continue
            truth = np.array(pair.color)
            photo = Photo(np.array(pair.gray)[..., None] if pair.gray else truth).to_gray()
            output = colorizer.colorize(photo).colorized.pixels
            rows.append((np.repeat(photo.pixels, 3, axis=2), truth, output))
        if rows:
            draw_grid(rows, path)


def _picked(sources: Sequence[Source], count: int) -> list[Sample]:
    """Samples, evenly over all sources."""
    samples = [sample for source in sources for sample in source.samples]
    count = min(count, len(samples))
    return [samples[number * len(samples) // count] for number in range(count)]
