"""The page: its endpoints over HTTP, and visits in a real Chromium."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image
from playwright.sync_api import Page, expect, sync_playwright

ROOT = Path(__file__).parent.parent
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
FLAGS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
START_SECONDS = 120


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page, started as a person starts it, on the bundled checkpoint."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("app")
    settings = {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(folder / "files")}
    with (folder / "log").open("w") as log:
        app = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=os.environ | settings, stdout=log, stderr=log
        )
    address = f"http://127.0.0.1:{port}/"
    try:
        deadline = time.monotonic() + START_SECONDS
        while not answers(address):
            assert app.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.2)
        yield address
    finally:
        app.terminate()
        app.wait()


def answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=5) as response:
            return response.status == 200
    except (urllib.error.URLError, TimeoutError):
        return False


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    """The page in Chromium; a request to any other host fails the test."""
    if CHROMIUM is None:
        if os.environ.get("COLORIZER_REQUIRE_BROWSER"):
            pytest.fail("No Chromium on the PATH; install Debian's package chromium.")
        pytest.skip("no Chromium on the PATH (Debian: apt-get install chromium)")
    elsewhere: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(60_000)
        expect.set_options(timeout=60_000)
        page.on("request", lambda request: elsewhere.append(request.url))
        page.goto(address)
        yield page
        browser.close()
    local = (address, "data:", "blob:")
    assert [url for url in elsewhere if not url.startswith(local)] == []


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gray photo of 900 x 1200 pixels: a bright sky over dark ground with some texture."""
    random = np.random.default_rng(0)
    rows = np.linspace(230, 60, 900)[:, None] + random.normal(0, 8, (900, 1200))
    path = tmp_path_factory.mktemp("photo") / "grandma.jpg"
    Image.fromarray(rows.clip(0, 255).astype(np.uint8)).save(path, quality=95)
    return path


def shown(page: Page) -> list[str]:
    """Addresses of the three pictures; they change when the pictures do."""
    names = ("grayscale", "colorized", "post-processed")
    return [page.locator(f"#{name} img").get_attribute("src") or "" for name in names]


def set_slider(page: Page, name: str, value: float) -> None:
    number = page.locator(f"#{name} input[type=number]")
    number.fill(str(value))
    number.press("Enter")


@pytest.mark.browser
def test_upload_adjust_download(page: Page, photo: Path, tmp_path: Path) -> None:
    page.locator("#photo input[type=file]").set_input_files(photo)
    expect(page.locator("#post-processed img")).to_be_visible()
    for label in ("Grayscale", "Colorized", "Post-processed"):
        expect(page.get_by_alt_text(f"{label} photo")).to_be_visible()
    before = shown(page)
    assert before[0] != before[1]

    set_slider(page, "saturation", 0.2)
    expect(page.locator("#post-processed img")).not_to_have_attribute("src", before[2])
    after = shown(page)
    assert after[:2] == before[:2]
    assert page.locator("#compare img").count() == 2

    with page.expect_download() as waiting:
        page.locator("#download").click()
    download = waiting.value
    assert download.suggested_filename == "grandma_color.jpg"
    download.save_as(tmp_path / "out.jpg")
    with Image.open(tmp_path / "out.jpg") as image:
        assert image.size == (1200, 900)
        assert image.mode == "RGB"


@pytest.mark.browser
def test_an_example_runs_on_click(page: Page) -> None:
    page.locator("button.thumbnail-item, .gallery-item").first.click()
    expect(page.locator("#post-processed img")).to_be_visible()


@pytest.mark.browser
def test_a_file_that_is_no_photo_gets_a_sentence(page: Page, tmp_path: Path) -> None:
    """After an example, too; and the example's pictures go, lest they pass for the file's."""
    page.locator("button.thumbnail-item, .gallery-item").first.click()
    expect(page.locator("#post-processed img")).to_be_visible()
    page.get_by_label("Remove Image").first.click()
    path = tmp_path / "letter.jpg"
    path.write_text("Dear grandma")
    page.locator("#photo input[type=file]").set_input_files(path)
    expect(page.get_by_text("letter.jpg is not a photo in a known format")).to_be_visible()
    expect(page.locator("#post-processed img")).to_have_count(0)


def test_colorize_and_download_over_http(address: str, photo: Path) -> None:
    client = Client(address, verbose=False)
    gray, colorized, *_ = client.predict(handle_file(photo), api_name="/colorize")
    with Image.open(gray) as first, Image.open(colorized) as second:
        assert first.size == second.size
        assert second.mode == "RGB"
    settings = [1, 1, 0, 0, 0, 0, 0, 0]
    file = client.predict(*settings, api_name="/download")
    assert Path(file).name == "grandma_color.jpg"
    with Image.open(file) as image:
        assert image.size == (1200, 900)


def test_files_of_the_server_are_not_for_reading(address: str) -> None:
    """A request can name any path, with or without the mark of an uploaded file."""
    client = Client(address, verbose=False)
    secret = str(ROOT / "examples" / "portrait.jpg")
    for payload in ({"path": secret}, {"path": secret, "meta": {"_type": "gradio.FileData"}}):
        request = urllib.request.Request(
            f"{address}gradio_api/call/colorize",
            json.dumps({"data": [payload], "session_hash": client.session_hash}).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request) as response:
                event = json.load(response)["event_id"]
            result = urllib.request.urlopen(f"{address}gradio_api/call/colorize/{event}").read()
        except urllib.error.HTTPError as error:
            result = error.read()
        assert b"photo.jpg" not in result
        assert b"error" in result
