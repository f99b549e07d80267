"""What a visitor of the photo tab sees, and how a wish changes it; nothing here knows Gradio."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from colorizer import ColorHint, Colorization, Colorizer, Photo
from colorizer.adjust.framing import Framing
from colorizer.inference.notices import find_notices
from colorizer.photo.notices import Notice
from colorizer.web.server.uploads import open_upload

VERSIONS = 4  # that a visitor may choose from
GRAY = "#808080"  # any gray: of a hint's color only a* and b* count
WHOLE_SIDE = 480  # pixels, of the small copy on which a visitor crops
SAMPLE = 2  # pixels around the one whose color is taken from another photo

Point = tuple[int, int]
Hints = tuple[ColorHint, ...]


@dataclass(frozen=True)
class Shown:
    """What a visitor sees: small, and kept in the visitor's own state and nowhere else.

    Attributes:
        upload: path of the photo, which is opened again for a download.
        model: name of the checkpoint.
        framing: how the photo was turned and cropped.
        whole: a small copy of the turned photo, not cropped.
        size: (height, width) of the framed photo, in whose pixels hints are.
        guess: the result for a copy of the photo of at most a megapixel, with the hints.
        working_size: short side in pixels of what the network sees.
        hints: the colors that the visitor knows.
        notices: what the visitor should know about the photo.
        past: the hints before each of the visitor's changes, oldest first.
    """

    upload: Path
    model: str
    framing: Framing
    whole: Photo
    size: tuple[int, int]
    guess: Colorization
    working_size: int
    hints: Hints = ()
    notices: tuple[Notice, ...] = ()
    past: tuple[Hints, ...] = ()

    @cached_property
    def versions(self) -> list[Colorization]:
        """What the photo may have looked like, most likely first."""
        try:
            return self.guess.alternatives(VERSIONS)
        except ValueError:  # the model knows one color for each point
            return [self.guess]

    def version(self, number: int) -> Colorization:
        """One of the versions, from 0; the first takes no time."""
        return self.versions[number] if number else self.guess

    @property
    def small(self) -> Photo:
        """The copy of the photo on which the page works."""
        return self.guess.photo

    def to_photo(self, x: float, y: float) -> Point:
        """The photo's pixel that lies under a pixel of the picture on the page."""
        (height, width), (rows, columns) = self.size, self.small.size
        return int((x + 0.5) * width / columns), int((y + 0.5) * height / rows)

    def to_small(self, x: float, y: float) -> Point:
        """The pixel of the picture on the page that shows a pixel of the photo."""
        (height, width), (rows, columns) = self.size, self.small.size
        return int((x + 0.5) * columns / width), int((y + 0.5) * rows / height)

    def inside(self, x: float, y: float) -> bool:
        """Whether the photo has that pixel."""
        height, width = self.size
        return 0 <= x < width and 0 <= y < height

    def radius(self, brush: float) -> float:
        """Pixels of the photo that a brush of so many percent of its short side covers."""
        return brush / 100 * min(self.size)


def colorize(
    colorizer: Colorizer,
    upload: Path,
    model: str = "",
    framing: Framing | None = None,
    hints: Hints = (),
    working_size: int | None = None,
) -> Shown:
    """Open a photo and run the network on it.

    Args:
        colorizer: the visitor's model.
        upload: path of the photo.
        model: the model's name.
        framing: None leaves the photo as it is.
        hints: in pixels of the framed photo.
        working_size: as for `Colorizer.colorize`.

    Raises:
        PhotoError: the upload is not a photo.
        ValueError: a hint lies outside the photo.
    """
    framing, size = framing or Framing(), working_size or colorizer.checkpoint.working_size
    turned = framing.whole(open_upload(upload))
    photo = framing.crop(turned)
    guess = colorizer.colorize(photo, hints, size).preview()
    whole, noticed = thumbnail(turned), tuple(find_notices(photo))
    return Shown(upload, model, framing, whole, photo.size, guess, size, hints, noticed)


def with_hints(shown: Shown, hints: Hints) -> Shown:
    """Take these hints instead.

    Raises:
        ValueError: a hint lies outside the photo.
    """
    guess = shown.guess.with_hints(hints, shown.size)
    return replace(shown, guess=guess, hints=hints, past=(*shown.past, shown.hints))


def undo(shown: Shown) -> Shown:
    """Take back the last change of the hints, if there was one."""
    if not shown.past:
        return shown
    return replace(with_hints(shown, shown.past[-1]), past=shown.past[:-1])


def put(hints: Hints, hint: ColorHint) -> Hints:
    """Add a hint; one at the same point gives way."""
    return (*(other for other in hints if (other.x, other.y) != (hint.x, hint.y)), hint)


def full_photo(shown: Shown) -> Photo:
    """The framed photo at full resolution.

    Raises:
        PhotoError: the upload is gone.
    """
    return shown.framing(open_upload(shown.upload))


def thumbnail(photo: Photo) -> Photo:
    """A copy whose sides have at most `WHOLE_SIDE` pixels."""
    scale = min(1.0, WHOLE_SIDE / max(photo.size))
    height, width = (max(1, round(side * scale)) for side in photo.size)
    return photo.shrunk((height, width))


def color_at(photo: Photo, x: int, y: int) -> str:
    """The mean color around a pixel of a photo, as "#rrggbb"."""
    around = photo.pixels[
        max(0, y - SAMPLE) : y + SAMPLE + 1, max(0, x - SAMPLE) : x + SAMPLE + 1
    ].reshape(-1, photo.pixels.shape[2])
    levels = around.mean(0) * (255 / np.iinfo(around.dtype).max)
    red, green, blue = np.broadcast_to(levels.round().astype(int), 3)
    return f"#{red:02x}{green:02x}{blue:02x}"
