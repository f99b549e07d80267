"""Time the page that runs in the browser alone: `python -m benchmarks.static_page FOLDER PHOTO`.

Needs Playwright and Chromium. The network runs on the CPU, with as many threads as it has cores.
"""

import argparse
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from benchmarks.photo import make_photo, print_table

FLAGS = ["--no-sandbox", "--disable-gpu"]
TIMEOUT_MS = 300_000
SAMPLE_SECONDS = 0.05


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a log."""

    def log_message(self, *_: object) -> None:
        """Print nothing."""


class PeakMemory(threading.Thread):
    """Samples the memory of the browser until it is stopped.

    Attributes:
        megabytes: the largest sum over the browser's processes; each counts its share of pages that
            several of them use.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.megabytes = 0.0
        self.done = threading.Event()

    def run(self) -> None:
        """Sample until `done` is set."""
        while not self.done.wait(SAMPLE_SECONDS):
            kilobytes = sum(map(proportional_set_size, descendants(os.getpid())))
            self.megabytes = max(self.megabytes, kilobytes / 1000)


def descendants(process: int) -> list[int]:
    """The process IDs of Chromium among the processes that a process started."""
    parents, names = {}, {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            name, _, rest = entry.read_text().rpartition(")")
        except OSError:  # it has ended
            continue
        parents[int(entry.parent.name)] = int(rest.split()[1])
        names[int(entry.parent.name)] = name
    found, waiting = [], [process]
    while waiting:
        parent = waiting.pop()
        children = [child for child, of in parents.items() if of == parent]
        waiting += children
        found += [child for child in children if "chrom" in names[child]]
    return found


def proportional_set_size(process: int) -> int:
    """Kilobytes of memory of a process; 0 if it has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


@contextmanager
def visit(folder: Path) -> Iterator[Page]:
    """Serve a built page and open it in Chromium."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(QuietHandler, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with sync_playwright() as playwright:
            chromium = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            page = browser.new_page()
            page.set_default_timeout(TIMEOUT_MS)
            page.goto(f"http://127.0.0.1:{server.server_port}/")
            wait_for(page, "ready")
            yield page
            browser.close()
        server.shutdown()


def wait_for(page: Page, state: str) -> None:
    """Wait for the page to be in a state."""
    page.locator(f"body[data-state={state}]").wait_for()


def time_photo(page: Page, path: Path) -> dict[str, float]:
    """Seconds of each action with one photo."""
    start = time.perf_counter()
    page.set_input_files("#file", path)
    wait_for(page, "done")
    shown = time.perf_counter()
    with page.expect_download() as found:
        page.click("#download")
    found.value.path()
    return {
        "from the file to three views": shown - start,
        "download in full size": time.perf_counter() - shown,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.static_page", description=__doc__)
    parser.add_argument("folder", type=Path, help="that `npm run build` made")
    parser.add_argument("photo", type=Path, help="enlarged to the size asked for")
    parser.add_argument("--megapixels", type=float, default=1.0, help="default: 1")
    parser.add_argument("--repeats", type=int, default=5, help="default: 5, after one to warm up")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        make_photo(options.photo, options.megapixels, path)
        memory = PeakMemory()
        memory.start()
        with visit(options.folder) as page:
            runs_on = page.inner_text("#device")
            rounds = [time_photo(page, path) for _ in range(options.repeats + 1)][1:]
        memory.done.set()
        memory.join()
    print(f"{options.megapixels:g} megapixels. {runs_on}. Peak memory: {memory.megabytes:.0f} MB")
    print_table({name: [seconds[name] for seconds in rounds] for name in rounds[0]})
    return 0


if __name__ == "__main__":
    sys.exit(main())
