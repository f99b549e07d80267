"""A visitor's work in a real Chromium: back and forth, another day, another language."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.helpers.access import violations
from tests.helpers.browser import TIMEOUT_MS, give, started, visit
from tests.helpers.scenes import scene

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with started(tmp_path_factory.mktemp("app")) as address:
        yield address


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    with visit(address) as page:
        yield page


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gray photo of 600 x 800 pixels."""
    random = np.random.default_rng(0)
    rows = np.linspace(230, 60, 600)[:, None] + random.normal(0, 8, (600, 800))
    path = tmp_path_factory.mktemp("photo") / "grandma.jpg"
    Image.fromarray(rows.clip(0, 255).astype(np.uint8)).save(path, quality=95)
    return path


def set_saturation(page: Page, value: float) -> None:
    before = page.locator("#processed img").get_attribute("src") or ""
    number = page.locator("#saturation input[type=number]")
    number.fill(str(value))
    number.press("Enter")
    expect(page.locator("#processed img")).not_to_have_attribute("src", before)


def tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def add_spot(page: Page) -> None:
    tab(page, "Fix a color")
    expect(page.locator("#marked img")).to_be_visible()
    page.locator(".panes").click()
    page.locator("#likely button").first.click()
    expect(page.locator("#hints button")).to_have_count(1)


KEPT = """steps => new Promise(resolve => {
    const request = indexedDB.open("colorizer", 1);
    request.onerror = () => resolve(false);
    request.onsuccess = () => {
        const store = request.result.transaction("work").objectStore("work");
        const photo = store.get("photo"), history = store.get("history");
        store.transaction.oncomplete = () => {
            request.result.close();
            resolve(Boolean(photo.result) && history.result?.steps.length === steps);
        };
    };
})"""


def wait_until_kept(page: Page, steps: int) -> None:
    """Wait until the browser keeps the photo, and so many steps of the history."""
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while not page.evaluate(KEPT, steps):  # `wait_for_function` takes any promise for true
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)


def set_reach(page: Page, percent: int) -> None:
    before = page.locator("#colorized img").get_attribute("src") or ""
    number = page.locator("#reach input[type=number]")
    number.fill(str(percent))
    number.press("Enter")
    expect(page.locator("#colorized img")).not_to_have_attribute("src", before)


def radius(page: Page) -> float:
    """Of the circle around a spot, in short sides of the photo."""
    circle, image = (page.locator(name).bounding_box() for name in (".reach", "#marked img"))
    assert circle is not None
    assert image is not None
    return circle["width"] / 2 / image["height"]


def sheet(page: Page) -> str:
    """Address of the picture that the presets' buttons show, "" before it is there."""
    image = (
        page.locator("#presets label")
        .nth(1)
        .evaluate("label => getComputedStyle(label, '::before').backgroundImage")
    )
    return "" if image == "none" else str(image)


def wait_for_sheet(page: Page, other_than: str) -> str:
    deadline = time.monotonic() + TIMEOUT_MS / 1000
    while sheet(page) in ("", other_than):
        assert time.monotonic() < deadline
        page.wait_for_timeout(50)
    return sheet(page)


def test_presets_are_shown_on_the_photo(page: Page, photo: Path) -> None:
    """And follow its colors."""
    give(page, photo)
    first = wait_for_sheet(page, "")
    label = page.locator("#presets label").nth(1)
    position = label.evaluate("label => getComputedStyle(label, '::before').backgroundPosition")
    assert position == "25% 0px"  # the second of five
    add_spot(page)
    tab(page, "Adjust")
    wait_for_sheet(page, first)
    caption = page.locator("#processed figcaption")
    expect(caption).to_have_text("Adjusted: nothing yet")
    label.click()
    expect(page.locator("#saturation input[type=number]")).to_have_value("1.15")
    expect(caption).to_have_text("Adjusted")


def test_undo_and_redo_reach_everything(page: Page, photo: Path) -> None:
    """Sliders, spots with their reach, and framing, by button and by key."""
    give(page, photo)
    undo, redo = (page.get_by_role("button", name=name, exact=True) for name in ("Undo", "Redo"))
    expect(undo).to_be_disabled()
    saturation, hints = (
        page.locator("#saturation input[type=number]"),
        page.locator("#hints button"),
    )
    set_saturation(page, 1.5)
    add_spot(page)
    page.mouse.move(0, 0)
    expect(page.locator(".reach")).to_be_hidden()
    set_reach(page, 20)
    page.locator("#reach input[type=range]").focus()  # while its slider is used
    assert radius(page) == pytest.approx(0.2, abs=0.01)
    undo.click()
    expect(page.locator("#reach input[type=number]")).to_have_value("80")
    page.locator(".panes").hover()  # over the spot
    assert radius(page) == pytest.approx(0.8, abs=0.01)
    redo.click()
    expect(page.locator("#reach input[type=number]")).to_have_value("20")
    tab(page, "Crop")
    gray = page.locator("#gray img")
    before = gray.get_attribute("src") or ""
    page.get_by_role("button", name="Turn right").click()
    expect(gray).not_to_have_attribute("src", before)
    tab(page, "Fix a color")
    expect(hints).to_have_count(1)
    page.locator("body").press("Control+z")  # the turn
    expect(gray).to_have_attribute("src", before)
    expect(hints).to_have_count(1)
    for _ in range(2):  # its reach, the spot
        undo.click()
    expect(hints).to_have_count(0)
    undo.click()  # the slider
    tab(page, "Adjust")
    expect(saturation).to_have_value("1")
    expect(undo).to_be_disabled()
    page.locator("body").press("Control+Shift+Z")
    expect(saturation).to_have_value("1.5")
    redo.click()
    tab(page, "Fix a color")
    expect(hints).to_have_count(1)


