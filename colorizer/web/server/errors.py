"""Errors that visitors read as sentences; the details go to the log."""

import logging
from collections.abc import Callable
from functools import wraps
from html import escape
from typing import ParamSpec, TypeVar, cast

import gradio as gr

from colorizer.web.server.log import job
from colorizer.web.server.settings import settings
from colorizer.web.texts import say

MESSAGE_SECONDS = 6  # that a message stays
LOG = logging.getLogger("colorizer.web")
P = ParamSpec("P")
R = TypeVar("R")


def problem(key: str, request: gr.Request | None, **values: object) -> gr.Error:
    """Return an error to raise: a text in the visitor's language.

    Args:
        key: the text's key.
        request: the visitor's request.
        **values: the values of the text's placeholders.
    """
    return gr.Error(
        in_html(key, request, values),
        MESSAGE_SECONDS,
        title=say("page.sorry", request),
        print_exception=False,
    )


def gone(request: gr.Request | None, key: str = "page.gone") -> gr.Error:
    """Return the error that files are no longer kept; arguments as for `problem`."""
    return problem(key, request, time=kept_time(request))


def kept_time(request: gr.Request | None) -> str:
    """How long files are kept, in the visitor's language, such as "60 minutes"."""
    seconds = settings().kept_seconds
    units = {"days": 86_400, "hours": 3600, "minutes": 60, "seconds": 1}
    unit = next(name for name, size in units.items() if seconds >= 2 * size or size == 1)
    return say(f"page.time.{unit}", request, count=seconds // units[unit])


def warn(key: str, request: gr.Request | None, **values: object) -> None:
    """Show a warning in the visitor's language; arguments as for `problem`."""
    gr.Warning(in_html(key, request, values), MESSAGE_SECONDS, title=say("page.sorry", request))


def in_html(key: str, request: gr.Request | None, values: dict[str, object]) -> str:
    """The text as HTML for Gradio, with the values escaped."""
    return say(key, request, **{name: escape(str(value)) for name, value in values.items()})


def explain_errors(action: Callable[P, R]) -> Callable[P, R]:
    """Show the visitor a sentence when an action of the page fails unexpectedly."""

    @wraps(action)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            with job(action.__qualname__):
                return action(*args, **kwargs)
        except gr.Error:
            raise
        except Exception as error:
            LOG.exception("%s failed", action.__name__)
            request = next((value for value in args if hasattr(value, "headers")), None)
            raise problem("page.failed", cast(gr.Request | None, request)) from error

    return guarded
