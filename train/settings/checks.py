"""Checks of settings: each raises a `ValueError` with the value and the remedy."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any


def check_choices(config: Any) -> None:
    """Check the fields of a dataclass that have few possible values."""
    for item in fields(config):
        value, choices = getattr(config, item.name), item.metadata["choices"]
        if choices and value not in choices:
            raise ValueError(f"{item.name} is {value!r}; use {' or '.join(choices)}.")


def check_numbers(config: Any) -> None:
    """Check that all numbers of a dataclass are finite and at least 0."""
    for item in fields(config):
        values = getattr(config, item.name)
        for value in values if isinstance(values, tuple) else (values,):
            if isinstance(value, int | float) and not 0 <= value < math.inf:
                raise ValueError(f"{item.name} is {value}; it must be 0 or a positive number.")


def check_minimum(config: Any, names: Iterable[str], minimum: int) -> None:
    """Check that fields have at least a value."""
    for name in names:
        if getattr(config, name) < minimum:
            raise ValueError(f"{name} is {getattr(config, name)}; it must be at least {minimum}.")


def check_shares(config: Any, names: Iterable[str]) -> None:
    """Check that fields are at most 1."""
    for name in names:
        if getattr(config, name) > 1:
            raise ValueError(f"{name} is {getattr(config, name)}; it goes from 0 to 1.")


def check_crops(crops: Sequence[int], starts: Sequence[float], scale: Sequence[float]) -> None:
    """Check crop sizes, the shares of the run at which they start, and their scale."""
    if len(crops) != len(starts):
        raise ValueError(f"{len(crops)} crops but {len(starts)} crop_starts; give as many of each.")
    if not crops or starts[0] != 0 or list(starts) != sorted(starts) or starts[-1] >= 1:
        raise ValueError(f"crop_starts is {starts}; start at 0, let it grow, and stay below 1.")
    if any(crop < 32 or crop % 4 for crop in crops):
        raise ValueError(f"crops is {crops}; each must be a multiple of 4 and at least 32 pixels.")
    if len(scale) != 2 or not 0 < scale[0] <= scale[1] <= 1:
        raise ValueError(f"crop_scale is {scale}; give a smallest and a largest share, up to 1.")
