"""The report of a folder of results: one row per photo, kept through kills.

While photos are made, what becomes of each goes to the end of a journal; when all are done the
journal is folded into `report.csv`. Who is killed between finds both, and goes on from there.
"""

import csv
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, astuple, dataclass, fields, replace
from pathlib import Path
from typing import Literal, Self, TextIO

from filelock import FileLock, Timeout

from colorizer.errors import ReportError
from colorizer.files import atomic_write
from colorizer.photo.formats import format_of, output_path

REPORT_FILE = "report.csv"
JOURNAL_FILE = "report.csv.journal"  # JSON lines
LOCK_FILE = "report.csv.lock"

Status = Literal["done", "kept", "failed", "planned"]


@dataclass(frozen=True)
class Row:
    """What became of a photo, as it stands in the report.

    Attributes:
        file: its path, from the report's folder; `Report` puts it in, and `result`.
        size: width x height in pixels; empty if it wasn't made.
        seconds: that it took.
        confidence: mean of `Colorization.confidence`, 0 to 1; empty if the checkpoint has none.
        status: "done", "kept" (there was a file of the result's name) or "failed"; in the journal
            also "planned".
        reason: why it failed or was kept, or what else is worth knowing about it.
        result: the path of its result, from the report's folder.
    """

    file: str = ""
    size: str = ""
    seconds: str = ""
    confidence: str = ""
    status: Status = "done"
    reason: str = ""
    result: str = ""


COLUMNS = [column.name for column in fields(Row)]


