"""The page: its endpoints over HTTP, and visits in a real Chromium."""

import io
import json
import os
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from colorizer import Adjustments
from colorizer.adjust.adjustments import PRESETS
from colorizer.web.texts import say
from tests.helpers.browser import CHROMIUM, FLAGS, TIMEOUT_MS, started
from tests.helpers.paths import ROOT

PICTURES = ("gray", "colorized", "processed")
BUSY = 8  # photos that are ahead in line
NAMELESS = """() => [...document.querySelectorAll('button, input, textarea, [role=slider]')]
    .filter(part => part.offsetParent && !(part.ariaLabel || part.innerText?.trim() || part.title
        || part.labels?.length || part.querySelector('img[alt]:not([alt=""])')))
    .map(part => part.outerHTML)"""

Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page on the bundled checkpoint."""
    with started(tmp_path_factory.mktemp("app")) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        if os.environ.get("COLORIZER_REQUIRE_BROWSER"):
            pytest.fail("No Chromium on the PATH; install Debian's package chromium.")
        pytest.skip("no Chromium on the PATH (Debian: apt-get install chromium)")
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def visit(address: str, browser: Browser) -> Iterator[Visit]:
    """Opens the page for another visitor; a request to any other host fails the test."""
    elsewhere: list[str] = []
    pages: list[Page] = []

    def open_page(width: int = 1280, locale: str = "en-US") -> Page:
        page = browser.new_page(
            viewport={"width": width, "height": 900}, locale=locale, has_touch=width < 500
        )
        page.set_default_timeout(TIMEOUT_MS)
        page.on("request", lambda request: elsewhere.append(request.url))
        page.goto(address)
        pages.append(page)
        return page

    yield open_page
    for page in pages:
        page.close()
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


def give(page: Page, photo: Path) -> None:
    """Upload a photo and wait until all is there."""
    page.locator("#photo input[type=file]").set_input_files(photo)
    expect(page.locator(".compare")).to_be_visible()


def source(page: Page, name: str) -> str:
    """The address of a picture, which changes when the picture does."""
    return page.locator(f"#{name} img").get_attribute("src") or ""


def changed(page: Page, name: str, before: str) -> str:
    """Wait for another picture; its address."""
    expect(page.locator(f"#{name} img")).not_to_have_attribute("src", before)
    return source(page, name)


def set_number(page: Page, name: str, value: float) -> None:
    number = page.locator(f"#{name} input[type=number]")
    number.fill(str(value))
    number.press("Enter")


def downloaded(page: Page, button: str, folder: Path) -> Path:
    with page.expect_download() as waiting:
        page.locator(button).click()
    path = folder / waiting.value.suggested_filename
    waiting.value.save_as(path)
    return path


@pytest.mark.browser
def test_from_upload_to_download(visit: Visit, photo: Path, tmp_path: Path) -> None:
    page = visit()
    assert page.locator("#processed").count() == 0
    give(page, photo)
    for name in PICTURES:
        words = say(f"photo.{name}_alt", None, name="grandma.jpg")
        expect(page.locator(f"#{name} img")).to_have_attribute("alt", words)
    first = {name: source(page, name) for name in PICTURES}
    assert first["gray"] != first["colorized"] == first["processed"]

    set_number(page, "saturation", 0.2)
    processed = changed(page, "processed", first["processed"])
    page.locator("#saturation").get_by_label("Reset to default value").click()
    processed = changed(page, "processed", processed)
    page.get_by_role("radio", name="Faded print").check()
    processed = changed(page, "processed", processed)
    cast = page.locator("#auto_white_balance input[type=number]")
    expect(cast).to_have_value(str(PRESETS["faded_print"].auto_white_balance))
    page.locator("#vibrance input[type=range]").press("ArrowRight")
    processed = changed(page, "processed", processed)
    expect(page.get_by_role("radio", name="Faded print")).not_to_be_checked()
    assert {source(page, name) for name in PICTURES[:2]} == {first["gray"], first["colorized"]}

    compared = page.locator(".compare img")
    assert [image.get_attribute("src") for image in compared.all()] == [first["gray"], processed]
    page.get_by_label("Grayscale and colorized").check()
    expect(compared.last).to_have_attribute("src", first["colorized"])
    divider = page.locator(".compare input")
    divider.focus()
    for _ in range(20):
        divider.press("ArrowLeft")
    clip = compared.last.evaluate("image => getComputedStyle(image).clipPath")
    assert clip == "inset(0px 0px 0px 40%)"

    path = downloaded(page, "#download", tmp_path)
    assert path.name == "grandma_color.jpg"
    with Image.open(path) as image:
        assert image.size == (1200, 900)
        assert image.mode == "RGB"
    page.locator("#reset").click()
    changed(page, "processed", processed)
    expect(cast).to_have_value("0")
    assert downloaded(page, "#share", tmp_path).name == "grandma_before_after.jpg"
    assert page.evaluate(NAMELESS) == []


@pytest.mark.browser
def test_fix_colors(visit: Visit, tmp_path: Path) -> None:
    """By keyboard, by mouse, by numbers, from another photo; and back."""
    page = visit()
    page.get_by_label("Portrait of an astronaut").click()
    page.get_by_role("tab", name="Fix a color").click()
    stage = page.locator("#stage button:has(img)")
    expect(stage.locator("img")).to_be_visible()
    marked = source(page, "stage")
    stage.focus()
    for key in ("ArrowRight", "Shift+ArrowUp", "Enter"):
        page.keyboard.press(key)
    marked = changed(page, "stage", marked)
    likely, hints = page.locator("#likely button"), page.locator("#hints button")
    expect(likely.first).to_be_visible()
    colorized = source(page, "colorized")
    likely.nth(1).press("Enter")
    expect(hints).to_have_count(1)
    colorized = changed(page, "colorized", colorized)

    box = stage.locator("img").bounding_box()
    assert box is not None
    stage.locator("img").click(position={"x": box["width"] / 4, "y": box["height"] / 2})
    page.get_by_text("Choose the spot by its position").click()
    expect(page.locator("#x input")).to_have_value("128")
    page.get_by_role("button", name="Keep it gray").click()
    expect(hints).to_have_count(2)
    colorized = changed(page, "colorized", colorized)

    page.locator("#x input").fill("300")
    page.locator("#y input").fill("60")
    page.locator("#place").click()
    page.get_by_text("Take the color from another photo").click()
    Image.new("RGB", (60, 40), "#c02020").save(tmp_path / "red.png")
    page.locator("#reference input[type=file]").set_input_files(tmp_path / "red.png")
    page.locator("#reference img").click()
    expect(hints).to_have_count(3)
    expect(hints.nth(2)).to_have_attribute("aria-label", "Remove spot 3 (#c02020)")
    page.locator("#color .dialog-button").click()
    page.locator("#color input[type=text]").fill("#2040c0")
    page.locator("#color input[type=text]").press("Enter")
    page.locator("#use").click()
    expect(hints.nth(2)).to_have_attribute("aria-label", "Remove spot 3 (#2040c0)")

    page.get_by_role("tab", name="Versions").click()
    colorized = source(page, "colorized")
    page.get_by_label("Version 2").click()
    changed(page, "colorized", colorized)
    page.get_by_role("tab", name="Fix a color").click()
    expect(hints).to_have_count(3)
    page.locator("#undo").click()
    expect(hints.nth(2)).to_have_attribute("aria-label", "Remove spot 3 (#c02020)")
    hints.first.click()
    expect(hints).to_have_count(2)
    page.locator("#clear").click()
    expect(hints).to_have_count(0)

    expect(page.locator("#legend")).to_be_hidden()
    marked = source(page, "stage")
    page.get_by_label("Show where the model is unsure").check()
    changed(page, "stage", marked)
    expect(page.locator("#legend")).to_be_visible()
    assert page.evaluate(NAMELESS) == []


@pytest.mark.browser
def test_turn_crop_and_take_up_again(visit: Visit, photo: Path, tmp_path: Path) -> None:
    page = visit()
    give(page, photo)
    page.get_by_text("Turn, crop or invert").click()
    gray, view = source(page, "gray"), source(page, "crop-view")
    page.get_by_role("button", name="Turn right").click()
    gray, _ = changed(page, "gray", gray), changed(page, "crop-view", view)
    left = page.get_by_label("number input for Cut off left, %")
    left.fill("50")
    left.press("Enter")
    page.get_by_role("button", name="Crop", exact=True).click()
    changed(page, "gray", gray)
    processed = source(page, "processed")
    set_number(page, "saturation", 1.5)
    processed = changed(page, "processed", processed)
    with Image.open(downloaded(page, "#download", tmp_path)) as image:
        assert image.size == (450, 1200)

    page.get_by_text("Save your work for later").click()
    recipe = downloaded(page, "#recipe", tmp_path)
    assert recipe.name == "grandma_recipe.json"
    page.locator("#reset").click()
    changed(page, "processed", processed)
    with page.expect_file_chooser() as chooser:
        page.locator("#load-recipe").click()
    chooser.value.set_files(recipe)
    expect(page.locator("#processed img")).to_have_attribute("src", processed)
    expect(page.locator("#saturation input[type=number]")).to_have_value("1.5")


HOLD_FILE = """bytes => {
    const held = new DataTransfer();
    held.items.add(new File([new Uint8Array(bytes)], "grandma.jpg", {type: "image/jpeg"}));
    return held;
}"""
COPY = """async bytes => navigator.clipboard.write([new ClipboardItem(
    {"image/png": new Blob([new Uint8Array(bytes)], {type: "image/png"})})])"""


@pytest.mark.browser
def test_drop(visit: Visit, photo: Path) -> None:
    page = visit()
    expect(page.get_by_label("Drop an image file here")).to_be_visible()
    held = page.evaluate_handle(HOLD_FILE, list(photo.read_bytes()))
    page.get_by_label("Drop an image file here").dispatch_event("drop", {"dataTransfer": held})
    expect(page.locator(".compare")).to_be_visible()


@pytest.mark.browser
def test_paste(visit: Visit) -> None:
    page = visit()
    expect(page.get_by_label("Drop an image file here")).to_be_visible()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copied = io.BytesIO()
    Image.linear_gradient("L").save(copied, "PNG")
    page.evaluate(COPY, list(copied.getvalue()))
    page.keyboard.press("Control+V")
    expect(page.locator(".compare")).to_be_visible()


@pytest.mark.browser
def test_a_place_in_line_is_shown(visit: Visit, client: Client, photo: Path) -> None:
    page = visit()
    expect(page.get_by_label("Drop an image file here")).to_be_visible()
    waiting = [client.submit(handle_file(photo), api_name="/colorize") for _ in range(BUSY)]
    while not any(job.status().rank for job in waiting):
        assert not all(job.done() for job in waiting)
        time.sleep(0.05)
    page.locator("#photo input[type=file]").set_input_files(photo)
    expect(page.locator("#photo")).to_contain_text(re.compile(r"queue: \d+/\d+"))
    expect(page.locator(".compare")).to_be_visible()
    for job in waiting:
        job.result()


@pytest.mark.browser
def test_on_a_phone(visit: Visit, photo: Path) -> None:
    """Nothing is wider than the screen, and a finger does it all."""
    page = visit(width=390)
    give(page, photo)
    for tab in ("Fix a color", "Versions", "Adjust"):
        page.get_by_role("tab", name=tab).tap()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
    page.get_by_role("tab", name="Fix a color").tap()
    page.locator("#stage img").tap()
    page.locator("#likely button").first.tap()
    expect(page.locator("#hints button")).to_have_count(1)
    page.get_by_role("tab", name="About").tap()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


@pytest.mark.browser
def test_a_file_that_is_no_photo_gets_a_sentence(visit: Visit, photo: Path, tmp_path: Path) -> None:
    """In the visitor's language; and the pictures before it go, lest they pass for the file's."""
    page = visit(locale="de-AT")
    expect(page.get_by_role("tab", name="Viele Fotos")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    give(page, photo)
    page.get_by_label("Remove Image").first.click()
    expect(page.locator("#processed img")).to_have_count(0)
    path = tmp_path / "letter.jpg"
    path.write_text("Dear grandma")
    page.locator("#photo input[type=file]").set_input_files(path)
    expect(page.get_by_text("letter.jpg lässt sich nicht als Foto öffnen")).to_be_visible()
    expect(page.locator("#processed img")).to_have_count(0)


@pytest.mark.browser
def test_two_visitors_do_not_see_each_other(visit: Visit, photo: Path) -> None:
    first, second = visit(), visit(locale="es")
    give(first, photo)
    assert second.locator("#processed").count() == 0
    second.get_by_label("Una abeja en una flor").click()
    expect(second.locator(".compare")).to_be_visible()
    other = source(second, "processed")
    before = source(first, "processed")
    set_number(first, "saturation", 0.2)
    changed(first, "processed", before)
    assert source(second, "processed") == other
    assert second.locator("#saturation input[type=number]").input_value() == "1"


# Over HTTP


@pytest.fixture
def client(address: str) -> Client:
    return Client(address, verbose=False)


@pytest.mark.parametrize("mark", [{}, {"meta": {"_type": "gradio.FileData"}}])
@pytest.mark.parametrize(
    ("endpoint", "others"),
    [
        ("colorize_1", list(vars(Adjustments()).values())),  # the page's own
        ("reference_color", [1, 1]),
    ],
)
def test_files_of_the_server_are_not_for_reading(
    address: str, client: Client, endpoint: str, others: list[float], mark: dict[str, object]
) -> None:
    """A request can name any path, with or without the mark of an uploaded file."""
    payload = {"path": str(ROOT / "examples" / "portrait.jpg"), **mark}
    request = urllib.request.Request(
        f"{address}gradio_api/call/{endpoint}",
        json.dumps({"data": [payload, *others], "session_hash": client.session_hash}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        event = json.load(response)["event_id"]
    with urllib.request.urlopen(f"{address}gradio_api/call/{endpoint}/{event}") as response:
        answer = response.read().decode()
    assert answer.startswith("event: error")
    assert "photo.jpg" not in answer
    if not mark:  # Gradio itself refuses marked ones
        assert "You can only use files that you uploaded" in answer
