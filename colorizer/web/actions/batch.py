"""What the tab for many photos does; each public method or function is an event of the page."""

import shutil
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing
from html import escape
from itertools import takewhile
from pathlib import Path
from threading import Event
from typing import Any

import gradio as gr

from colorizer import (
    Adjustments,
    CheckpointError,
    Colorization,
    Colorizer,
    ColorSource,
    ColorSourceError,
)
from colorizer.adjust.adjustments import PRESETS
from colorizer.batch.color_sources import ColorSources, open_color_source
from colorizer.batch.shared_colors import find_shared_colors
from colorizer.edit import Edit
from colorizer.file_names import is_system_name
from colorizer.web.actions.batch_zip import (
    BatchPhoto,
    Packed,
    before_and_after,
    colorize_into_zip,
)
from colorizer.web.server.errors import LOG, explain_errors, gone, problem
from colorizer.web.server.files import (
    Upload,
    copied_into_folder,
    picture,
    result_folder,
    uploaded_path,
)
from colorizer.web.server.limits import STOPPING
from colorizer.web.server.log import job
from colorizer.web.server.models import Models
from colorizer.web.server.uploads import open_upload, placeholders
from colorizer.web.texts import say

MAX_PHOTOS = 100  # in a batch: some minutes on two cores, while others wait
MAX_BYTES = 500_000_000  # in a batch: with the result a gigabyte of disk
SYSTEM_FILES = ("DS_Store", "Thumbs.db", "desktop.ini")  # operating systems create them
ARCHIVE = "colorized_photos.zip"
COLORS = ("", "consistent", "reference", "names")  # where colors come from; "": the model
TOLD = ("negative", "no_color_source", "partly_taken", "unlike_reference")  # notices of photos

Pairs = list[tuple[str, str]]  # paths of pictures, names of photos
Step = tuple[str, Pairs, Packed | None]


