"""Take the pictures of the user guide from the page: `python -m docs.make_pictures`."""

import io
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image
from playwright.sync_api import Page, expect

from tests.helpers.browser import started, visit
from tests.helpers.paths import ROOT

PICTURES = Path(__file__).parent / "pictures"
WIDTH = 1100  # pixels of the window, and of the pictures
MARGIN = 12  # pixels around what is shown


def main() -> None:
    """Visit the page as the guide tells, and save a picture of each step."""
    PICTURES.mkdir(exist_ok=True)
    window = {"width": WIDTH, "height": 1000}
    with (
        TemporaryDirectory() as folder,
        started(Path(folder)) as address,
        visit(address, viewport=window) as page,
    ):
        take_result(page)
        take_fixes(page)
        take_versions(page)
        take_batch(page)


def take_result(page: Page) -> None:
    """The example, its three pictures, and a look."""
    page.get_by_label("Girls at work in a mill").click()
    expect(page.locator(".compare")).to_be_visible()
    save(page, "result", "#title", "#save")
    page.get_by_role("radio", name="Faded print").check()
    save(page, "adjust", "#pair", "#compare")


def take_fixes(page: Page) -> None:
    """A spot, and the color chosen for it."""
    page.get_by_role("tab", name="Fix a color").click()
    stage = page.locator("#stage img")
    expect(stage).to_be_visible()
    box = stage.bounding_box()
    assert box is not None
    stage.click(position={"x": box["width"] * 0.5, "y": box["height"] * 0.6})
    likely = page.locator("#likely button")
    expect(likely.first).to_be_visible()
    likely.nth(1).click()
    expect(page.locator("#hints button")).to_have_count(1)
    save(page, "fix", "#stage", "#unsure")


def take_versions(page: Page) -> None:
    """Four versions of the photo."""
    page.get_by_role("tab", name="Versions").click()
    expect(page.locator("#versions img")).to_have_count(4)
    save(page, "versions", "#versions", "#versions")


def take_batch(page: Page) -> None:
    """Photos in a batch, done."""
    page.get_by_role("tab", name="Many photos").click()
    photos = [ROOT / "examples" / f"{name}.jpg" for name in ("portrait", "bee", "street", "meadow")]
    page.locator("#batch-photos input[type=file]").set_input_files(photos)
    page.locator("#batch-start").click()
    expect(page.locator("#batch-download")).to_be_visible()
    save(page, "batch", "#batch-photos", "#batch-pairs")


def save(page: Page, name: str, first: str, last: str) -> None:
    """Save the page's full width from the top of one part to the bottom of another."""
    page.wait_for_timeout(1000)  # for pictures that are being decoded
    page.evaluate("scrollTo(0, 0)")
    top, bottom = (page.locator(part).bounding_box() for part in (first, last))
    assert top is not None
    assert bottom is not None
    start, end = top["y"] - MARGIN, bottom["y"] + bottom["height"] + MARGIN
    clip = {"x": 0, "y": max(0, start), "width": WIDTH, "height": end - max(0, start)}
    shot = page.screenshot(full_page=True, clip=clip)  # type: ignore[arg-type]
    Image.open(io.BytesIO(shot)).convert("RGB").save(PICTURES / f"{name}.webp", quality=78)


if __name__ == "__main__":
    main()
