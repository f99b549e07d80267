"""`colorizer colorize PHOTO... -o DIR`: colorize photos and folders into a folder."""

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from io import TextIOWrapper
from pathlib import Path

from colorizer.adjust.adjustments import PRESETS
from colorizer.adjust.framing import Framing
from colorizer.batch.album import Album, Run
from colorizer.batch.color_sources import ColorSources, open_color_source
from colorizer.batch.find import Found, find_photos
from colorizer.batch.interrupt import Stop, stopped_by_ctrl_c
from colorizer.batch.job import JobSettings, Worker, load_colorizer
from colorizer.batch.local_runner import run_threads
from colorizer.batch.ray_runner import LOCAL, Cluster, import_ray
from colorizer.batch.report import Report, lock_folder
from colorizer.batch.shared_colors import find_shared_colors
from colorizer.checkpoints.checkpoint import Checkpoint, load_checkpoint
from colorizer.commands.values import (
    adjustment,
    at_least_one,
    hint,
    quality,
    recipe,
    strength,
    working_size,
)
from colorizer.edit import Edit
from colorizer.errors import ClusterError, ReportError
from colorizer.inference.hints import DEFAULT_REACH
from colorizer.inference.precision import PRECISIONS
from colorizer.inference.views import MAX_VIEWS
from colorizer.photo.formats import FORMAT_SUFFIXES, MAX_PIXELS
from colorizer.photo.photo import Photo
from colorizer.sources.color_source import Use


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the command and its options."""
    command = commands.add_parser("colorize", help="colorize photos into a folder")
    command.set_defaults(run=partial(run, command))
    command.add_argument(
        "photos",
        nargs="+",
        metavar="PHOTO",
        help='files, folders with all below them, and patterns such as "album/**/*.tif"',
    )
    command.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="of the results and report.csv; mirrors a folder of photos, or several by their names",
    )
    command.add_argument("--checkpoint", help="folder, user/repo or user/repo@revision")
    command.add_argument("--device", default="auto", help="auto, cpu, cuda, mps (default: auto)")
    command.add_argument(
        "--onnx",
        metavar="FILE",
        help="the checkpoint as colorizer export wrote it, which OpenVINO runs faster than torch",
    )
    command.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="in which the network computes (default: auto, the faster one on this CPU; fp32 gives "
        "the same colors on all CPUs)",
    )
    command.add_argument(
        "--verbose", action="store_true", help="print what runs the network, and its precision"
    )
    command.add_argument(
        "--working-size",
        type=working_size,
        metavar="PIXELS",
        help="short side in pixels that the network sees, 192 to 512 (default: the checkpoint's)",
    )
    command.add_argument(
        "--views",
        type=int,
        choices=range(1, MAX_VIEWS + 1),
        default=1,
        help="how often the network sees a photo (default: 1); 2 averages a second view, mirrored "
        "and a ninth larger, for a bit more than twice the time",
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
        metavar="X,Y,#rrggbb[,REACH]",
        help="the color of a point, in pixels of the upright photo, and how far it spreads over "
        f"what is alike, in short sides of the photo (default {DEFAULT_REACH:g})",
    )
    command.add_argument(
        "--color-source",
        type=Path,
        metavar="FILE|DIR",
        help="take the colors of the same photo, colored elsewhere, where both show the same; of a "
        "folder, the picture with the photo's name",
    )
    command.add_argument(
        "--reference",
        type=Path,
        metavar="FILE",
        help="another photo in color: what looks alike in it gives its colors",
    )
    command.add_argument(
        "--consistent",
        action="store_true",
        help="color all photos alike: the model's surest results are a reference for all of them",
    )
    command.add_argument(
        "--color-strength",
        type=strength,
        default=1.0,
        metavar="0-1",
        help="of the colors of --color-source, --reference or --consistent (default: 1)",
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
        choices=FORMAT_SUFFIXES,
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
    command.add_argument(
        "--ray",
        nargs="?",
        const=LOCAL,
        metavar="ADDRESS",
        help="work over a Ray cluster, whose machines see the same files; alone, start one here",
    )
    command.add_argument(
        "--overwrite", action="store_true", help="make again what is done, and replace files"
    )
    command.add_argument(
        "--watch", action="store_true", help="wait for more photos, as from a scanner, till Ctrl+C"
    )


def run(parser: argparse.ArgumentParser, options: argparse.Namespace) -> int:
    """Colorize; returns the exit code: 0 done, 1 some photos failed, 130 stopped by Ctrl+C."""
    settings = read_settings(parser, options)
    for stream in (sys.stdout, sys.stderr):  # names of files may not be Unicode
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="surrogateescape")
    with ExitStack() as stack:
        try:
            options.output.mkdir(parents=True, exist_ok=True)
            stack.enter_context(lock_folder(options.output))
            report = Report(options.output)
            found = find_photos(options.photos, options.output)
        except OSError as error:
            parser.error(f"The folder {options.output} can't be made: {error.strerror}.")
        except ValueError as error:
            parser.error(str(error))
        if not found and not options.watch:
            parser.error(f"There are no photos in {', '.join(options.photos)}; name others.")
        stop = stack.enter_context(stopped_by_ctrl_c())
        load = partial(start, parser, options, settings, stop, found)
        album = Album(report, stop, load, options.format, options.overwrite)
        try:
            with report:
                if options.watch:
                    return album.watch(lambda: find_photos(options.photos, options.output))
                return album.colorize(found)
        except (ReportError, ClusterError) as error:
            print(f"colorizer: {error}", file=sys.stderr)
            return 1


def read_settings(parser: argparse.ArgumentParser, options: argparse.Namespace) -> JobSettings:
    """What to make of each photo and how to save it, from the options."""
    others = options.hint or options.adjust or options.working_size or options.negative
    sources = [options.color_source, options.reference, options.consistent or None]
    others = others or options.views > 1 or any(sources)
    if options.recipe and (others or options.preset != "natural"):
        parser.error(
            "--recipe goes without --hint, --preset, --adjust, --working-size, --views, "
            "--negative, --color-source, --reference and --consistent."
        )
    if sum(map(bool, sources)) > 1:
        parser.error("Give only one of --color-source, --reference and --consistent.")
    if options.consistent and (options.watch or options.ray):
        parser.error(
            "--consistent goes without --watch and --ray, because it sees all photos first."
        )
    if options.ray and options.watch:
        parser.error("--watch goes without --ray, which takes long to start.")
    return JobSettings(
        read_edit(parser, options),
        badge=options.badge,
        quality=options.quality,
        max_pixels=options.max_pixels,
        color_sources=read_color_sources(parser, options),
    )


def read_color_sources(
    parser: argparse.ArgumentParser, options: argparse.Namespace
) -> ColorSources | None:
    """The pictures of the folder of --color-source; None without a folder."""
    path = options.color_source
    if path is None or not path.is_dir():
        return None
    return ColorSources.of_folder(path, options.color_strength)


def read_edit(parser: argparse.ArgumentParser, options: argparse.Namespace) -> Edit:
    """What to make of each photo: the recipe's edit, or that of the other options."""
    if options.recipe:
        return options.recipe.edit  # type: ignore[no-any-return]
    path, source = options.reference or options.color_source, None
    use: Use = "reference" if options.reference else "same"
    try:
        if path is not None and not path.is_dir():
            open_photo = partial(Photo.open, max_pixels=options.max_pixels)
            source = open_color_source(path, open_photo, use, options.color_strength)
        elif options.reference:
            parser.error(f"The reference {path} is a folder; give one photo.")
        return Edit(
            Framing(negative=options.negative),
            tuple(options.hint),
            options.working_size,
            adjustments=replace(PRESETS[options.preset], **dict(options.adjust)),
            color_source=source,
            views=options.views,
        )
    except ValueError as error:
        parser.error(str(error))


