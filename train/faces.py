"""Measure faces by skin tone: `python -m train.faces --checkpoint weights --data FOLDER`."""

import argparse
import json
import sys
from collections.abc import Sequence

from colorizer import Colorizer
from train.commands import add_json, add_photos, command_parser, run_command
from train.data.sources import find_sources
from train.measure import faces


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = command_parser("faces", faces.__doc__)
    parser.add_argument("--checkpoint", required=True, help="folder, or user/repo on the Hub")
    add_photos(parser)
    add_json(parser)
    return run_command(parser, run, arguments)


def run(options: argparse.Namespace) -> str:
    """Measure, and return a table."""
    sources = find_sources(options.data)
    found = faces.measure(Colorizer.load(options.checkpoint), sources, options.limit)
    groups = faces.summarize(found)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps({"groups": groups, "faces": found}, indent=1) + "\n")
    return faces.table(groups)


if __name__ == "__main__":
    sys.exit(main())
