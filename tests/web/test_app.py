"""The page: its endpoints over HTTP, and visits in a real Chromium."""

import io
import json
import re
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image, ImageOps
from playwright.sync_api import Page, expect

from colorizer import Adjustments
from colorizer.adjust.adjustments import PRESETS
from colorizer.adjust.framing import Framing
from colorizer.web.texts import say
from tests.helpers.browser import TIMEOUT_MS, drop, give, open_browser, shown, started
from tests.helpers.paths import ROOT
from tests.helpers.photos import color_pixels

PICTURES = ("gray", "colorized", "processed")
BUSY = 8  # photos that are ahead in line
NAMELESS = """() => [...document.querySelectorAll('button, input, textarea, [role=slider]')]
    .filter(part => part.offsetParent && !(part.ariaLabel || part.innerText?.trim() || part.title
        || part.labels?.length || part.querySelector('img[alt]:not([alt=""])')))
    .map(part => part.outerHTML)"""

STRIPES = """() => [...document.querySelectorAll("#legend, #legend *")].filter(
    part => getComputedStyle(part, "::before").content !== "none").length"""

Visit = Callable[..., Page]


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page on the bundled checkpoint."""
    with started(tmp_path_factory.mktemp("app")) as address:
        yield address


@pytest.fixture
def visit(address: str) -> Iterator[Visit]:
    """Opens the page for another visitor; a request to any other host fails the test."""
    elsewhere: list[str] = []
    pages: list[Page] = []

    def open_page(width: int = 1280, locale: str = "en-US", height: int = 900) -> Page:
        page = open_browser().new_page(
            viewport={"width": width, "height": height}, locale=locale, has_touch=width < 500
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
        words = say(f"script.{name}_alt", None, name="grandma.jpg")
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


def click_at(page: Page, x: float, y: float) -> None:
    """Click the picture on the stage; the position in shares of its width and height."""
    box = page.locator("#marked img").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + x * box["width"], box["y"] + y * box["height"])


@pytest.mark.browser
def test_fix_colors(visit: Visit, tmp_path: Path) -> None:
    """By keyboard, by mouse, by numbers, from another photo; and back."""
    page = visit()
    page.get_by_label("Portrait of an astronaut").click()
    page.get_by_role("tab", name="Fix a color").click()
    stage = page.locator("#marked img")
    expect(stage).to_be_visible()
    marked = source(page, "marked")
    page.locator(".panes").focus()
    for key in ("Shift+ArrowLeft", *3 * ("Shift+ArrowUp",), "Enter"):  # the forehead
        page.keyboard.press(key)
    marked = changed(page, "marked", marked)
    likely, hints = page.locator("#likely button"), page.locator("#hints button")
    expect(likely.first).to_be_visible()
    colorized = source(page, "colorized")
    likely.nth(1).press("Enter")
    expect(hints).to_have_count(1)
    colorized = changed(page, "colorized", colorized)

    click_at(page, 0.25, 0.5)
    page.get_by_text("Choose the spot by its position").click()
    expect(page.locator("#x input")).to_have_value(re.compile("^12[789]$"))  # of 512
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
    expect(hints.nth(2)).to_have_attribute("aria-label", re.compile("Remove spot 3 .*#c02020"))
    page.locator("#color .dialog-button").click()
    page.locator("#color input[type=text]").fill("#2040c0")
    page.locator("#color input[type=text]").press("Enter")
    page.locator("#use").click()
    expect(hints.nth(2)).to_have_attribute("aria-label", re.compile("Remove spot 3 .*#2040c0"))

    page.get_by_role("tab", name="Versions").click()
    colorized = source(page, "colorized")
    page.get_by_label("Version 2").click()
    changed(page, "colorized", colorized)
    page.get_by_role("tab", name="Fix a color").click()
    expect(hints).to_have_count(3)
    for _ in range(2):  # the version, the color
        page.locator("#undo").click()
    expect(hints.nth(2)).to_have_attribute("aria-label", re.compile("Remove spot 3 .*#c02020"))
    hints.first.click()
    expect(hints).to_have_count(2)
    page.locator("#clear").click()
    expect(hints).to_have_count(0)

    expect(page.locator("#legend")).to_be_hidden()
    marked = source(page, "marked")
    page.get_by_label("Show where the model is unsure").check()
    changed(page, "marked", marked)
    expect(page.locator("#legend")).to_be_visible()
    assert page.evaluate(STRIPES) == 1
    assert page.evaluate(NAMELESS) == []


@pytest.mark.browser
def test_crop_by_keys_and_turn_by_degrees(visit: Visit, photo: Path, tmp_path: Path) -> None:
    page = visit()
    give(page, photo)
    page.get_by_role("tab", name="Crop").click()
    expect(page.locator("#whole img")).to_be_visible()
    edge = page.get_by_label("Top edge")
    edge.focus()
    for key in ("Shift+ArrowDown", "Shift+ArrowDown", "Shift+ArrowDown", "Shift+ArrowUp"):
        page.keyboard.press(key)
    handle = edge.bounding_box()
    assert handle is not None
    assert handle["width"] == handle["height"] == 44
    gray = source(page, "gray")
    page.locator("#crop").click()
    gray = changed(page, "gray", gray)
    with Image.open(downloaded(page, "#download", tmp_path)) as image:
        assert image.size == (1200, 810)
    frame = page.locator(".crop-frame")
    before = frame.bounding_box()
    set_number(page, "degrees", 5)
    page.wait_for_function("document.querySelector('#whole img').style.transform.includes('5deg')")
    after = frame.bounding_box()
    assert before is not None
    assert after is not None
    assert after["width"] < 0.95 * before["width"]
    page.locator("#crop").click()
    changed(page, "gray", gray)
    expected = Framing(margins=(0, 0, 10, 0), degrees=5).inside((900, 1200))
    with Image.open(downloaded(page, "#download", tmp_path)) as image:
        assert image.size[::-1] == pytest.approx(expected.framed_size((900, 1200)), abs=4)
    page.locator("#undo").click()
    expect(page.locator("#degrees input[type=number]")).to_have_value("0")


@pytest.mark.browser
def test_a_print_is_straightened_and_shown_whole_again(visit: Visit, tmp_path: Path) -> None:
    """The button says what it does, also after undo."""
    table = np.full((240, 320, 3), (120, 80, 50), np.uint8)
    table[60:180, 80:240] = color_pixels(120, 160)
    Image.fromarray(table).save(tmp_path / "table.png")
    page = visit()
    give(page, tmp_path / "table.png")
    page.get_by_role("tab", name="Crop").click()
    find, whole = "Find a print and straighten it", "Show the whole photo again"
    button, gray = page.locator("#straighten"), source(page, "gray")
    expect(button).to_have_text(find)
    button.click()
    straight = changed(page, "gray", gray)
    expect(button).to_have_text(whole)
    button.click()
    assert changed(page, "gray", straight) == gray
    expect(button).to_have_text(find)
    page.locator("#undo").click()
    expect(button).to_have_text(whole)


@pytest.mark.browser
def test_turn_crop_and_take_up_again(visit: Visit, photo: Path, tmp_path: Path) -> None:
    page = visit()
    give(page, photo)
    page.get_by_role("tab", name="Crop").click()
    expect(page.locator("#whole img")).to_be_visible()
    gray, view = source(page, "gray"), source(page, "whole")
    page.get_by_role("button", name="Turn right").click()
    gray, _ = changed(page, "gray", gray), changed(page, "whole", view)
    handle, box = page.get_by_label("Left edge"), page.locator("#whole img").bounding_box()
    assert box is not None
    handle.hover()
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] / 3, box["y"] + box["height"] / 2)
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.up()
    page.locator("#crop").click()
    gray = changed(page, "gray", gray)
    processed = source(page, "processed")
    page.get_by_role("tab", name="Adjust").click()
    set_number(page, "saturation", 1.5)
    processed = changed(page, "processed", processed)
    with Image.open(downloaded(page, "#download", tmp_path)) as image:
        assert image.size == (pytest.approx(450, abs=3), 1200)

    page.get_by_role("tab", name="File").click()
    recipe = downloaded(page, "#recipe", tmp_path)
    assert recipe.name == "grandma_recipe.json"
    page.get_by_role("tab", name="Adjust").click()
    page.locator("#reset").click()
    changed(page, "processed", processed)
    page.get_by_role("tab", name="File").click()
    with page.expect_file_chooser() as chooser:
        page.locator("#load-recipe").click()
    chooser.value.set_files(recipe)
    expect(page.locator("#processed img")).to_have_attribute("src", processed)
    page.get_by_role("tab", name="Adjust").click()
    expect(page.locator("#saturation input[type=number]")).to_have_value("1.5")


@pytest.mark.browser
def test_visitors_see_a_photo_before_and_after_and_can_try_it(visit: Visit) -> None:
    page = visit(1366, height=768)
    pair = page.locator("#before-after img")
    expect(pair).to_have_attribute("alt", re.compile("^Before and after: Girls at work"))
    box = pair.bounding_box()
    assert box is not None
    assert box["y"] + box["height"] <= 768
    pair.click()
    shown(page)
    words = say("script.processed_alt", None, name="workers.jpg")
    expect(page.locator("#processed img")).to_have_attribute("alt", words)
    expect(pair).to_be_hidden()
    assert page.evaluate("scrollY") == 0


COPY = """async bytes => navigator.clipboard.write([new ClipboardItem(
    {"image/png": new Blob([new Uint8Array(bytes)], {type: "image/png"})})])"""


@pytest.mark.browser
def test_a_drop_works_anywhere_with_and_without_a_photo(
    visit: Visit, photo: Path, tmp_path: Path
) -> None:
    page = visit()
    expect(page.get_by_role("button", name="Paste")).to_be_visible()  # the script has run
    drop(page, [photo], 200, 40)
    shown(page)
    first = source(page, "processed")
    set_number(page, "saturation", 1.5)
    before = changed(page, "processed", first)
    Image.linear_gradient("L").save(tmp_path / "second.png")
    for number, place in enumerate([(400, 500), (1100, 600)]):  # the stage, the tools
        drop(page, [tmp_path / "second.png"] if number == 0 else [photo], *place)
        before = changed(page, "processed", before)
    expect(page.get_by_text("Settings kept.")).to_be_visible()
    expect(page.locator("#saturation input[type=number]")).to_have_value("1.5")
    page.get_by_role("button", name="Start fresh").click()
    changed(page, "processed", before)
    expect(page.locator("#saturation input[type=number]")).to_have_value("1")
    expect(page.get_by_text("Settings kept.")).to_be_hidden()


@pytest.mark.browser
def test_several_dropped_photos_go_to_the_batch(visit: Visit, photo: Path, tmp_path: Path) -> None:
    page = visit()
    expect(page.get_by_role("button", name="Paste")).to_be_visible()  # the script has run
    Image.linear_gradient("L").save(tmp_path / "second.png")
    drop(page, [photo, tmp_path / "second.png"])
    expect(page.locator("#batch-photos tr")).to_have_count(2)
    expect(page.get_by_text("2 photos were added here.")).to_be_visible()


@pytest.mark.browser
def test_choose_and_paste_always_work(visit: Visit, photo: Path) -> None:
    page = visit()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    copied = io.BytesIO()
    Image.linear_gradient("L").save(copied, "PNG")
    expect(page.get_by_role("button", name="Paste")).to_be_visible()  # the script has run
    page.evaluate(COPY, list(copied.getvalue()))
    page.keyboard.press("Control+V")
    shown(page)
    before = source(page, "gray")
    for _ in range(2):  # with a photo there, too, and again
        with page.expect_file_chooser() as chooser:
            page.get_by_role("button", name="Next photo").click()
        chooser.value.set_files(photo)
        before = changed(page, "gray", before)
        page.get_by_role("button", name="Paste").click()
        before = changed(page, "gray", before)


SIZES = [(390, 844), (1366, 768), (1400, 900)]
INSIDE = """selector => {
    const box = document.querySelector(selector).getBoundingClientRect();
    const seen = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
    return box.left >= 0 && box.top >= 0 && box.right <= innerWidth && box.bottom <= innerHeight
        && box.width > 40 && Boolean(seen?.closest(".panes, " + selector));
}"""


@pytest.mark.browser
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_the_colored_photo_and_download_are_in_sight(
    visit: Visit, photo: Path, width: int, height: int
) -> None:
    """Without scrolling after an upload, and while the sliders are scrolled."""
    page = visit(width, height=height)
    give(page, photo)
    page.wait_for_function(INSIDE, arg="#processed img")
    assert page.evaluate("scrollY") == 0
    for tab in (None, "Versions", "Adjust"):
        if tab:
            page.get_by_role("tab", name=tab).click()
        page.evaluate("scrollTo(0, document.body.scrollHeight)")
        for selector in ("#processed img", "#download"):
            page.wait_for_function(INSIDE, arg=selector)


@pytest.mark.browser
def test_the_stage_compares_and_zooms(visit: Visit, photo: Path, tmp_path: Path) -> None:
    with Image.open(photo) as image:
        sepia = ImageOps.colorize(image, "#201408", "#f0e0c0")
    sepia.save(tmp_path / "sepia.png")
    page = visit()
    give(page, tmp_path / "sepia.png")
    for name in PICTURES:
        expect(page.locator(f"#{name} img")).to_be_visible()
    page.get_by_role("button", name="Large").click()
    expect(page.locator("#colorized")).to_be_hidden()
    divider = page.get_by_role("slider", name="Divider")
    divider.focus()
    for _ in range(10):
        divider.press("ArrowLeft")
    expect(divider).to_have_attribute("aria-valuenow", "40")
    line, image = divider.bounding_box(), page.locator("#gray img").bounding_box()
    assert line is not None
    assert image is not None
    assert (line["y"], line["height"]) == pytest.approx((image["y"], image["height"]), abs=1)
    page.get_by_label("Picture at the right").select_option("colorized")
    expect(page.locator("#colorized img")).to_be_visible()
    expect(page.locator("#processed")).to_be_hidden()

    def width(name: str) -> float:
        box = page.locator(f"#{name} img").bounding_box()
        assert box is not None
        return box["width"]

    page.get_by_role("button", name="Real pixels").click()
    assert width("gray") == width("colorized") == pytest.approx(1200)
    expect(page.locator("#colorized .part")).to_be_visible()
    corner = page.locator("#colorized img").bounding_box()
    assert corner is not None
    clip = {"x": line["x"] + 200, "y": line["y"] + 200, "width": 200, "height": 150}
    with Image.open(io.BytesIO(page.screenshot(clip=clip))) as seen:
        left, top = round(clip["x"] - corner["x"]), round(clip["y"] - corner["y"])
        made = downloaded(page, "#download", tmp_path)
        with Image.open(made) as full:
            part = full.crop((left, top, left + 200, top + 150))
            np.testing.assert_array_equal(np.asarray(seen.convert("RGB")), np.asarray(part))
    page.mouse.move(400, 500)
    page.mouse.wheel(0, -300)
    page.wait_for_function(
        "document.querySelector('#gray img').getBoundingClientRect().width > 1300"
    )
    page.get_by_role("button", name="Fit").click()
    page.get_by_role("button", name="Side by side").click()
    assert width("gray") == width("processed") < 450
    gray, processed = source(page, "gray"), source(page, "processed")
    page.keyboard.down("o")
    original = changed(page, "processed", processed)
    assert original not in (gray, processed)
    page.keyboard.up("o")
    expect(page.locator("#processed img")).to_have_attribute("src", processed)
    expect(page.locator("#gray img")).to_have_attribute("src", gray)


@pytest.mark.browser
def test_a_place_in_line_is_shown(
    visit: Visit, client: Client, photo: Path, tmp_path: Path
) -> None:
    page = visit()
    expect(page.get_by_role("button", name="Choose a photo")).to_be_visible()
    large = tmp_path / "large.jpg"  # takes long enough to be seen waiting for
    Image.fromarray(color_pixels(2000, 3000)).save(large)
    waiting = [client.submit(handle_file(large), api_name="/colorize") for _ in range(BUSY)]
    while not any(job.status().rank for job in waiting):
        assert not all(job.done() for job in waiting)
        time.sleep(0.05)
    page.locator("#photo input[type=file]").set_input_files(photo)
    expect(page.locator("#give")).to_contain_text(re.compile(r"queue: \d+/\d+"))
    shown(page)
    for job in waiting:
        job.result()


SMALL = """() => [...document.querySelectorAll(
        "button, .stage select, input[type=number], input[type=range], label:has([type=checkbox])")]
    .filter(part => part.offsetParent && part.getBoundingClientRect().height < 43.5)
    .map(part => part.outerHTML)"""


@pytest.mark.browser
def test_on_a_phone(visit: Visit, photo: Path) -> None:
    """Nothing is wider than the screen, and a finger finds and does it all."""
    page = visit(width=390)
    give(page, photo)
    for tab in ("Fix a color", "Copy colors", "Versions", "Crop", "File", "Adjust"):
        page.get_by_role("tab", name=tab).tap()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.evaluate(SMALL) == []
    page.get_by_role("tab", name="Fix a color").tap()
    page.locator(".panes").tap()
    page.locator("#likely button").first.tap()
    expect(page.locator("#hints button")).to_have_count(1)
    page.get_by_role("tab", name="About").tap()
    assert page.evaluate("document.documentElement.scrollWidth") == 390


BROKEN = """() => [...document.querySelectorAll("#presets label span")].flatMap(span => {
    const context = document.createElement("canvas").getContext("2d");
    context.font = getComputedStyle(span).font;
    return span.innerText.split(" ").filter(
        word => context.measureText(word).width > span.getBoundingClientRect().width);
})"""


@pytest.mark.browser
@pytest.mark.parametrize("locale", ["de", "es"])
def test_looks_have_room_for_long_words(visit: Visit, photo: Path, locale: str) -> None:
    """Also on a phone."""
    page = visit(width=390, locale=locale)
    give(page, photo)
    assert page.evaluate(BROKEN) == []


@pytest.mark.browser
def test_a_file_that_is_no_photo_gets_a_sentence(visit: Visit, photo: Path, tmp_path: Path) -> None:
    """In the visitor's language; and the work on the photo before stays."""
    page = visit(locale="de-AT")
    expect(page.get_by_role("tab", name="Viele Fotos")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "de")
    give(page, photo)
    first = source(page, "processed")
    set_number(page, "saturation", 1.5)
    before = changed(page, "processed", first)
    path = tmp_path / "letter.jpg"
    path.write_text("Dear grandma")
    page.locator("#photo input[type=file]").set_input_files(path)
    expect(page.get_by_text("letter.jpg lässt sich nicht als Foto öffnen")).to_be_visible()
    assert source(page, "processed") == before
    set_number(page, "saturation", 1.8)
    changed(page, "processed", before)
    assert downloaded(page, "#download", tmp_path).name == "grandma_color.jpg"


@pytest.mark.browser
def test_two_visitors_do_not_see_each_other(visit: Visit, photo: Path) -> None:
    first, second = visit(), visit(locale="es")
    give(first, photo)
    assert second.locator("#processed").count() == 0
    second.get_by_label("Una abeja en una flor").click()
    shown(second)
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
    if endpoint == "reference_color" and not mark:  # Gradio itself refuses the others
        assert "You can only use files that you uploaded" in answer
