"""Colorize the photos of an album: what is to do, how far it is, what became of each."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO

from tqdm import tqdm

from colorizer.batch.find import Found
from colorizer.batch.job import Outcome, Task
from colorizer.batch.report import REPORT_FILE, Report, Row
from colorizer.files import part_of
from colorizer.inference.notices import Remark
from colorizer.photo.decode import saved_format
from colorizer.photo.formats import Loss, format_of

Run = Callable[[Iterable[Task]], Iterator[Outcome]]
Stamp = tuple[int, int]  # size in bytes, and time of change in ns

STOPPED = 130  # exit code after Ctrl+C, as of shells
LOOK_EVERY = 2.0  # seconds; a new file that is the same in two looks is whole
NAP = 0.1  # seconds
REMARKS: Mapping[Remark | Loss, str] = {
    "colors": "It had colors already; they were replaced.",
    "negative": "It looks like a negative; --negative inverts it first.",
    "first_page": "The file holds several pages or frames; the first was taken.",
    "other_format": "Its format can't be written; the result is a {format}.",
    "cmyk": "Its CMYK colors have become sRGB.",
    "profile": "Its color profile can't be used; it was taken for sRGB.",
    "depth": "{format} holds 8 bits per channel; PNG and TIFF keep all 16.",
    "transparency": "{format} holds no transparency; what was transparent lies on white.",
}


@dataclass
class Stop:
    """Whether the person wants to stop."""

    asked: bool = False


@contextmanager
def stopped_by_ctrl_c() -> Iterator[Stop]:
    """Let Ctrl+C ask to stop, and another one stop at once."""
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread is told of signals
        return

    def ask(*_: object) -> None:
        stop.asked = True
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.write(2, b"\ncolorizer: Finishing what is begun; Ctrl+C again stops at once.\n")

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)


@dataclass
class Album:
    """The photos of an album on their way into a folder.

    Attributes:
        report: of the folder.
        stop: whether to.
        load: loads what does the tasks; called once there is something to do.
        format: of the results, as Pillow names it; None takes that of each photo.
        overwrite: whether to make again what is done, and to replace files.
        failed: photos that could not be colorized.
        left: photos that are still to do.
    """

    report: Report
    stop: Stop
    load: Callable[[], Run]
    format: str | None = None
    overwrite: bool = False
    failed: set[Path] = field(default_factory=set)
    left: int = 0

    def __post_init__(self) -> None:
        self._remove_leftovers()

    def colorize(self, found: Sequence[Found]) -> int:
        """Colorize what isn't done; returns the exit code."""
        pending = self._pending(found)
        if len(pending) < len(found):
            done = len(found) - len(pending)
            say(f"colorizer: {done} of {len(found)} are done (--overwrite makes them again).")
        self._make(pending)
        if self.stop.asked and self.left:
            self._remove_leftovers()
            say(f"colorizer: Stopped with {self.left} left; the same command goes on from here.")
            return STOPPED
        if self.failed and len(found) > 1:
            where = self.report.folder / REPORT_FILE
            say(f"colorizer: {len(self.failed)} of {len(found)} failed; see {where}.")
        return int(bool(self.failed))

    def watch(self, find: Callable[[], Sequence[Found]]) -> int:
        """Colorize what is there and what comes, until the person stops; returns the exit code.

        A photo is taken once it has been the same for two looks; again, if it failed and changes.
        """
        say("colorizer: Waiting for photos; Ctrl+C ends it.")
        seen: dict[Path, Stamp] = {}
        tried: dict[Path, Stamp] = {}
        while not self.stop.asked:
            found = {item.source: item for item in find()}
            stamps = {source: stamp_of(source) for source in found}
            whole = [
                source
                for source, stamp in stamps.items()
                if seen.get(source) == stamp != tried.get(source) and stamp[0] != 0
            ]
            pending = self._pending([found[source] for source in whole])
            if pending:
                self._make(pending)
                self.report.save()
            tried |= {source: stamps[source] for source in whole}
            seen = stamps
            end = time.monotonic() + LOOK_EVERY
            while time.monotonic() < end and not self.stop.asked:
                time.sleep(NAP)
        return int(bool(self.failed))

    def _remove_leftovers(self) -> None:
        """Remove halves of files that a killed run or worker was writing."""
        for target in self.report.unfinished():
            with suppress(OSError):
                part_of(target).unlink(missing_ok=True)

    @cached_property
    def _run(self) -> Run:
        return self.load()

    def _pending(self, found: Sequence[Found]) -> list[Found]:
        """What is to do."""
        if self.overwrite:
            return [*found]
        return [item for item in found if not self.report.is_done(item.source, self.format)]

    def _make(self, pending: Sequence[Found]) -> None:
        self.left = len(pending)
        if not pending:
            return
        run = self._run
        with tqdm(total=len(pending), unit=" photos", disable=None, dynamic_ncols=True) as bar:
            for outcome in run(self._tasks(pending, bar)):
                self._note(outcome)
                self._settled(bar)

    def _tasks(self, pending: Iterable[Found], bar: "tqdm[Any]") -> Iterator[Task]:
        """What is to be made, each noted in the report when its turn comes."""
        for item in pending:
            if self.stop.asked:
                return
            if item.problem:
                self._fail(item.source, item.problem)
                self._settled(bar)
                continue
            format = self.format or saved_format(item.source)
            target = self.report.plan(item.source, item.place, format)
            if target.exists() and not (self.overwrite or self.report.is_ours(item.source, target)):
                sentence = f"{target} exists; kept (--overwrite replaces it)."
                self.report.add(item.source, target, Row(status="kept", reason=sentence))
                say(sentence, sys.stdout)
                self._settled(bar)
                continue
            self.report.start(item.source, target)
            yield Task(item.source, target)

    def _note(self, outcome: Outcome) -> None:
        """Tell what became of a photo, and put it into the report."""
        source, target = outcome.task.source, outcome.task.target
        seconds = f"{outcome.seconds:.2f}"
        if outcome.size is None:
            row = Row(seconds=seconds, status="failed", reason=outcome.problem)
            self.report.add(source, None, row)
            self._fail(source, outcome.problem)
            return
        sentences = [REMARKS[remark].format(format=format_of(target)) for remark in outcome.remarks]
        height, width = outcome.size
        confidence = "" if outcome.confidence is None else f"{outcome.confidence:.3f}"
        reason = " ".join(sentences)
        row = Row(size=f"{width}x{height}", seconds=seconds, confidence=confidence, reason=reason)
        self.report.add(source, target, row)
        self.failed.discard(source)
        say(str(target), sys.stdout)
        for sentence in sentences:
            say(f"colorizer: {source}: {sentence}")

    def _fail(self, source: Path, problem: str) -> None:
        self.failed.add(source)
        say(f"colorizer: {problem}")

    def _settled(self, bar: "tqdm[Any]") -> None:
        self.left -= 1
        bar.update()


def say(line: str, stream: TextIO | None = None) -> None:
    """Print a line, to stderr unless told, that leaves the progress bar whole."""
    stream = stream or sys.stderr
    tqdm.write(line, file=stream)
    stream.flush()


def stamp_of(path: Path) -> Stamp:
    """What tells that a file has changed; (-1, -1) if there is none."""
    try:
        status = path.stat()
    except OSError:
        return -1, -1
    return status.st_size, status.st_mtime_ns
