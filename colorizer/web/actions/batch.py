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

from colorizer import Adjustments, CheckpointError, Colorizer, ColorSource, ColorSourceError
from colorizer.adjust.adjustments import PRESETS
from colorizer.batch.color_sources import ColorSources, open_color_source
from colorizer.batch.shared_colors import find_shared_colors
from colorizer.web.actions.batch_zip import colorize_into_zip
from colorizer.web.server.errors import LOG, explain_errors, gone, problem
from colorizer.web.server.files import Upload, picture, result_folder, uploaded_path
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
    ) -> tuple[Event, str, Pairs, Any, Any, Any]:
        """Check the photos and show that they wait: a batch waits for those before it.

        Args:
            photos: the uploaded files.
            colors: where colors come from, of `COLORS`.
            pictures: whose colors are taken.
            request: the visitor's.

        Returns:
            What stops the batch when set, its status, no pairs, and how the buttons that download,
            start and stop look from now on.
        """
        checked_paths(photos, request)
        if colors in ("reference", "names"):
            count = len(checked_paths(pictures, request, "batch.no_pictures"))
            if colors == "reference" and count > 1:
                raise problem("batch.one_reference", request)
        waiting = status(say("batch.waiting", request), (), request)
        return Event(), waiting, [], *buttons(False, running=True)

    def run(
        self,
        photos: Sequence[Upload] | None,
        preset: str | None,
        model: str,
        stopped: Event,
        request: gr.Request,
        colors: str = "",
        pictures: Sequence[Upload] | None = None,
    ) -> Iterator[tuple[str, Pairs, str | None]]:
        """Colorize the photos one after the other; closed early, it leaves nothing behind.

        Args:
            photos: the uploaded files.
            preset: name of the adjustments; empty for none.
            model: the visitor's.
            stopped: ends the batch after the photo at hand when it is set.
            request: the visitor's.
            colors: where colors come from, of `COLORS`.
            pictures: whose colors are taken.

        Yields:
            The status, the pairs so far, and at last the path of the ZIP if anything is in it.
        """
        steps = self._steps(photos, preset, model, stopped, request, colors, pictures)
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
    ) -> Generator[tuple[str, Pairs, str | None], None, None]:
        paths, adjustments = checked_paths(photos, request), chosen(preset, request)
        archive = result_folder() / ARCHIVE
        pairs: Pairs = []
        failed: list[str] = []
        notes: list[str] = []
        complete = False
        try:
            colorizer = self.models.get(model)
            if colors == "consistent":
                yield status(say("batch.first_look", request), (), request, 0), pairs, None
            seen = takewhile(lambda _: not (stopped.is_set() or STOPPING.is_set()), paths)
            source = colors_of(colors, colorizer, seen, pictures, request)
            given = colorizer, paths, adjustments, archive, source
            with closing(colorize_into_zip(*given)) as batch:
                for number, path in enumerate(paths, 1):
                    values = {"number": number, "total": len(paths), "name": path.name}
                    line = say("batch.progress", request, **values)
                    share = (number - 1) / len(paths)
                    yield status(line, failed, request, share, notes), pairs, None
                    if stopped.is_set() or STOPPING.is_set():
                        break
                    outcome, pair = next(batch)
                    if pair is None:
                        line = say(f"batch.{outcome.cause}", request, **placeholders(path))
                        failed.append(line)
                    else:
                        shown = picture(pair, path.stem) if self.pictures else ""
                        pairs.append((shown, path.name))
                        notes += (
                            f"{path.name}: {say(f'photo.notice.{key}', request)}"
                            for key in outcome.notices
                            if key in TOLD
                        )
            complete = True
            whole = len(pairs) + len(failed) == len(paths)
            key = "batch.done" if whole else "batch.stopped"
            line = say(key, request, done=len(pairs), total=len(paths))
            made = str(archive) if pairs else None
            yield status(line, failed, request, notes=notes), pairs, made
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
            yield status(say("page.failed", request), failed, request), pairs, None
        finally:
            if not (complete and pairs):
                shutil.rmtree(archive.parent)


@explain_errors
def add_folder(
    photos: Sequence[Upload] | None, folder: Sequence[Upload], request: gr.Request
) -> list[str]:
    """The chosen photos and those of a folder, without hidden files of operating systems."""
    paths = [uploaded_path(file, request) for file in [*(photos or ()), *folder]]
    return [str(path) for path in paths if path.name.lstrip(".") not in SYSTEM_FILES]


def stop(stopped: Event | None) -> Any:
    """End the batch after the photo at hand; returns how the button looks."""
    if stopped:
        stopped.set()
    return gr.update(interactive=False)


def finish(archive: Upload | None) -> tuple[Any, Any, Any]:
    """How the buttons look after a batch."""
    return buttons(bool(archive), running=False)


def buttons(ready: bool, running: bool) -> tuple[Any, Any, Any]:
    """How the buttons that download, start and stop look."""
    return (
        gr.update(visible=True) if ready else gr.update(visible=False, value=None),
        gr.update(visible=not running, variant="secondary" if ready else "primary"),
        gr.update(visible=running, interactive=True),
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
    """The paths of the uploaded files.

    Args:
        photos: the files.
        request: the visitor's.
        none: key of the sentence if there are none.

    Raises:
        gr.Error: there are none, too many, too large ones, or they have been deleted.
    """
    paths = [uploaded_path(file, request) for file in photos or ()]
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
