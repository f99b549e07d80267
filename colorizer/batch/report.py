"""The report of an output folder: one row per photo, safe against kills.

Each finished photo is appended to a journal. At the end of a run the journal is merged into
`report.csv`. A run that was killed leaves both files, and the next run continues from them.
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
from colorizer.file_names import fitted_name, printable
from colorizer.files import atomic_write
from colorizer.photo.formats import format_of, output_path

REPORT_FILE = "report.csv"
JOURNAL_FILE = "report.csv.journal"  # JSON lines
LOCK_FILE = "report.csv.lock"

Status = Literal["done", "kept", "failed", "skipped", "planned"]
ESCAPED = tuple("=+-@\t\r'")  # a spreadsheet takes a cell that begins so for a formula


@dataclass(frozen=True)
class Row:
    """One photo's row in the report.

    Attributes:
        file: path of the photo, relative to the report's folder; filled in by `Report`. Control
            characters are escaped.
        size: width x height in pixels; empty without a result.
        seconds: processing time.
        confidence: mean of `Colorization.confidence`, 0 to 1; empty if the checkpoint has none.
        status: "done", "kept" (a file with the result's name existed), "failed" or "skipped" (a
            link or a device); in the journal also "planned".
        reason: why there is no new result; for a result, notices about the photo.
        result: path of the result, relative to the report's folder; filled in by `Report`.
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
    """The report of an output folder; a `with` statement saves it at its end.

    Args:
        folder: the output folder.

    Raises:
        ReportError: the report can't be read or written, or another program wrote it.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._rows: dict[str, Row] = {}  # by photo
        self._results: dict[str, str] = {}  # by photo; failed photos keep their planned name
        self._used_names: dict[Path, set[str]] = {}  # of results, by folder, case-folded
        for row in read_rows(folder):
            self._keep(row)
            if row.result:
                target = folder / row.result
                self._names_in_folder_of(target).add(target.name.casefold())
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
            format: required format of the result, as Pillow names it; None accepts any.
        """
        row = self._rows.get(self._name(source))
        if row is None or row.status not in ("done", "kept"):
            return False
        target = self.folder / row.result
        return (format is None or format_of(target) == format) and os.path.exists(target)

    def is_result_of(self, source: Path, target: Path) -> bool:
        """Whether an existing file is the result of that photo."""
        row = self._rows.get(self._name(source))
        return row is not None and row.result == self._name(target)

    def interrupted(self) -> list[Path]:
        """Planned results of photos that were in progress when a run was killed."""
        rows = self._rows.values()
        return [self.folder / row.result for row in rows if row.status == "planned"]

    def plan(self, source: Path, relative: Path, format: str) -> Path:
        """Choose the path of a photo's result: the previous one, if the photo had one.

        Args:
            source: the photo.
            relative: the photo's path and name below the output folder.
            format: the format of the result, as Pillow names it.
        """
        before = self._results.get(self._name(source))
        if before is not None and format_of(Path(before)) == format:
            return self.folder / before
        parent = self.folder.joinpath(*(fitted_name(part, "") for part in relative.parts[:-1]))
        return output_path(parent, source, format, self._names_in_folder_of(parent / relative.name))

    def start(self, source: Path, target: Path) -> None:
        """Mark a photo as in progress: it isn't done until its row is added."""
        self.add(source, target, Row(status="planned"))

    def add(self, source: Path, target: Path | None, row: Row) -> None:
        """Add a photo's row; `target` is None if there is no result."""
        result = "" if target is None else self._name(target)
        self._add(replace(row, file=self._name(source), result=result))

    def save(self) -> None:
        """Write `report.csv`, sorted by photo, atomically.

        The journal is deleted, unless it lists planned results whose files exist: those may be
        complete.
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
                for row in sorted(rows, key=lambda row: row.file):
                    writer.writerow([_cell(value) for value in astuple(row)])
            self._close()
            if not any(target.exists() for target in self.interrupted()):
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
        """A path relative to the report's folder, or absolute if it is on another drive.

        Control characters are escaped.
        """
        path = Path(os.path.abspath(path))
        with suppress(ValueError):
            path = Path(os.path.relpath(path, self.folder))
        return printable(path.as_posix())

    def _names_in_folder_of(self, target: Path) -> set[str]:
        return self._used_names.setdefault(Path(str(target.parent).casefold()), set())


@contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Lock an output folder against other runs.

    Raises:
        ReportError: another run has locked it.
    """
    lock = FileLock(folder / LOCK_FILE)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise ReportError(
            f"Another run writes into {folder}; wait until it ends, or choose another folder."
        ) from None
    except (OSError, NotImplementedError):  # the file system has no locks
        yield
        return
    try:
        yield
    finally:
        with suppress(OSError):
            (folder / LOCK_FILE).unlink(missing_ok=True)
        lock.release()


def results_in(folder: Path) -> set[Path]:
    """Paths of the results in a folder's report and of the report's own files.

    The set is empty without a report, or if another program wrote it.
    """
    try:
        names = {row.result for row in read_rows(folder) if row.result}
    except ReportError:
        return set()
    own = {REPORT_FILE, JOURNAL_FILE, LOCK_FILE}
    return {Path(os.path.normpath(folder / name)) for name in names | own}


def read_rows(folder: Path) -> Iterator[Row]:
    """Rows of a folder's report, then those of its journal, which replace earlier ones.

    Raises:
        ReportError: a file can't be read, or another program wrote it.
    """
    report, journal = folder / REPORT_FILE, folder / JOURNAL_FILE
    try:
        if report.exists():
            with report.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
                lines = csv.reader(file)
                if next(lines, None) != COLUMNS:
                    raise ReportError(
                        f"{report} is not a report of colorizer; move it or choose another folder."
                    )
                yield from (_row(line, report) for line in lines)
        if journal.exists():
            for text in journal.read_text("utf-8", errors="replace").splitlines():
                with suppress(ValueError, TypeError):  # an incomplete line after a kill
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
    return Row(*map(_value, values))  # type: ignore[arg-type]


def _cell(value: str) -> str:
    """A value that no spreadsheet takes for a formula."""
    return f"'{value}" if value.startswith(ESCAPED) else value


def _value(cell: str) -> str:
    """The inverse of `_cell`."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(ESCAPED) else cell


def _open_journal(path: Path) -> TextIO:
    """Open a journal for appending; an incomplete last line gets its line break."""
    incomplete = path.exists() and not path.read_bytes().endswith(b"\n")
    file = path.open("a", encoding="utf-8")
    if incomplete:
        file.write("\n")
    return file
