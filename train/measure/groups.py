"""Measurements by source, folder or file name prefix."""

from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Any

from train.measure.evaluate import Measurement, summarize


def _prefix(photo: Measurement) -> str:
    before, dash, _ = PurePosixPath(photo.sample.name).name.partition("-")
    return before if dash else "no prefix"


GROUPINGS: dict[str, Callable[[Measurement], str]] = {
    "source": lambda photo: photo.source,
    "folder": lambda photo: str(PurePosixPath(photo.sample.name).parent),
    "prefix": _prefix,
}


def group(photos: Iterable[Measurement], per: str) -> dict[str, dict[str, Any]]:
    """The number "n" of photos and what `summarize` says, for each group, sorted by name.

    Args:
        photos: what to group.
        per: "source"; "folder", in which the photo lies; or "prefix", the part of the file's name
            before the first dash.
    """
    groups: dict[str, list[Measurement]] = {}
    for photo in photos:
        groups.setdefault(GROUPINGS[per](photo), []).append(photo)
    return {name: {"n": len(groups[name])} | summarize(groups[name]) for name in sorted(groups)}
