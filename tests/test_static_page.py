"""The page that runs in the browser alone: it makes what the library makes, and sends nothing."""

import json
import os
import re
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import Page, expect

from benchmarks.static_page import main as benchmark
from colorizer import Adjustments, Colorizer, Photo
from colorizer.checkpoints.checkpoint import load_checkpoint
from colorizer.imaging.color import lightness_to_gray, rgb_to_lab
from colorizer.inference.export import export_onnx
from tests.helpers.access import violations
from tests.helpers.browser import CHROMIUM, close_browser, visit
from tests.helpers.paths import EXAMPLES, ROOT
from tests.helpers.photos import color_pixels

STATIC = ROOT / "deploy" / "static"
MORE_PHOTOS = os.environ.get("COLORIZER_STATIC_PHOTOS")  # a folder, instead of three examples
PHOTOS = (
    sorted(path for path in Path(MORE_PHOTOS).iterdir() if path.is_file())
    if MORE_PHOTOS
    else [EXAMPLES / f"{name}.jpg" for name in ("bee", "street", "workers")]
)
MEAN_AB = {"fp32": 0.5, "int8": 1.5}  # mean difference of ab from the library's over all photos
NPM_SECONDS = 45
COMPOSITE = b"digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
CAMERA, ORIENTATION, EXIF_IFD, WIDTH, GPS_IFD = 0x0110, 0x0112, 0x8769, 0xA002, 0x8825


class Served(NamedTuple):
    """A site that is being served."""

    address: str
    requests: list[str]  # method and path of each so far
    stop: Any  # ends the server early


@contextmanager
def served(folder: Path) -> Iterator[Served]:
    requests: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            requests.append(f"{self.command} {self.path}")

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=folder))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()

    def stop() -> None:
        server.shutdown()
        thread.join()
        server.server_close()

    try:
        yield Served(f"http://127.0.0.1:{server.server_port}/", requests, stop)
    finally:
        stop()


