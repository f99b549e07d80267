"""Painting over the pictures in a real Chromium: mend and protect, with undo."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Locator, Page, expect

from tests.helpers.access import violations
from tests.helpers.browser import give, started, visit

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with started(tmp_path_factory.mktemp("app")) as address:
        yield address


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A flat gray photo of 300 x 400 pixels with a broad dark bar, and specks at its right."""
    pixels = np.random.default_rng(0).normal(150, 2, (300, 400)).round().astype(np.uint8)
    pixels[130:150, 40:160] = 40
    for x in range(230, 380, 15):
        cv2.circle(pixels, (x, 140), 1, 250, -1)
    path = tmp_path_factory.mktemp("photo") / "grandma.png"
    Image.fromarray(pixels).save(path)
    return path


def start(page: Page, photo: Path) -> Locator:
    """Upload the photo and open the brushes; the post-processed picture."""
    give(page, photo)
    picture = page.locator("#processed img")
    page.get_by_role("button", name="Grain, dust and scratches").click()
    return picture


def paint(page: Page, picture: Locator, start: float, end: float) -> None:
    """Paint a line at the height of the bar and the specks, in shares of the picture's width."""
    box = picture.bounding_box()
    assert box is not None
    y = box["y"] + 140 / 300 * box["height"]
    page.mouse.move(box["x"] + start * box["width"], y)
    page.mouse.down()
    page.mouse.move(box["x"] + (start + end) / 2 * box["width"], y)
    page.mouse.move(box["x"] + end * box["width"], y)
    page.mouse.up()


def source(picture: Locator) -> str:
    return picture.get_attribute("src") or ""


def downloaded(page: Page, folder: Path) -> np.ndarray:
    """The gray levels of the download."""
    with page.expect_download() as waiting:
        page.locator("#download").click()
    waiting.value.save_as(folder / "made.png")
    with Image.open(folder / "made.png") as image:
        return np.asarray(image.convert("L"), np.float32)


def test_mend_by_mouse(address: str, photo: Path, tmp_path: Path) -> None:
    """Side by side; undone and redone, and not while another tool is open."""
    with visit(address) as page:
        picture = start(page, photo)
        before, brush = source(picture), page.locator("#mend")
        page.locator("#stroke-size input[type=number]").fill("14")
        page.locator("#stroke-size input[type=number]").press("Enter")
        brush.click()
        expect(brush).to_have_attribute("aria-pressed", "true")
        assert violations(page) == []
        paint(page, picture, 0.08, 0.42)
        expect(picture).not_to_have_attribute("src", before)
        expect(page.locator("#gray .strokes .mend")).to_have_count(1)
        mended = downloaded(page, tmp_path)
        assert mended[132:148, 45:155].mean() == pytest.approx(150, abs=6)
        page.locator("#undo").click()
        expect(page.locator("#gray .strokes .mend")).to_have_count(0)
        expect(page.locator("#redo")).to_be_enabled()
        assert downloaded(page, tmp_path)[132:148, 45:155].mean() == pytest.approx(40, abs=8)
        page.locator("#redo").click()
        expect(page.locator("#gray .strokes .mend")).to_have_count(1)
        page.locator("#clear-strokes").click()
        expect(page.locator("#gray .strokes .mend")).to_have_count(0)
        page.get_by_role("tab", name="Versions", exact=True).click()
        page.get_by_role("tab", name="Adjust", exact=True).click()
        expect(brush).to_have_attribute("aria-pressed", "false")


def test_protect_by_touch(address: str, photo: Path, tmp_path: Path) -> None:
    """On a phone, on the large picture; undone."""
    size = {"width": 390, "height": 844}
    with visit(address, viewport=size, has_touch=True, is_mobile=True) as page:
        picture = start(page, photo)
        before = source(picture)
        page.locator("#dust input[type=number]").fill("1")
        page.locator("#dust input[type=number]").press("Enter")
        expect(picture).not_to_have_attribute("src", before)
        with Image.open(photo) as image:
            original = np.asarray(image, np.float32)
        specks = (slice(136, 145), slice(226, 372))
        assert np.abs(downloaded(page, tmp_path) - original)[specks].max() > 50
        page.locator("#protect").tap()
        expect(page.locator("#protect")).to_have_attribute("aria-pressed", "true")
        box = picture.bounding_box()
        assert box is not None
        before, y = source(picture), box["y"] + 140 / 300 * box["height"]
        touch = page.context.new_cdp_session(page)
        for kind, share in (("touchStart", 0.5), ("touchMove", 0.75), ("touchMove", 1)):
            points = [{"x": box["x"] + share * (box["width"] - 1), "y": y}]
            touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        expect(picture).not_to_have_attribute("src", before)
        expect(page.locator("#processed .strokes .protect")).to_have_count(1)
        # Pillow's gray differs from L* by some levels
        assert np.abs(downloaded(page, tmp_path) - original)[specks].max() < 6
        page.locator("#undo").click()
        expect(page.locator("#processed .strokes .protect")).to_have_count(0)
        expect(page.locator("#redo")).to_be_enabled()
        assert np.abs(downloaded(page, tmp_path) - original)[specks].max() > 50
