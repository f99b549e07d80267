"""Calibrate a checkpoint's confidence: `python -m train.calibrate CHECKPOINT --data FOLDER`."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from train.commands import add_photos, command_parser, run_command
from train.measure.calibrate import calibrate


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = command_parser("calibrate", "Fit a checkpoint's confidence to how often it is right.")
    parser.add_argument("checkpoint", type=Path, help="folder, whose settings are rewritten")
    add_photos(parser)
    return run_command(
        parser,
        lambda options: json.dumps(
            calibrate(options.checkpoint, options.data, options.limit), indent=1
        ),
        arguments,
    )


if __name__ == "__main__":
    sys.exit(main())
