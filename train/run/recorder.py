"""The output of a run: log, state, checkpoints, validation, samples, curves."""

import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from torch.utils.tensorboard import SummaryWriter

from colorizer import Colorizer
from colorizer.checkpoints.checkpoint import Checkpoint, save_checkpoint
from colorizer.inference.engines import torch_engine
from train.data.order import NEARLY_GRAY
from train.data.samples import Source, pick
from train.measure.evaluate import evaluate
from train.model.learner import Learner, learning_rate_factor
from train.run.folder import (
    BEST_FOLDER,
    CHECKPOINT_FOLDER,
    LOG_FILE,
    SAMPLES_FOLDER,
    SKIPPED_FILE,
    TENSORBOARD_FOLDER,
    log,
    photos_digest,
    save_state,
    start_log,
    write_skipped,
)
from train.run.plots import draw_curves, draw_grid, read_log
from train.settings.config import Phase

GRID_PHOTOS = 12


class Recorder:
    """Writes into the folder of a run; used by the main process alone.

    Args:
        learner: its networks are saved and validated; its settings name the folder.
        sources: training photos; samples are drawn from them if there are no validation photos.
        validation: photos to validate on, maybe none.
        step: number of steps done already.
    """

    def __init__(
        self, learner: Learner, sources: Sequence[Source], validation: Sequence[Source], step: int
    ) -> None:
        self.learner = learner
        self.config = learner.config
        self.output = Path(self.config.output)
        self.validation = validation
        self._photos = photos_digest(sources)
        self._shown = pick(validation or sources, GRID_PHOTOS)
        self._skipped: Mapping[str, str] = {}
        self._logged_step = step
        start_log(self.config, step)
        self._board = SummaryWriter(self.output / TENSORBOARD_FOLDER, purge_step=step + 1)

    def log(self, step: int, **values: float | str) -> None:
        """Append a line to metrics.jsonl, and its numbers to TensorBoard."""
        log(self.output, step=step, **values)
        for name, value in values.items():
            if not isinstance(value, str):
                self._board.add_scalar(name, value, step)

    def log_step(self, step: int, losses: Mapping[str, float]) -> None:
        """Log losses, rate, and speed since the last call."""
        steps, self._logged_step = step - self._logged_step, step
        seconds = self.learner.clock.read()
        training = seconds["all"] - seconds.get("metrics", 0.0)
        self.log(
            step,
            photos=step * self.config.batch,
            phase=self.config.phase_at(step - 1).value,
            crop=self.config.crop_at(step - 1),
            rate=self.learner.rate_scale * learning_rate_factor(step - 1, self.config),
            photos_per_second=steps * self.config.batch / training,
            **losses,
            **{f"seconds_{part}": value / steps for part, value in seconds.items()},
        )

    def save(self, step: int, skipped: Mapping[str, str]) -> None:
        """Write the checkpoint, the state to resume from, and the list of skipped photos."""
        self._save_checkpoint(CHECKPOINT_FOLDER, step)  # before the state, as resuming needs both
        state = {"step": step, "skipped": skipped, "photos": self._photos}
        save_state(self.output, state | self.learner.state())
        if skipped:
            write_skipped(self.output, skipped)
        self._skipped = skipped

    def validate_and_draw(self, step: int) -> None:
        """Validate, save the checkpoint if it is the best so far, draw samples and curves."""
        checkpoint = Checkpoint(self.learner.ema.module, self.config.working_size, "", "")
        device = self.learner.accelerator.device
        colorizer = Colorizer(checkpoint, torch_engine(checkpoint.generator, device, "auto"))
        if self.validation:
            self._validate(colorizer, step)
        self._draw_samples(colorizer, self._samples_path(step))
        draw_curves(self.output / LOG_FILE, self.output)
        self._board.flush()

    def is_drawn(self, step: int) -> bool:
        """Whether `validate_and_draw` was called at a step."""
        return self._samples_path(step).exists()

    def close(self) -> None:
        """End the log, and print how many photos were skipped."""
        self._board.close()
        if self._skipped:
            gray = sum(reason == NEARLY_GRAY for reason in self._skipped.values())
            print(
                f"{len(self._skipped)} photos were skipped, {len(self._skipped) - gray} of them "
                f"unreadable, {gray} nearly gray: {self.output / SKIPPED_FILE} lists them."
            )

    def _samples_path(self, step: int) -> Path:
        return self.output / SAMPLES_FOLDER / f"{step:07d}.png"

    def _save_checkpoint(self, folder: str, step: int) -> None:
        discriminator = self.learner.discriminator
        if self.config.phase_at(step - 1) is Phase.RECONSTRUCTION:
            discriminator = None  # untrained so far
        save_checkpoint(
            self.output / folder, self.learner.ema.module, self.config.working_size, discriminator
        )

    def _validate(self, colorizer: Colorizer, step: int) -> None:
        size, limit = self.config.working_size, self.config.val_photos
        try:
            report = evaluate(colorizer, self.validation, short_side=size, limit=limit, quiet=True)
        except ValueError as error:
            print(f"Validation is turned off: {error}", file=sys.stderr)
            self.validation = ()
            return
        figures = report.summary["output"] | report.summary["ratios"]
        best = figures["delta_e00"] < self._lowest_error(step)
        self.log(step, **{f"val_{name}": value for name, value in figures.items()}, best=best)
        if best:
            self._save_checkpoint(BEST_FOLDER, step)

    def _lowest_error(self, step: int) -> float:
        """Return the lowest validation CIEDE2000 before `step`, of the same kind of phase.

        The adversarial phase counts separately, as it makes colors more vivid, which CIEDE2000
        doesn't reward.
        """
        adversarial = self.config.phase_at(step - 1) is Phase.ADVERSARIAL
        errors = [
            row["val_delta_e00"]
            for row in read_log(self.output / LOG_FILE)
            if "val_delta_e00" in row
            and (self.config.phase_at(row["step"] - 1) is Phase.ADVERSARIAL) == adversarial
        ]
        return min(errors, default=math.inf)

    def _draw_samples(self, colorizer: Colorizer, path: Path) -> None:
        rows = []
        for _, sample in self._shown:
            try:
                pair = sample.read().shrunk(self.config.working_size)
            except OSError:
                continue
            photo = pair.input()
            output = colorizer.colorize(photo).colorized.pixels
            rows.append((np.repeat(photo.pixels, 3, axis=2), np.array(pair.color), output))
        if rows:
            draw_grid(rows, path)
