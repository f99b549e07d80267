"""Colorize one photo from file to file."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Literal

from colorizer.adjust.badge import with_badge
from colorizer.batch.color_sources import ColorSources
from colorizer.edit import Edit, colorize
from colorizer.errors import ColorSourceError, PhotoError
from colorizer.inference.colorization import Colorization
from colorizer.inference.colorizer import Colorizer
from colorizer.inference.notices import find_notices, find_source_notices
from colorizer.photo.formats import MAX_PIXELS, format_of
from colorizer.photo.notices import Notice
from colorizer.photo.photo import Photo

NETWORK_THREADS = 2  # per photo, on every machine: the last bits depend on the number


@dataclass(frozen=True)
class JobSettings:
    """How to colorize every photo, and how to save it; can be sent to other processes.

    Attributes:
        edit: how to colorize and adjust the photo.
        badge: whether to add a visible badge that says that AI made the colors.
        location: whether the metadata may include where the photo was taken.
        quality: of lossy formats, 1 to 100.
        max_pixels: photos with more are refused as decompression bombs.
        color_sources: pictures whose colors the photos take, by their names; None takes those of
            the edit.
    """

    edit: Edit = field(default_factory=Edit)
    badge: bool = False
    location: bool = True
    quality: int = 95
    max_pixels: int = MAX_PIXELS
    color_sources: ColorSources | None = None

    def edit_for(self, photo: Path, open_photo: Callable[[Path], Photo]) -> Edit:
        """How to colorize and adjust one photo.

        Args:
            photo: its path.
            open_photo: opens the picture with its name.

        Raises:
            ColorSourceError: that picture can't be used.
        """
        if self.color_sources is None:
            return self.edit
        return replace(self.edit, color_source=self.color_sources.of(photo, open_photo))


@dataclass(frozen=True)
class Task:
    """A photo and the file to write its result to."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Outcome:
    """The result of a task.

    Attributes:
        task: the photo and its result.
        seconds: duration.
        size: (height, width) of the result in pixels; None if it failed.
        confidence: mean of `Colorization.confidence`; None without a distribution.
        notices: about the photo.
        problem: why it failed, as a sentence; empty if it didn't.
        cause: the kind of problem: "unreadable", "color_source", "memory" or "bug".
    """

    task: Task
    seconds: float
    size: tuple[int, int] | None = None
    confidence: float | None = None
    notices: tuple[Notice, ...] = ()
    problem: str = ""
    cause: Literal["", "unreadable", "color_source", "memory", "bug"] = ""


Load = Callable[[], Colorizer]
Work = Callable[[Task], Outcome]


def load_colorizer(
    checkpoint: str | None, device: str, onnx: str | None = None, precision: str = "auto"
) -> Colorizer:
    """Call `Colorizer.load` with `NETWORK_THREADS`; can be sent to other processes."""
    return Colorizer.load(checkpoint, device, onnx, precision, NETWORK_THREADS)


class Worker:
    """Colorizes photos from file to file; several threads may share one.

    Args:
        load: returns the colorizer; see `load_colorizer`.
        settings: for all photos.
        open_photo: opens a photo; None is `Photo.open` with the limit of the settings.

    Raises:
        ValueError: what `load` raises.
    """

    def __init__(
        self,
        load: Load,
        settings: JobSettings,
        open_photo: Callable[[Path], Photo] | None = None,
    ) -> None:
        self.colorizer = load()
        self.settings = settings
        self.open_photo = open_photo or partial(Photo.open, max_pixels=settings.max_pixels)

    def __call__(self, task: Task) -> Outcome:
        """Colorize one photo; the outcome tells about a failure, which is not raised."""
        outcome, _ = self.run(task)
        return outcome

    def run(self, task: Task) -> tuple[Outcome, Colorization | None]:
        """Colorize one photo; return the colorization, too, or None if the photo failed."""
        start = time.perf_counter()
        try:
            made, result = self._make(task)
        except PhotoError as error:
            failure = Outcome(task, 0, problem=str(error), cause="unreadable")
        except ColorSourceError as error:
            failure = Outcome(task, 0, problem=f"{task.source}: {error}", cause="color_source")
        except ValueError as error:
            failure = Outcome(task, 0, problem=f"{task.source}: {error}", cause="unreadable")
        except (MemoryError, RuntimeError) as error:  # the latter is PyTorch's
            problem = f"{task.source} can't be colorized ({error}); try --jobs 1 or a smaller copy."
            failure = Outcome(task, 0, problem=problem, cause="memory")
        except Exception as error:
            problem = f"{task.source} can't be colorized ({error!r}); please report this."
            failure = Outcome(task, 0, problem=problem, cause="bug")
        else:
            return replace(made, seconds=time.perf_counter() - start), result
        return replace(failure, seconds=time.perf_counter() - start), None

    def _make(self, task: Task) -> tuple[Outcome, Colorization]:
        """Colorize a photo and write the result."""
        settings = self.settings
        photo = self.open_photo(task.source)
        edit = settings.edit_for(task.source, self.open_photo)
        result = colorize(self.colorizer, photo, edit)
        made = result.adjust(edit.adjustments)
        if settings.badge:
            made = with_badge(made)
        if not settings.location:
            made = made.without_location()
        try:
            task.target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PhotoError(
                f"The folder {task.target.parent} can't be made ({error.strerror}); "
                "choose another folder."
            ) from error
        made.save(task.target, quality=settings.quality)
        notices = (
            *find_notices(result.photo),
            *find_source_notices(result, sought=settings.color_sources is not None),
            *result.photo.lost_in(format_of(task.target)),
        )
        return Outcome(task, 0, made.size, mean_confidence(result), notices), result


def mean_confidence(result: Colorization) -> float | None:
    """Mean of `Colorization.confidence`; None if the checkpoint predicts no distribution."""
    try:
        return float(result.confidence.mean())
    except ValueError:
        return None
