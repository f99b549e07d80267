"""Measure checkpoints: `python -m train.evaluate --checkpoint weights --data FOLDER`.

All figures but FID are means over photos of means over the pixels of the 8-bit output; ratios are
means over means. The gray input is measured in the same run. Where the data has pairs, the input is
their gray photo, else the lightness of the color photo.
"""

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from colorizer import Colorizer
from colorizer.inference.views import MAX_VIEWS
from train.commands import add_json, add_photos, command_parser, run_command
from train.data.samples import Source
from train.data.sources import find_sources
from train.measure.evaluate import DegradedSample, evaluate
from train.measure.groups import GROUPINGS, group
from train.measure.networks import Inception, Lpips
from train.measure.report import (
    Document,
    comparison_table,
    csv_row,
    to_json,
    write_report,
)
from train.measure.sheets import examples
from train.measure.tables import markdown_table
from train.measure.training import losses_of


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = command_parser("evaluate", __doc__)
    parser.add_argument(
        "--checkpoint",
        nargs="+",
        required=True,
        help="folder, user/repo or user/repo@revision; several are compared",
    )
    add_photos(parser)
    add_json(parser)
    parser.add_argument("--lpips-weights", type=Path, help="safetensors of lpips.LPIPS(net='alex')")
    parser.add_argument(
        "--lpips-vgg-weights", type=Path, help="safetensors of lpips.LPIPS(net='vgg')"
    )
    parser.add_argument("--inception", type=Path, help="TorchScript of an Inception, for FID")
    parser.add_argument("--working-size", type=int, help="short side for the network, in pixels")
    parser.add_argument(
        "--views",
        type=int,
        choices=range(1, MAX_VIEWS + 1),
        default=1,
        help="how often the network sees a photo (default: 1); 2 averages a mirrored, larger view",
    )
    parser.add_argument(
        "--aged",
        action="store_true",
        help="degrade the inputs like old photos, as training does by default",
    )
    parser.add_argument(
        "--per",
        choices=GROUPINGS,
        default="source",
        help="how the second table groups photos: by --data, by folder, or by prefix, the part of "
        "a file's name before the first dash (default: source)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        help="folder for the report as JSON, Markdown and HTML, with the figures of each photo "
        "and pictures of the worst and best",
    )
    return run_command(parser, run, arguments)


def run(options: argparse.Namespace) -> str:
    """Measure and write the report; returns JSON for one checkpoint, else a table."""
    for folder in (options.output, options.json and options.json.parent):
        if folder:
            folder.mkdir(parents=True, exist_ok=True)  # fails now, not after hours of measuring
    documents = measure(options)
    if len(documents) == 1:
        return to_json(documents)
    return markdown_table(comparison_table(documents))


def measure(options: argparse.Namespace) -> Sequence[Document]:
    """Measure the checkpoints and write what the options ask for."""
    colorizers = [Colorizer.load(checkpoint) for checkpoint in options.checkpoint]
    sources = find_sources(options.data)
    if options.aged:
        sources = [Source(each.name, [*map(DegradedSample, each.samples)]) for each in sources]
    lpips = Lpips(options.lpips_weights) if options.lpips_weights else None
    vgg = Lpips(options.lpips_vgg_weights, "vgg") if options.lpips_vgg_weights else None
    inception = Inception(options.inception) if options.inception else None
    for metric, name, flag in ((lpips, "LPIPS", "lpips-weights"), (inception, "FID", "inception")):
        if metric is None:
            print(f"{name} is left out: name its weights with --{flag}.", file=sys.stderr)
    reports = [
        evaluate(
            colorizer,
            sources,
            lpips=lpips,
            lpips_vgg=vgg,
            inception=inception,
            working_size=options.working_size,
            views=options.views,
            limit=options.limit,
        )
        for colorizer in colorizers
    ]
    command = shlex.join(["python", "-m", "train.evaluate", *sys.argv[1:]])
    documents = [
        {"command": command, "checkpoint": checkpoint, "losses": losses_of(checkpoint)}
        | report.summary
        | {"per": options.per, "groups": group(report.photos, options.per)}
        for checkpoint, report in zip(options.checkpoint, reports, strict=True)
    ]
    if options.json:
        options.json.write_text(to_json(documents) + "\n")
    if options.output:
        shown = [
            examples(colorizer, report.photos, report.summary["working_size"], options.views)
            for colorizer, report in zip(colorizers, reports, strict=True)
        ]
        rows = [
            csv_row(checkpoint, photo)
            for checkpoint, report in zip(options.checkpoint, reports, strict=True)
            for photo in report.photos
        ]
        write_report(options.output, documents, shown, rows)
    return documents


if __name__ == "__main__":
    sys.exit(main())
