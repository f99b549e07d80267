"""Many photos into one ZIP, one after the other, so that memory doesn't grow with their number."""

import logging
from collections.abc import Generator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from PIL import Image

from colorizer import Adjustments, Colorization, Colorizer
from colorizer.photo.formats import output_path
from colorizer.web.server.uploads import open_upload

LOG = logging.getLogger(__name__)
PAIR_PIXELS = 300_000  # of each picture of a pair; a page shows dozens of pairs
GAP = 8  # pixels between before and after


@dataclass(frozen=True)
class Outcome:
    """What became of a photo.

    Attributes:
        name: of its file.
        pair: small pictures of before and after beside each other; None if it failed.
        problem: why it failed, in one word: "unreadable" or "memory".
    """

    name: str
    pair: Image.Image | None = None
    problem: str = ""


def colorize_into_zip(
    colorizer: Colorizer, photos: Sequence[Path], adjustments: Adjustments, archive: Path
) -> Generator[Outcome, None, None]:
    """Colorize photos into an archive; one that fails doesn't stop the others.

    Args:
        colorizer: the model.
        photos: their paths. In the archive they are called `<name>_color.<ext>`, equal names are
            numbered.
        adjustments: the post-processing, the same for all.
        archive: the ZIP to write. It is whole when the generator ends or is closed.

    Yields:
        What became of each photo, in their order.

    Raises:
        OSError: the archive can't be written.
    """
    taken = set[str]()
    with (
        TemporaryDirectory(dir=archive.parent) as folder,
        ZipFile(archive, "w") as zipped,  # stored: photos are compressed already
    ):
        for path in photos:
            try:
                photo = open_upload(path)
                target = output_path(Path(folder), path, photo.format, taken)
                result = colorizer.colorize(photo)
                result.adjust(adjustments).without_location().save(target)
                pair = before_and_after(result, adjustments)
            except ValueError as error:
                LOG.info("%s", error)
                yield Outcome(path.name, problem="unreadable")
            except (MemoryError, RuntimeError) as error:  # the latter is PyTorch's
                LOG.warning("A photo of a batch was too much: %s", error)
                yield Outcome(path.name, problem="memory")
            else:
                zipped.write(target, target.name)
                target.unlink()
                yield Outcome(path.name, pair)


def before_and_after(result: Colorization, adjustments: Adjustments) -> Image.Image:
    """A small picture of the photo in gray and in color beside each other, mode RGB."""
    small = result.preview(PAIR_PIXELS)
    before, after = small.gray.to_image(), small.adjust(adjustments).to_image()
    both = Image.new("RGB", (2 * before.width + GAP, before.height), "white")
    both.paste(before, (0, 0))
    both.paste(after, (before.width + GAP, 0))
    return both