class BatchActions:
    """What the tab does.

    Args:
        models: the checkpoints that visitors may use.
        pictures: whether to make pictures of before and after; without, their paths are empty.
    """

    def __init__(self, models: Models, pictures: bool = True) -> None:
        self.models = models
        self.pictures = pictures

    @explain_errors
    def prepare(
        self,
        photos: Sequence[Upload] | None,
        colors: str,
        pictures: Sequence[Upload] | None,
        request: gr.Request,
    ) -> tuple[Any, ...]:
        """Check the photos and show that they wait: a batch waits for those before it.

        Args:
            photos: the uploaded files.
            colors: where colors come from, of `COLORS`.
            pictures: whose colors are taken.
            request: the visitor's.

        Returns:
            What stops the batch when set, its status, no pairs, no contact sheet, and how the
            buttons that download, start and stop look from now on.
        """
        checked_paths(photos, request)
        if colors in ("reference", "names"):
            count = len(checked_paths(pictures, request, "batch.no_pictures"))
            if colors == "reference" and count > 1:
                raise problem("batch.one_reference", request)
        waiting = status(say("batch.waiting", request), (), request)
        return Event(), waiting, [], None, *buttons(False, running=True)

    def run(
        self,
        photos: Sequence[Upload] | None,
        preset: str | None,
        model: str,
        stopped: Event,
        request: gr.Request,
        colors: str = "",
        pictures: Sequence[Upload] | None = None,
        format: str = "",
    ) -> Iterator[Step]:
        """Colorize the photos one after the other; closed early, it leaves nothing behind.

        Args:
            photos: the uploaded files.
            preset: name of the adjustments; empty for none.
            model: the visitor's.
            stopped: ends the batch after the photo at hand when it is set.
            request: the visitor's.
            colors: where colors come from, of `COLORS`.
            pictures: whose colors are taken.
            format: of the results, as Pillow names it; "" for that of each photo.

        Yields:
            The status, the pairs so far, and at last the ZIP if anything is in it.
        """
        steps = self._steps(photos, preset, model, stopped, request, colors, pictures, format)
        with job("BatchActions.run") as facts, closing(steps):
            for step in steps:
                facts["photos"] = len(step[1])
                yield step

    def _steps(
        self,
        photos: Sequence[Upload] | None,
        preset: str | None,
        model: str,
        stopped: Event,
        request: gr.Request,
        colors: str,
        pictures: Sequence[Upload] | None,
        format: str,
    ) -> Generator[Step, None, None]:
        paths, adjustments = checked_paths(photos, request), chosen(preset, request)
        archive = result_folder() / ARCHIVE
        done: list[BatchPhoto] = []
        failed: list[str] = []
        notes: list[str] = []
        complete = False
        try:
            colorizer = self.models.get(model)
            if colors == "consistent":
                yield status(say("batch.first_look", request), (), request, 0), [], None
            seen = takewhile(lambda _: not (stopped.is_set() or STOPPING.is_set()), paths)
            source = colors_of(colors, colorizer, seen, pictures, request)
            given = colorizer, paths, adjustments, archive, source, format
            with closing(colorize_into_zip(*given)) as batch:
                for number, path in enumerate(paths, 1):
                    values = {"number": number, "total": len(paths), "name": path.name}
                    line = say("batch.progress", request, **values)
                    share = (number - 1) / len(paths)
                    yield status(line, failed, request, share, notes), shown_pairs(done), None
                    if stopped.is_set() or STOPPING.is_set():
                        break
                    outcome, result = next(batch)
                    if result is None:
                        line = say(f"batch.{outcome.cause}", request, **placeholders(path))
                        failed.append(line)
                    else:
                        edit = made_with(result, adjustments, colorizer)
                        pair = before_and_after(result, adjustments) if self.pictures else None
                        shown = picture(pair, path.stem) if pair else ""
                        name = outcome.task.target.as_posix()
                        done.append(BatchPhoto(path, name, model, edit, pair=shown))
                        notes += (
                            f"{path.name}: {say(f'photo.notice.{key}', request)}"
                            for key in outcome.notices
                            if key in TOLD
                        )
            complete = True
            whole = len(done) + len(failed) == len(paths)
            key = "batch.done" if whole else "batch.stopped"
            line = say(key, request, done=len(done), total=len(paths))
            packed = Packed(archive, tuple(done)) if done else None
            yield status(line, failed, request, notes=notes), shown_pairs(done), packed
        except CheckpointError as error:
            line = say(f"model.refused_{error.reason}", request, name=model)
            yield status(line, (), request), [], None
        except ColorSourceError as error:
            LOG.info("%s", error)
            which = "consistent" if colors == "consistent" else "reference"
            line = say(f"batch.bad_{which}", request)
            yield status(line, (), request), [], None
        except OSError:  # of the archive, for example a full disk
            LOG.exception("A batch failed")
            yield status(say("page.failed", request), failed, request), shown_pairs(done), None
        finally:
            if not (complete and done):
                shutil.rmtree(archive.parent)


@explain_errors
def add_folder(
    photos: Sequence[Upload] | None,
    folder: Sequence[Upload],
    tree: Sequence[str] | None,
    request: gr.Request,
) -> list[str]:
    """The chosen photos and those of a folder, without what operating systems keep there.

    Args:
        photos: those that were chosen before.
        folder: the files of the folder.
        tree: relative path of each on the visitor's computer, as the browser tells it.
        request: the visitor's.
    """
    kept = [uploaded_path(file, request) for file in photos or ()]
    places = tree if tree and len(tree) == len(folder) else [""] * len(folder)
    for file, place in zip(folder, places, strict=True):
        path = uploaded_path(file, request)
        *parents, _ = place.split("/")
        in_system_folder = any(is_system_name(parent) for parent in parents)
        if not in_system_folder and path.name.lstrip(".") not in SYSTEM_FILES:
            kept.append(copied_into_folder(path, parents) if parents else path)
    return [str(path) for path in kept]


def stop(stopped: Event | None) -> Any:
    """End the batch after the photo at hand; returns how the button looks."""
    if stopped:
        stopped.set()
    return gr.update(interactive=False)


