"""The page as a kiosk in a museum, in a real Chromium."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.helpers.access import violations
from tests.helpers.browser import give, started, visit

pytestmark = pytest.mark.browser

KEPT = """() => new Promise(resolve => {
    const request = indexedDB.open("colorizer", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("work");
    request.onsuccess = () => {
        const keys = request.result.transaction("work").objectStore("work").getAllKeys();
        keys.onsuccess = () => { request.result.close(); resolve(keys.result); };
    };
})"""
IDLE_SECONDS = 20  # the countdown takes 15 of them


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    settings = {"COLORIZER_KIOSK": "1", "COLORIZER_KIOSK_SECONDS": str(IDLE_SECONDS)}
    with started(tmp_path_factory.mktemp("app"), **settings) as address:
        yield address


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    with visit(address) as page:
        yield page


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "grandma.jpg"
    levels = np.linspace(230, 60, 300)[:, None] + np.zeros((300, 400))
    Image.fromarray(levels.astype(np.uint8)).save(path)
    return path


def test_start_over_leaves_nothing_for_the_next_visitor(page: Page, photo: Path) -> None:
    give(page, photo)
    expect(page.get_by_role("tab", name="Model")).to_have_count(0)
    expect(page.locator("footer")).to_be_hidden()
    assert violations(page) == []
    page.wait_for_timeout(500)  # elsewhere, the work would be kept by now
    assert page.evaluate(KEPT) == []
    page.get_by_role("button", name="Start over", exact=True).click()
    expect(page.locator("body.loaded")).to_have_count(0)
    expect(page.get_by_role("button", name="Choose a photo")).to_be_visible()
    expect(page.locator("#continue")).to_have_count(0)
    expect(page.get_by_role("button", name="Start over", exact=True)).to_be_hidden()
    assert page.evaluate(KEPT) == []


def test_on_a_phone_nothing_lies_below_the_button(address: str, photo: Path) -> None:
    with visit(address, viewport={"width": 390, "height": 844}) as page:
        give(page, photo)
        expect(page.locator("#start-anew")).to_be_visible()
        expect(page.locator("#title h1")).to_be_hidden()


def test_an_idle_page_starts_over(address: str, page: Page, photo: Path) -> None:
    """After a countdown, which a touch stops; the next visitor gets the browser's language."""
    page.goto(address + "?lang=de")
    give(page, photo)
    page.mouse.move(10, 10)
    countdown = page.locator("#countdown")
    expect(countdown).to_contain_text("Diese Seite beginnt in")
    page.mouse.move(20, 20)
    expect(countdown).to_be_empty()
    expect(page.locator("body.loaded")).to_have_count(1)
    start = time.monotonic()
    expect(page.get_by_role("button", name="Choose a photo")).to_be_visible()
    assert time.monotonic() - start > IDLE_SECONDS - 2
    expect(page.locator("body.loaded")).to_have_count(0)
    assert "lang" not in page.url