@pytest.fixture(scope="module")
def build(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Path], Path]:
    """Builds the page with an exported network."""
    if CHROMIUM is None:
        pytest.skip("no Chromium on the PATH (Debian: apt-get install chromium)")
    if shutil.which("npm") is None or shutil.which("node") is None:
        pytest.skip("no npm on the PATH (Debian: apt-get install npm)")
    install = ["npm", "install", "--prefer-offline", "--fetch-retries=0"]
    try:
        subprocess.run(install, cwd=STATIC, check=True, capture_output=True, timeout=NPM_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        reason = (error.stderr or b"no answer").decode().splitlines()[0]
        pytest.skip(f"npm can't install the page's packages: {reason}")
    subprocess.run(["npx", "tsc"], cwd=STATIC, check=True)

    def build(network: Path) -> Path:
        out = tmp_path_factory.mktemp("static") / "page"
        precision = network.stem.removeprefix("colorizer-")
        options = ["--out", out, "--model", network.parent, "--precision", precision]
        subprocess.run(["node", "build.mjs", *map(str, options)], cwd=STATIC, check=True)
        return out

    return build


@pytest.fixture(scope="module")
def site(build: Callable[[Path], Path], tiny_onnx: Path) -> Path:
    """The page with the tiny network."""
    return build(tiny_onnx)


def wait_for(page: Page, state: str) -> None:
    expect(page.locator("body")).to_have_attribute("data-state", state)


def colorize(page: Page, path: Path) -> None:
    page.set_input_files("#file", path)
    wait_for(page, "done")


def download(page: Page, format: str, target: Path) -> Path:
    page.select_option("#format", format)
    with page.expect_download() as found:
        page.click("#download")
    found.value.save_as(target)
    return target


def lab(photo: Photo) -> np.ndarray:
    pixels = np.repeat(photo.pixels, 4 - photo.pixels.shape[2], 2)[:, :, :3]
    return rgb_to_lab(torch.from_numpy(pixels / 255).float().permute(2, 0, 1)).numpy()


def difference(made: Photo, expected: Photo) -> tuple[float, float]:
    """Mean difference of ab, and the largest difference of lightness in gray levels."""
    assert made.size == expected.size
    one, other = lab(made), lab(expected)
    levels = [
        255 * lightness_to_gray(torch.from_numpy(planes[0])).numpy() for planes in (one, other)
    ]
    return float(np.abs(one[1:] - other[1:]).mean()), float(np.abs(levels[0] - levels[1]).max())


@pytest.mark.slow
@pytest.mark.browser
@pytest.mark.no_cover  # the measurement would double the time of the exports, tested elsewhere
def test_the_result_is_the_librarys(build: Callable[[Path], Path], tmp_path: Path) -> None:
    checkpoint = load_checkpoint()
    colorizer = Colorizer.load(device="cpu", precision="fp32")
    expected = {path: colorizer.colorize(Photo.open(path)).colorized for path in PHOTOS}
    examples = sorted(EXAMPLES.glob("*.jpg"))  # as the command takes; three are faster
    calibration = [Photo.open(path) for path in (examples if MORE_PHOTOS else PHOTOS)]
    networks = export_onnx(checkpoint, tmp_path, tuple(MEAN_AB), calibration)
    for precision, limit in MEAN_AB.items():
        differences = []
        with served(build(networks[precision])) as server, visit(server.address) as page:
            wait_for(page, "ready")  # with threads
            for path, photo in expected.items():
                colorize(page, path)
                made = Photo.open(download(page, "PNG", tmp_path / "made.png"))
                ab, levels = difference(made, photo)[0], difference(made, Photo.open(path))[1]
                print(f"{precision} {path.name}: ab {ab:.4f}, lightness {levels:.2f} levels")
                assert levels <= 1, (precision, path)
                differences.append(ab)
        assert np.mean(differences) <= limit, precision


@pytest.mark.browser
def test_sliders_do_what_the_librarys_do(
    site: Path, tiny_colorizer: Colorizer, tmp_path: Path
) -> None:
    path = EXAMPLES / "bee.jpg"
    values = {"strength": 0.8, "saturation": 1.4, "temperature": 25, "contrast": 30}
    with served(site) as server, visit(server.address) as page:
        colorize(page, path)
        for name, value in values.items():
            page.locator(f"#{name}").fill(str(value))
        made = Photo.open(download(page, "PNG", tmp_path / "made.png"))
        page.click("#reset")
        plain = Photo.open(download(page, "PNG", tmp_path / "plain.png"))
    result = tiny_colorizer.colorize(Photo.open(path))
    for photo, expected in (
        (made, result.adjust(Adjustments(**values))),
        (plain, result.colorized),
    ):
        ab, levels = difference(photo, expected)
        assert ab <= 0.1
        assert levels <= 1.1  # the pixels of both are rounded
    assert difference(made, plain)[0] > 1


@pytest.mark.browser
def test_nothing_is_sent_and_everything_works_offline(site: Path, tmp_path: Path) -> None:
    with served(site) as server, visit(server.address) as page:
        wait_for(page, "ready")
        assert page.evaluate("crossOriginIsolated")  # although this server sends no such headers
        before = list(server.requests)
        assert all(request.startswith("GET /") for request in before)
        assert sum(".onnx" in request for request in before) == 1
        colorize(page, EXAMPLES / "portrait.jpg")
        download(page, "JPEG", tmp_path / "online.jpg")
        # The browser itself looks for a newer service worker from time to time.
        assert set(server.requests[len(before) :]) <= {"GET /sw.js"}
        server.stop()
        page.reload()
        wait_for(page, "ready")
        colorize(page, EXAMPLES / "portrait.jpg")
        offline = download(page, "JPEG", tmp_path / "offline.jpg")
    assert offline.read_bytes() == (tmp_path / "online.jpg").read_bytes()
    assert Photo.open(offline).pixels.shape == (512, 512, 3)


@pytest.mark.browser
def test_it_runs_without_a_service_worker(site: Path, tmp_path: Path) -> None:
    """As in a private window, or in a frame of another site: with one thread, and online."""
    with served(site) as server, visit(server.address, service_workers="block") as page:
        wait_for(page, "ready")
        assert not page.evaluate("crossOriginIsolated")
        expect(page.locator("#status")).to_have_text("Ready.")
        expect(page.locator("#device")).to_contain_text("threads: 1")
        colorize(page, EXAMPLES / "portrait.jpg")
        assert download(page, "PNG", tmp_path / "made.png").is_file()


@pytest.mark.browser
def test_it_shows_three_views_and_two_with_a_divider(site: Path) -> None:
    with served(site) as server, visit(server.address) as page:
        colorize(page, EXAMPLES / "bee.jpg")
        for view in ("gray", "colorized", "processed"):
            expect(page.locator(f"#views #{view}")).to_be_visible()
        page.locator("#saturation").fill("2")
        page.locator("#pairs input[value=colorized_processed]").check()
        expect(page.locator("#views")).to_be_hidden()
        expect(page.locator("#left-name")).to_have_text("Colorized")
        expect(page.locator("#right-name")).to_have_text("Adjusted")
        page.locator("#divider").fill("25")
        clip = page.locator("#right").evaluate("canvas => getComputedStyle(canvas).clipPath")
        assert clip == "inset(0px 0px 0px 25%)"
        assert violations(page) == []


@pytest.mark.browser
def test_metadata_is_kept(site: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[CAMERA], exif[ORIENTATION] = "Box Brownie", 6
    exif.get_ifd(EXIF_IFD)[WIDTH] = 90
    exif.get_ifd(GPS_IFD).update({1: "N", 2: (47.0, 30.0, 12.5)})
    image = Image.fromarray(color_pixels(60, 90)).convert("L")
    sources = [tmp_path / "turned.jpg", tmp_path / "turned.png", tmp_path / "turned.webp"]
    for source in sources:
        image.save(source, exif=exif)
    with served(site) as server, visit(server.address) as page:
        for source in sources:
            colorize(page, source)
            for format, name in (("JPEG", "made.jpg"), ("PNG", "made.png")):
                for keep in (False, True):
                    page.set_checked("#location", keep)
                    made = download(page, format, tmp_path / name)
                    with Image.open(made) as opened:
                        found = opened.getexif()
                        assert opened.size == (60, 90), source.name
                    assert found[CAMERA] == "Box Brownie"
                    assert found[ORIENTATION] == 1
                    assert found.get_ifd(EXIF_IFD)[WIDTH] == 60
                    place = found.get_ifd(GPS_IFD)
                    assert place == ({1: "N", 2: (47.0, 30.0, 12.5)} if keep else {})
                    assert COMPOSITE in made.read_bytes()


@pytest.mark.browser
def test_photos_are_upright(site: Path, tmp_path: Path) -> None:
    with served(site) as server, visit(server.address) as page:
        for orientation in range(1, 9):
            exif = Image.Exif()
            exif[ORIENTATION] = orientation
            source = tmp_path / f"turned.{'png' if orientation % 2 else 'webp'}"
            Image.fromarray(color_pixels(60, 90)).save(source, exif=exif, lossless=True)
            colorize(page, source)
            made = Photo.open(download(page, "PNG", tmp_path / "made.png"))
            assert difference(made, Photo.open(source))[1] <= 1, orientation


@pytest.mark.browser
def test_the_page_speaks_three_languages_and_can_be_installed(site: Path) -> None:
    with served(site) as server, visit(server.address) as page:
        wait_for(page, "ready")
        for language in ("de", "es", "en"):
            server = json.loads((ROOT / f"colorizer/web/texts/{language}.json").read_text("utf-8"))
            page.select_option("#language", language)
            expect(page.locator("#download")).to_have_text(server["photo"]["download"])
            own = json.loads((STATIC / f"texts/{language}.json").read_text("utf-8"))
            expect(page.locator("#status")).to_have_text(own["ready"])
        expect(page.locator("#progress")).to_be_hidden()
        assert page.locator("#progress").evaluate("bar => bar.value") == 1
        session = page.context.new_cdp_session(page)
        errors = session.send("Page.getInstallabilityErrors")["installabilityErrors"]
        assert {error["errorId"] for error in errors} <= {"in-incognito"}
        page.set_input_files("#file", {"name": "a.jpg", "mimeType": "", "buffer": b"no photo"})
        wait_for(page, "error")
        expect(page.locator("#status")).to_contain_text("a.jpg can't be opened as a photo.")


@pytest.mark.browser
def test_the_benchmark_times_it(site: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [site, EXAMPLES / "bee.jpg", "--megapixels", "0.1", "--repeats", "1"]
    close_browser()  # the benchmark opens its own
    assert benchmark([*map(str, arguments)]) == 0
    first, shown, saved = capsys.readouterr().out.splitlines()
    assert first.startswith("0.1 megapixels. Runs on your processor, threads: ")
    assert int(first.split()[-2]) > 100  # megabytes of memory
    assert shown.startswith("from the file to three views ")
    assert saved.startswith("download in full size ")


def test_its_own_texts_have_equal_keys() -> None:
    texts = [json.loads(path.read_text("utf-8")) for path in sorted(STATIC.glob("texts/*.json"))]
    assert len(texts) == 3
    assert all(text.keys() == texts[0].keys() and all(text.values()) for text in texts)


def test_the_servers_texts_that_it_uses_exist() -> None:
    """The build checks that, too, but not every machine can build it."""
    source = (STATIC / "src/page.ts").read_text()
    used = {group: set(re.findall(rf"\b{group}\.(\w+)", source)) for group in ("photo", "views")}
    used["views"] |= {
        "gray",
        "gray_alt",
        "colorized",
        "colorized_alt",
        "processed",
        "processed_alt",
    }
    assert "download" in used["photo"]
    assert "divider" in used["views"]
    for path in (ROOT / "colorizer/web/texts").glob("*.json"):
        texts = json.loads(path.read_text("utf-8"))
        assert used["photo"] <= texts["photo"].keys(), path.name
        assert used["views"] <= texts["script"].keys(), path.name
        assert "intro" in texts["page"]
        for setting in ("strength", "saturation", "temperature", "contrast"):
            assert {setting} <= texts["photo"]["settings"].keys() & texts["photo"]["settings_info"]


def test_the_packages_have_exact_versions_and_no_lock_file() -> None:
    package = json.loads((STATIC / "package.json").read_text())
    versions = [*package["dependencies"].values(), *package["devDependencies"].values()]
    assert all(version.replace(".", "").isdigit() for version in versions)
    assert "package-lock=false" in (STATIC / ".npmrc").read_text()
