"""Many photos, the model and what there is to know: in a real Chromium, and over HTTP."""

import io
import json
import re
import shutil
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image
from playwright.sync_api import Page, expect

from tests.helpers.browser import drop, started, visit
from tests.helpers.hub import COMMIT, serve
from tests.helpers.paths import ROOT
from tests.helpers.scenes import scene

CARD = """---
license: cc-by-nc-4.0
---
# A stranger's model

![picture](https://evil.example/a.png) <img src="https://evil.example/b.png">
<script>document.title = "evil"</script> ${document.title = "evil"} {{evil}}
"""
LEAVING_SECONDS = 120  # for the photo at hand to be finished, on a busy machine


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the app's files and its log are."""
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="module")
def address(folder: Path, tiny_checkpoint: Path) -> Iterator[str]:
    """The page on the bundled checkpoint, and a Hub that has the tiny one as user/repo."""
    shutil.copytree(tiny_checkpoint, folder / "repo")
    (folder / "repo" / "README.md").write_text(CARD)
    with serve(folder / "repo") as (hub, _):
        settings = {
            "HF_ENDPOINT": hub,
            "HF_HOME": str(folder / "hf"),
            "HF_HUB_DISABLE_XET": "1",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }
        with started(folder, **settings) as address:
            yield address


@pytest.fixture
def page(address: str) -> Iterator[Page]:
    with visit(address) as page:
        yield page


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """a.jpg, b.png and a file that is no photo."""
    folder = tmp_path_factory.mktemp("photos")
    for seed, name in enumerate(("a.jpg", "b.png")):
        Image.fromarray(scene(120, 160, seed)).convert("L").save(folder / name)
    (folder / "letter.jpg").write_text("Dear grandma")
    return sorted(folder.iterdir())


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a folder, and one in which a server keeps its own pictures."""
    folder = tmp_path_factory.mktemp("tree")
    for place in ("1910", "@eaDir", ""):
        (folder / place).mkdir(exist_ok=True)
        Image.fromarray(scene(60, 80)).convert("L").save(folder / place / "a.jpg")
    return folder


@pytest.fixture(scope="module")
def album(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that takes a while."""
    folder = tmp_path_factory.mktemp("album")
    pixels = np.linspace(0, 255, 1500 * 2000).reshape(1500, 2000).astype(np.uint8)
    for number in range(12):
        Image.fromarray(pixels).save(folder / f"{number:02d}.jpg")
    (folder / ".DS_Store").write_text("put there by the system")
    return folder


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name, exact=True).click()


def choose(page: Page, photos: list[Path]) -> None:
    open_tab(page, "Many photos")
    page.locator("#batch-photos input[type=file]").set_input_files(photos)
    expect(page.locator("#batch-photos tr")).to_have_count(len(photos))


def bottom(page: Page, selector: str) -> float:
    """Where an element ends, in pixels of the window from its top."""
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return box["y"] + box["height"]


def add_folder(page: Page, folder: Path) -> None:
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Add a folder").click()
    chooser.value.set_files(folder)


def download(page: Page, path: Path) -> list[str]:
    """Download the ZIP; returns the names in it."""
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Download all as a ZIP").click()
    assert waiting.value.suggested_filename == "colorized_photos.zip"
    waiting.value.save_as(path)
    with ZipFile(path) as zipped:
        assert zipped.testzip() is None
        return zipped.namelist()


@pytest.mark.browser
def test_dropped_folders_keep_their_tree(
    page: Page, photos: list[Path], tree: Path, tmp_path: Path
) -> None:
    expect(page.get_by_role("button", name="Paste")).to_be_visible()  # the script has run
    drop(page, [tmp_path])
    expect(page.get_by_text("No files lie in this folder.")).to_be_visible()
    drop(page, [photos[0], tree])
    rows = page.locator("#batch-photos tr")
    expect(rows).to_have_count(3)
    drop(page, [tree], 300, 400)  # on the list
    expect(rows).to_have_count(5)
    page.locator("#batch-start").click()
    inside = ("a_color.jpg", "a_color-2.jpg", "1910/a_color.jpg", "1910/a_color-2.jpg")
    expected = sorted(["a_color.jpg", *(f"{tree.name}/{name}" for name in inside)])
    assert sorted(download(page, tmp_path / "photos.zip")) == expected


