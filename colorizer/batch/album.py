"""Colorize an album: skip finished photos, show progress, write one report row per photo."""

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO

from tqdm import tqdm

from colorizer.batch.find import Found
from colorizer.batch.interrupt import Stop
from colorizer.batch.job import Outcome, Task
from colorizer.batch.report import REPORT_FILE, Report, Row, Status
from colorizer.file_names import printable
from colorizer.files import part_of
from colorizer.photo.decode import saved_format
from colorizer.photo.formats import format_of
from colorizer.photo.notices import Notice

Run = Callable[[Iterable[Task]], Iterator[Outcome]]
FileState = tuple[int, int]  # size in bytes, modification time in ns

INTERRUPTED = 130  # exit code after Ctrl+C, as in shells
SCAN_SECONDS = 2.0  # between two scans of a watched folder
POLL_SECONDS = 0.1  # between two checks for Ctrl+C
NOTICE_SENTENCES: Mapping[Notice, str] = {
    "colors": "It had colors already; they were replaced.",
    "negative": "It looks like a negative; --negative inverts it first.",
    "print": "It looks like a photo of a print; the page can straighten and crop it.",
    "first_page": "The file has several pages or frames; only the first was used.",
    "other_format": "Its format can't be written; the result is a {format} file.",
    "cmyk": "Its CMYK colors were converted to sRGB.",
    "profile": "Its color profile can't be used; it was read as sRGB.",
    "metadata": "Some of its metadata is damaged, and was left out.",
    "large_metadata": "Some of its metadata was left out because it is too large.",
    "captions": "{format} can't hold all of its captions; PNG, TIFF and JPEG hold more.",
    "no_color_source": "No picture has its name, so its colors are the model's own.",
    "partly_taken": "The other picture agrees with less than half of it; "
    "the rest has the model's own colors.",
    "unlike_reference": "Hardly anything of it looks like the reference, "
    "so its colors are the model's own.",
    "depth": "{format} stores 8 bits per channel; PNG and TIFF keep all 16.",
    "transparency": "{format} has no transparency; transparent areas became white.",
}


