"""What a visitor of the photo tab works on, and how it changes; nothing here knows Gradio."""

from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np

from colorizer import ColorHint, Colorization, Colorizer, Photo
from colorizer.adjust.adjustments import Adjustments
from colorizer.edit import Edit, colorize_framed
from colorizer.inference.notices import find_notices, find_source_notices
from colorizer.photo.notices import Notice

ALTERNATIVES = 4  # that a visitor can choose from
GRAY = "#808080"  # any gray: of a hint's color only a* and b* count
OVERVIEW_SIDE = 480  # pixels, of the small copy on which a visitor crops
SAMPLE = 2  # pixels around the one whose color is taken from another photo

Point = tuple[int, int]
Hints = tuple[ColorHint, ...]


@dataclass(frozen=True)
class PhotoState:
    """A visitor's photo and its result, small; kept in the visitor's own session only.

    Attributes:
        upload: path of the photo, which is opened again for a download.
        model: name of the checkpoint.
        edit: framing, hints and working size; the page holds the rest, see `edit_with`.
        uncropped: a small copy of the turned photo, not cropped.
        size: (height, width) of the framed photo, in whose pixels hints are.
        result: the result for a copy of the photo of at most a megapixel, with the hints.
        notices: what the visitor should know about the photo.
        past: the hints before each of the visitor's changes, oldest first.
    """

    upload: Path
    model: str
    edit: Edit
    uncropped: Photo
    size: tuple[int, int]
    result: Colorization
    notices: tuple[Notice, ...] = ()
    past: tuple[Hints, ...] = ()

    @cached_property
    def alternatives(self) -> list[Colorization]:
        """Plausible results, the most likely first."""
        try:
            return self.result.alternatives(ALTERNATIVES)
        except ValueError:  # the model knows one color for each point
            return [self.result]

    def alternative(self, index: int) -> Colorization:
        """One of the alternatives, from 0; the first takes no time."""
        return self.alternatives[index] if index else self.result

    def edit_with(self, alternative: int, settings: dict[str, float]) -> Edit:
        """The whole edit, with what the page's own controls hold.

        Args:
            alternative: index of the chosen one.
            settings: of the post-processing, as of `Adjustments`.
        """
        return replace(self.edit, alternative=alternative, adjustments=Adjustments(**settings))

    @property
    def small(self) -> Photo:
        """The copy of the photo on which the page works."""
        return self.result.photo

    def to_photo(self, x: float, y: float) -> Point:
        """The photo's pixel that lies under a pixel of the picture on the page."""
        (height, width), (rows, columns) = self.size, self.small.size
        return int((x + 0.5) * width / columns), int((y + 0.5) * height / rows)

    def to_small(self, x: float, y: float) -> Point:
        """The pixel of the picture on the page that shows a pixel of the photo."""
        (height, width), (rows, columns) = self.size, self.small.size
        return int((x + 0.5) * columns / width), int((y + 0.5) * rows / height)

    def contains(self, x: float, y: float) -> bool:
        """Whether the photo has that pixel."""
        height, width = self.size
        return 0 <= x < width and 0 <= y < height

    def radius(self, brush: float) -> float:
        """Pixels of the photo that a brush covers, given in percent of its short side."""
        return brush / 100 * min(self.size)


def colorize(
    colorizer: Colorizer, photo: Photo, edit: Edit, upload: Path, model: str = ""
) -> PhotoState:
    """Run the network on a photo.

    Args:
        colorizer: the visitor's model.
        photo: the upload, opened.
        edit: framing, hints and working size.
        upload: path of the photo.
        model: the model's name.

    Raises:
        ColorSourceError: the color source shows another photo.
        ValueError: a hint lies outside the photo.
    """
    edit = replace(edit, working_size=edit.working_size or colorizer.checkpoint.working_size)
    turned = edit.framing.whole(photo)
    framed = edit.framing.crop(turned)
    result = colorize_framed(colorizer, framed, edit).preview()
    notices = (*find_notices(framed), *find_source_notices(result))
    return PhotoState(upload, model, edit, overview(turned), framed.size, result, notices)


def with_hints(state: PhotoState, hints: Hints) -> PhotoState:
    """Use these hints instead.

    Raises:
        ValueError: a hint lies outside the photo.
    """
    result = state.result.with_hints(hints, state.size)
    edit = replace(state.edit, hints=hints)
    return replace(state, result=result, edit=edit, past=(*state.past, state.edit.hints))


def undo(state: PhotoState) -> PhotoState:
    """Take back the last change of the hints, if there was one."""
    if not state.past:
        return state
    return replace(with_hints(state, state.past[-1]), past=state.past[:-1])


def add_hint(hints: Hints, hint: ColorHint) -> Hints:
    """Add a hint; it replaces one at the same point."""
    return (*(other for other in hints if (other.x, other.y) != (hint.x, hint.y)), hint)


def overview(photo: Photo) -> Photo:
    """A copy whose sides have at most `OVERVIEW_SIDE` pixels."""
    scale = min(1.0, OVERVIEW_SIDE / max(photo.size))
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