@pytest.mark.browser
def test_many_photos(page: Page, photos: list[Path], tmp_path: Path) -> None:
    choose(page, photos)
    page.get_by_role("button", name="Options").click()
    page.get_by_label("Look").click()
    page.get_by_role("option", name="Vivid").click()
    expect(page.locator("#batch-pictures")).to_be_hidden()
    page.get_by_label("Colors").click()
    page.get_by_role("option", name="From pictures with the same names").click()
    page.get_by_role("button", name="Colorize all").click()
    expect(page.get_by_text("First choose the picture whose colors you want")).to_be_visible()
    Image.fromarray(scene(120, 160, 1)).save(tmp_path / "b_color.png")
    page.locator("#batch-pictures input[type=file]").set_input_files(tmp_path / "b_color.png")
    expect(page.locator("#batch-pictures tr")).to_have_count(1)
    page.get_by_role("button", name="Colorize all").click()
    status = page.locator("#batch-status")
    expect(status.get_by_text("Done. 2 of 3 photos are in color.")).to_be_visible()
    told = status.get_by_role("listitem")
    expect(told).to_have_count(2)
    expect(told.first).to_contain_text("letter.jpg can't be read.")
    expect(told.last).to_contain_text("a.jpg: No picture has the photo's name")
    expect(page.locator("#batch-pairs img")).to_have_count(2)
    assert download(page, tmp_path / "photos.zip") == ["a_color.jpg", "b_color.png"]
    with ZipFile(tmp_path / "photos.zip") as zipped:
        assert Image.open(io.BytesIO(zipped.read("b_color.png"))).size == (160, 120)
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()


@pytest.mark.browser
def test_a_folder_and_a_stop(page: Page, photos: list[Path], album: Path, tmp_path: Path) -> None:
    choose(page, photos[:1])
    add_folder(page, album)
    expect(page.locator("#batch-photos tr")).to_have_count(13)  # without the system's
    page.get_by_role("button", name="Colorize all").click()
    expect(page.get_by_role("progressbar")).to_be_visible()
    expect(page.locator("#batch-status")).to_contain_text("of 13: ")
    expect(page.locator("#batch-pairs img").first).to_be_visible()
    page.get_by_role("button", name="Stop and keep the finished photos").click()
    expect(page.locator("#batch-status")).to_contain_text("Stopped.")
    names = download(page, tmp_path / "photos.zip")
    assert names[0] == "a_color.jpg"
    assert len(names) < 13


@pytest.mark.browser
def test_photos_of_the_sheet_open_on_the_stage(page: Page, tmp_path: Path) -> None:
    for seed, name in enumerate(("trip/day1/a.jpg", "trip/day2/a.jpg", "trip/@eaDir/a.jpg")):
        (tmp_path / name).parent.mkdir(parents=True)
        Image.fromarray(scene(120, 160, seed)).convert("L").save(tmp_path / name)
    open_tab(page, "Many photos")
    add_folder(page, tmp_path / "trip")
    expect(page.locator("#batch-photos tr")).to_have_count(2)
    page.get_by_role("button", name="Colorize all").click()
    names = ["trip/day1/a_color.jpg", "trip/day2/a_color.jpg"]
    assert sorted(download(page, tmp_path / "first.zip")) == names
    page.locator("#batch-pairs button").first.click()
    place = page.locator("#sheet-place")
    expect(place).to_have_text("Photo 1 of 2: a.jpg")
    processed = page.locator("#processed img")
    expect(processed).to_have_attribute("src", re.compile("jpg"))
    before = str(processed.get_attribute("src"))
    page.locator("#presets").get_by_text("Vivid").click()
    expect(processed).not_to_have_attribute("src", before)
    page.keyboard.press("n")
    expect(place).to_have_text("Photo 2 of 2: a.jpg")
    expect(page.locator("#presets input").first).to_be_checked()  # each has its own look
    page.keyboard.press("p")
    expect(place).to_have_text("Photo 1 of 2: a.jpg")
    expect(page.locator("#presets input").nth(1)).to_be_checked()
    page.keyboard.press("n")
    expect(place).to_have_text("Photo 2 of 2: a.jpg")
    page.get_by_label("Leave out of the ZIP").check()
    page.get_by_role("button", name="All photos").click()
    pairs = page.locator("#batch-pairs")
    expect(pairs.get_by_text("Left out: a.jpg")).to_be_visible()
    [kept] = download(page, tmp_path / "second.zip")
    with ZipFile(tmp_path / "first.zip") as first, ZipFile(tmp_path / "second.zip") as second:
        assert first.read(kept) != second.read(kept)
    page.locator("#photo input[type=file]").set_input_files(tmp_path / kept.replace("_color", ""))
    open_tab(page, "One photo")
    expect(place).to_be_hidden()  # another photo is no photo of the sheet


