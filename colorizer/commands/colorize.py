"""`colorizer colorize PHOTO... -o DIR`: colorize photos into a folder."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import fields, replace
from functools import partial
from pathlib import Path

import torch

from colorizer.badge import with_badge
from colorizer.checkpoints import WORKING_SIZES
from colorizer.decode import saved_format
from colorizer.formats import MAX_PIXELS, SAVED_AS, Loss, PhotoError, format_of, output_path
from colorizer.hints import ColorHint
from colorizer.photo import Photo
from colorizer.pipeline import Colorizer
from colorizer.postprocess import PRESETS, Adjustments
from colorizer.recipe import Recipe
from colorizer.remarks import Remark, remarks

Outcome = tuple[str, list[str]]
Make = Callable[[Path, Path], Outcome]

PHOTOS_FIRST = "photos go before the options"
REMARKS: Mapping[Remark | Loss, str] = {
    "colors": "It had colors already; they were replaced.",
    "negative": "It looks like a negative; --negative inverts it first.",
    "first_page": "The file holds several pages or frames; the first was taken.",
    "other_format": "Its format can't be written; the result is a {format}.",
    "cmyk": "Its CMYK colors have become sRGB.",
    "profile": "Its color profile can't be used; it was taken for sRGB.",
    "depth": "{format} holds 8 bits per channel; PNG and TIFF keep all 16.",
    "transparency": "{format} holds no transparency; what was transparent lies on white.",
}


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    command = commands.add_parser("colorize", help="colorize photos into a folder")
    command.set_defaults(run=partial(run, command))
    command.add_argument("photos", nargs="+", type=Path, metavar="PHOTO")
    command.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    command.add_argument("--checkpoint", help="folder, user/repo or user/repo@revision")
    command.add_argument("--device", default="auto", help="auto, cpu, cuda, mps (default: auto)")
    command.add_argument(
        "--onnx",
        metavar="FILE",
        help="the checkpoint as colorizer export wrote it, which OpenVINO runs faster than torch",
    )
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
        help="make what a recipe says; goes without the options above and --negative",
    )
    command.add_argument(
        "--negative", action="store_true", help="the photos are negatives: invert them first"
    )
    command.add_argument(
        "--format",
        type=str.upper,
        choices=SAVED_AS,
        help="of the results (default: that of each photo)",
    )
    command.add_argument(
        "--quality",
        type=quality,
        default=95,
        metavar="1-100",
        help="of lossy formats (default: 95)",
    )
    command.add_argument(
        "--badge", action="store_true", help="write into a corner that an AI made the colors"
    )
    command.add_argument(
        "--max-pixels",
        type=at_least_one,
        default=MAX_PIXELS,
        metavar="N",
        help=f"refuse larger photos as decompression bombs (default: {MAX_PIXELS})",
    )
    command.add_argument(
        "--jobs",
        type=at_least_one,
        metavar="N",
        help="photos at once (default: one per processor; a large scan takes some gigabytes each)",
    )
    command.add_argument("--overwrite", action="store_true", help="replace existing files")


def run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Colorize; returns the exit code: 0 done, 1 some photos failed."""
    others = options.hint or options.adjust or options.working_size or options.negative
    if options.recipe and (others or options.preset != "natural"):
        parser.error(
            "--recipe goes without --hint, --preset, --adjust, --working-size and --negative."
        )
    try:
        adjustments = replace(PRESETS[options.preset], **dict(options.adjust))
    except ValueError as error:
        parser.error(str(error))
    try:
        options.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        parser.error(f"The folder {options.output} can't be made: {error.strerror}.")
    try:
        colorizer = Colorizer.load(options.checkpoint, options.device, options.onnx)
    except ValueError as error:
        parser.error(str(error))
    if options.checkpoint and not Path(options.checkpoint).is_dir():  # a branch moves
        print(f"colorizer: The checkpoint is {colorizer.checkpoint.source}.", file=sys.stderr)
    make = partial(make_result, colorizer, adjustments, options)
    jobs = min(options.jobs or os.cpu_count() or 1, len(options.photos))
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // jobs))
    failed = False
    with ThreadPoolExecutor(jobs) as pool:
        for source, job in start(pool, make, options):
            try:
                line, more = job.result()
                print(line, flush=True)
                for sentence in more:
                    print(f"colorizer: {source}: {sentence}", file=sys.stderr)
            except PhotoError as error:
                failed = True
                print(f"colorizer: {error}", file=sys.stderr)
            except ValueError as error:
                failed = True
                print(f"colorizer: {source}: {error}", file=sys.stderr)
    return int(failed)


def start(
    pool: ThreadPoolExecutor, make: Make, options: argparse.Namespace
) -> list[tuple[Path, Future[Outcome]]]:
    """Start to colorize all photos, in their order; each with what is to be said about it."""
    taken = set[str]()
    started = []
    for source in options.photos:
        format = options.format or saved_format(source)
        target = output_path(options.output, source, format, taken)
        started.append((source, pool.submit(make, source, target)))
    return started


def make_result(
    colorizer: Colorizer,
    adjustments: Adjustments,
    options: argparse.Namespace,
    source: Path,
    target: Path,
) -> Outcome:
    """Colorize one photo; returns the line that tells of it, and what else is to be said.

    Raises:
        PhotoError: it can't be opened, or the result can't be saved.
        ValueError: a hint or the recipe doesn't fit the photo.
    """
    if target.exists() and not options.overwrite:
        return f"{target} exists; kept (--overwrite replaces it).", []
    photo = Photo.open(source, options.max_pixels)
    if options.recipe:
        made = options.recipe.apply(colorizer, photo)
        photo = options.recipe.framing(photo)
    else:
        photo = photo.inverted() if options.negative else photo
        result = colorizer.colorize(photo, options.hint, options.working_size)
        made = result.adjust(adjustments)
    if options.badge:
        made = with_badge(made)
    made.save(target, quality=options.quality)
    return str(target), sentences(photo, format_of(target))


def sentences(photo: Photo, format: str) -> list[str]:
    """What to say about a photo that was colorized and saved in a format."""
    keys = (*remarks(photo), *photo.lost_in(format))
    return [REMARKS[key].format(format=format) for key in keys]


def working_size(text: str) -> int:
    """Parse the short side that the network sees."""
    low, high = WORKING_SIZES
    if not (text.isdecimal() and low <= int(text) <= high):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from {low} to {high}.")
    return int(text)


def at_least_one(text: str) -> int:
    """Parse a number of things."""
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0.")
    return int(text)


def quality(text: str) -> int:
    """Parse the quality of a lossy format."""
    if not (text.isdecimal() and 1 <= int(text) <= 100):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1 to 100.")
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
