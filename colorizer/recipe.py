"""Recipes: everything that made a result, as JSON, to make it again."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Self

import numpy as np

from colorizer.adjust.adjustments import Adjustments
from colorizer.adjust.framing import Framing
from colorizer.checkpoints.checkpoint import WORKING_SIZES
from colorizer.errors import RecipeError
from colorizer.inference.colorization import Colorization
from colorizer.inference.colorizer import Colorizer
from colorizer.inference.hints import ColorHint
from colorizer.photo.photo import Photo

SCHEMA_VERSION = 1
LAST_ALTERNATIVE = 15  # each takes time, and recipes may come from strangers
LARGEST = 1e9  # number in a recipe
MARGINS = tuple[float, float, float, float]
KINDS: dict[Any, str] = {
    int: "a whole number",
    float: f"a number up to {LARGEST:g}",
    str: "a text",
    bool: "true or false",
    MARGINS: "four numbers",
}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """Everything that made a result: the same photo gives the same pixels on the same machine."""

    schema_version: int = field(default=SCHEMA_VERSION, init=False)
    checkpoint: str  # as `Checkpoint.source` names it
    checkpoint_sha256: str  # of its weights
    working_size: int  # short side in pixels that the network sees
    hints: tuple[ColorHint, ...]
    alternative: int  # number in `Colorization.alternatives`; 0 is the network's own result
    adjustments: Adjustments
    photo: str  # the file's name; for information
    photo_sha256: str  # of its pixels, see `pixel_hash`; for information
    framing: Framing = field(default_factory=Framing)  # before all else: hints are in what stays

    def __post_init__(self) -> None:
        low, high = WORKING_SIZES
        if not low <= self.working_size <= high:
            raise RecipeError(
                f"The recipe's working_size is {self.working_size}; it goes from {low} to {high}."
            )
        if not 0 <= self.alternative <= LAST_ALTERNATIVE:
            raise RecipeError(
                f"The recipe's alternative is {self.alternative}; "
                f"it goes from 0 to {LAST_ALTERNATIVE}."
            )
        for name in ("checkpoint_sha256", "photo_sha256"):
            if not re.fullmatch("[0-9a-f]{64}", getattr(self, name)):
                raise RecipeError(
                    f"The recipe's {name} is {getattr(self, name)!r}; "
                    "it must be 64 hexadecimal digits."
                )

    @classmethod
    def of(
        cls,
        colorizer: Colorizer,
        photo: Photo,
        name: str,
        *,
        hints: Sequence[ColorHint] = (),
        working_size: int | None = None,
        alternative: int = 0,
        adjustments: Adjustments | None = None,
        framing: Framing | None = None,
    ) -> Self:
        """The recipe of what is made of a photo.

        Args:
            colorizer: with its checkpoint.
            photo: any size.
            name: of its file.
            hints: as for `Colorizer.colorize`.
            working_size: as for `Colorizer.colorize`.
            alternative: number in `Colorization.alternatives`.
            adjustments: as for `Colorization.adjust`; None changes nothing.
            framing: of the photo; None leaves it as it is.
        """
        checkpoint = colorizer.checkpoint
        return cls(
            checkpoint=checkpoint.source,
            checkpoint_sha256=checkpoint.sha256,
            working_size=checkpoint.working_size if working_size is None else working_size,
            hints=tuple(hints),
            alternative=alternative,
            adjustments=adjustments or Adjustments(),
            photo=name,
            photo_sha256=pixel_hash(photo),
            framing=framing or Framing(),
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote; what an older recipe lacks changes nothing.

        Raises:
            RecipeError: the text isn't a recipe of this version, or a value is out of range.
        """
        try:
            values = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise RecipeError(
                f"The recipe is not valid JSON ({error}); get an intact copy of it."
            ) from None
        version = values.pop("schema_version", None) if isinstance(values, dict) else None
        if type(version) is not int or version != SCHEMA_VERSION:
            raise RecipeError(
                f"The recipe has schema version {version!r}, not {SCHEMA_VERSION}; "
                "update colorizer, or take another recipe."
            )
        values = _checked(cls, {"framing": {}} | values, "recipe")
        if not isinstance(values["hints"], list):
            raise RecipeError("The recipe's hints must be a list; get an intact copy of the file.")
        hints = [_checked(ColorHint, hint, "recipe's hint") for hint in values["hints"]]
        adjustments = _checked(
            Adjustments, values["adjustments"], "recipe's adjustments", partial=True
        )
        framing = _checked(Framing, values["framing"], "recipe's framing", partial=True)
        try:
            values["hints"] = tuple(ColorHint(**hint) for hint in hints)
            values["adjustments"] = Adjustments(**adjustments)
            margins = tuple(framing.get("margins", Framing.margins))
            values["framing"] = Framing(**framing | {"margins": margins})
        except ValueError as error:
            raise RecipeError(f"The recipe can't be used: {error}") from None
        return cls(**values)

    def to_json(self) -> str:
        """As readable JSON, its keys always in the same order."""
        return json.dumps(asdict(self), indent=2) + "\n"

    def colorize(self, colorizer: Colorizer, photo: Photo) -> Colorization:
        """The result before its adjustments.

        Args:
            colorizer: with the recipe's checkpoint.
            photo: the recipe's or another, for example a better scan.

        Raises:
            RecipeError: the checkpoint is another, a hint lies outside the photo, or the network
                finds fewer alternatives in it.
        """
        if colorizer.checkpoint.sha256 != self.checkpoint_sha256:
            raise RecipeError(
                f"The recipe was made with the checkpoint {self.checkpoint}, whose SHA-256 starts "
                f"with {self.checkpoint_sha256[:8]}, and {colorizer.checkpoint.source} is another "
                "now; load that one first."
            )
        try:
            result = colorizer.colorize(self.framing(photo), self.hints, self.working_size)
            if self.alternative == 0:
                return result
            versions = result.alternatives(self.alternative + 1)
        except ValueError as error:
            raise RecipeError(f"The recipe does not fit this photo: {error}") from None
        if len(versions) <= self.alternative:
            raise RecipeError(
                f"The recipe takes alternative {self.alternative}, but this photo has only "
                f"{len(versions) - 1}; set a smaller one."
            )
        return versions[self.alternative]

    def apply(self, colorizer: Colorizer, photo: Photo) -> Photo:
        """The result; arguments and errors as of `colorize`."""
        return self.colorize(colorizer, photo).adjust(self.adjustments)


