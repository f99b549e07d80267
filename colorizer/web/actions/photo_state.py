"""What a visitor of the photo tab works on, and how it changes; nothing here knows Gradio."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TypeVar

import numpy as np

from colorizer import ColorHint, Colorization, Colorizer, ColorSource, Photo, Stroke
from colorizer.adjust.adjustments import Adjustments
from colorizer.adjust.framing import Framing
from colorizer.adjust.prints import find_print
from colorizer.edit import Edit, colorize_framed
from colorizer.inference.notices import find_notices
from colorizer.photo.notices import Notice
from colorizer.sources.color_source import Region
from colorizer.sources.evidence import find_evidence

ALTERNATIVES = 4  # that a visitor can choose from
GRAY = "#808080"  # any gray: of a hint's color only a* and b* count
MAX_SOURCES = 3  # other pictures that are kept for the history
OVERVIEW_SIDE = 1000  # pixels, of the small copy on which a visitor crops
SAMPLE = 2  # pixels around the one whose color is taken from another photo

Point = tuple[int, int]
Hints = tuple[ColorHint, ...]
Place = TypeVar("Place", ColorHint, Region)


@dataclass(frozen=True)
class PhotoState:
    """A visitor's photo and its result, small; kept in the visitor's own session only.

    Attributes:
        upload: path of the photo, which is opened again for a download.
        model: name of the checkpoint.
        edit: all but alternative and adjustments, which the page holds, see `edit_with`.
        uncropped: a small copy of the turned photo, not cropped.
        upright: (height, width) of the photo before framing, in whose pixels `spots` are.
        size: (height, width) of the framed photo, in whose pixels hints are.
        result: the result for a copy of the photo of at most a megapixel, with the hints.
        notices: what the visitor should know about the photo.
        hidden: spots that the crop cuts off; they come back with a wider crop.
        sources: other pictures to which the history can go back, the last one first.
    """

    upload: Path
    model: str
    edit: Edit
    uncropped: Photo
    upright: tuple[int, int]
    size: tuple[int, int]
    result: Colorization
    notices: tuple[Notice, ...] = ()
    hidden: Hints = ()
    sources: tuple[ColorSource, ...] = ()

    @property
    def spots(self) -> Hints:
        """All of the visitor's spots, in pixels of the photo before framing."""
        to_photo = self.edit.framing.to_photo
        inside = (move(hint, to_photo(hint.x, hint.y, self.upright)) for hint in self.edit.hints)
        return (*inside, *self.hidden)

    @property
    def source(self) -> ColorSource | None:
        """The color source, its regions in pixels of the photo before framing."""
        to_photo = self.edit.framing.to_photo
        return moved(self.edit.color_source, lambda x, y: to_photo(x, y, self.upright))

    def known_source(self, source: ColorSource | None) -> ColorSource | None:
        """A source whose picture the browser left out, with the picture; None if it is gone."""
        if source is None or source.picture:
            return source
        found = (known for known in self.sources if known.sha256 == source.sha256)
        return next((replace(source, picture=known.picture) for known in found), None)

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

    def chosen(self, x: float | None, y: float | None) -> int | None:
        """Index of the hint at a pixel of the photo; None if there is none."""
        if x is None or y is None:
            return None
        found = (index for index, hint in enumerate(self.edit.hints) if is_at(hint, x, y))
        return next(found, None)


def colorize(
    colorizer: Colorizer,
    photo: Photo,
    edit: Edit,
    upload: Path,
    model: str = "",
    hidden: Hints = (),
) -> PhotoState:
    """Run the network on a photo.

    Args:
        colorizer: the visitor's model.
        photo: the upload, opened.
        edit: framing, hints and working size.
        upload: path of the photo.
        model: the model's name.
        hidden: spots that the crop cuts off.

    Raises:
        ColorSourceError: the color source shows another photo.
        ValueError: a hint lies outside the photo.
    """
    edit = replace(edit, working_size=edit.working_size or colorizer.checkpoint.working_size)
    turned = edit.framing.whole(photo)
    framed = edit.framing.crop(turned)
    result = colorize_framed(colorizer, framed, edit, photo.size).preview()
    return PhotoState(
        upload,
        model,
        edit,
        overview(turned),
        photo.size,
        framed.size,
        result,
        (*find_notices(framed), *_find_print_notices(framed, edit.framing)),
        hidden,
        remembered((), edit.color_source),
    )


