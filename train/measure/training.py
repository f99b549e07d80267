"""Which measures were losses in the training of a checkpoint."""

import json
from pathlib import Path

from train.settings.config import SETTINGS_FILE, TrainConfig, config_from


def losses_of(checkpoint: str) -> list[str] | None:
    """Names of the measures that were losses in training.

    Args:
        checkpoint: its folder; the settings of the run lie in it or one folder above.

    Returns:
        None if the settings of the run aren't there.
    """
    for folder in (Path(checkpoint), Path(checkpoint).parent):
        path = folder / SETTINGS_FILE
        if path.is_file():
            try:
                return _losses(config_from(json.loads(path.read_text())))
            except (OSError, ValueError, TypeError, AttributeError):
                return None
    return None


def _losses(config: TrainConfig) -> list[str]:
    perceptual = {"lpips": "lpips", "vgg16": "lpips_vgg"}[config.perceptual]
    weights = {
        "delta_e00": config.delta_e_weight,
        perceptual: config.perceptual_weight,
        "ms_ssim_ab": config.ms_ssim_weight,
        "cf": config.colorfulness_weight,
    }
    if config.vgg_weight:
        weights["lpips_vgg"] = config.vgg_weight
    return [name for name, weight in weights.items() if weight]
