"""Recipes: an edit and where it came from, as JSON, to make the same result again."""

import json
import re
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Self

from pydantic import TypeAdapter, ValidationError

from colorizer.checkpoints.checkpoint import Checkpoint
from colorizer.edit import Edit, colorize
from colorizer.errors import RecipeError
from colorizer.inference.colorization import Colorization
from colorizer.inference.colorizer import Colorizer
from colorizer.photo.photo import Photo, pixel_hash

SCHEMA_VERSION = 1
EDIT_FIELDS = {item.name for item in fields(Edit)}
ADDED_FIELDS = {"framing", "color_source", "strokes", "views"}  # the first recipes lack them
STRICT = {"extra": "forbid", "strict": True, "allow_inf_nan": False}


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """An edit and its origin: the same photo gives the same pixels on the same machine.

    Attributes:
        checkpoint: name of the checkpoint, as `Checkpoint.source`.
        checkpoint_sha256: of its weights.
        edit: what was made; its working size is set.
        photo: name of the photo's file, for information.
        photo_sha256: of the photo's pixels, see `pixel_hash`, for information.

    Raises:
        RecipeError: a hash isn't one, or the working size is missing.
    """

    __pydantic_config__ = STRICT

    schema_version: int = field(default=SCHEMA_VERSION, init=False)
    checkpoint: str
    checkpoint_sha256: str
    edit: Edit
    photo: str
    photo_sha256: str

    def __post_init__(self) -> None:
        for name in ("checkpoint_sha256", "photo_sha256"):
            if not re.fullmatch("[0-9a-f]{64}", getattr(self, name)):
                raise RecipeError(
                    f"The recipe's {name} is {getattr(self, name)!r}; "
                    "it must be 64 hexadecimal digits."
                )
        if self.edit.working_size is None:
            raise RecipeError("The recipe has no working_size; give it in pixels.")

    @classmethod
    def of(cls, colorizer: Colorizer, photo: Photo, name: str, edit: Edit | None = None) -> Self:
        """Write down how a result is made.

        Args:
            colorizer: makes it.
            photo: any size, as it was opened.
            name: of the photo's file.
            edit: what is made; None is the network's own result.
        """
        checkpoint, edit = colorizer.checkpoint, edit or Edit()
        return cls(
            checkpoint=checkpoint.source,
            checkpoint_sha256=checkpoint.sha256,
            edit=replace(edit, working_size=edit.working_size or checkpoint.working_size),
            photo=name,
            photo_sha256=pixel_hash(photo),
        )

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote; what an older recipe lacks keeps its default.

        Hints without a reach, which older versions wrote, spread over the whole photo as they did
        then.

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
                "update colorizer, or use another recipe."
            )
        if missing := EDIT_FIELDS - ADDED_FIELDS - set(values):
            raise RecipeError(
                f"The recipe has no {', '.join(sorted(missing))}; get an intact copy of it."
            )
        edit = {name: values.pop(name) for name in EDIT_FIELDS & set(values)}
        for hint in edit["hints"] if isinstance(edit["hints"], list) else ():
            if isinstance(hint, dict):
                hint.setdefault("reach", None)
        try:
            recipe = TypeAdapter(cls).validate_json(json.dumps(values | {"edit": edit}))
        except ValidationError as error:
            raise RecipeError(_sentence(error)) from None
        return recipe

    def to_json(self) -> str:
        """Write readable JSON, its keys always in the same order."""
        values = asdict(self)
        edit = values.pop("edit")
        if edit["color_source"] is None:  # as older versions wrote and read it
            del edit["color_source"]
        elif not edit["color_source"]["regions"]:
            del edit["color_source"]["regions"]
        if not edit["framing"]["corners"]:
            del edit["framing"]["corners"]
        if not edit["framing"]["degrees"]:
            del edit["framing"]["degrees"]
        if not edit["strokes"]:
            del edit["strokes"]
        if edit["views"] == 1:
            del edit["views"]
        for hint in edit["hints"]:
            if hint["reach"] is None:
                del hint["reach"]
        values |= edit
        text = json.dumps({key: values[key] for key in KEYS if key in values}, indent=2) + "\n"
        return re.sub(POINT, r"[\1, \2]", text)

    def colorize(self, colorizer: Colorizer, photo: Photo) -> Colorization:
        """Make the result before its adjustments.

        Args:
            colorizer: with the recipe's checkpoint.
            photo: the recipe's or another one, for example a better scan.

        Raises:
            RecipeError: the checkpoint is another one, or the edit does not fit the photo.
        """
        self.check_checkpoint(colorizer.checkpoint)
        try:
            return colorize(colorizer, photo, self.edit)
        except ValueError as error:
            raise RecipeError(f"The recipe does not fit this photo: {error}") from None

    def apply(self, colorizer: Colorizer, photo: Photo) -> Photo:
        """Make the result; arguments and errors are those of `colorize`."""
        return self.colorize(colorizer, photo).adjust(self.edit.adjustments)

    def check_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Check that a checkpoint is the recipe's.

        Raises:
            RecipeError: it is another one.
        """
        if checkpoint.sha256 != self.checkpoint_sha256:
            raise RecipeError(
                f"The recipe was made with the checkpoint {self.checkpoint}, whose SHA-256 starts "
                f"with {self.checkpoint_sha256[:8]}, but {checkpoint.source} is another "
                "one; load the recipe's first."
            )


KEYS = (  # of the JSON, in this order
    "schema_version",
    "checkpoint",
    "checkpoint_sha256",
    "working_size",
    "hints",
    "alternative",
    "adjustments",
    "photo",
    "photo_sha256",
    "framing",
    "color_source",
    "strokes",
    "views",
)
POINT = r"\[\n\s+([^\s,]+),\n\s+([^\s,]+)\n\s+\]"  # of two numbers, which go on one line


def _sentence(error: ValidationError) -> str:
    """Say what is wrong with the first value that is."""
    first: Any = error.errors(include_url=False)[0]
    if isinstance(cause := first.get("ctx", {}).get("error"), RecipeError):
        return str(cause)
    where = ".".join(str(part) for part in first["loc"] if part != "edit")
    if first["type"] == "missing":
        return f"The recipe has no {where}; get an intact copy of it."
    if first["type"] == "unexpected_keyword_argument":
        return f"The recipe has an unknown {where}; update colorizer, or remove it."
    problem = first["msg"].removeprefix("Value error, ")
    return f"The recipe can't be used: {where}{': ' if where else ''}{problem}"
