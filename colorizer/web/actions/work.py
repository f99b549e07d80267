"""What a visitor decided about a photo: one step of the history that the browser keeps."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Self

from pydantic import TypeAdapter

from colorizer import ColorHint, ColorSource, Stroke
from colorizer.adjust.adjustments import PRESETS, Adjustments
from colorizer.adjust.framing import Framing
from colorizer.edit import Edit
from colorizer.web.actions.photo_state import PhotoState

CONFIG = {"extra": "forbid", "allow_inf_nan": False}


@dataclass(frozen=True)
class Work:
    """What a visitor decided about a photo.

    Unlike a recipe, it keeps spots where they are on the photo, also those that a crop hides.

    Attributes:
        framing: how the photo is turned, cropped and inverted.
        spots: known colors, in pixels of the upright photo before framing.
        alternative: index of the chosen one.
        adjustments: the post-processing.
        color_source: another picture whose colors are taken, its regions in the same pixels;
            without the picture if the server has it.
        look: name of the preset that the adjustments come from.
        strokes: where restoration mends, and where not.

    Raises:
        ValueError: a value is out of range.
    """

    framing: Framing
    spots: tuple[ColorHint, ...]
    alternative: int
    adjustments: Adjustments
    color_source: ColorSource | None = None
    look: str | None = None
    strokes: tuple[Stroke, ...] = ()

    __pydantic_config__ = CONFIG

    def __post_init__(self) -> None:
        Edit(
            self.framing,
            self.spots,
            None,
            self.alternative,
            self.adjustments,
            strokes=self.strokes,
        )
        if self.look is not None and self.look not in PRESETS:
            raise ValueError(f"There is no look {self.look!r}; give one of {', '.join(PRESETS)}.")

    @classmethod
    def parse(cls, values: Any) -> Self:
        """Check what a browser sends.

        Raises:
            ValueError: it is no work.
        """
        if isinstance(values, dict) and values.get("color_source") is False:  # as it was kept once
            values = values | {"color_source": None}
        return TypeAdapter(cls).validate_python(values)


def facts(
    state: PhotoState, alternative: int, x: float | None = None, y: float | None = None
) -> dict[str, Any]:
    """What the browser needs to know: the photo's name, size, hints and strokes, and its work.

    Args:
        state: the visitor's state.
        alternative: index of the chosen one.
        x: column of the chosen point, in pixels of the photo.
        y: row of that point.
    """
    height, width = state.size
    source, retouch = state.source, state.edit.retouch(state.upright)
    return {
        "name": state.upload.name,
        "size": [width, height],
        "hints": [{"x": hint.x, "y": hint.y, "reach": hint.reach} for hint in state.edit.hints],
        "chosen": state.chosen(x, y),  # of the hints
        "strokes": [
            {
                "effect": line.effect,
                "points": (line.points + 0.5).round(1).tolist(),
                "radius": line.radius,
            }
            for line in (retouch.lines() if retouch else ())
        ],
        "sources": [known.sha256 for known in state.sources],  # whose pictures the server has
        "work": {
            "framing": asdict(state.edit.framing),
            "spots": [asdict(spot) for spot in state.spots],
            "alternative": alternative,
            "color_source": source and asdict(replace(source, picture="")),
            "strokes": [asdict(stroke) for stroke in state.edit.strokes],
        },
    }
