"""From photos' files to their results' files: one photo, or many at once."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import torch

from colorizer.adjust.adjustments import Adjustments
from colorizer.adjust.badge import with_badge
from colorizer.errors import PhotoError
from colorizer.inference.colorization import Colorization
from colorizer.inference.colorizer import Colorizer
from colorizer.inference.hints import ColorHint
from colorizer.inference.notices import find_notices
from colorizer.photo.formats import MAX_PIXELS, format_of
from colorizer.photo.notices import Notice
from colorizer.photo.photo import Photo
from colorizer.recipe import Recipe

NETWORK_THREADS = 2  # per photo, on any machine: with another number the last bits would differ


@dataclass(frozen=True)
class Settings:
    """What is made of every photo; may be sent to other processes.

    Attributes:
        adjustments: the post-processing.
        hints: colors that are known.
        working_size: as of `Colorizer.colorize`.
        recipe: goes without the three above and `negative`.
        negative: whether the photos are to be inverted first.
        badge: whether to write into a corner that an AI made the colors.
        quality: of lossy formats, 1 to 100.
        max_pixels: beyond which a photo is taken for a decompression bomb.
    """

    adjustments: Adjustments = field(default_factory=Adjustments)
    hints: tuple[ColorHint, ...] = ()
    working_size: int | None = None
    recipe: Recipe | None = None
    negative: bool = False
    badge: bool = False
    quality: int = 95
    max_pixels: int = MAX_PIXELS


@dataclass(frozen=True)
class Task:
    """A photo, and the file that is to be its result."""

    source: Path
    target: Path


@dataclass(frozen=True)
class Outcome:
    """What became of a photo.

    Attributes:
        task: the photo and its result.
        seconds: that it took.
        size: (height, width) in pixels; None if it wasn't made.
        confidence: mean of `Colorization.confidence`; None if the checkpoint has none.
        notices: what a person should know about it.
        problem: why it failed, as a sentence; empty if it didn't.
    """

    task: Task
    seconds: float
    size: tuple[int, int] | None = None
    confidence: float | None = None
    notices: tuple[Notice, ...] = ()
    problem: str = ""


Load = Callable[[], Colorizer]
Work = Callable[[Task], Outcome]


def load_colorizer(
    checkpoint: str | None, device: str, onnx: str | None = None, precision: str = "auto"
) -> Colorizer:
    """`Colorizer.load`, which as a method of a class can't be sent to other processes."""
    return Colorizer.load(checkpoint, device, onnx, precision)


class Worker:
    """Colorizes photos, from file to file; one object may serve several threads.

    Args:
        load: gives the colorizer; see `load_colorizer`.
        settings: for all photos.

    Raises:
        ValueError: what `load` raises.
    """

    def __init__(self, load: Load, settings: Settings) -> None:
        torch.set_num_threads(NETWORK_THREADS)
        self.colorizer = load()
        self.settings = settings

    def __call__(self, task: Task) -> Outcome:
        """Colorize one photo; whatever goes wrong is told, not raised."""
        start = time.perf_counter()
        try:
            return self._make(task, start)
        except PhotoError as error:
            problem = str(error)
        except ValueError as error:
            problem = f"{task.source}: {error}"
        except (MemoryError, RuntimeError) as error:  # the latter is PyTorch's
            problem = f"{task.source} can't be colorized ({error}); try --jobs 1 or a smaller copy."
        except Exception as error:
            problem = f"{task.source} can't be colorized ({error!r}); please tell us."
        return Outcome(task, time.perf_counter() - start, problem=problem)

    def _make(self, task: Task, start: float) -> Outcome:
        settings = self.settings
        photo = Photo.open(task.source, settings.max_pixels)
        if settings.recipe is not None:
            result = settings.recipe.colorize(self.colorizer, photo)
            made = result.adjust(settings.recipe.adjustments)
        else:
            photo = photo.inverted() if settings.negative else photo
            result = self.colorizer.colorize(photo, settings.hints, settings.working_size)
            made = result.adjust(settings.adjustments)
        if settings.badge:
            made = with_badge(made)
        try:
            task.target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise PhotoError(
                f"The folder {task.target.parent} can't be made ({error.strerror}); "
                "choose another folder."
            ) from error
        made.save(task.target, quality=settings.quality)
        losses = result.photo.lost_in(format_of(task.target))
        notices = (*find_notices(result.photo), *losses)
        confidence = mean_confidence(result)
        return Outcome(task, time.perf_counter() - start, made.size, confidence, notices)


def mean_confidence(result: Colorization) -> float | None:
    """Mean of `Colorization.confidence`; None if the checkpoint predicts no distribution."""
    try:
        return float(result.confidence.mean())
    except ValueError:
        return None