@pytest.mark.browser
def test_a_visitor_who_leaves_stops_the_work(address: str, folder: Path, album: Path) -> None:
    with visit(address) as page:
        choose(page, sorted(album.glob("*.jpg")))
        page.get_by_role("button", name="Colorize all").click()
        expect(page.locator("#batch-pairs img").first).to_be_visible()
        [archive] = [
            path for path in (folder / "files").rglob("*.zip") if list(path.parent.glob("*/"))
        ]  # beside the folder that it works in
    deadline = time.monotonic() + LEAVING_SECONDS
    while archive.exists():
        assert time.monotonic() < deadline
        time.sleep(0.2)


@pytest.mark.browser
def test_nothing_chosen_gets_a_sentence(page: Page) -> None:
    open_tab(page, "Many photos")
    page.get_by_role("button", name="Colorize all").click()
    expect(page.get_by_text("There are no photos yet.")).to_be_visible()
    expect(page.get_by_role("button", name="Stop")).to_be_hidden()


@pytest.mark.browser
def test_another_model_is_shown_used_and_left(address: str, page: Page) -> None:
    """And no other visitor has it."""
    open_tab(page, "Model")
    current = page.locator("#model-current")
    expect(current).to_contain_text("comes with colorizer")
    page.get_by_label("Name on the Hugging Face Hub").fill("user/repo@v1")
    page.get_by_role("button", name="Look it up").click()
    expect(page.locator("#model-other")).to_contain_text(f"user/repo@{COMMIT}")
    expect(page.locator("#model-other")).to_contain_text("cc-by-nc-4.0")
    page.locator("#model-other-card button").first.click()
    expect(page.locator("#model-other-card")).to_contain_text("A stranger's model")
    expect(page.locator("#model-other-card img")).to_have_count(0)
    assert page.title() == "Colorizer"
    expect(current).to_contain_text("comes with colorizer")

    page.get_by_role("button", name="Use this model").click()
    expect(current).to_contain_text(f"user/repo@{COMMIT}")
    expect(page.get_by_role("button", name="Use this model")).to_be_hidden()
    other = page.context.browser.new_page()  # type: ignore[union-attr]
    other.goto(address)
    open_tab(other, "Model")
    expect(other.locator("#model-current")).to_contain_text("comes with colorizer")
    other.close()

    page.get_by_role("button", name="Back to this page's model").click()
    expect(current).to_contain_text("comes with colorizer")


@pytest.mark.browser
def test_names_that_lead_nowhere_get_a_sentence(page: Page) -> None:
    open_tab(page, "Model")
    for name, sentence in {
        str(ROOT / "weights"): "Files and folders can't be used here.",
        "colorizer/web": "colorizer/web is not on the Hugging Face Hub",  # a folder beside app.py
        "user/repo@v9": "the repository has no such revision",
    }.items():
        page.get_by_label("Name on the Hugging Face Hub").fill(name)
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert").filter(has_text=sentence)).to_be_visible()
        expect(page.get_by_role("button", name="Use this model")).to_be_hidden()
    expect(page.locator("#model-current")).to_contain_text("comes with colorizer")