def test_a_reload_offers_to_continue(page: Page, photo: Path) -> None:
    give(page, photo)
    set_saturation(page, 1.5)
    add_spot(page)
    wait_until_kept(page, 3)
    asked: list[str] = []

    def leave(dialog: object) -> None:
        asked.append(dialog.type)  # type: ignore[attr-defined]
        dialog.accept()  # type: ignore[attr-defined]

    page.on("dialog", leave)
    page.reload()
    assert asked == ["beforeunload"]
    expect(page.get_by_text("Continue where you left off")).to_be_visible()
    expect(page.locator("#continue")).to_contain_text("grandma.jpg")
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(page.locator("#processed img[src]")).to_be_visible()
    expect(page.locator("#saturation input[type=number]")).to_have_value("1.5")
    tab(page, "Fix a color")
    expect(page.locator("#hints button")).to_have_count(1)
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.locator("#hints button")).to_have_count(0)


def click_map(page: Page, x: float, y: float) -> str:
    """Click the map of what is taken, in shares of its sides; its address before."""
    image = page.locator("#map img")
    before, box = image.get_attribute("src") or "", image.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])
    expect(image).not_to_have_attribute("src", before)
    return before


def test_colors_of_another_picture(page: Page, tmp_path: Path) -> None:
    """Dropped, recognized, chosen by region, kept for another day, and taken away."""
    colored = scene(300, 400)
    Image.fromarray(colored).convert("L").save(tmp_path / "grandma.png")
    colored[80:200, 100:220] = (30, 90, 220)
    Image.fromarray(colored).save(tmp_path / "elsewhere.png")
    (tmp_path / "letter.png").write_text("Dear grandma")
    give(page, tmp_path / "grandma.png")
    tab(page, "Copy colors")
    chosen = page.locator("#source-drop input[type=file]")
    chosen.set_input_files(tmp_path / "elsewhere.png")
    expect(page.get_by_text("This is the same photo, colored elsewhere")).to_be_visible()
    expect(page.locator("#source-picture img")).to_be_visible()
    assert violations(page) == []
    drawn = page.locator("#map img").get_attribute("src") or ""
    chosen.set_input_files(tmp_path / "letter.png")
    expect(page.get_by_text("letter.png can't be opened")).to_be_visible()
    expect(page.locator("#map img")).to_have_attribute("src", drawn)
    believed = click_map(page, 0.4, 0.47)  # what was painted over is taken
    wait_until_kept(page, 3)

    page.reload()
    page.get_by_role("button", name="Continue", exact=True).click()
    expect(page.locator("#processed img[src]")).to_be_attached()
    tab(page, "Copy colors")
    expect(page.get_by_text("This is the same photo, colored elsewhere")).to_be_visible()
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.locator("#map img")).to_have_attribute("src", believed)
    page.locator("#source-remove").click()
    expect(page.locator("#source")).to_be_hidden()
    expect(page.locator("#map")).to_be_hidden()
    page.get_by_role("button", name="Undo", exact=True).click()
    expect(page.locator("#source-picture img")).to_be_visible()


def test_what_is_kept_can_be_deleted(page: Page, photo: Path) -> None:
    give(page, photo)
    wait_until_kept(page, 1)
    page.reload()
    page.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator("#continue")).to_have_count(0)
    page.reload()
    expect(page.get_by_role("button", name="Choose a photo")).to_be_visible()
    page.wait_for_timeout(1000)
    expect(page.locator("#continue")).to_have_count(0)


def test_the_language_is_chosen_and_remembered(address: str, photo: Path, tmp_path: Path) -> None:
    """The page, the server's errors, and the work in hand."""
    letter = tmp_path / "letter.jpg"
    letter.write_text("Dear grandma")
    with visit(address, locale="en-US") as page:
        give(page, photo)
        set_saturation(page, 1.5)
        page.get_by_role("link", name="DE", exact=True).click()
        expect(page.get_by_role("tab", name="Viele Fotos")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("lang", "de")
        expect(page.locator("#saturation input[type=number]")).to_have_value("1.5")
        page.locator("#photo input[type=file]").set_input_files(letter)
        expect(page.get_by_text("letter.jpg lässt sich nicht")).to_be_visible()
        again = page.context.new_page()
        again.goto(address)
        expect(again.get_by_role("tab", name="Viele Fotos")).to_be_visible()
        again.goto(f"{address}?lang=es")
        expect(again.get_by_role("tab", name="Muchas fotos")).to_be_visible()
        expect(again.get_by_text("Settings", exact=True)).to_have_count(0)
