"""Train or measure the network that finds damage.

python -m train.damage --data photos/ --output colorizer/adjust/damage.safetensors
python -m train.damage --data other_photos/
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import save_file

from colorizer.adjust.damage import load_detector
from train.commands import command_parser, run_command
from train.data.samples import pick
from train.data.sources import find_sources
from train.measure import damage
from train.model.half import half_precision


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = command_parser("damage", "Train or measure the network that finds damage.")
    parser.add_argument("--data", nargs="+", required=True, help="photos without damage")
    parser.add_argument(
        "--output", type=Path, help="train and write this file; without it, measure"
    )
    parser.add_argument("--steps", type=int, default=5000, help="batches of 16 crops")
    return run_command(parser, run, arguments)


def run(options: argparse.Namespace) -> str:
    """Train or measure; returns the file or the figures."""
    samples = [sample for _, sample in pick(find_sources(options.data), None)]
    if options.output is None:
        return json.dumps(damage.measure(load_detector(), samples), indent=1)
    network = damage.train(samples, options.steps)
    save_file(half_precision(network), options.output)
    return str(options.output)


if __name__ == "__main__":
    sys.exit(main())
