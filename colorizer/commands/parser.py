"""The parser of the command line: every command with its options."""

import argparse

from colorizer.commands import checkpoints, colorize, compare, completion, export, serve


def build_parser() -> argparse.ArgumentParser:
    """The command line's options."""
    parser = argparse.ArgumentParser(
        prog="colorizer", description="Turn black-and-white photos into color."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (checkpoints, colorize, compare, completion, export, serve):
        command.add_parser(commands)
    parser.set_defaults(parser=parser)  # `completion` describes it
    return parser
