"""Choose the precision of a run by measuring its network on the machine."""

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace

import torch
from torch import Tensor, nn

from train.model.build import RANDOM, build_generator
from train.model.step import exact_attention
from train.settings.config import TrainConfig

CROP = 64  # pixels of the square crops to measure with
BATCH = 2
REPEATS = 3  # after one step to warm up
MIN_GAIN = 0.1  # share of the time that bfloat16 must save, because it is less exact


def choose_precision(config: TrainConfig, device: torch.device) -> tuple[str, str]:
    """The faster precision for a run's network on this machine.

    Args:
        config: of the run; if `mixed_precision` isn't "auto", nothing is measured.
        device: to train on.

    Returns:
        "no" (float32) or "bf16", and a sentence with what was measured, if it was.
    """
    if config.mixed_precision != "auto":
        return config.mixed_precision, ""
    with torch.random.fork_rng(devices=[]):
        fresh = config if config.init else replace(config, encoder_weights=RANDOM)
        network = build_generator(fresh).to(device)
        seconds = {name: _seconds(network, name, device) for name in ("no", "bf16")}
    choice = "bf16" if seconds["bf16"] < (1 - MIN_GAIN) * seconds["no"] else "no"
    return choice, (
        f"Precision: {choice}; a small step takes {seconds['no']:.3f} s in float32 and "
        f"{seconds['bf16']:.3f} s in bfloat16."
    )


def _seconds(network: nn.Module, precision: str, device: torch.device) -> float:
    """The shortest time of a forward and backward pass."""
    lightness = 100 * torch.rand(BATCH, 1, CROP, CROP, device=device)

    def step() -> None:
        autocast = (
            torch.autocast(device.type, torch.bfloat16) if precision == "bf16" else nullcontext()
        )
        with exact_attention(device):
            with autocast:
                prediction = network(lightness)
            loss: Tensor = prediction.ab.float().square().mean()
            loss.backward()  # type: ignore[no-untyped-call]
        network.zero_grad()

    return min(_timed(step, device) for _ in range(1 + REPEATS))


def _timed(step: Callable[[], None], device: torch.device) -> float:
    start = time.perf_counter()
    step()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start
