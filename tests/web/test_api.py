"""The endpoints for programs, over HTTP with `gradio_client`."""

import io
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, get_args
from zipfile import ZipFile

import httpx
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from colorizer import (
    PRESETS,
    Adjustments,
    ColorHint,
    Colorizer,
    ColorSource,
    Edit,
    Photo,
    Stroke,
    render,
)
from colorizer.photo.formats import FORMAT_SUFFIXES
from colorizer.web.api import arguments
from tests.helpers.browser import started
from tests.helpers.paths import ROOT
from tests.helpers.photos import color_pixels
from tests.helpers.scenes import changed, scene

Ask = Callable[..., Any]
PATHS = {"/colorize", "/colorize_with", "/alternatives", "/model_info", "/batch"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server's files are."""
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="module")
def address(folder: Path, tiny_checkpoint: Path) -> Iterator[str]:
    """A server whose photos have at most 5,000 pixels and 100 kB; it leaves no file behind."""
    limits = {"COLORIZER_MAX_PIXELS": "5000", "COLORIZER_MAX_UPLOAD": "100kb"}
    limits["COLORIZER_CHECKPOINT"] = str(tiny_checkpoint)
    with started(folder, cleans_up=True, **limits) as address:
        yield address
    assert [path for path in (folder / "files").rglob("*") if path.is_file()] == []


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A gray photo of 70 x 50 pixels and 16 bits."""
    path = tmp_path_factory.mktemp("scan") / "grandma.png"
    ramp = np.linspace(3000, 60000, 50 * 70).reshape(50, 70).astype(np.uint16)
    Image.fromarray(ramp).save(path)
    return path


@pytest.fixture
def ask(address: str, scan: Path, tmp_path: Path) -> Ask:
    """Asks an endpoint, of the scan if no other photo is given."""
    client = Client(address, verbose=False, download_files=tmp_path / "downloads")

    def predict(name: str, photo: Path | None = scan, **options: object) -> Any:
        if photo is not None:
            options["photo"] = handle_file(photo)
        return client.predict(api_name=name, **options)

    return predict


def same(path: str, photo: Photo) -> bool:
    """Whether a file holds the photo, but for the rounding of another number of threads."""
    pixels = Photo.open(path).pixels
    assert (pixels.dtype, pixels.shape) == (photo.pixels.dtype, photo.pixels.shape)
    off = np.abs(pixels.astype(int) - photo.pixels).max()
    return bool(off <= 0.01 * np.iinfo(pixels.dtype).max)


def test_the_result_is_that_of_the_library(ask: Ask, scan: Path, tiny_colorizer: Colorizer) -> None:
    path = ask("/colorize")
    assert Path(path).name == "grandma_color.png"
    photo = Photo.open(scan)
    result = tiny_colorizer.colorize(photo)
    assert same(path, result.colorized)
    assert Photo.open(path).pixels.dtype == np.uint16
    larger = tiny_colorizer.colorize(photo, working_size=320).colorized
    vivid = result.adjust(PRESETS["vivid"])
    assert not same(path, larger)
    assert not same(path, vivid)
    assert same(ask("/colorize", preset="vivid"), vivid)
    assert same(ask("/colorize", working_size=320), larger)
    twice = tiny_colorizer.colorize(photo, views=2)
    assert not same(path, twice.colorized)
    assert same(ask("/colorize", views=2), twice.colorized)
    assert same(ask("/colorize_with", views=2), twice.colorized)


def test_known_colors_adjustments_and_versions(
    ask: Ask, scan: Path, tiny_colorizer: Colorizer
) -> None:
    hints = [{"x": 10, "y": 20, "color": "#c02020", "radius": 3}]
    result = tiny_colorizer.colorize(Photo.open(scan), [ColorHint(10, 20, "#c02020", 3)])
    plain = ask("/colorize_with")
    assert same(plain, tiny_colorizer.colorize(Photo.open(scan)).colorized)
    assert not same(plain, result.colorized)
    assert same(ask("/colorize_with", hints=hints), result.colorized)
    for reach in (0.2, None):
        spread = [ColorHint(10, 20, "#c02020", 3, reach)]
        expected = tiny_colorizer.colorize(Photo.open(scan), spread).colorized
        assert same(ask("/colorize_with", hints=[hints[0] | {"reach": reach}]), expected)
        assert not same(ask("/colorize_with", hints=hints), expected)
    second = result.alternatives(2)[1]
    path = ask("/colorize_with", hints=hints, version=2, adjustments={"saturation": 0.5})
    assert same(path, second.adjust(Adjustments(saturation=0.5)))
    assert not same(path, second.colorized)


def test_strokes_mend_and_protect(ask: Ask, scan: Path, tiny_colorizer: Colorizer) -> None:
    stroke = Stroke("mend", ((0.3, 0.4), (0.7, 0.5)), 0.1)
    expected = render(tiny_colorizer, Photo.open(scan), Edit(strokes=(stroke,)))
    assert same(ask("/colorize_with", strokes=[asdict(stroke)]), expected)
    assert not same(ask("/colorize_with"), expected)


@pytest.fixture
def colored(tmp_path: Path) -> tuple[Path, Path]:
    """A gray photo, and the same photo colored elsewhere."""
    pixels = scene(60, 80)
    Photo(pixels).to_gray().save(tmp_path / "scene.png")
    Photo(changed(pixels, scale=1)).save(tmp_path / "edited.png")
    return tmp_path / "scene.png", tmp_path / "edited.png"


def test_colors_of_another_picture(
    ask: Ask, colored: tuple[Path, Path], tiny_colorizer: Colorizer
) -> None:
    path, edited = colored
    photo, picture = Photo.open(path), Photo.open(edited)
    given = {"color_source": handle_file(edited)}
    for strength, options in ((1.0, {}), (0.3, {"color_strength": 0.3})):
        edit = Edit(color_source=ColorSource.of(picture, strength=strength))
        made = render(tiny_colorizer, photo, edit)
        assert same(ask("/colorize_with", path, **given, **options), made)
    assert not same(ask("/colorize_with", path), made)
    made = render(tiny_colorizer, photo, Edit(color_source=ColorSource.of(picture, "reference")))
    assert same(ask("/colorize_with", path, **given, color_use="reference"), made)


def test_pictures_whose_colors_can_not_be_taken(
    ask: Ask, colored: tuple[Path, Path], folder: Path, tmp_path: Path
) -> None:
    path, edited = colored
    (tmp_path / "letter.png").write_text("Dear grandma")
    Photo(scene(60, 80, seed=3)).save(tmp_path / "other.png")
    for picture, sentence in (
        (path, "The other picture has no color; use one in color."),
        (tmp_path / "other.png", "The other picture does not show this photo"),
        (tmp_path / "letter.png", "letter.png is not a photo in a known format"),
    ):
        with pytest.raises(AppError) as error:
            ask("/colorize_with", path, color_source=handle_file(picture))
        assert sentence in str(error.value)
        assert str(folder) not in str(error.value)
    with pytest.raises(AppError, match="color_use can't be used: Input should be 'same' or"):
        ask("/colorize_with", path, color_source=handle_file(edited), color_use="all")
    with pytest.raises(AppError, match="color_strength can't be used: Input should be less than"):
        ask("/colorize_with", path, color_source=handle_file(edited), color_strength=1.5)


def test_alternatives(ask: Ask, scan: Path, tiny_colorizer: Colorizer) -> None:
    paths = ask("/alternatives", count=3)
    assert [Path(path).name for path in paths] == [
        f"grandma_version{number}.jpg" for number in (1, 2, 3)
    ]
    expected = tiny_colorizer.colorize(Photo.open(scan)).preview().alternatives(3)
    for path, version in zip(paths, expected, strict=True):
        difference = Photo.open(path).pixels.astype(int) - version.colorized.pixels
        assert np.abs(difference).mean() < 3


def test_format_and_quality(ask: Ask) -> None:
    sizes = []
    for quality in (20, 95):
        path = Path(ask("/colorize", format="JPEG", quality=quality))
        assert path.name == "grandma_color.jpg"
        sizes.append(path.stat().st_size)
    assert sizes[0] < sizes[1]


def test_the_place_stays_only_if_asked_for(ask: Ask, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Zeiss"  # Make
    exif.get_ifd(0x8825)[1] = "N"  # GPSLatitudeRef
    path = tmp_path / "placed.jpg"
    Image.fromarray(color_pixels(40, 50)).convert("L").save(path, exif=exif)
    for location in (False, True):
        for name in ("/colorize", "/colorize_with"):
            with Image.open(ask(name, path, location=location)) as image:
                assert image.getexif()[0x010F] == "Zeiss"
                assert bool(image.getexif().get_ifd(0x8825)) == location


def test_a_model_is_described(ask: Ask, tiny_colorizer: Colorizer, tiny_checkpoint: Path) -> None:
    info = ask("/model_info", None)
    assert info["sha256"] == tiny_colorizer.checkpoint.sha256
    assert info["working_size"] == 192
    assert str(tiny_checkpoint.parent) not in json.dumps(info)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (
            {"working_size": 100},
            "working_size can't be used: Input should be greater than or equal",
        ),
        ({"working_size": "wide"}, "working_size can't be used: Input should be a valid integer"),
        ({"views": 3}, "views can't be used: Input should be less than or equal to 2"),
        ({"preset": "pink"}, "preset can't be used: Input should be 'natural', 'vivid',"),
        ({"format": "GIF"}, "format can't be used: Input should be '', 'JPEG',"),
        ({"quality": 101}, "quality can't be used: Input should be less than or equal to 100"),
        ({"model": "colorizer/web/no"}, "Files and folders can't be used here"),
        ({"hints": [{"x": 1, "y": 1, "color": "red", "radius": 0}]}, "write it as #rrggbb"),
        (
            {"hints": [{"x": 70, "y": 1, "color": "#ff0000", "radius": 0}]},
            "outside the photo",
        ),
        (
            {"hints": [{"x": 1, "y": 1, "color": "#ff0000", "radius": 0, "reach": 4}]},
            "reach is 4.0; give more than 0 and at most 3 short sides of the photo.",
        ),
        (
            {"strokes": [{"effect": "mend", "points": [[0, 2]], "radius": 0.1}]},
            "The stroke's point (0.0, 2.0) lies outside the photo; give x and y from 0 to 1.",
        ),
        (
            {"strokes": [{"effect": "mend", "points": [[0]], "radius": 0.1}]},
            "lies outside the photo",
        ),
        ({"strokes": [{"effect": "erase", "points": [[0, 0]], "radius": 1}]}, "'protect' or"),
        ({"hints": [{"x": 1, "y": 1}]}, "hints.0.color can't be used: Field required"),
        ({"adjustments": {"saturation": 9}}, "saturation is 9.0; it goes from 0 to 2."),
        ({"adjustments": {"colour": 1}}, "adjustments.colour can't be used: Extra inputs"),
        ({"version": 9}, "version can't be used: Input should be less than or equal to 8"),
        ({"count": 0}, "count can't be used: Input should be greater than or equal to 1"),
    ],
)
def test_what_can_not_be_used_gets_a_sentence(
    ask: Ask, options: dict[str, object], sentence: str
) -> None:
    name = "/colorize"
    if options.keys() & {"hints", "adjustments", "version", "strokes"}:
        name = "/colorize_with"
    elif "count" in options:
        name = "/alternatives"
    with pytest.raises(AppError) as error:
        ask(name, **options)
    assert sentence in str(error.value)


def test_files_that_can_not_be_used_get_a_sentence(ask: Ask, folder: Path, tmp_path: Path) -> None:
    letter, large = tmp_path / "letter.jpg", tmp_path / "large.jpg"
    letter.write_text("Dear grandma")
    Image.new("L", (101, 50)).save(large)
    for name in ("/colorize", "/colorize_with", "/alternatives"):
        with pytest.raises(AppError, match=r"^letter.jpg is not a photo .* convert it") as error:
            ask(name, letter)
        assert str(folder) not in str(error.value)
        with pytest.raises(AppError, match=r"^large.jpg has more than 0.005 megapixels") as error:
            ask(name, large)
        assert str(folder) not in str(error.value)


def test_an_upload_that_is_too_large_is_refused(address: str, tmp_path: Path) -> None:
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(100_001))
    with path.open("rb") as file:
        answer = httpx.post(f"{address}gradio_api/upload", files={"files": file})
    assert answer.status_code == 413
    assert "maximum allowed size of 100000 bytes" in answer.text
    client = Client(address, verbose=False)
    with pytest.raises(ValueError, match="exceeds the maximum file size of 100000 bytes"):
        client.predict(handle_file(path), api_name="/colorize")


def test_a_file_that_is_gone_gets_a_sentence(address: str, ask: Ask, folder: Path) -> None:
    ask("/colorize")
    [upload] = (folder / "files").rglob("grandma.png")
    upload.unlink()
    assert "The file is no longer here" in raw(address, {"path": str(upload)})


def raw(address: str, photo: object) -> str:
    """What the endpoint answers to anything."""
    request = urllib.request.Request(
        f"{address}gradio_api/call/v2/colorize",
        json.dumps({"photo": photo}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request) as response:
        event = json.load(response)["event_id"]
    with urllib.request.urlopen(f"{address}gradio_api/call/colorize/{event}") as response:
        return str(response.read().decode())


@pytest.mark.parametrize("mark", [{}, {"meta": {"_type": "gradio.FileData"}}])
@pytest.mark.parametrize("name", ["examples/portrait.jpg", "examples/../examples/portrait.jpg"])
def test_files_of_the_server_are_not_for_reading(
    address: str, name: str, mark: dict[str, object]
) -> None:
    """A request can name any path, with or without the mark of an uploaded file."""
    answer = raw(address, {"path": str(ROOT / name), **mark})
    assert answer.startswith("event: error")
    assert "portrait_color" not in answer
    if not mark:  # Gradio itself refuses marked ones
        assert "You can only use files that you uploaded" in answer


def test_nothing_is_taken_for_a_photo(address: str) -> None:
    for photo in (None, 3, "grandma.jpg", {}, []):
        assert "photo" in raw(address, photo)


def test_nobody_goes_past_the_line(address: str) -> None:
    request = urllib.request.Request(
        f"{address}gradio_api/run/colorize", b'{"data": []}', {"Content-Type": "application/json"}
    )
    with pytest.raises(urllib.error.HTTPError, match="404"):
        urllib.request.urlopen(request)


def test_a_batch(address: str, scan: Path, tmp_path: Path) -> None:
    client = Client(address, verbose=False)
    letter = tmp_path / "letter.jpg"
    letter.write_text("Dear grandma")
    path = client.predict([handle_file(scan), handle_file(letter)], api_name="/batch")
    with ZipFile(path) as zipped:
        assert zipped.namelist() == ["grandma_color.png"]
        photo = Photo.open(io.BytesIO(zipped.read("grandma_color.png")))
    assert photo.pixels.shape == (50, 70, 3)
    with pytest.raises(AppError, match="None of these files"):
        client.predict([handle_file(letter)], api_name="/batch")
    with pytest.raises(AppError, match="There is no such look"):
        client.predict([handle_file(scan)], preset="pink", api_name="/batch")


def test_every_argument_is_typed_and_described(address: str) -> None:
    """And nothing of the page is among the endpoints."""
    info = Client(address, verbose=False).view_api(print_info=False, return_format="dict")
    assert set(info["named_endpoints"]) == PATHS
    assert not info["unnamed_endpoints"]
    for name, described in info["named_endpoints"].items():
        assert described["description"], name
        for parameter in described["parameters"]:
            kind = parameter["python_type"]
            assert kind["type"] != "Any", name
            assert len(kind["description"]) > 10, parameter["parameter_name"]
            assert parameter["parameter_has_default"] == (
                parameter["parameter_name"] not in ("photo", "photos")
            )
    assert "__i18n__" not in json.dumps(info)


def test_types_name_what_the_library_has() -> None:
    assert get_args(arguments.Preset) == tuple(PRESETS)
    assert set(get_args(arguments.Format)) == {"", *FORMAT_SUFFIXES} - {"HEIF"}
    assert list(arguments.AdjustmentValues.__annotations__) == [
        item.name for item in fields(Adjustments)
    ]
    assert list(arguments.HintValues.__annotations__) == [item.name for item in fields(ColorHint)]
