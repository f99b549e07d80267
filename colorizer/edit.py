"""Edits: what to make of a photo, and how it is made."""

from dataclasses import dataclass, field

from colorizer.adjust.adjustments import Adjustments
from colorizer.adjust.framing import Framing
from colorizer.adjust.strokes import MAX_POINTS, MAX_STROKES, Retouch, Stroke
from colorizer.checkpoints.files import WORKING_SIZES
from colorizer.inference.colorization import Colorization
from colorizer.inference.colorizer import Colorizer
from colorizer.inference.hints import ColorHint
from colorizer.inference.views import MAX_VIEWS
from colorizer.photo.photo import Photo
from colorizer.sources.color_source import ColorSource
from colorizer.sources.evidence import find_evidence

MAX_ALTERNATIVE = 15  # this and the next take time, and edits may come from strangers
MAX_HINTS = 500


@dataclass(frozen=True)
class Edit:
    """What to make of a photo; the default is the network's own result.

    The command line, the page, batches, HTTP and recipes all say with an `Edit` what they want, and
    `render` makes it.

    Attributes:
        framing: how the photo is turned, cropped and inverted, before all else.
        hints: known colors, in pixels of the framed photo; at most 500.
        working_size: short side in pixels at which the network sees the photo, 192 to 512; None
            takes the checkpoint's own.
        alternative: index in `Colorization.alternatives`, 0 to 15; 0 is the network's own result.
        adjustments: the post-processing.
        color_source: another picture whose colors are taken; None takes only the network's.
        strokes: where restoration mends, and where not, in shares of the photo before framing; at
            most 200 with 10,000 points.
        views: how often the network sees the photo, 1 or 2; see `Colorizer.colorize`.

    Raises:
        ValueError: a value is out of range.
    """

    framing: Framing = field(default_factory=Framing)
    hints: tuple[ColorHint, ...] = ()
    working_size: int | None = None
    alternative: int = 0
    adjustments: Adjustments = field(default_factory=Adjustments)
    color_source: ColorSource | None = None
    strokes: tuple[Stroke, ...] = ()
    views: int = 1

    def __post_init__(self) -> None:
        low, high = WORKING_SIZES
        if self.working_size is not None and not low <= self.working_size <= high:
            raise ValueError(f"working_size is {self.working_size}; it goes from {low} to {high}.")
        if len(self.hints) > MAX_HINTS:
            raise ValueError(f"There are {len(self.hints)} hints; give at most {MAX_HINTS}.")
        if not 0 <= self.alternative <= MAX_ALTERNATIVE:
            raise ValueError(
                f"alternative is {self.alternative}; it goes from 0 to {MAX_ALTERNATIVE}."
            )
        if len(self.strokes) > MAX_STROKES:
            raise ValueError(f"There are {len(self.strokes)} strokes; give at most {MAX_STROKES}.")
        if not 1 <= self.views <= MAX_VIEWS:
            raise ValueError(f"views is {self.views}; it goes from 1 to {MAX_VIEWS}.")
        points = sum(len(stroke.points) for stroke in self.strokes)
        if points > MAX_POINTS:
            raise ValueError(f"The strokes have {points} points; give at most {MAX_POINTS}.")

    def retouch(self, size: tuple[int, int]) -> Retouch | None:
        """The strokes over a photo of (height, width) `size` before framing; None without any."""
        return Retouch(self.strokes, self.framing, size) if self.strokes else None


def colorize(colorizer: Colorizer, photo: Photo, edit: Edit) -> Colorization:
    """Make everything of an edit but its adjustments, which need no network and can change later.

    Args:
        colorizer: runs the network.
        photo: any size, as it was opened.
        edit: what to make of it.

    Raises:
        ColorSourceError: the color source shows another photo.
        ValueError: a hint lies outside the framed photo, the photo has fewer alternatives, or the
            checkpoint has none.
    """
    result = colorize_framed(colorizer, edit.framing(photo), edit, photo.size)
    return choose_alternative(result, edit.alternative)


def colorize_framed(
    colorizer: Colorizer, framed: Photo, edit: Edit, size: tuple[int, int]
) -> Colorization:
    """Make everything of an edit but its framing, which was done, alternative and adjustments.

    Args:
        colorizer: runs the network.
        framed: what the edit's framing made of the photo.
        edit: what to make of it.
        size: (height, width) of the photo before framing.

    Raises:
        ColorSourceError: the color source shows another photo.
        ValueError: a hint lies outside the framed photo.
    """
    result = colorizer.colorize(framed, edit.hints, edit.working_size, edit.views)
    result = result.with_retouch(edit.retouch(size))
    if edit.color_source is None:
        return result
    lightness = result.input_lightness
    evidence = find_evidence(framed, edit.color_source, lightness, colorizer.matcher)
    return result.with_evidence(evidence)


def choose_alternative(result: Colorization, alternative: int) -> Colorization:
    """One of the alternatives of a result, by its index; 0 is the result itself.

    Raises:
        ValueError: the photo has fewer alternatives, or the checkpoint has none.
    """
    if alternative == 0:
        return result
    alternatives = result.alternatives(alternative + 1)
    if len(alternatives) <= alternative:
        raise ValueError(
            f"The photo has only {len(alternatives) - 1} alternatives besides the first result; "
            f"there is no alternative {alternative}. Choose a smaller number."
        )
    return alternatives[alternative]


def render(colorizer: Colorizer, photo: Photo, edit: Edit) -> Photo:
    """Make what an edit says of a photo, at full resolution and with its metadata.

    Arguments and errors are those of `colorize`.
    """
    return colorize(colorizer, photo, edit).adjust(edit.adjustments)
