"""Publish a run on the Hugging Face Hub: `python -m train.publish RUN --repo user/name`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from train.commands import command_parser, run_command
from train.publishing.folder import FILES, FOLDERS, make_folder
from train.publishing.upload import publish


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 done, 1 failed, 2 wrong usage."""
    parser = command_parser("publish", __doc__)
    parser.add_argument("run", type=Path, metavar="RUN", help="folder of the run")
    parser.add_argument("--repo", required=True, metavar="USER/NAME", help="name on the Hub")
    parser.add_argument(
        "--which",
        choices=FOLDERS,
        default="best",
        help="checkpoint with the lowest validation error, or the last (default: best)",
    )
    parser.add_argument(
        "--report",
        type=Path,
        metavar="PATH",
        help="folder or JSON file of train.evaluate (default: RUN/report, if it exists)",
    )
    parser.add_argument("--license", metavar="ID", help="of the weights, such as cc-by-nc-4.0")
    parser.add_argument("--private", action="store_true", help="make the repository private")
    parser.add_argument(
        "--output", type=Path, metavar="FOLDER", help="made for the upload (default: RUN/hub)"
    )
    parser.add_argument(
        "--samples",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="show a dozen of your photos on the model card (default: yes)",
    )
    parser.add_argument("--dry-run", action="store_true", help="make the folder, upload nothing")
    return run_command(parser, run, arguments)


def run(options: argparse.Namespace) -> str:
    """Make the folder and upload it; returns its address."""
    folder = make_folder(
        options.run,
        options.repo,
        options.which,
        options.report,
        options.license,
        options.output,
        options.samples,
    )
    if not options.dry_run:
        return publish(folder, options.repo, FILES, options.private)
    names = ", ".join(name for name in FILES if (folder / name).exists())
    return (
        f"{folder} holds what would be uploaded to {options.repo}: {names}. Nothing was uploaded."
    )


if __name__ == "__main__":
    sys.exit(main())
