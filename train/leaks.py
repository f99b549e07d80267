"""Find validation photos in the training data: `python -m train.leaks --train A --val B`."""

import argparse
import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from train.commands import command_parser, run_command
from train.data.sources import find_sources
from train.measure import leaks


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = command_parser("leaks", leaks.__doc__)
    for name in ("train", "val"):
        parser.add_argument(f"--{name}", nargs="+", required=True, help="as --data of train.fit")
    parser.add_argument(
        "--max-distance",
        type=int,
        default=leaks.MAX_DISTANCE,
        help=f"bits in which the hashes of candidates differ (default: {leaks.MAX_DISTANCE} of 64)",
    )
    parser.add_argument(
        "--min-correlation",
        type=float,
        default=leaks.MIN_CORRELATION,
        help=f"of thumbnails that count as the same photo (default: {leaks.MIN_CORRELATION})",
    )
    parser.add_argument("--output", type=Path, help="write the pairs to this file, as CSV")
    return run_command(parser, run, arguments)


def run(options: argparse.Namespace) -> str:
    """Find the pairs, and return them as lines."""
    train, val = find_sources(options.train), find_sources(options.val)
    found = leaks.find_leaks(train, val, options.max_distance, options.min_correlation)
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        with options.output.open("w", newline="", encoding="utf-8") as file:
            csv.writer(file).writerows((leaks.Leak._fields, *found))
    leaked = len({leak.val for leak in found})
    lines = [f"{leaked} of {sum(map(len, val))} validation photos are in the training data."]
    for leak in found:
        turned = " mirrored" if leak.mirrored else ""
        lines.append(f"{leak.distance:2} {leak.correlation:.3f} {leak.val} {leak.train}{turned}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
