"""The page under load: fifty visitors at once, and nothing that stays behind."""

import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from colorizer import Photo
from tests.helpers.browser import started

VISITORS = 50
KEPT = 180  # seconds; all visitors must be done by then
GROWTH = 200 * 1024**2  # bytes that the server may keep

pytestmark = [pytest.mark.load, pytest.mark.slow]


def resident(pid: int) -> int:
    """Bytes of memory that a process has."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


def visitors_photo(folder: Path, number: int) -> Path:
    """A gray photo that no other visitor has: its size and its stripes tell whose it is."""
    height, width = 600 + 8 * number, 800
    stripes = 128 + 60 * np.sin(np.arange(width) * (number + 1) * np.pi / width)
    path = folder / f"visitor{number}.png"
    Image.fromarray(np.tile(stripes, (height, 1)).astype(np.uint8)).save(path)
    return path


def visits(address: str, path: Path) -> Path:
    """Colorize a photo and download the result."""
    client = Client(address, verbose=False, download_files=path.parent / f"{path.stem}_files")
    return Path(client.predict(photo=handle_file(path), api_name="/colorize"))


@pytest.mark.skipif(sys.platform != "linux", reason="reads memory from /proc")
def test_fifty_visitors_get_their_own_photos_and_leave_nothing(tmp_path: Path) -> None:
    with started(tmp_path, COLORIZER_KEPT_SECONDS=str(KEPT)) as address:
        pid = int((tmp_path / "pid").read_text())
        visits(address, visitors_photo(tmp_path, VISITORS))  # warms up
        before = resident(pid)
        paths = [visitors_photo(tmp_path, number) for number in range(VISITORS)]
        with ThreadPoolExecutor(VISITORS) as pool:
            results = list(pool.map(lambda path: visits(address, path), paths))
        for path, result in zip(paths, results, strict=True):
            own, colorized = Photo.open(path), Photo.open(result)
            assert result.name == f"{path.stem}_color.png"
            assert colorized.size == own.size
            assert np.abs(colorized.lightness - own.lightness).mean() < 0.5
        deadline = time.monotonic() + 5 * KEPT
        while left := [path for path in (tmp_path / "files").rglob("*") if path.is_file()]:
            assert time.monotonic() < deadline, left
            time.sleep(1)
        while resident(pid) - before >= GROWTH:  # until the next sweep
            assert time.monotonic() < deadline, (before, resident(pid))
            time.sleep(1)
