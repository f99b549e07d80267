"""The command line: `colorizer colorize PHOTO... -o DIR`."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path

from colorizer.checkpoints import WORKING_SIZES
from colorizer.hints import ColorHint
from colorizer.photo import Photo, PhotoError, output_path
from colorizer.pipeline import Colorizer
from colorizer.postprocess import PRESETS, Adjustments
from colorizer.recipe import Recipe

PHOTOS_FIRST = "photos go before the options"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code: 0 done, 1 some photos failed, 2 wrong usage."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    others = options.hint or options.adjust or options.working_size or options.preset != "natural"
    if options.recipe and others:
        parser.error("--recipe goes without --hint, --preset, --adjust and --working-size.")
    try:
        adjustments = replace(PRESETS[options.preset], **dict(options.adjust))
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
    failed, taken = False, set[str]()
    for source in options.photos:
        try:
            photo = Photo.open(source)
            target = output_path(options.output, source, photo.format, taken)
            if target.exists() and not options.overwrite:
                print(f"{target} exists; kept (--overwrite replaces it).", flush=True)
                continue
            if options.recipe:
                made = options.recipe.apply(colorizer, photo)
            else:
                result = colorizer.colorize(photo, options.hint, options.working_size)
                made = result.adjust(adjustments)
            made.save(target)
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
        type=working_size,
        metavar="PIXELS",
        help="short side in pixels that the network sees, 192 to 512 (default: the checkpoint's)",
    )
    command.add_argument(
        "--preset",
        choices=PRESETS,
        default="natural",
        help="settings of the post-processing (default: natural); --adjust overrides them",
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
    command.add_argument(
        "--recipe",
        type=recipe,
        metavar="FILE",
        help="make what a recipe says; goes without the four options above",
    )
    command.add_argument("--overwrite", action="store_true", help="replace existing files")
    return parser


def working_size(text: str) -> int:
    """Parse the short side that the network sees."""
    low, high = WORKING_SIZES
    if not (text.isdecimal() and low <= int(text) <= high):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from {low} to {high}.")
    return int(text)


def adjustment(text: str) -> tuple[str, float]:
    """Parse NAME=VALUE."""
    name, _, value = text.partition("=")
    names = [item.name for item in fields(Adjustments)]
    if name not in names:
        raise argparse.ArgumentTypeError(
            f"{name} is no adjustment; use one of {', '.join(names)} ({PHOTOS_FIRST})."
        )
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
        raise argparse.ArgumentTypeError(
            f"{text} is not X,Y,#rrggbb ({PHOTOS_FIRST}): {error}"
        ) from None


def recipe(text: str) -> Recipe:
    """Read a recipe's file."""
    try:
        return Recipe.from_json(Path(text).read_text("utf-8"))
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text} can't be read: {error.strerror}.") from None
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from None


if __name__ == "__main__":
    sys.exit(main())
