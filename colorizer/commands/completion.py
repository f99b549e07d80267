"""`colorizer completion SHELL`: print a script with which a shell completes options."""

import argparse
from collections.abc import Iterator

import shtab

SHELLS = ("bash", "zsh")
KINDS = {"PHOTO": shtab.FILE, "FILE": shtab.FILE, "DIR": shtab.DIRECTORY}  # by metavar


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    command = commands.add_parser(
        "completion",
        help="let a shell complete commands and options",
        epilog='To use it in this shell: eval "$(colorizer completion bash)"',
    )
    command.set_defaults(run=run)
    command.add_argument("shell", choices=SHELLS)


def run(options: argparse.Namespace) -> int:
    """Print the script; returns the exit code, 0."""
    parser: argparse.ArgumentParser = options.parser
    for action in actions_of(parser):
        kind = KINDS.get(str(action.metavar))
        if kind is not None:
            action.complete = kind  # type: ignore[attr-defined]
    print(shtab.complete(parser, options.shell))
    return 0


def actions_of(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """The options and arguments of a parser and of its commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from actions_of(command)