@dataclass
class Album:
    """Photos to be colorized into a folder.

    Attributes:
        report: the report of that folder.
        stop: tells when the user asked to stop.
        load: loads what runs the tasks; called once, when the first photo is pending.
        format: format of the results, as Pillow names it; None keeps each photo's format.
        overwrite: whether to colorize finished photos again and to replace existing files.
        failed: photos that could not be colorized.
        remaining: number of pending photos.
    """

    report: Report
    stop: Stop
    load: Callable[[], Run]
    format: str | None = None
    overwrite: bool = False
    failed: set[Path] = field(default_factory=set)
    remaining: int = 0

    def __post_init__(self) -> None:
        self._remove_partial_files()

    def colorize(self, found: Sequence[Found]) -> int:
        """Colorize the photos that aren't finished; returns the exit code."""
        pending = self._pending(found)
        if done := len(found) - len(pending):
            print_line(
                f"colorizer: {done} of {len(found)} photos are finished already; "
                "--overwrite colorizes them again."
            )
        self._colorize_all(pending)
        if self.stop.asked and self.remaining:
            self._remove_partial_files()
            print_line(
                f"colorizer: Stopped with {self.remaining} photos left; "
                "run the same command to continue."
            )
            return INTERRUPTED
        if self.failed and len(found) > 1:
            path = self.report.folder / REPORT_FILE
            print_line(f"colorizer: {len(self.failed)} of {len(found)} failed; see {path}.")
        return int(bool(self.failed))

    def watch(self, find: Callable[[], Sequence[Found]]) -> int:
        """Colorize present and future photos until the user stops; returns the exit code.

        A photo is colorized once two scans saw it unchanged. One that failed is tried again when
        it changes.
        """
        print_line("colorizer: Waiting for photos; press Ctrl+C to stop.")
        previous: dict[Path, FileState] = {}
        attempted: dict[Path, FileState] = {}
        while not self.stop.asked:
            found = {item.source: item for item in find()}
            states = {source: file_state(source) for source in found}
            complete = [
                source
                for source, state in states.items()
                if previous.get(source) == state != attempted.get(source) and state[0] != 0
            ]
            if pending := self._pending([found[source] for source in complete]):
                self._colorize_all(pending)
                self.report.save()
            attempted |= {source: states[source] for source in complete}
            previous = states
            end = time.monotonic() + SCAN_SECONDS
            while time.monotonic() < end and not self.stop.asked:
                time.sleep(POLL_SECONDS)
        return int(bool(self.failed))

    def _remove_partial_files(self) -> None:
        """Remove files that a killed run or worker did not finish."""
        for target in self.report.interrupted():
            with suppress(OSError):
                part_of(target).unlink(missing_ok=True)

    @cached_property
    def _run(self) -> Run:
        return self.load()

    def _pending(self, found: Sequence[Found]) -> list[Found]:
        if self.overwrite:
            return [*found]
        return [item for item in found if not self.report.is_done(item.source, self.format)]

    def _colorize_all(self, pending: Sequence[Found]) -> None:
        self.remaining = len(pending)
        if not pending:
            return
        run = self._run
        with tqdm(total=len(pending), unit=" photos", disable=None, dynamic_ncols=True) as bar:
            for outcome in run(self._tasks(pending, bar)):
                self._record(outcome)
                self._advance(bar)

    def _tasks(self, pending: Iterable[Found], bar: "tqdm[Any]") -> Iterator[Task]:
        """Yield the tasks; each is entered into the report when its turn comes."""
        for item in pending:
            if self.stop.asked:
                return
            try:
                task = self._task(item)
            except OSError as error:
                self._fail(item.source, f"{item.source} can't be colorized ({error.strerror}).")
                task = None
            if task:
                yield task
            else:
                self._advance(bar)

    def _task(self, item: Found) -> Task | None:
        """The task of a photo; None, and a row in the report, if there is nothing to do."""
        if item.problem:
            self._fail(item.source, item.problem, "skipped" if item.skipped else "failed")
            return None
        format = self.format or saved_format(item.source)
        target = self.report.plan(item.source, item.relative, format)
        replaces = self.overwrite or self.report.is_result_of(item.source, target)
        if os.path.lexists(target) and not replaces:
            sentence = f"{target} exists; kept (--overwrite replaces it)."
            self.report.add(item.source, target, Row(status="kept", reason=sentence))
            print_line(sentence, sys.stdout)
            return None
        self.report.start(item.source, target)
        return Task(item.source, target)

    def _record(self, outcome: Outcome) -> None:
        """Print a photo's outcome and add it to the report."""
        source, target = outcome.task.source, outcome.task.target
        seconds = f"{outcome.seconds:.2f}"
        if outcome.size is None:
            self._fail(source, outcome.problem, seconds=seconds)
            return
        format = format_of(target)
        sentences = [NOTICE_SENTENCES[notice].format(format=format) for notice in outcome.notices]
        height, width = outcome.size
        confidence = "" if outcome.confidence is None else f"{outcome.confidence:.3f}"
        reason = " ".join(sentences)
        row = Row(size=f"{width}x{height}", seconds=seconds, confidence=confidence, reason=reason)
        self.report.add(source, target, row)
        self.failed.discard(source)
        print_line(str(target), sys.stdout)
        for sentence in sentences:
            print_line(f"colorizer: {source}: {sentence}")

    def _fail(
        self, source: Path, problem: str, status: Status = "failed", seconds: str = ""
    ) -> None:
        """Print why a photo has no result, and add it to the report."""
        row = Row(seconds=seconds, status=status, reason=printable(problem))
        self.report.add(source, None, row)
        if status == "failed":
            self.failed.add(source)
        print_line(f"colorizer: {problem}")

    def _advance(self, bar: "tqdm[Any]") -> None:
        self.remaining -= 1
        bar.update()


def print_line(line: str, stream: TextIO | None = None) -> None:
    """Print a line above the progress bar, by default to stderr; control characters are escaped."""
    stream = stream or sys.stderr
    tqdm.write(printable(line), file=stream)
    stream.flush()


def file_state(path: Path) -> FileState:
    """Size and modification time of a file, which reveal changes; (-1, -1) if it is missing."""
    try:
        status = path.stat()
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns
