"""What the tests of training share: settings of runs that take a second, and their parts."""

from pathlib import Path

import torch
from accelerate import Accelerator

from train.data.crops import CropStream
from train.data.sources import find_sources
from train.model.learner import Learner
from train.run.loop import start_learner
from train.settings.config import TrainConfig
from train.settings.presets import CLEAN as CLEAN_INPUT

TINY: dict[str, object] = {
    "encoder": "test_resnet",
    "encoder_weights": "none",
    "decoder": (16, 16, 8, 8),
    "context_layers": 1,
    "frozen_stride": 0,
    "working_size": 192,
    "photos": 8,
    "batch": 2,
    "crops": (32,),
    "crop_starts": (0.0,),
    "warmup": 1,
    "ema_half_life": 4,
    "mixed_precision": "no",
    "workers": 0,
    "log_every": 1,
    "save_every": 4,
    "discriminator_width": 8,
    "val_fraction": 0.0,
}
CLEAN: dict[str, object] = {"flip": 0.0, **CLEAN_INPUT}  # crops as they are in the photo
ADVERSARIAL: dict[str, object] = {"adversarial_share": 0.5, "discriminator_photos": 4}


def settings(data: Path | str, output: Path, **changes: object) -> TrainConfig:
    return TrainConfig(data=(str(data),), output=str(output), **(TINY | changes))  # type: ignore[arg-type]


def start(config: TrainConfig) -> tuple[Learner, CropStream]:
    crops = CropStream(find_sources(config.data), config)
    accelerator = Accelerator(cpu=True)
    return start_learner(config, accelerator, crops, {}), crops


def crops_of(crops: CropStream, config: TrainConfig, step: int) -> torch.Tensor:
    numbers = range(step * config.batch, (step + 1) * config.batch)
    return torch.stack([crops[number][0] for number in numbers])
