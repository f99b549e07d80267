"""`colorizer export --onnx DIR`: a checkpoint as files that run without torch."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from colorizer.bundled import bundled_folder
from colorizer.checkpoints.checkpoint import CheckpointError, load_checkpoint
from colorizer.errors import ExportError, PhotoError
from colorizer.inference.comparison import compare_files
from colorizer.inference.export import PRECISIONS, export_onnx
from colorizer.photo.photo import Photo


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    command = commands.add_parser("export", help="write a checkpoint as ONNX files")
    command.set_defaults(run=partial(run, command))
    command.add_argument(
        "--onnx", type=Path, required=True, metavar="DIR", help="folder for colorizer-fp32.onnx"
    )
    command.add_argument("--checkpoint", help="folder, user/repo or user/repo@revision")
    command.add_argument(
        "--precision",
        nargs="+",
        choices=PRECISIONS,
        default=["fp32"],
        help="one file for each (default: fp32)",
    )
    command.add_argument(
        "--calibrate",
        nargs="+",
        type=Path,
        metavar="PHOTO",
        help="for int8: photos as different as what will come (default: those of examples/)",
    )
    command.add_argument(
        "--check",
        nargs="+",
        type=Path,
        default=[],
        metavar="PHOTO",
        help="compare the colors of the files with those of torch on these photos",
    )


def run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Export, and check; returns the exit code: 0 done, 1 a photo or the export failed."""
    try:
        checkpoint = load_checkpoint(options.checkpoint)
    except CheckpointError as error:
        parser.error(str(error))
    examples = options.calibrate or sorted(bundled_folder("examples").glob("*.jpg"))
    try:
        calibration = open_photos(examples if "int8" in options.precision else [])
        photos = open_photos(options.check)
        files = export_onnx(checkpoint, options.onnx, options.precision, calibration)
        for path in files.values():
            print(path, flush=True)
        if photos:
            print(compare_files(checkpoint, files, photos))
    except (ExportError, PhotoError) as error:
        print(f"colorizer: {error}", file=sys.stderr)
        return 1
    return 0


def open_photos(paths: Sequence[Path]) -> list[Photo]:
    """The photos.

    Raises:
        PhotoError: one can't be read.
    """
    return [Photo.open(path) for path in paths]
