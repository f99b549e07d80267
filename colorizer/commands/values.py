"""Parse the values of options; each error says what is wrong."""

import argparse
from dataclasses import fields
from pathlib import Path

from colorizer.adjust.adjustments import Adjustments
from colorizer.checkpoints.checkpoint import WORKING_SIZES
from colorizer.inference.hints import DEFAULT_REACH, ColorHint
from colorizer.recipe import Recipe

PHOTOS_FIRST = "photos go before the options"


def working_size(text: str) -> int:
    """Parse the short side that the network sees."""
    low, high = WORKING_SIZES
    if not (text.isdecimal() and low <= int(text) <= high):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from {low} to {high}.")
    return int(text)


def at_least_one(text: str) -> int:
    """Parse a number of things."""
    if not (text.isdecimal() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number above 0.")
    return int(text)


def quality(text: str) -> int:
    """Parse the quality of a lossy format."""
    if not (text.isdecimal() and 1 <= int(text) <= 100):
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1 to 100.")
    return int(text)


def adjustment(text: str) -> tuple[str, float]:
    """Parse NAME=VALUE."""
    name, _, value = text.partition("=")
    names = [item.name for item in fields(Adjustments)]
    if name not in names:
        raise argparse.ArgumentTypeError(
            f"{name} is no adjustment; use one of {', '.join(names)} ({PHOTOS_FIRST})."
        )
    try:
        return name, float(value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} needs a number, as in {name}=1.0.") from None


def strength(text: str) -> float:
    """Parse how far colors are taken."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 0 to 1.")
    return value


def hint(text: str) -> ColorHint:
    """Parse X,Y,#rrggbb or X,Y,#rrggbb,REACH."""
    try:
        values = text.split(",")
        x, y, color, reach = values if len(values) > 3 else (*values, str(DEFAULT_REACH))
        return ColorHint(float(x), float(y), color, reach=float(reach))
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"{text} is not X,Y,#rrggbb[,REACH] ({PHOTOS_FIRST}): {error}"
        ) from None


def recipe(text: str) -> Recipe:
    """Read a recipe's file."""
    try:
        return Recipe.from_json(Path(text).read_text("utf-8"))
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text} can't be read: {error.strerror}.") from None
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error}") from None
