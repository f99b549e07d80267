"""Measure hints: `python -m train.hint_bench --checkpoint weights --data FOLDER`."""

import argparse
import shlex
import sys
from collections.abc import Sequence

from colorizer import Colorizer
from train.commands import add_json, add_photos, command_parser, run_command
from train.data.sources import find_sources
from train.measure import hints
from train.measure.report import to_json


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = command_parser("hint_bench", hints.__doc__)
    parser.add_argument("--checkpoint", required=True, help="folder, or user/repo on the Hub")
    add_photos(parser)
    add_json(parser)
    return run_command(parser, run, arguments)


def run(options: argparse.Namespace) -> str:
    """Measure, and return tables."""
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
    sources = find_sources(options.data)
    colorizer = Colorizer.load(options.checkpoint)
    found = hints.benefit(colorizer, sources, options.limit)
    found |= {"leakage": hints.leakage(colorizer)}
    if options.json:
        about = {
            "command": shlex.join(["python", "-m", "train.hint_bench", *sys.argv[1:]]),
            "checkpoint": options.checkpoint,
            "sha256": colorizer.checkpoint.sha256,
        }
        options.json.write_text(to_json([about | found]) + "\n")
    return hints.tables(found)


if __name__ == "__main__":
    sys.exit(main())
