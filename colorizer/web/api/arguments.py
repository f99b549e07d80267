"""Arguments of the endpoints: their types and checks.

Gradio shows the types, without the bounds; pydantic checks both.
"""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import (
    TYPE_CHECKING,
    Annotated,
    Any,
    Literal,
    NotRequired,
    ParamSpec,
    TypeVar,
    get_type_hints,
)

import gradio as gr
from gradio import FileData
from pydantic import (
    ConfigDict,
    Field,
    ValidationError,
    WrapValidator,
    validate_call,
    with_config,
)
from typing_extensions import TypedDict  # pydantic takes Python's own from 3.12 on

from colorizer import PRESETS, Adjustments, ColorHint
from colorizer.adjust.strokes import MAX_STROKES, Effect
from colorizer.checkpoints.checkpoint import WORKING_SIZES
from colorizer.edit import MAX_HINTS
from colorizer.inference.views import MAX_VIEWS
from colorizer.photo.formats import FORMAT_SUFFIXES
from colorizer.web.server.errors import explain_errors

MAX_ALTERNATIVES = 8

WorkingSize = Annotated[int, Field(ge=WORKING_SIZES[0], le=WORKING_SIZES[1])] | None
Views = Annotated[int, Field(ge=1, le=MAX_VIEWS)]
Quality = Annotated[int, Field(ge=1, le=100)]
Strength = Annotated[float, Field(ge=0, le=1)]
AlternativeNumber = Annotated[int, Field(ge=1, le=MAX_ALTERNATIVES)]
P = ParamSpec("P")
R = TypeVar("R")

# What the library's own types say, as Gradio and pydantic need it
if TYPE_CHECKING:
    Preset = str
    Format = str
    HintValues = dict[str, Any]
    AdjustmentValues = dict[str, float]
    OptionalFile = FileData | None
else:
    # Over MCP, Gradio takes addresses only for arguments whose schema is that of a file
    OptionalFile = Annotated[FileData, WrapValidator(lambda file, check: file and check(file))]
    Preset = Literal[tuple(PRESETS)]
    Format = Literal[
        ("", *(name for name in FORMAT_SUFFIXES if name != "HEIF"))
    ]  # that is an extra
    HintValues = TypedDict(
        "HintValues", get_type_hints(ColorHint) | {"reach": NotRequired[float | None]}
    )
    AdjustmentValues = with_config(ConfigDict(extra="forbid"))(
        TypedDict("AdjustmentValues", get_type_hints(Adjustments), total=False)
    )
Hints = Annotated[list[HintValues], Field(max_length=MAX_HINTS)] | None


class StrokeValues(TypedDict):
    """A `Stroke` in JSON."""

    effect: Effect
    points: list[list[float]]
    radius: float


Strokes = Annotated[list[StrokeValues], Field(max_length=MAX_STROKES)] | None


def endpoint(function: Callable[P, R]) -> Callable[P, R]:
    """Make a method check the types of what a program sends, and answer errors in a sentence."""
    checked: Callable[..., R] = validate_call(config=ConfigDict(arbitrary_types_allowed=True))(
        function
    )
    parameters = signature(function)

    @explain_errors
    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        given = parameters.bind(*args, **kwargs).arguments
        owner = given.pop("self")
        try:
            return checked(owner, **given)  # by name, for the errors
        except ValidationError as error:
            raise refusal(sentence_of(error)) from None
        except gr.Error:
            raise
        except ValueError as error:  # the library's are sentences
            raise refusal(str(error)) from error

    return called


def refusal(sentence: str) -> gr.Error:
    """An error to raise, which nobody needs to look into."""
    return gr.Error(sentence, title="", print_exception=False)


def sentence_of(error: ValidationError) -> str:
    """What is wrong with the first argument that is."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where} can't be used: {first['msg']}."
