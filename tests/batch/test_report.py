"""The report of a folder of results: what it keeps, through kills and torn lines."""

import csv
from pathlib import Path

import pytest

from colorizer.batch.report import (
    COLUMNS,
    JOURNAL_FILE,
    REPORT_FILE,
    Report,
    Row,
    read_rows,
)
from colorizer.errors import ReportError
from colorizer.file_names import CONTROL
from colorizer.files import part_of

DONE = Row(size="4x3", seconds="0.10", confidence="0.500", status="done")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of the results."""
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def make(report: Report, source: Path, row: Row = DONE) -> Path:
    """Note a photo, and write a file as its result."""
    target = report.plan(source, Path(source.name), "JPEG")
    report.start(source, target)
    if row.status == "done":
        target.write_bytes(b"made")
    report.add(source, target if row.status == "done" else None, row)
    return target


def read(folder: Path) -> list[dict[str, str]]:
    with (folder / REPORT_FILE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_the_report_is_sorted_and_its_paths_start_at_its_folder(folder, tmp_path) -> None:
    with Report(folder) as report:
        make(report, tmp_path / "b, the second.jpg")
        make(report, tmp_path / "a.jpg", Row(status="failed", reason='It is "empty".'))
        assert (folder / JOURNAL_FILE).exists()
    assert sorted(path.name for path in folder.iterdir()) == [
        "b, the second_color.jpg",
        "report.csv",
    ]
    failed, done = read(folder)
    assert (
        list(done)
        == COLUMNS
        == [
            *("file", "size", "seconds", "confidence", "status", "reason", "result"),
        ]
    )
    assert list(done.values()) == [
        *("../b, the second.jpg", "4x3", "0.10", "0.500", "done", "", "b, the second_color.jpg"),
    ]
    assert list(failed.values()) == ["../a.jpg", "", "", "", "failed", 'It is "empty".', ""]


def test_what_was_done_is_known_after_a_kill(folder, tmp_path) -> None:
    report = Report(folder)
    target = make(report, tmp_path / "a.jpg")
    begun = report.plan(tmp_path / "b.jpg", Path("b.jpg"), "JPEG")
    report.start(tmp_path / "b.jpg", begun)
    begun.touch()  # it was renamed, but not noted
    again = Report(folder)
    assert again.is_done(tmp_path / "a.jpg")
    assert again.is_result_of(tmp_path / "a.jpg", target)
    assert not again.is_done(tmp_path / "b.jpg")
    assert again.is_result_of(tmp_path / "b.jpg", begun)
    assert again.interrupted() == [begun]
    again.save()
    assert [row["file"] for row in read(folder)] == ["../a.jpg"]


def test_a_torn_last_line_is_not_taken_for_a_row(folder, tmp_path) -> None:
    report = Report(folder)
    make(report, tmp_path / "a.jpg")
    make(report, tmp_path / "b.jpg")
    journal = folder / JOURNAL_FILE
    journal.write_bytes(journal.read_bytes()[:-9])
    again = Report(folder)
    assert again.is_done(tmp_path / "a.jpg")
    assert not again.is_done(tmp_path / "b.jpg")
    make(again, tmp_path / "c.jpg")
    last = Report(folder)
    assert last.is_done(tmp_path / "c.jpg")
    assert not last.is_done(tmp_path / "b.jpg")


def test_what_is_made_again_is_not_done_until_it_is(folder, tmp_path) -> None:
    with Report(folder) as report:
        make(report, tmp_path / "a.jpg")
    again = Report(folder)
    again.start(tmp_path / "a.jpg", folder / "a_color.jpg")
    assert not Report(folder).is_done(tmp_path / "a.jpg")


def test_a_result_that_is_gone_is_not_done(folder, tmp_path) -> None:
    with Report(folder) as report:
        target = make(report, tmp_path / "a.jpg")
        assert report.is_done(tmp_path / "a.jpg", "JPEG")
        assert not report.is_done(tmp_path / "a.jpg", "PNG")
        target.unlink()
        assert not report.is_done(tmp_path / "a.jpg")
        assert report.plan(tmp_path / "a.jpg", Path("a.jpg"), "JPEG") == target


def test_equal_names_keep_their_numbers_from_run_to_run(folder, tmp_path) -> None:
    first, second = tmp_path / "x" / "A.jpg", tmp_path / "y" / "a.jpg"
    with Report(folder) as report:
        assert make(report, second) == folder / "a_color.jpg"
    with Report(folder) as report:
        assert make(report, first) == folder / "A_color-2.jpg"
        assert report.plan(second, Path("a.jpg"), "JPEG") == folder / "a_color.jpg"
        assert report.plan(first, Path("a.jpg"), "PNG") == folder / "A_color.png"


def test_a_photo_that_failed_keeps_its_name_for_another_try(folder, tmp_path) -> None:
    with Report(folder) as report:
        target = make(report, tmp_path / "a.jpg", Row(status="failed"))
        assert make(report, tmp_path / "a.jpg") == target


def test_names_that_are_not_unicode(folder, tmp_path) -> None:
    source = tmp_path / "caf\udce9.jpg"
    report = Report(folder)
    make(report, source)
    assert Report(folder).is_done(source)
    report.save()
    assert b"caf\xe9.jpg" in (folder / REPORT_FILE).read_bytes()
    assert Report(folder).is_done(source)


def test_a_report_that_a_spreadsheet_has_saved(folder, tmp_path) -> None:
    with Report(folder) as report:
        make(report, tmp_path / "a.jpg")
    path = folder / REPORT_FILE
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert Report(folder).is_done(tmp_path / "a.jpg")


def test_a_report_of_something_else_is_not_replaced(folder) -> None:
    (folder / REPORT_FILE).write_text("month,amount\n1,2\n")
    with pytest.raises(ReportError, match=r"report.csv is not a report of colorizer; move it"):
        Report(folder)


def test_a_damaged_report(folder) -> None:
    (folder / REPORT_FILE).write_text(",".join(COLUMNS) + "\n1,2\n")
    with pytest.raises(ReportError, match="a row of 2 values"):
        Report(folder)


def test_a_report_that_cannot_be_written_loses_nothing(folder, tmp_path) -> None:
    report = Report(folder)
    make(report, tmp_path / "a.jpg")
    (folder / REPORT_FILE).mkdir()
    with pytest.raises(ReportError, match="Nothing is lost"):
        report.save()
    (folder / REPORT_FILE).rmdir()
    assert Report(folder).is_done(tmp_path / "a.jpg")
    assert not (folder / "report.csv.part").exists()


def test_cells_are_no_formulas_and_names_have_no_control_characters(folder, tmp_path) -> None:
    names = ("=1+1.jpg", "-o.jpg", "@x.jpg", "'=1.jpg", "+1\n2.jpg", "\x1b[2J.jpg")
    sources = [folder / name for name in names]
    with Report(folder) as report:
        targets = [make(report, source) for source in sources]
        report.add(folder / "b.jpg", None, Row(status="failed", reason='=HYPERLINK("x")'))
    assert not any(CONTROL.search(target.name) for target in targets)
    for row in read(folder):
        assert not any(value.startswith(tuple("=+-@")) for value in row.values())
        assert not any(CONTROL.search(value) for value in row.values())
    again = Report(folder)
    for source, target in zip(sources, targets, strict=True):
        assert again.is_done(source)
        assert again.is_result_of(source, target)
    assert {row.file for row in read_rows(folder)} == {
        *("=1+1.jpg", "-o.jpg", "@x.jpg", "'=1.jpg", r"+1\n2.jpg", r"\x1b[2J.jpg", "b.jpg"),
    }


def test_long_names_of_folders_and_files_fit(folder, tmp_path) -> None:
    report = Report(folder)
    names = ["写" * 83 + ".jpg", "a" * 251 + ".jpg", "a" * 250 + "b.jpg"]
    targets = [report.plan(tmp_path / name, Path(name), "JPEG") for name in names]
    assert len(set(targets)) == 3
    for target in targets:
        part_of(target).touch()