def pixel_hash(photo: Photo) -> str:
    """SHA-256 over the shape and the pixels of a photo, 64 hexadecimal digits."""
    digest = hashlib.sha256(repr(photo.pixels.shape).encode())
    digest.update(np.ascontiguousarray(photo.pixels).data)
    return digest.hexdigest()


def _checked(kind: type, values: Any, what: str, partial: bool = False) -> dict[str, Any]:
    """Arguments of a dataclass from JSON: numbers and texts of the right type, no others, and none
    missing unless `partial`.
    """
    kinds = {item.name: item.type for item in fields(kind) if item.init}
    if not isinstance(values, dict):
        raise RecipeError(f"The {what} must be a JSON object; get an intact copy of the file.")
    unknown, missing = set(values) - set(kinds), set(kinds) - set(values)
    if unknown:
        raise RecipeError(
            f"Unknown in the {what}: {', '.join(sorted(unknown))}; update colorizer, or remove it."
        )
    if missing and not partial:
        raise RecipeError(
            f"Missing in the {what}: {', '.join(sorted(missing))}; get an intact copy of the file."
        )
    for name, value in values.items():
        if not _fits(value, kinds[name]):
            raise RecipeError(
                f"In the {what}, {name} is {value!r:.80}; it must be {KINDS[kinds[name]]}."
            )
    return values


def _fits(value: Any, kind: Any) -> bool:
    if kind == MARGINS:
        return isinstance(value, list) and len(value) == 4 and all(_fits(v, float) for v in value)
    if kind is float:
        return type(value) in (int, float) and abs(value) <= LARGEST  # NaN isn't
    return kind not in KINDS or type(value) is kind
