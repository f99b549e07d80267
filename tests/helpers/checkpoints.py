"""Checkpoints that are changed or broken on purpose."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from colorizer.checkpoints.checkpoint import (
    CONFIG_FILE,
    WEIGHTS_FILE,
)
from colorizer.networks.discriminator import Discriminator, DiscriminatorConfig

Config = dict[str, Any]


def tiny_discriminator(**changes: object) -> Discriminator:
    """A narrow network whose running statistics are not those of a fresh one."""
    torch.manual_seed(0)
    network = Discriminator(DiscriminatorConfig(width=4, **changes))  # type: ignore[arg-type]
    colors = 2 if network.config.space == "ab" else 3
    with torch.no_grad():
        network(100 * torch.rand(2, 1, 32, 32), torch.rand(2, colors, 32, 32))
    return network


def change_config(
    folder: Path, change: Callable[[Config], object], file: str = CONFIG_FILE
) -> None:
    config = json.loads((folder / file).read_text())
    change(config)
    (folder / file).write_text(json.dumps(config))


def change_weights(
    folder: Path, change: Callable[[dict[str, torch.Tensor]], object], file: str = WEIGHTS_FILE
) -> None:
    weights = load_file(folder / file)
    change(weights)
    save_file(weights, folder / file)
