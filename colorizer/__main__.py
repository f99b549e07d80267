"""The command line, `colorizer COMMAND`; its commands are in `colorizer.commands`."""

import sys
from collections.abc import Sequence

from colorizer.commands.parser import build_parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 done, 1 something failed, 2 wrong usage."""
    options = build_parser().parse_args(arguments)
    return int(options.run(options))


if __name__ == "__main__":
    sys.exit(main())