@pytest.mark.browser
def test_about_tells_what_was_measured(page: Page) -> None:
    report = json.loads((ROOT / "weights" / "report.json").read_text())
    open_tab(page, "About")
    quality = page.locator("#about-quality")
    expect(quality).to_contain_text(f"{report['n']} color photos")
    expect(quality).to_contain_text(f"differs by {report['output']['delta_e00']:.1f} from")
    expect(page.locator("#about-privacy")).to_contain_text("deleted after 60 minutes")
    expect(page.get_by_role("heading", name="Licenses")).to_be_visible()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_needs_no_sideways_scrolling(address: str, photos: list[Path], scheme: str) -> None:
    options = {"viewport": {"width": 390, "height": 844}, "color_scheme": scheme}
    with visit(address, **options) as page:
        choose(page, photos)
        assert bottom(page, "#batch-start") < 600  # of 844 pixels
        page.get_by_role("button", name="Colorize all").click()
        expect(page.locator("#batch-pairs img")).to_have_count(2)
        assert bottom(page, "#batch-status progress, #batch-status p") < 844
        for name in ("Many photos", "Model", "About"):
            open_tab(page, name)
            page.wait_for_timeout(500)  # for what the tab loads
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, name


@pytest.mark.browser
def test_the_tabs_speak_german(address: str, photos: list[Path]) -> None:
    with visit(address, locale="de-DE") as page:
        open_tab(page, "Viele Fotos")
        page.locator("#batch-photos input[type=file]").set_input_files(photos)
        page.get_by_role("button", name="Alle kolorieren").click()
        expect(page.locator("#batch-status")).to_contain_text("Fertig. 2 von 3 Fotos sind in Farbe")
        open_tab(page, "Modell")
        expect(page.locator("#model-current")).to_contain_text("gehört zu colorizer")
        open_tab(page, "Info")
        expect(page.get_by_role("heading", name="Deine Fotos")).to_be_visible()


# Over HTTP


def test_a_batch_over_http_by_two_models(address: str, photos: list[Path]) -> None:
    client = Client(address, verbose=False)
    files = [handle_file(photo) for photo in photos]
    with ZipFile(client.predict(files, api_name="/batch")) as zipped:
        own = {name: zipped.read(name) for name in zipped.namelist()}
    assert list(own) == ["a_color.jpg", "b_color.png"]
    with ZipFile(client.predict(files, model="user/repo", api_name="/batch")) as zipped:
        assert zipped.read("b_color.png") != own["b_color.png"]
    with ZipFile(client.predict(files, api_name="/batch")) as zipped:
        assert zipped.read("b_color.png") == own["b_color.png"]


def test_a_model_of_the_hub_over_http(address: str, photos: list[Path]) -> None:
    client, photo = Client(address, verbose=False), handle_file(photos[1])
    described = client.predict("user/repo", api_name="/model_info")
    assert described["source"] == f"user/repo@{COMMIT}"
    assert described["license"] == "cc-by-nc-4.0"
    assert client.predict(api_name="/model_info")["source"] == "bundled"
    own = Path(client.predict(photo, api_name="/colorize")).read_bytes()
    other = client.predict(photo, model="user/repo@v1", api_name="/colorize")
    assert Path(other).read_bytes() != own
    for name in (str(ROOT / "weights"), "colorizer/web", "user/none"):
        with pytest.raises(AppError, match=r"can't be used here|not on the Hugging Face Hub"):
            client.predict(name, api_name="/model_info")
        with pytest.raises(AppError, match=r"can't be used here|not on the Hugging Face Hub"):
            client.predict(photo, model=name, api_name="/colorize")


def test_files_of_the_server_are_not_for_a_batch(address: str) -> None:
    """A request can name any path, with or without the mark of an uploaded file."""
    secret = str(ROOT / "examples" / "portrait.jpg")
    for payload in ({"path": secret}, {"path": secret, "meta": {"_type": "gradio.FileData"}}):
        request = urllib.request.Request(
            f"{address}gradio_api/call/batch",
            json.dumps({"data": [[payload], "", ""]}).encode(),
            {"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request) as response:
                event = json.load(response)["event_id"]
            result = urllib.request.urlopen(f"{address}gradio_api/call/batch/{event}").read()
        except urllib.error.HTTPError as error:
            result = error.read()
        assert b".zip" not in result
        assert b"error" in result
