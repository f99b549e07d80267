"""Average the weights of checkpoints that were trained one from the other: `python -m train.average
FIRST SECOND --output FOLDER`.

Where two runs ended in the same valley, the mean of their weights is often better than either
(Wortsman et al. 2022, "Model soups").
"""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from colorizer.checkpoints.checkpoint import (
    AnyGenerator,
    Checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from colorizer.networks.generator import Generator


def average(first: Checkpoint, second: Checkpoint, share: float = 0.5) -> AnyGenerator:
    """The second checkpoint's network with averaged weights.

    Args:
        first: any checkpoint.
        second: one of the same architecture.
        share: of the second, 0 to 1.

    Raises:
        ValueError: the networks differ, or the share is out of range.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"The share is {share:g}; it goes from 0 to 1.")
    ours, others = second.generator.state_dict(), first.generator.state_dict()
    shapes, other_shapes = (
        {name: value.shape for name, value in state.items()} for state in (ours, others)
    )
    if shapes != other_shapes:
        raise ValueError(
            f"{first.source} and {second.source} hold different networks; average checkpoints of "
            "which one was trained from the other."
        )
    for name, value in ours.items():  # these share memory with the network
        if value.is_floating_point():
            value.lerp_(others[name], 1 - share)
    return second.generator


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m train.average", description="Average the weights of two checkpoints."
    )
    parser.add_argument("first", help="folder, or user/repo on the Hub")
    parser.add_argument("second", help="another, whose settings are kept")
    parser.add_argument("--share", type=float, default=0.5, help="of the second (default: 0.5)")
    parser.add_argument("--chroma-gain", type=float, help="to be written into the settings")
    parser.add_argument("--output", type=Path, required=True, help="folder of the new checkpoint")
    options = parser.parse_args(arguments)
    try:
        second = load_checkpoint(options.second)
        generator = average(load_checkpoint(options.first), second, options.share)
        if options.chroma_gain is not None and isinstance(generator, Generator):
            generator.config = replace(generator.config, chroma_gain=options.chroma_gain)
        save_checkpoint(options.output, generator, second.working_size)
    except (OSError, ValueError) as error:
        print(f"train.average: {error}", file=sys.stderr)
        return 1
    print(options.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
