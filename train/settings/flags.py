"""The command line of `train.fit`: one flag per setting."""

import argparse
import types
import typing
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from train.settings.config import RENAMED, TrainConfig, config_from
from train.settings.presets import PRESETS

NETWORK = (  # settings of a new network, which --init replaces
    "architecture",
    "encoder",
    "encoder_weights",
    "encoder_kind",
    "decoder",
    "context_layers",
    "head",
    "pix2pix_space",
)


def parse_config(arguments: Sequence[str] | None = None) -> tuple[TrainConfig, bool]:
    """Read a `TrainConfig` from command line arguments.

    --preset changes the defaults, and the other flags change both. Errors end the program with a
    message.

    Returns:
        The settings, and whether --dry-run was given.
    """
    parser = _parser()
    values: dict[str, Any] = vars(parser.parse_args(arguments))
    preset, dry_run = values.pop("preset"), values.pop("dry_run")
    given = [name for name in NETWORK if name in values]
    if given and values.get("init"):
        parser.error(f"{', '.join(given)}: the network is that of --init; leave these out.")
    if "photos" in values:
        values.setdefault("epochs", 0.0)  # --photos replaces the preset's epochs
    try:
        return config_from({**PRESETS[preset], **values}), dry_run
    except ValueError as error:
        parser.error(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train.fit", description="Train a colorizer on your photos."
    )
    parser.add_argument(
        "--preset",
        choices=sorted(PRESETS),
        default="default",
        help="settings to start from: ours, the classic pix2pix, finetune (adapts the bundled "
        "checkpoint to a few hundred photos), smoke (a trial of seconds); see --dry-run",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print the settings and what was found, then stop"
    )
    hints = typing.get_type_hints(TrainConfig)
    old_names = {new: old for old, new in RENAMED.items()}
    for item in fields(TrainConfig):
        kind = hints[item.name]
        values = item.default if isinstance(item.default, tuple) else (item.default,)
        shown = " ".join(map(str, values))
        help = item.metadata["help"] + (f" (default: {shown})" if shown else "")
        options: dict[str, Any] = {
            "help": help.replace("%", "%%"),
            "default": argparse.SUPPRESS,  # so that a preset's value can be told from a flag's
        }
        if kind is bool:
            options["action"] = argparse.BooleanOptionalAction
        elif isinstance(kind, types.GenericAlias):  # tuple[int, ...] and its like
            options |= {"type": typing.get_args(kind)[0], "nargs": "+"}
        else:
            options |= {"type": kind, "choices": item.metadata["choices"]}
        required = item.name in ("data", "output")
        parser.add_argument(_flag(item.name), required=required, **options)
        if item.name in old_names:
            options |= {"dest": item.name, "help": argparse.SUPPRESS}
            parser.add_argument(_flag(old_names[item.name]), **options)
    return parser


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")
