"""Train or measure the network that recognizes negatives.

python -m train.negatives --data photos/ --output colorizer/inference/negatives.safetensors
python -m train.negatives --data other_photos/
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from safetensors.torch import save_file

from colorizer.inference.negatives import load_polarity
from train.commands import command_parser, run_command
from train.data.samples import pick
from train.data.sources import find_sources
from train.measure import negatives
from train.model.half import half_precision


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = command_parser("negatives", "Train or measure the network that recognizes negatives.")
    parser.add_argument("--data", nargs="+", required=True, help="photos, all of them positives")
    parser.add_argument(
        "--output", type=Path, help="train and write this file; without it, measure"
    )
    parser.add_argument("--epochs", type=int, default=14)
    return run_command(parser, run, arguments)


def run(options: argparse.Namespace) -> str:
    """Train or measure; returns the file or the figures."""
    samples = [sample for _, sample in pick(find_sources(options.data), None)]
    photos = negatives.network_inputs(samples)
    if options.output is None:
        return json.dumps(negatives.measure(load_polarity(), photos), indent=1)
    network = negatives.train(photos, options.epochs)
    save_file(half_precision(network), options.output)
    return str(options.output)


if __name__ == "__main__":
    sys.exit(main())