def start(
    parser: argparse.ArgumentParser,
    options: argparse.Namespace,
    settings: JobSettings,
    stop: Stop,
    found: Sequence[Found],
) -> Run:
    """Load what colorizes the photos that were found, and return it."""
    load = partial(
        load_colorizer, options.checkpoint, options.device, options.onnx, options.precision
    )
    try:
        if options.ray:
            import_ray()
            checkpoint = load_checkpoint(options.checkpoint)  # fails here, before Ray starts
            print_source(options.checkpoint, checkpoint)
            if options.recipe:
                options.recipe.check_checkpoint(checkpoint)
            gpus = options.device.startswith("cuda")
            given = load, settings, options.ray, options.jobs, gpus
            return Cluster(*given, stopped=lambda: stop.asked)
        worker = Worker(load, settings)
        if options.recipe:
            options.recipe.check_checkpoint(worker.colorizer.checkpoint)
        print_source(options.checkpoint, worker.colorizer.checkpoint)
        if options.consistent:
            photos = (item.source for item in found if not (item.problem or stop.asked))
            source = find_shared_colors(
                worker.colorizer, photos, worker.open_photo, options.color_strength
            )
            edit = replace(settings.edit, color_source=source)
            worker.settings = replace(settings, edit=edit)
        if options.verbose:
            engine = worker.colorizer.engine
            print(
                f"colorizer: {engine.name} runs the network on {engine.device} in "
                f"{engine.precision}.",
                file=sys.stderr,
            )
    except (ValueError, ClusterError) as error:
        parser.error(str(error))
    return partial(run_threads, worker, threads=options.jobs or os.cpu_count() or 1)


def print_source(given: str | None, checkpoint: Checkpoint) -> None:
    """Print which commit of a Hub checkpoint is used, because a branch can move."""
    if given and not Path(given).is_dir():
        print(f"colorizer: The checkpoint is {checkpoint.source}.", file=sys.stderr)
