"""The command line, `colorizer COMMAND`; its commands are in `colorizer.commands`."""

import argparse
import sys
from collections.abc import Sequence

from colorizer.commands import checkpoints, colorize, compare, completion, export


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 done, 1 something failed, 2 wrong usage."""
    options = build_parser().parse_args(arguments)
    return int(options.run(options))


def build_parser() -> argparse.ArgumentParser:
    """The command line's options."""
    parser = argparse.ArgumentParser(
        prog="colorizer", description="Turn black-and-white photos into color."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (checkpoints, colorize, compare, completion, export):
        command.add_parser(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
