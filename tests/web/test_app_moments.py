"""Start fresh, undo and redo at awkward moments, while the server's answers are slow."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from colorizer.web.texts import say
from tests.helpers.browser import give, started, visit

pytestmark = pytest.mark.browser

SLOW = """
const quick = window.fetch;
window.slowness = {match: "", milliseconds: 0};  // delays what the stream tells, where it matches
window.unanswered = 0;  // events
window.fetch = async (...request) => {
    const address = request[0].url ?? String(request[0]);
    if (address.includes("/queue/join")) window.unanswered += 1;
    const response = await quick(...request);
    if (!address.includes("/queue/data")) return response;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    const pull = async stream => {
        const {done, value} = await reader.read();
        if (done) return stream.close();
        for (const message of value.split(/(?<=\\n\\n)/)) {
            const {match, milliseconds} = window.slowness;
            if (milliseconds && message.includes(match))
                await new Promise(resolve => setTimeout(resolve, milliseconds));
            if (message.includes("process_completed")) window.unanswered -= 1;
            stream.enqueue(new TextEncoder().encode(message));
        }
    };
    return new Response(new ReadableStream({pull}), {headers: response.headers});
};
"""
SIDES = """() => {
    const image = document.querySelector("#gray img");
    return [image.naturalWidth, image.naturalHeight];
}"""
ANSWERS, END = "process_completed", "close_stream"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with started(tmp_path_factory.mktemp("app")) as address:
        yield address


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    with visit(address) as page:
        page.add_init_script(SLOW)
        page.reload()
        page.wait_for_function("window.colorizer")
        yield page


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Two gray photos, both wider than high."""
    folder = tmp_path_factory.mktemp("photos")
    across = np.linspace(230, 60, 400) + np.zeros((300, 1))
    for name, levels in {"grandma.png": across, "grandpa.png": across[:, ::-1]}.items():
        Image.fromarray(levels.astype(np.uint8)).save(folder / name)
    return sorted(folder.iterdir())


def slow_down(page: Page, match: str, milliseconds: int) -> None:
    slowness = {"match": match, "milliseconds": milliseconds}
    page.evaluate("slowness => { window.slowness = slowness; }", slowness)


def settle(page: Page) -> None:
    """Wait until no answer is on its way, and none is asked for."""
    quiet = 0
    while quiet < 3:
        page.wait_for_timeout(300)
        quiet = 0 if page.evaluate("window.unanswered") else quiet + 1


def send(page: Page, photo: Path) -> None:
    """Upload a photo; its result is still to come."""
    with page.expect_request("**/queue/join*"):
        page.locator("#photo input[type=file]").set_input_files(photo)


def shows(photo: Path) -> str:
    """What a screen reader says of the picture."""
    return say("script.processed_alt", None, name=photo.name)


def setting(page: Page, name: str) -> Locator:
    return page.locator(f"#{name} input[type=number]")


def change(page: Page, name: str, value: float) -> str:
    """Change a setting; returns the address of the picture."""
    processed = page.locator("#processed img")
    before = processed.get_attribute("src") or ""
    setting(page, name).fill(str(value))
    setting(page, name).press("Enter")
    expect(processed).not_to_have_attribute("src", before)
    return processed.get_attribute("src") or ""


def test_an_event_gets_its_answer_while_the_stream_ends(page: Page, photos: list[Path]) -> None:
    """The browser learns late that there was nothing more to come, and asks for more meanwhile."""
    give(page, photos[0])
    page.get_by_role("tab", name="Crop").click()
    settle(page)
    gray = page.locator("#gray img")
    upright = str(gray.get_attribute("src"))
    slow_down(page, END, 300)
    page.get_by_role("button", name="Turn right").click()
    expect(gray).not_to_have_attribute("src", upright)
    page.locator("#undo").click()
    expect(gray).to_have_attribute("src", upright)


def test_steps_in_a_row_end_at_the_last(page: Page, photos: list[Path]) -> None:
    give(page, photos[0])
    processed = page.locator("#processed img")
    first = str(processed.get_attribute("src"))
    second = change(page, "saturation", 1.5)
    change(page, "vibrance", 0.5)
    settle(page)
    slow_down(page, ANSWERS, 800)
    for _ in range(2):
        page.locator("#undo").click()
    expect(processed).to_have_attribute("src", first)
    expect(setting(page, "saturation")).to_have_value("1")
    expect(page.locator("#undo")).to_be_disabled()
    for name in ("redo", "redo", "undo"):
        page.locator(f"#{name}").click()
    expect(processed).to_have_attribute("src", second)
    expect(setting(page, "saturation")).to_have_value("1.5")


def test_a_fresh_start_counts_for_a_photo_on_its_way(page: Page, photos: list[Path]) -> None:
    """And can be undone there."""
    give(page, photos[0])
    change(page, "saturation", 1.5)
    slow_down(page, ANSWERS, 800)
    send(page, photos[1])
    page.locator("#reset").click()
    processed = page.locator("#processed img")
    expect(processed).to_have_attribute("alt", shows(photos[1]))
    expect(page.locator("#processed figcaption")).to_have_text("Adjusted: nothing yet")
    expect(setting(page, "saturation")).to_have_value("1")
    slow_down(page, ANSWERS, 0)
    page.locator("#undo").click()
    expect(setting(page, "saturation")).to_have_value("1.5")
    expect(processed).to_have_attribute("alt", shows(photos[1]))


def test_steps_are_not_for_another_photo(page: Page, photos: list[Path]) -> None:
    """A turn that was undone is not redone on the photo that comes next."""
    give(page, photos[0])
    gray = page.locator("#gray img")
    upright = str(gray.get_attribute("src"))
    page.get_by_role("tab", name="Crop").click()
    page.get_by_role("button", name="Turn right").click()
    expect(gray).not_to_have_attribute("src", upright)
    page.locator("#undo").click()
    expect(gray).to_have_attribute("src", upright)
    settle(page)
    slow_down(page, ANSWERS, 800)
    send(page, photos[1])
    page.locator("#redo").click()
    expect(gray).to_have_attribute("alt", say("script.gray_alt", None, name=photos[1].name))
    slow_down(page, ANSWERS, 0)
    settle(page)
    assert page.evaluate(SIDES) == [400, 300]
    expect(page.locator("#redo")).to_be_disabled()
