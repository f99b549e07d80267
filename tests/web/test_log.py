"""The log as lines of JSON."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import gradio as gr
import pytest

from colorizer.web.server.log import WORK, job, note, start_json


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """What is logged as JSON; afterwards the log is as it was."""
    logger = logging.getLogger("colorizer")
    before = logger.handlers, logger.propagate, logger.level, WORK.level
    start_json()
    text = io.StringIO()
    logger.handlers[0].setStream(text)  # type: ignore[attr-defined]
    yield text
    logger.handlers, logger.propagate = before[:2]
    logger.setLevel(before[2])
    WORK.setLevel(before[3])


def lines(written: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


def test_a_job_is_one_line(written: io.StringIO) -> None:
    with job("colorize"):
        note(size=(3, 4))
    [line] = lines(written)
    assert 0 <= line.pop("seconds") < 1  # type: ignore[operator]
    assert str(line.pop("time")).endswith("+00:00")
    assert line == {
        "level": "info",
        "event": "job",
        "endpoint": "colorize",
        "status": "done",
        "size": [3, 4],
    }
    note(size=(5, 6))  # without a job
    assert len(lines(written)) == 1


@pytest.mark.parametrize(
    ("error", "status"),
    [(gr.Error("no"), "refused"), (OSError("no"), "failed"), (GeneratorExit(), "stopped")],
)
def test_how_a_job_ended(written: io.StringIO, error: BaseException, status: str) -> None:
    with pytest.raises(type(error)), job("colorize"):
        raise error
    assert lines(written)[0]["status"] == status


def test_errors_tell_where_but_not_whose(written: io.StringIO, tmp_path: Path) -> None:
    log = logging.getLogger("colorizer.web")
    try:
        (tmp_path / "grandma.jpg").read_bytes()
    except OSError:
        log.exception("A photo can't be read")
    log.info("grandma.jpg is not a photo")
    [line] = lines(written)
    assert (line["event"], line["error"]) == ("A photo can't be read", "FileNotFoundError")
    assert "test_log.py" in str(line["trace"])
    assert "grandma" not in json.dumps(line).replace(str(Path(__file__)), "")


def test_a_part_of_a_job_is_no_job(written: io.StringIO) -> None:
    with job("keep_gray"), job("fix_color"):
        note(size=(3, 4))
    [line] = lines(written)
    assert (line["endpoint"], line["size"]) == ("keep_gray", [3, 4])


def test_jobs_are_not_logged_otherwise(capsys: pytest.CaptureFixture[str]) -> None:
    with job("colorize"):
        pass
    assert capsys.readouterr().err == ""
