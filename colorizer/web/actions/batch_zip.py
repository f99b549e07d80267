"""Colorize many photos into one ZIP, one by one, so that memory does not grow with their number."""

import logging
from collections.abc import Generator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from PIL import Image

from colorizer import Adjustments, Colorization, Colorizer, ColorSource
from colorizer.batch.color_sources import ColorSources
from colorizer.batch.job import JobSettings, Outcome, Task, Worker
from colorizer.edit import Edit
from colorizer.photo.decode import saved_format
from colorizer.photo.formats import output_path
from colorizer.web.server.uploads import open_upload

LOG = logging.getLogger(__name__)
PAIR_PIXELS = 300_000  # of each picture of a pair; a page shows dozens of pairs
GAP = 8  # pixels between before and after


def colorize_into_zip(
    colorizer: Colorizer,
    photos: Sequence[Path],
    adjustments: Adjustments,
    archive: Path,
    colors: ColorSource | ColorSources | None = None,
) -> Generator[tuple[Outcome, Image.Image | None], None, None]:
    """Colorize photos into an archive; one that fails does not stop the others.

    Args:
        colorizer: the model.
        photos: their paths. In the archive they are called `<name>_color.<ext>`; equal names are
            numbered.
        adjustments: the post-processing, the same for all.
        archive: the ZIP to write. It is complete when the generator ends or is closed.
        colors: another picture whose colors all take, or pictures by their names.

    Yields:
        What became of each photo, in order, and a small picture of it before and after; None if it
        failed.

    Raises:
        OSError: the archive can't be written.
    """
    names = set[str]()
    settings = JobSettings(Edit(adjustments=adjustments), location=False)
    if isinstance(colors, ColorSources):
        settings = replace(settings, color_sources=colors)
    else:
        settings = replace(settings, edit=replace(settings.edit, color_source=colors))
    worker = Worker(lambda: colorizer, settings, open_upload)
    with (
        TemporaryDirectory(dir=archive.parent) as folder,
        ZipFile(archive, "w") as zipped,  # stored: photos are compressed already
    ):
        for path in photos:
            target = output_path(Path(folder), path, saved_format(path), names)
            outcome, result = worker.run(Task(path, target))
            if result is None:
                LOG.info("A photo of a batch failed: %s", outcome.problem)
                yield outcome, None
            else:
                zipped.write(target, target.name)
                target.unlink()
                yield outcome, before_and_after(result, adjustments)


def before_and_after(result: Colorization, adjustments: Adjustments) -> Image.Image:
    """A small picture of the photo in gray and in color beside each other, mode RGB."""
    small = result.preview(PAIR_PIXELS)
    before, after = small.gray.to_image(), small.adjust(adjustments).to_image()
    both = Image.new("RGB", (2 * before.width + GAP, before.height), "white")
    both.paste(before, (0, 0))
    both.paste(after, (before.width + GAP, 0))
    return both