class Report:
    """What is known about the results in a folder; a `with` statement saves it at its end.

    Args:
        folder: of the results.

    Raises:
        ReportError: it can't be read or written, or is none of ours.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rows: dict[str, Row] = {}  # by file
        self._results: dict[str, str] = {}  # of files, also where it failed
        self._taken: dict[Path, set[str]] = {}  # names of results, by their folder
        for row in read_rows(folder):
            self._keep(row)
            if row.result:
                target = folder / row.result
                self._names_beside(target).add(target.name.casefold())
        self._journal: TextIO | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        if error is None:
            self.save()
        self._close()

    def is_done(self, source: Path, format: str | None = None) -> bool:
        """Whether a photo has its result.

        Args:
            source: the photo.
            format: in which the result must be, as Pillow names it; None takes any.
        """
        row = self._rows.get(self._name(source))
        if row is None or row.status not in ("done", "kept"):
            return False
        target = self.folder / row.result
        return (format is None or format_of(target) == format) and target.exists()

    def is_ours(self, source: Path, target: Path) -> bool:
        """Whether a file that exists is the result of that photo."""
        row = self._rows.get(self._name(source))
        return row is not None and row.result == self._name(target)

    def unfinished(self) -> list[Path]:
        """Where results should have gone when a run was killed."""
        rows = self._rows.values()
        return [self.folder / row.result for row in rows if row.status == "planned"]

    def plan(self, source: Path, place: Path, format: str) -> Path:
        """Choose where the result of a photo goes, the same as before if there was one.

        Args:
            source: the photo.
            place: its path below the folder of results, by its own name.
            format: of the result, as Pillow names it.
        """
        before = self._results.get(self._name(source))
        if before is not None and format_of(Path(before)) == format:
            return self.folder / before
        parent = self.folder / place.parent
        return output_path(parent, source, format, self._names_beside(parent / place.name))

    def start(self, source: Path, target: Path) -> None:
        """Note that the result of a photo is being made: until its row is there, it isn't done."""
        self.add(source, target, Row(status="planned"))

    def add(self, source: Path, target: Path | None, row: Row) -> None:
        """Note what became of a photo; `target` is None where it has no result."""
        result = "" if target is None else self._name(target)
        self._add(replace(row, file=self._name(source), result=result))

    def save(self) -> None:
        """Write `report.csv` atomically, sorted by file.

        The journal ends, unless it tells of results that were begun and may be whole.
        """
        rows = [row for row in self._rows.values() if row.status != "planned"]
        path = self.folder / REPORT_FILE
        try:
            with (
                atomic_write(path) as part,
                part.open("w", encoding="utf-8", errors="surrogateescape", newline="") as file,
            ):
                writer = csv.writer(file)
                writer.writerow(COLUMNS)
                writer.writerows(astuple(row) for row in sorted(rows, key=lambda row: row.file))
            self._close()
            if not any(target.exists() for target in self.unfinished()):  # else they'd be unknown
                (self.folder / JOURNAL_FILE).unlink(missing_ok=True)
        except OSError as error:
            raise ReportError(
                f"{path} can't be written ({error.strerror}); close what has it open or make room. "
                "Nothing is lost: the next run writes it."
            ) from error

    def _keep(self, row: Row) -> None:
        self._rows[row.file] = row
        if row.result:
            self._results[row.file] = row.result

    def _add(self, row: Row) -> None:
        self._keep(row)
        try:
            if self._journal is None:
                self._journal = _open_journal(self.folder / JOURNAL_FILE)
            self._journal.write(json.dumps(asdict(row)) + "\n")
            self._journal.flush()
        except OSError as error:
            raise ReportError(
                f"{self.folder / JOURNAL_FILE} can't be written ({error.strerror}); make room or "
                "choose another folder."
            ) from error

    def _close(self) -> None:
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _name(self, path: Path) -> str:
        """A path from the report's folder; as it is where there is no way, as between drives."""
        path = Path(os.path.abspath(path))
        with suppress(ValueError):
            path = Path(os.path.relpath(path, self.folder))
        return path.as_posix()

    def _names_beside(self, target: Path) -> set[str]:
        return self._taken.setdefault(Path(str(target.parent).casefold()), set())


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder of results.

    Raises:
        ReportError: another run is there.
    """
    lock = FileLock(folder / LOCK_FILE)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ReportError(
            f"Another run writes into {folder}; wait until it ends, or choose another folder."
        ) from None
    except (OSError, NotImplementedError):  # a file system without locks
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):
            (folder / LOCK_FILE).unlink(missing_ok=True)
        lock.release()


def results_in(folder: Path) -> set[Path]:
    """Paths of the results that the report of a folder tells of, and its own; none if there is none
    of ours.
    """
    try:
        names = {row.result for row in read_rows(folder) if row.result}
    except ReportError:
        return set()
    own = {REPORT_FILE, JOURNAL_FILE, LOCK_FILE}
    return {Path(os.path.normpath(folder / name)) for name in names | own}


def read_rows(folder: Path) -> Iterator[Row]:
    """The rows of a folder's report, then those of its journal, which supersede them; none if it
    has neither.

    Raises:
        ReportError: one can't be read, or is none of ours.
    """
    report, journal = folder / REPORT_FILE, folder / JOURNAL_FILE
    try:
        if report.exists():
            with report.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
                lines = csv.reader(file)
                if next(lines, None) != COLUMNS:
                    raise ReportError(
                        f"{report} is no report of ours; move it, or choose another folder."
                    )
                yield from (_row(line, report) for line in lines)
        if journal.exists():
            for text in journal.read_text("utf-8", errors="replace").splitlines():
                with suppress(ValueError, TypeError):  # of a line that a kill has torn
                    yield Row(**json.loads(text))
    except OSError as error:
        raise ReportError(
            f"The report in {folder} can't be read ({error.strerror}); change its permissions."
        ) from error
    except csv.Error as error:
        raise ReportError(f"{report} is damaged ({error}); move it away.") from error


def _row(values: list[str], report: Path) -> Row:
    if len(values) != len(COLUMNS):
        raise ReportError(f"{report} is damaged (a row of {len(values)} values); move it away.")
    return Row(*values)  # type: ignore[arg-type]


def _open_journal(path: Path) -> TextIO:
    """Open a journal to append to it, on a line of its own where a kill has torn the last."""
    torn = path.exists() and not path.read_bytes().endswith(b"\n")
    file = path.open("a", encoding="utf-8")
    if torn:
        file.write("\n")
    return file