def _find_print_notices(photo: Photo, framing: Framing) -> list[Notice]:
    """A notice of a print on a table, unless the visitor has straightened one."""
    return ["print"] if not framing.corners and find_print(photo) else []


def move(place: Place, point: tuple[float, float]) -> Place:
    """The same hint or region at another (x, y)."""
    return replace(place, x=point[0], y=point[1])


def moved(
    source: ColorSource | None, to_place: Callable[[float, float], tuple[float, float]]
) -> ColorSource | None:
    """The same source with its regions at other places."""
    if source is None:
        return None
    regions = (move(region, to_place(region.x, region.y)) for region in source.regions)
    return replace(source, regions=tuple(regions))


def remembered(
    sources: tuple[ColorSource, ...], source: ColorSource | None
) -> tuple[ColorSource, ...]:
    """The sources to which the history can go back, with one that is used now."""
    if source is None:
        return sources
    others = (known for known in sources if known.sha256 != source.sha256)
    return (source, *others)[:MAX_SOURCES]


def framed(
    framing: Framing, spots: Hints, size: tuple[int, int], source: ColorSource | None = None
) -> tuple[Edit, Hints]:
    """Take spots through a framing.

    Args:
        framing: of a photo of (height, width) `size`.
        spots: in pixels of that photo.
        size: of the photo before framing.
        source: the edit's color source, its regions in pixels of that photo.

    Returns:
        An edit with the framing and the spots that remain as its hints, and the spots that the
        crop cuts off.
    """
    left, top, right, bottom = framing.box(framing.turned_size(size))
    hints, hidden = [], []
    for spot in spots:
        x, y = framing.to_framed(spot.x, spot.y, size)
        if 0 <= x < right - left and 0 <= y < bottom - top:
            hints.append(move(spot, (x, y)))
        else:
            hidden.append(spot)
    source = moved(source, lambda x, y: framing.to_framed(x, y, size))
    return Edit(framing, tuple(hints), color_source=source), tuple(hidden)


def with_hints(state: PhotoState, hints: Hints) -> PhotoState:
    """Use these hints instead; hidden ones stay.

    Raises:
        ValueError: a hint lies outside the photo.
    """
    result = state.result.with_hints(hints, state.size)
    return replace(state, result=result, edit=replace(state.edit, hints=hints))


def with_strokes(state: PhotoState, strokes: tuple[Stroke, ...]) -> PhotoState:
    """Follow these strokes instead, which are over the photo before framing.

    Raises:
        ValueError: there are too many.
    """
    edit = replace(state.edit, strokes=strokes)
    result = state.result.with_retouch(edit.retouch(state.upright))
    return replace(state, result=result, edit=edit)


def with_source(
    state: PhotoState,
    source: ColorSource | None,
    colorizer: Colorizer,
    open_photo: Callable[[], Photo],
) -> PhotoState:
    """Take the colors of another picture instead, or of none.

    Args:
        state: before.
        source: its regions in pixels of the framed photo.
        colorizer: the visitor's model.
        open_photo: opens the upload, if the picture has to be compared with it.

    Raises:
        ColorSourceError: the source shows another photo, or the model can't compare photos.
    """
    known = state.result.evidence
    if source is None:
        evidence = None
    elif known and (known.source.sha256, known.use) == (source.sha256, source.use):
        evidence = known.using(source)
    else:
        photo = state.edit.framing(open_photo())
        lightness = state.result.input_lightness
        evidence = find_evidence(photo, source, lightness, colorizer.matcher)
    return replace(
        state,
        result=state.result.with_evidence(evidence),
        edit=replace(state.edit, color_source=source),
        sources=remembered(state.sources, source),
    )


def add_hint(hints: Hints, hint: ColorHint) -> Hints:
    """Add a hint; it replaces one at the same pixel."""
    return (*(other for other in hints if not is_at(other, hint.x, hint.y)), hint)


def is_at(hint: ColorHint, x: float, y: float) -> bool:
    """Whether a hint is at a pixel."""
    return (int(hint.x), int(hint.y)) == (int(x), int(y))


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
