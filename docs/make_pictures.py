"""Take the pictures of the user guide from the page: `python -m docs.make_pictures`."""

import io
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageDraw
from playwright.sync_api import Page, expect

from tests.helpers.browser import started, visit
from tests.helpers.paths import ROOT

PICTURES = Path(__file__).parent / "pictures"
WIDTH, HEIGHT = 1280, 800  # pixels of the window, and of the pictures


def main() -> None:
    """Visit the page as the guide tells, and save a picture of each step."""
    PICTURES.mkdir(exist_ok=True)
    window = {"width": WIDTH, "height": HEIGHT}
    with (
        TemporaryDirectory() as folder,
        started(Path(folder)) as address,
        visit(address, viewport=window) as page,
    ):
        take_page(page)
        take_result(page)
        take_fixes(page)
        take_versions(page)
        take_batch(page)
        take_copied_colors(page, Path(folder))


def take_page(page: Page) -> None:
    """The portrait, for the README."""
    page.get_by_label("Portrait of an astronaut").click()
    expect(page.locator("#processed img")).to_be_visible()
    save(page, "../page")
    page.reload()
    expect(page.locator("#continue")).to_be_visible()
    page.locator("#continue button").last.click()


def take_result(page: Page) -> None:
    """The example, its three pictures, and a look."""
    page.get_by_label("Girls at work in a mill").click()
    processed = page.locator("#processed img")
    expect(processed).to_be_visible()
    save(page, "result")
    before = processed.get_attribute("src") or ""
    page.get_by_role("radio", name="Faded print").check()
    expect(processed).not_to_have_attribute("src", before)
    page.get_by_role("button", name="Large").click()
    save(page, "adjust")


def take_fixes(page: Page) -> None:
    """A spot, and the color chosen for it."""
    page.get_by_role("tab", name="Fix a color").click()
    marked = page.locator("#marked img")
    expect(marked).to_be_visible()
    box = marked.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.5, box["y"] + box["height"] * 0.6)
    likely = page.locator("#likely button")
    expect(likely.first).to_be_visible()
    likely.nth(1).click()
    expect(page.locator("#hints button")).to_have_count(1)
    save(page, "fix")


def take_versions(page: Page) -> None:
    """Four versions of the photo."""
    page.get_by_role("tab", name="Versions").click()
    expect(page.locator("#versions img")).to_have_count(4)
    save(page, "versions")


def take_batch(page: Page) -> None:
    """Photos in a batch, done."""
    page.get_by_role("tab", name="Many photos").click()
    photos = [ROOT / "examples" / f"{name}.jpg" for name in ("portrait", "bee", "street", "meadow")]
    page.locator("#batch-photos input[type=file]").set_input_files(photos)
    page.locator("#batch-start").click()
    expect(page.locator("#batch-download")).to_be_visible()
    save(page, "batch")


def take_copied_colors(page: Page, folder: Path) -> None:
    """The colors of a picture in which something was painted over."""
    with Image.open(ROOT / "examples" / "dogs.jpg") as photo:
        photo.convert("L").save(folder / "dogs.png")
        width, height = photo.size
        edited = photo.rotate(2).crop((width // 20, height // 20, width, height * 24 // 25))
    ball = (width * 0.66, height * 0.1, width * 0.86, height * 0.29)
    ImageDraw.Draw(edited).ellipse(ball, fill="#d03a2c")
    edited.save(folder / "edited.png")
    page.get_by_role("tab", name="One photo").click()
    page.locator("#photo input[type=file]").set_input_files(folder / "dogs.png")
    page.get_by_role("tab", name="Copy colors").click()
    page.locator("#source-drop input[type=file]").set_input_files(folder / "edited.png")
    expect(page.locator("#map img")).to_be_visible()
    save(page, "copy_colors")


def save(page: Page, name: str) -> None:
    """Save what the window shows."""
    page.wait_for_timeout(1000)  # for pictures that are being decoded
    shot = page.screenshot()
    Image.open(io.BytesIO(shot)).convert("RGB").save(PICTURES / f"{name}.webp", quality=78)


if __name__ == "__main__":
    main()
