"""The page as a person starts and visits it."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Playwright, expect, sync_playwright

from tests.helpers.paths import ROOT

CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
START_SECONDS = 300
TIMEOUT_MS = 90_000


@contextmanager
def started(
    folder: Path,
    cwd: Path = ROOT,
    command: Sequence[str] = ("app.py",),
    cleans_up: bool = False,
    **settings: str,
) -> Iterator[str]:
    """Start the page in a process of its own, with these settings in its environment; yields its
    address. Its files lie in `folder`/files, its process ID in `folder`/pid. It is killed at the
    end; to let it clean up takes four seconds.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    settings |= {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(folder / "files")}
    with (folder / "log").open("w") as log:
        app = subprocess.Popen(
            [sys.executable, *command], cwd=cwd, env=os.environ | settings, stdout=log, stderr=log
        )
    (folder / "pid").write_text(str(app.pid))
    address = f"http://127.0.0.1:{port}/"
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(address):
            assert app.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.2)
        yield address
    finally:
        app.send_signal(signal.SIGTERM if cleans_up else signal.SIGKILL)
        app.wait()


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return response.status == 200
    except (urllib.error.URLError, TimeoutError):
        return False


_opened: list[tuple[Playwright, Browser]] = []


def open_browser() -> Browser:
    """Chromium, which one test after the other uses until `close_browser`."""
    if CHROMIUM is None:
        if os.environ.get("COLORIZER_REQUIRE_BROWSER"):
            pytest.fail("No Chromium on the PATH; install Debian's package chromium.")
        pytest.skip("no Chromium on the PATH (Debian: apt-get install chromium)")
    if not _opened:
        expect.set_options(timeout=TIMEOUT_MS)
        playwright = sync_playwright().start()
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        _opened.append((playwright, browser))
    return _opened[0][1]


def close_browser() -> None:
    """End Chromium, if it was opened; until then no other event loop runs in this thread."""
    while _opened:
        playwright, browser = _opened.pop()
        browser.close()
        playwright.stop()


@contextmanager
def visit(address: str, **options: Any) -> Iterator[Page]:
    """Visit the page in Chromium as a new visitor, with options of a browser's context; a request
    to any other host fails the test.
    """
    elsewhere: list[str] = []
    options = {"viewport": {"width": 1280, "height": 900}, "locale": "en-US"} | options
    context = open_browser().new_context(**options)
    try:
        page = context.new_page()
        page.set_default_timeout(TIMEOUT_MS)
        page.on("request", lambda request: elsewhere.append(request.url))
        page.goto(address)
        yield page
    finally:
        context.close()
    local = (address, "data:", "blob:")
    assert [url for url in elsewhere if not url.startswith(local)] == []


def give(page: Page, photo: Path) -> None:
    """Upload a photo, and wait until it is in color."""
    page.wait_for_function("window.colorizer")
    page.locator("#photo input[type=file]").set_input_files(photo)
    shown(page)


def drop(page: Page, files: Sequence[Path], x: float = 640, y: float = 500) -> None:
    """Drag files from the desktop onto the page, as the browser itself sees it."""
    session = page.context.new_cdp_session(page)
    data = {"items": [], "files": [str(file) for file in files], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": x, "y": y, "data": data})
        if kind == "dragEnter":  # Chromium loses a drop that comes before the page's answer
            expect(page.locator("body.dragging")).to_be_attached()


def shown(page: Page) -> None:
    """Wait until a colored photo is on the stage."""
    expect(page.locator("#processed img[src]")).to_be_visible()
