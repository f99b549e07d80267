"""What programs send to the endpoints: its types, and how it is checked.

Gradio shows the types, without the bounds; pydantic checks both.
"""

from collections.abc import Callable
from functools import wraps
from inspect import signature
from typing import Annotated, Literal, ParamSpec, TypeVar

import gradio as gr
from pydantic import ConfigDict, Field, ValidationError, validate_call, with_config
from typing_extensions import TypedDict  # pydantic takes Python's own from 3.12 on

from colorizer.checkpoints.checkpoint import WORKING_SIZES
from colorizer.web.server.errors import explain_errors

MAX_HINTS = 500
MAX_VERSIONS = 8

Preset = Literal["natural", "vivid", "portrait", "faded_print", "strong_restoration"]
Format = Literal["", "JPEG", "PNG", "TIFF", "WEBP", "AVIF", "JPEG2000"]
WorkingSize = Annotated[int, Field(ge=WORKING_SIZES[0], le=WORKING_SIZES[1])] | None
Quality = Annotated[int, Field(ge=1, le=100)]
VersionNumber = Annotated[int, Field(ge=1, le=MAX_VERSIONS)]
P = ParamSpec("P")
R = TypeVar("R")


class HintValues(TypedDict):
    """A color that is known, as `ColorHint`."""

    x: float
    y: float
    color: str
    radius: float


Hints = Annotated[list[HintValues], Field(max_length=MAX_HINTS)] | None


@with_config(ConfigDict(extra="forbid"))
class AdjustmentValues(TypedDict, total=False):
    """Fields of `Adjustments`."""

    strength: float
    saturation: float
    vibrance: float
    temperature: float
    tint: float
    auto_white_balance: float
    skin_repair: float
    exposure: float
    contrast: float
    gamma: float
    luma_noise: float
    chroma_noise: float
    dust: float
    local_contrast: float
    sharpness: float


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
            raise refusal(in_a_sentence(error)) from None
        except ValueError as error:  # the library's are sentences
            raise refusal(str(error)) from error

    return called


def refusal(sentence: str) -> gr.Error:
    """An error to raise, which nobody needs to look into."""
    return gr.Error(sentence, title="", print_exception=False)


def in_a_sentence(error: ValidationError) -> str:
    """What is wrong with the first argument that is."""
    first = error.errors(include_url=False)[0]
    where = ".".join(str(part) for part in first["loc"])
    return f"{where} can't be used: {first['msg']}."
