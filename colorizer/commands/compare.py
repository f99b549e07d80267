"""`colorizer compare`: show the same photos colorized by several checkpoints."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from colorizer.batch.find import find_photos
from colorizer.errors import PhotoError
from colorizer.inference.colorizer import Colorizer
from colorizer.photo.formats import format_of
from colorizer.photo.photo import Photo

CELL_PIXELS = 200_000  # of each picture
GAP = 12  # pixels between pictures
LABEL = 20  # height of letters in pixels
MAX_PHOTOS = 100  # on a sheet


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    command = commands.add_parser("compare", help="show what checkpoints make of the same photos")
    command.set_defaults(run=partial(run, command))
    command.add_argument(
        "checkpoints",
        nargs="+",
        metavar="CHECKPOINT",
        help="bundled, a folder, user/repo or user/repo@revision",
    )
    command.add_argument(
        "--photos",
        nargs="+",
        required=True,
        metavar="PHOTO",
        help="files, folders with all below them, and patterns",
    )
    command.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help="the sheet: gray in the first column, then a column for each checkpoint",
    )
    command.add_argument("--device", default="auto", help="auto, cpu, cuda, mps (default: auto)")


def run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Make the sheet; returns the exit code: 0 done, 1 some photos are not on it."""
    found = find_photos(options.photos)
    if not 0 < len(found) <= MAX_PHOTOS:
        parser.error(f"There are {len(found)} photos; a sheet holds 1 to {MAX_PHOTOS}.")
    try:
        format_of(options.output)
        sources = [None if name == "bundled" else name for name in options.checkpoints]
        colorizers = [Colorizer.load(source, options.device) for source in sources]
    except ValueError as error:
        parser.error(str(error))
    rows, names, problems = [], [], []
    for item in found:
        if item.skipped:
            print(f"colorizer: {item.problem}", file=sys.stderr)
            continue
        try:
            if item.problem:
                raise PhotoError(item.problem)
            rows.append(pictures(Photo.open(item.source), colorizers))
            names.append(item.source.name)
        except PhotoError as error:
            problems.append(error)
    try:
        if rows:
            pixels = np.asarray(draw_sheet(rows, ["gray", *options.checkpoints], names))
            Photo(pixels).save(options.output)
            print(options.output)
    except PhotoError as error:
        problems.append(error)
    for problem in problems:
        print(f"colorizer: {problem}", file=sys.stderr)
    return int(bool(problems))


def pictures(photo: Photo, colorizers: Sequence[Colorizer]) -> list[Image.Image]:
    """A photo in gray and by each colorizer, small and of one size."""
    small = [colorizer.colorize(photo).preview(CELL_PIXELS) for colorizer in colorizers]
    return [small[0].gray.to_image(), *(result.colorized.to_image() for result in small)]


def draw_sheet(
    rows: Sequence[Sequence[Image.Image]], titles: Sequence[str], names: Sequence[str]
) -> Image.Image:
    """Draw pictures in rows, under the titles of their columns.

    Args:
        rows: pictures of one size in each row.
        titles: of the columns.
        names: of the rows, written below them.

    Returns:
        An image of mode RGB.
    """
    width = max(row[0].width for row in rows) + GAP
    heights = [row[0].height + LABEL + 2 * GAP for row in rows]
    size = (len(titles) * width + GAP, LABEL + 2 * GAP + sum(heights))
    sheet = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(LABEL)
    for column, title in enumerate(titles):
        label = shorten(title, width - GAP, font)
        draw.text((GAP + column * width, GAP), label, "black", font)
    top = LABEL + 2 * GAP
    for row, name, height in zip(rows, names, heights, strict=True):
        for column, picture in enumerate(row):
            sheet.paste(picture, (GAP + column * width, top))
        label = shorten(name, width - GAP, font)
        draw.text((GAP, top + row[0].height + GAP // 2), label, "dimgray", font)
        top += height
    return sheet


def shorten(text: str, width: int, font: ImageFont.FreeTypeFont | ImageFont.ImageFont) -> str:
    """Cut the start of a text, the least important part of a path, to fit a width in pixels."""
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(f"...{text}") > width:
        text = text[1:]
    return f"...{text}"
