"""Average two checkpoints: `python -m train.average FIRST SECOND --output FOLDER`."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from colorizer.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from colorizer.networks.generator import Generator
from train.commands import command_parser, run_command
from train.model.average import average


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = command_parser("average", "Average the weights of two checkpoints.")
    parser.add_argument("first", help="folder, or user/repo on the Hub")
    parser.add_argument("second", help="another, whose settings are kept")
    parser.add_argument("--share", type=float, default=0.5, help="of the second (default: 0.5)")
    parser.add_argument("--chroma-gain", type=float, help="to be written into the settings")
    parser.add_argument("--output", type=Path, required=True, help="folder of the new checkpoint")
    return run_command(parser, run, arguments)


def run(options: argparse.Namespace) -> str:
    """Write the averaged checkpoint; returns its folder."""
    second = load_checkpoint(options.second)
    generator = average(load_checkpoint(options.first), second, options.share)
    if options.chroma_gain is not None and isinstance(generator, Generator):
        generator.config = replace(generator.config, chroma_gain=options.chroma_gain)
    save_checkpoint(options.output, generator, second.working_size)
    return str(options.output)


if __name__ == "__main__":
    sys.exit(main())
