"""Let many visitors colorize a photo at once: `python -m benchmarks.crowd ADDRESS PHOTO`.

Each visitor uploads the photo over HTTP, waits for the result, and downloads it. With `--page`,
each does what the page does instead: it is opened once in Chromium, and what it asks the server
after an upload is repeated for every visitor, as if each had a browser on another machine. That
needs Playwright and Chromium.
"""

import argparse
import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import quantiles
from typing import Any

import httpx
from gradio_client import Client, handle_file

from benchmarks.photo import make_photo

FLAGS = ["--no-sandbox", "--disable-gpu"]
TIMEOUT_SECONDS = 300
THUMBNAILS = 2  # events that the page starts at last, at once: its looks, and other versions
SETTLE_MS = 4000  # within which the page asks for everything

Event = dict[str, Any]  # what the page sends to join Gradio's queue


def visit(address: str, photo: Path, folder: Path) -> float:
    """Colorize a photo; returns the seconds until it is downloaded."""
    client = Client(address, verbose=False, download_files=folder)
    start = time.perf_counter()
    client.predict(photo=handle_file(photo), api_name="/colorize")
    return time.perf_counter() - start


def events_of_page(address: str, photo: Path) -> list[Event]:
    """What the page sends after the upload of a photo."""
    from playwright.sync_api import Request, sync_playwright

    events: list[Event] = []

    def note(request: Request) -> None:
        if "/queue/join" in request.url:
            events.append(json.loads(request.post_data or "{}"))

    with sync_playwright() as playwright:
        chromium = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        page = browser.new_page()
        page.goto(address)
        page.wait_for_function("window.colorizer")
        page.wait_for_timeout(SETTLE_MS)
        page.on("request", note)
        page.locator("#photo input[type=file]").set_input_files(photo)
        page.locator("#processed img[src]").wait_for()
        page.wait_for_timeout(SETTLE_MS)
        browser.close()
    return events


async def visit_page(
    address: str, photo: Path, events: Sequence[Event], number: int
) -> tuple[float, float]:
    """Do what the page does; returns the seconds until the picture and until the thumbnails."""
    start = time.perf_counter()
    session, uploaded = f"crowd{number}", events[0]["data"][0]["path"]
    async with httpx.AsyncClient(
        base_url=f"{address.rstrip('/')}/gradio_api/",
        headers={"X-Forwarded-For": f"10.0.0.{number + 1}"},  # a client has a share of the queue
        timeout=TIMEOUT_SECONDS,
    ) as client:
        answer = await client.post("upload", files={"files": (photo.name, photo.read_bytes())})
        path = answer.raise_for_status().json()[0]

        async def join(event: Event) -> str:
            text = json.dumps(event | {"session_hash": session}).replace(uploaded, path)
            answer = await client.post("queue/join", json=json.loads(text))
            return str(answer.raise_for_status().json()["event_id"])

        async def completed(names: set[str]) -> None:
            async with client.stream("GET", "queue/data", params={"session_hash": session}) as data:
                async for line in data.aiter_lines():
                    message = json.loads(line.removeprefix("data:") or "{}")
                    if message.get("msg") == "process_completed":
                        if not message["success"]:
                            raise RuntimeError(f"The page's answer was {message['output']}.")
                        names.discard(message["event_id"])
                    if not names:
                        return

        for event in events[:-THUMBNAILS]:
            await completed({await join(event)})
        picture = time.perf_counter() - start
        await completed({await join(event) for event in events[-THUMBNAILS:]})
    return picture, time.perf_counter() - start


async def visit_pages(address: str, photo: Path, visitors: int) -> list[tuple[float, float]]:
    """Visit the page many times at once; returns the seconds of each as `visit_page` does."""
    events = await asyncio.to_thread(events_of_page, address, photo)
    return await asyncio.gather(
        *(visit_page(address, photo, events, number) for number in range(visitors))
    )


def print_seconds(what: str, seconds: Sequence[float]) -> None:
    """Print the median and the 95th percentile."""
    cuts = quantiles(seconds, n=20)
    print(f"until {what}: {cuts[9]:.1f} s (median), {cuts[18]:.1f} s (95th percentile)")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crowd", description=__doc__)
    parser.add_argument("address", help="of a running page, like http://127.0.0.1:7860")
    parser.add_argument("photo", type=Path, help="enlarged to the size asked for")
    parser.add_argument("--visitors", type=int, default=50, help="default: 50")
    parser.add_argument("--megapixels", type=float, default=1.0, help="default: 1")
    parser.add_argument("--page", action="store_true", help="visit the page")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = folder / "photo.jpg"
        make_photo(options.photo, options.megapixels, photo)
        if options.page:
            pages = asyncio.run(visit_pages(options.address, photo, options.visitors))
            pictures, seconds = zip(*pages, strict=True)
            print_seconds("a photo is shown", pictures)
            print_seconds("its thumbnails are shown", seconds)
        else:
            visit(options.address, photo, folder / "first")  # warms up

            def number(index: int) -> float:
                return visit(options.address, photo, folder / str(index))

            with ThreadPoolExecutor(options.visitors) as pool:
                seconds = tuple(pool.map(number, range(options.visitors)))
            print_seconds("a photo is back", seconds)
    print(f"{options.visitors / max(seconds):.2f} photos per second")
    return 0


if __name__ == "__main__":
    sys.exit(main())
