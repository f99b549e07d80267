"""What the commands of `train` share."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path


def command_parser(name: str, description: str | None) -> argparse.ArgumentParser:
    """A parser for `python -m train.NAME`."""
    return argparse.ArgumentParser(prog=f"python -m train.{name}", description=description)


def add_photos(parser: argparse.ArgumentParser) -> None:
    """Add --data and --limit."""
    parser.add_argument("--data", nargs="+", required=True, help="color photos, as for train.fit")
    parser.add_argument("--limit", type=int, help="number of photos to use, evenly picked")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add --json."""
    parser.add_argument("--json", type=Path, help="also write the figures to this file")


def run_command(
    parser: argparse.ArgumentParser,
    run: Callable[[argparse.Namespace], str],
    arguments: Sequence[str] | None = None,
) -> int:
    """Parse the arguments, run the command and print what it returns.

    Returns:
        The exit code: 0 done, 1 failed with a sentence on stderr.
    """
    options = parser.parse_args(arguments)
    try:
        print(run(options))
    except (OSError, ValueError) as error:
        program = parser.prog.removeprefix("python -m ")
        print(f"{program}: {error}", file=sys.stderr)
        return 1
    return 0
