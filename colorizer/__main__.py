"""The command line: `colorizer colorize PHOTO... -o DIR`."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from colorizer.hints import ColorHint
from colorizer.photo import SAVED_AS, SUFFIX_FORMATS, Photo, PhotoError
from colorizer.pipeline import Colorizer
from colorizer.postprocess import Adjustments


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 done, 1 some photos failed, 2 wrong usage."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        adjustments = Adjustments(**dict(options.adjust))
    except ValueError as error:
        parser.error(str(error))
    try:
        options.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"The folder {options.output} can't be made: {error.strerror}.")
    try:
        colorizer = Colorizer.load(options.checkpoint, options.device)
    except ValueError as error:
        parser.error(str(error))
    failed, taken = False, set[Path]()
    for source in options.photos:
        try:
            photo = Photo.open(source)
            target = output_path(options.output, source, photo.format, taken)
            if target.exists() and not options.overwrite:
                print(f"{target} exists; kept (--overwrite replaces it).", flush=True)
                continue
            result = colorizer.colorize(photo, options.hint, options.working_size)
            result.adjust(adjustments).save(target)
            print(target, flush=True)
        except PhotoError as error:
            failed = True
            print(f"colorizer: {error}", file=sys.stderr)
        except ValueError as error:
            failed = True
            print(f"colorizer: {source}: {error}", file=sys.stderr)
    return int(failed)


def build_parser() -> argparse.ArgumentParser:
    """The command line's options."""
    parser = argparse.ArgumentParser(
        prog="colorizer", description="Turn black-and-white photos into color."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("colorize", help="colorize photos into a folder")
    command.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    command.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    command.add_argument("--checkpoint", help="folder, user/repo or user/repo@revision")
    command.add_argument("--device", default="auto", help="auto, cpu, cuda, mps (default: auto)")
    command.add_argument(
        "--working-size",
        type=int,
        help="short side in pixels that the network sees, 192 to 512 (default: the checkpoint's)",
    )
    command.add_argument(
        "--adjust",
        type=adjustment,
        nargs="+",
        action="extend",
        default=[],
        metavar="NAME=VALUE",
        help="post-processing, for example saturation=1.2 contrast=10",
    )
    command.add_argument(
        "--hint",
        type=hint,
        nargs="+",
        action="extend",
        default=[],
        metavar="X,Y,#rrggbb",
        help="the color of a point, in pixels of the upright photo",
    )
    command.add_argument("--overwrite", action="store_true", help="replace existing files")
    return parser


def adjustment(text: str) -> tuple[str, float]:
    """Parse NAME=VALUE."""
    name, _, value = text.partition("=")
    names = [item.name for item in fields(Adjustments)]
    if name not in names:
        raise argparse.ArgumentTypeError(f"{name} is no adjustment; use one of {', '.join(names)}.")
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} needs a number, as in {name}=1.0.") from None


def hint(text: str) -> ColorHint:
    """Parse X,Y,#rrggbb."""
    try:
        x, y, color = text.split(",")
        return ColorHint(float(x), float(y), color)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text} is not X,Y,#rrggbb ({error})") from None


def output_path(folder: Path, source: Path, format: str, taken: set[Path]) -> Path:
    """`<stem>_color.<ext>` in the folder, or with -2, -3 for names that this run has used; formats
    that can't be written become PNG.

    Args:
        folder: where to.
        source: the input's path.
        format: the input's, as Pillow names it.
        taken: paths that this run has given out; the new one is added.
    """
    suffix = SAVED_AS.get(format, ".png")
    if SUFFIX_FORMATS.get(source.suffix.lower()) == format:
        suffix = source.suffix
    target, number = folder / f"{source.stem}_color{suffix}", 1
    while target in taken:
        number += 1
        target = folder / f"{source.stem}_color-{number}{suffix}"
    taken.add(target)
    return target


if __name__ == "__main__":
    sys.exit(main())
