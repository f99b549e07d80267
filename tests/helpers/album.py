"""A tree of photos, and the command line in a process of its own that colorizes it."""

import csv
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image

from colorizer.batch.report import REPORT_FILE
from tests.helpers.photos import color_pixels

PHOTOS = int(os.environ.get("COLORIZER_TEST_PHOTOS", "60"))  # that are made, with the broken ones
BROKEN_PHOTOS = 5
CHECKPOINT = os.environ.get("COLORIZER_TEST_CHECKPOINT")  # instead of the tests' tiny one


def files(folder: Path) -> dict[str, bytes]:
    """What is in a folder and below, but for the report."""
    paths = (path for path in folder.rglob("*") if path.is_file() and path.name != REPORT_FILE)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def report(folder: Path) -> list[dict[str, str]]:
    """The rows of a report, without the seconds."""
    with (folder / REPORT_FILE).open(encoding="utf-8", newline="") as file:
        return [row | {"seconds": ""} for row in csv.DictReader(file)]


def command(checkpoint: Path, *arguments: object) -> list[str]:
    common = ["--checkpoint", checkpoint, "--device", "cpu"]
    return [sys.executable, "-m", "colorizer", "colorize", *map(str, (*arguments, *common))]


@contextmanager
def started(log: Path, checkpoint: Path, *arguments: object) -> Iterator["subprocess.Popen[bytes]"]:
    """The command line at work; what it says goes to a file."""
    with log.open("wb") as file:
        process = subprocess.Popen(command(checkpoint, *arguments), stdout=file, stderr=file)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def wait_for(process: "subprocess.Popen[bytes]", found: int, folder: Path) -> None:
    """Wait until a folder has so many results; the log lies beside it."""
    end = time.monotonic() + 300
    while sum("_color." in path.name for path in folder.rglob("*")) < found:
        assert process.poll() is None, (folder.parent / "log").read_text()
        assert time.monotonic() < end
        time.sleep(0.01)


def make_album(folder: Path, count: int) -> Path:
    """A tree of photos with some broken ones among them."""
    for number in range(count):
        suffix = (".jpg", ".png", ".tif")[number % 3]
        path = folder / f"{1900 + number % 7}" / f"{number % 2}" / f"{number:03}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(color_pixels(240, 320, number)).save(path)
        if number % (count // BROKEN_PHOTOS) == 3:
            path.write_bytes(path.read_bytes()[: path.stat().st_size // 3])
    return folder