def finish(packed: Packed | None) -> tuple[Any, ...]:
    """The contact sheet after a batch, and how the buttons look."""
    return packed and packed.photos, *buttons(bool(packed), running=False)


def buttons(ready: bool, running: bool) -> tuple[Any, Any, Any]:
    """How the buttons that download, start and stop look."""
    return (
        gr.update(visible=ready),
        gr.update(visible=not running, variant="secondary" if ready else "primary"),
        gr.update(visible=running, interactive=True),
    )


def shown_pairs(photos: Iterable[BatchPhoto]) -> Pairs:
    """What the gallery shows."""
    return [(photo.pair, photo.path.name) for photo in photos]


def made_with(result: Colorization, adjustments: Adjustments, colorizer: Colorizer) -> Edit:
    """The edit that a photo of a batch was made with."""
    return Edit(
        working_size=colorizer.checkpoint.working_size,
        adjustments=adjustments,
        color_source=result.evidence.source if result.evidence else None,
    )


def colors_of(
    colors: str,
    colorizer: Colorizer,
    photos: Iterable[Path],
    pictures: Sequence[Upload] | None,
    request: gr.Request,
) -> ColorSource | ColorSources | None:
    """Where the photos' colors come from.

    Args:
        colors: one of `COLORS`.
        colorizer: looks at the photos, if they shall have the same colors.
        photos: their paths.
        pictures: whose colors are taken.
        request: the visitor's.

    Raises:
        ColorSourceError: the pictures or the model can't be used for that.
    """
    if colors == "consistent":
        try:
            return find_shared_colors(colorizer, photos, open_upload)
        except ValueError as error:  # the model can't tell where it is sure
            raise ColorSourceError(str(error), "checkpoint") from error
    paths = [uploaded_path(file, request) for file in pictures or ()]
    if colors == "names":
        return ColorSources(tuple(paths))
    return open_color_source(paths[0], open_upload, "reference") if colors and paths else None


def chosen(preset: str | None, request: gr.Request) -> Adjustments:
    """The adjustments of that name."""
    if preset and preset not in PRESETS:
        raise problem("batch.no_preset", request)
    return PRESETS[preset] if preset else Adjustments()


def checked_paths(
    photos: Sequence[Upload] | None, request: gr.Request, none: str = "batch.no_photos"
) -> list[Path]:
    """The paths of the uploaded files; one that was chosen twice comes once.

    Args:
        photos: the files.
        request: the visitor's.
        none: key of the sentence if there are none.

    Raises:
        gr.Error: there are none, too many, too large ones, or they have been deleted.
    """
    paths = list(dict.fromkeys(uploaded_path(file, request) for file in photos or ()))
    if not paths:
        raise problem(none, request)
    if len(paths) > MAX_PHOTOS:
        raise problem("batch.too_many", request, count=len(paths), most=MAX_PHOTOS)
    try:
        size = sum(path.stat().st_size for path in paths)
    except OSError:
        raise gone(request, "batch.gone") from None
    if size > MAX_BYTES:
        values = {"size": size // 10**6, "most": MAX_BYTES // 10**6}
        raise problem("batch.too_large", request, **values)
    return paths


def status(
    line: str,
    failed: Sequence[str],
    request: gr.Request,
    share: float | None = None,
    notes: Sequence[str] = (),
) -> str:
    """HTML of how far a batch is, what failed and what to know; names in it are a visitor's."""
    parts = [f'<p role="status">{escape(line)}</p>']
    if share is not None:
        label = escape(say("batch.progress_label", request))
        parts.append(f'<progress aria-label="{label}" value="{share:.3f}"></progress>')
    for key, sentences in (("failed", failed), ("notes", notes)):
        if sentences:
            items = "".join(f"<li>{escape(sentence)}</li>" for sentence in sentences)
            parts.append(f"<p>{escape(say(f'batch.{key}', request))}</p><ul>{items}</ul>")
    return "".join(parts)
