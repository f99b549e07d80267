"""Presets: settings that `--preset` puts in place of the defaults."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from train.settings.config import TrainConfig

CLEAN = {item.name: 0.0 for item in fields(TrainConfig) if item.name.startswith("degrade_")}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    # Isola et al. 2017, sec. 3 and 6.2; batch and epochs as tutorials for colorization have them
    "pix2pix": {
        "architecture": "pix2pix",
        "crops": (256,),
        "crop_starts": (0.0,),
        "working_size": 256,
        **CLEAN,
        "epochs": 50.0,
        "adversarial_share": 1.0,
        "discriminator_photos": 0,
        "batch": 64,
        "learning_rate": 2e-4,
        "beta1": 0.5,
        "weight_decay": 0.0,
        "schedule": "constant",
        "warmup": 0,
        "clip": 0.0,
        "bins_weight": 0.0,
        "ab_weight": 0.0,
        "l1_weight": 100.0,
        "adversarial_weight": 1.0,
    },
    "finetune": {
        "init": "bundled",
        "photos": 1600,
        "batch": 16,
        "crops": (160,),
        "crop_starts": (0.0,),
        "learning_rate": 1e-4,
        "encoder_rate": 1e-5,
        "warmup": 20,
        "adversarial_share": 0.25,
        "discriminator_photos": 320,
        "gan": "hinge",  # as the bundled discriminator was trained
        "ema_half_life": 400,
        "val_fraction": 0.1,
        "save_every": 50,
        "log_every": 5,
    },
    "smoke": {
        "encoder": "test_resnet",
        "encoder_weights": "none",
        "decoder": (32, 32, 16, 16),
        "context_layers": 1,
        "frozen_stride": 0,
        "crops": (64,),
        "crop_starts": (0.0,),
        "photos": 160,
        "batch": 8,
        "warmup": 5,
        "adversarial_share": 0.25,
        "discriminator_photos": 40,
        "discriminator_width": 16,
        "ema_half_life": 40,
        "val_photos": 4,
        "working_size": 192,
        "workers": 0,
        "log_every": 1,
        "save_every": 13,
    },
}
