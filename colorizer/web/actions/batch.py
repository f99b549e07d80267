"""What the tab for many photos does; each public method or function is an event of the page."""

import shutil
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing
from html import escape
from pathlib import Path
from threading import Event
from typing import Any

import gradio as gr

from colorizer import Adjustments, CheckpointError
from colorizer.adjust.adjustments import PRESETS
from colorizer.web.actions.batch_zip import colorize_into_zip
from colorizer.web.server.errors import LOG, explain_errors, gone, problem
from colorizer.web.server.files import Upload, picture, result_folder, uploaded_path
from colorizer.web.server.limits import STOPPING
from colorizer.web.server.log import job
from colorizer.web.server.models import Models
from colorizer.web.server.uploads import placeholders
from colorizer.web.texts import say

MAX_PHOTOS = 100  # in a batch: some minutes on two cores, while others wait
MAX_BYTES = 500_000_000  # in a batch: with the result a gigabyte of disk
SYSTEM_FILES = ("DS_Store", "Thumbs.db", "desktop.ini")  # operating systems create them
ARCHIVE = "colorized_photos.zip"

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
        self, photos: Sequence[Upload] | None, request: gr.Request
    ) -> tuple[Event, str, Pairs, Any, Any, Any]:
        """Check the photos and show that they wait: a batch waits for those before it.

        Returns:
            What stops the batch when set, its status, no pairs, and how the buttons that download,
            start and stop look from now on.
        """
        checked_paths(photos, request)
        waiting = status(say("batch.waiting", request), (), request)
        return Event(), waiting, [], *buttons(False, running=True)

    def run(
        self,
        photos: Sequence[Upload] | None,
        preset: str | None,
        model: str,
        stopped: Event,
        request: gr.Request,
    ) -> Iterator[tuple[str, Pairs, str | None]]:
        """Colorize the photos one after the other; closed early, it leaves nothing behind.

        Args:
            photos: the uploaded files.
            preset: name of the adjustments; empty for none.
            model: the visitor's.
            stopped: ends the batch after the photo at hand when it is set.
            request: the visitor's.

        Yields:
            The status, the pairs so far, and at last the path of the ZIP if anything is in it.
        """
        steps = self._steps(photos, preset, model, stopped, request)
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
    ) -> Generator[tuple[str, Pairs, str | None], None, None]:
        paths, adjustments = checked_paths(photos, request), chosen(preset, request)
        archive = result_folder() / ARCHIVE
        pairs: Pairs = []
        failed: list[str] = []
        complete = False
        try:
            colorizer = self.models.get(model)
            with closing(colorize_into_zip(colorizer, paths, adjustments, archive)) as batch:
                for number, path in enumerate(paths, 1):
                    values = {"number": number, "total": len(paths), "name": path.name}
                    line = say("batch.progress", request, **values)
                    share = (number - 1) / len(paths)
                    yield status(line, failed, request, share), pairs, None
                    if stopped.is_set() or STOPPING.is_set():
                        break
                    outcome, pair = next(batch)
                    if pair is None:
                        line = say(f"batch.{outcome.cause}", request, **placeholders(path))
                        failed.append(line)
                    else:
                        shown = picture(pair, path.stem) if self.pictures else ""
                        pairs.append((shown, path.name))
            complete = True
            whole = len(pairs) + len(failed) == len(paths)
            key = "batch.done" if whole else "batch.stopped"
            line = say(key, request, done=len(pairs), total=len(paths))
            yield status(line, failed, request), pairs, str(archive) if pairs else None
        except CheckpointError as error:
            line = say(f"model.refused_{error.reason}", request, name=model)
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


def chosen(preset: str | None, request: gr.Request) -> Adjustments:
    """The adjustments of that name."""
    if preset and preset not in PRESETS:
        raise problem("batch.no_preset", request)
    return PRESETS[preset] if preset else Adjustments()


def checked_paths(photos: Sequence[Upload] | None, request: gr.Request) -> list[Path]:
    """The paths of the uploaded files.

    Raises:
        gr.Error: there are none, too many, too large ones, or they have been deleted.
    """
    paths = [uploaded_path(file, request) for file in photos or ()]
    if not paths:
        raise problem("batch.no_photos", request)
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
    line: str, failed: Sequence[str], request: gr.Request, share: float | None = None
) -> str:
    """HTML of how far a batch is and what failed; the names in it are a visitor's."""
    parts = [f'<p role="status">{escape(line)}</p>']
    if share is not None:
        label = escape(say("batch.progress_label", request))
        parts.append(f'<progress aria-label="{label}" value="{share:.3f}"></progress>')
    if failed:
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in failed)
        parts.append(f"<p>{escape(say('batch.failed', request))}</p><ul>{items}</ul>")
    return "".join(parts)
