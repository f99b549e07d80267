"""Colorize many photos into one ZIP, one by one, so that memory does not grow with their number."""

import logging
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from PIL import Image

from colorizer import Adjustments, Colorization, Colorizer, ColorSource
from colorizer.batch.color_sources import ColorSources
from colorizer.batch.job import JobSettings, Outcome, Task, Worker
from colorizer.edit import Edit, render
from colorizer.photo.decode import saved_format
from colorizer.photo.formats import output_path
from colorizer.web.actions.photo_state import Hints
from colorizer.web.server.files import folder_in_upload
from colorizer.web.server.uploads import open_upload

LOG = logging.getLogger(__name__)
PAIR_PIXELS = 300_000  # of each picture of a pair; a page shows dozens of pairs
GAP = 8  # pixels between before and after


@dataclass(frozen=True)
class BatchPhoto:
    """A photo of a batch, and what is decided about it.

    Attributes:
        path: of the upload.
        name: of its result in the ZIP, with folders.
        model: name of the checkpoint.
        edit: what to make of it.
        hidden: spots that the edit's crop cuts off.
        pair: path of a small picture before and after; empty without one.
        left_out: whether the ZIP lacks it.
    """

    path: Path
    name: str
    model: str
    edit: Edit
    hidden: Hints = ()
    pair: str = ""
    left_out: bool = False

    def made_like(self, other: "BatchPhoto | None") -> bool:
        """Whether the other photo's result is the same file."""
        return other is not None and (
            (self.name, self.model, self.edit) == (other.name, other.model, other.edit)
        )


@dataclass(frozen=True)
class Packed:
    """A ZIP and the photos in it.

    Attributes:
        archive: path of the ZIP.
        photos: as they were when it was written, in the ZIP's order.
    """

    archive: Path
    photos: tuple[BatchPhoto, ...]


def colorize_into_zip(
    colorizer: Colorizer,
    photos: Sequence[Path],
    adjustments: Adjustments,
    archive: Path,
    colors: ColorSource | ColorSources | None = None,
    format: str = "",
) -> Generator[tuple[Outcome, Colorization | None], None, None]:
    """Colorize photos into an archive; one that fails does not stop the others.

    Args:
        colorizer: the model.
        photos: their paths. In the archive they are called `<name>_color.<ext>`, in the folders
            that were uploaded; equal names are numbered.
        adjustments: the post-processing, the same for all.
        archive: the ZIP to write. It is complete when the generator ends or is closed.
        colors: another picture whose colors all take, or pictures by their names.
        format: of the results, as Pillow names it; "" for that of each photo.

    Yields:
        What became of each photo, in order, its target relative to the archive, and the
        colorization; None if it failed.

    Raises:
        OSError: the archive can't be written.
    """
    names: defaultdict[Path, set[str]] = defaultdict(set)
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
            inside = folder_in_upload(path)
            target = output_path(inside, path, format or saved_format(path), names[inside])
            outcome, result = worker.run(Task(path, Path(folder, target)))
            outcome = replace(outcome, task=Task(path, target))
            if result is None:
                LOG.info("A photo of a batch failed: %s", outcome.problem)
            else:
                _move_into(zipped, Path(folder, target), target.as_posix())
            yield outcome, result


def repack(
    packed: Packed, photos: Sequence[BatchPhoto], archive: Path, load: Callable[[str], Colorizer]
) -> Iterator[BatchPhoto]:
    """Write another ZIP; photos that are in the first as they shall be are copied from it.

    Args:
        packed: the first ZIP.
        photos: those of the other one.
        archive: path of the other ZIP. It is complete when the iterator ends.
        load: returns the checkpoint with a name.

    Yields:
        Each photo before it is made or copied.

    Raises:
        CheckpointError: a checkpoint can't be used.
        OSError: an archive can't be read or written.
        PhotoError: a photo can't be opened or made any more.
    """
    before = {photo.name: photo for photo in packed.photos}
    with (
        TemporaryDirectory(dir=archive.parent) as folder,
        ZipFile(packed.archive) as source,
        ZipFile(archive, "w") as zipped,
    ):
        for photo in photos:
            yield photo
            if photo.made_like(before.get(photo.name)):
                zipped.writestr(photo.name, source.read(photo.name))
            else:
                made = render(load(photo.model), open_upload(photo.path), photo.edit)
                target = Path(folder, Path(photo.name).name)
                made.without_location().save(target)
                _move_into(zipped, target, photo.name)


def _move_into(zipped: ZipFile, file: Path, name: str) -> None:
    zipped.write(file, name)
    file.unlink()


def before_and_after(result: Colorization, adjustments: Adjustments) -> Image.Image:
    """A small picture of the photo in gray and in color beside each other, mode RGB."""
    small = result.preview(PAIR_PIXELS)
    before, after = small.gray.to_image(), small.adjust(adjustments).to_image()
    both = Image.new("RGB", (2 * before.width + GAP, before.height), "white")
    both.paste(before, (0, 0))
    both.paste(after, (before.width + GAP, 0))
    return both
