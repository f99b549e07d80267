"""`colorizer compare`: a sheet of what checkpoints make of the same photos."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorizer import Colorizer, Photo
from colorizer.__main__ import main
from colorizer.checkpoints.checkpoint import save_checkpoint
from colorizer.commands.compare import GAP, LABEL, shorten
from tests.helpers.networks import tiny_generator
from tests.helpers.photos import color_pixels


@pytest.fixture(scope="module")
def other_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("other")
    save_checkpoint(folder, tiny_generator(seed=1), 192)
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with two photos."""
    (tmp_path / "in").mkdir()
    for seed, name in enumerate(("a.png", "b.png")):
        Image.fromarray(color_pixels(60 + 20 * seed, 80, seed)).save(tmp_path / "in" / name)
    return tmp_path / "in"


@pytest.fixture
def run(tiny_checkpoint: Path, other_checkpoint: Path, tmp_path: Path):
    """Runs `colorizer compare` on two checkpoints and returns the exit code."""

    def run(*photos: object) -> int:
        checkpoints = [str(tiny_checkpoint), str(other_checkpoint)]
        common = ["--device", "cpu", "-o", str(tmp_path / "sheet.png")]
        return main(["compare", *checkpoints, *common, "--photos", *map(str, photos)])

    return run


@pytest.mark.slow
def test_a_sheet_shows_gray_and_each_checkpoint(
    run, photos, tmp_path, tiny_checkpoint, other_checkpoint, capsys
) -> None:
    assert run(photos) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "sheet.png")]
    sheet = Photo.open(tmp_path / "sheet.png").pixels
    assert sheet.shape[1] == 3 * (80 + GAP) + GAP
    photo, top = Photo.open(photos / "a.png"), LABEL + 2 * GAP
    expected = [photo.to_gray().pixels.repeat(3, 2)]
    for checkpoint in (tiny_checkpoint, other_checkpoint):
        expected.append(Colorizer.load(checkpoint, "cpu").colorize(photo).colorized.pixels)
    for column, pixels in enumerate(expected):
        left = GAP + column * (80 + GAP)
        assert np.array_equal(sheet[top : top + 60, left : left + 80], pixels)
    assert (sheet[:top] < 128).any()  # titles
    second = top + 60 + LABEL + 2 * GAP
    assert (sheet[top + 60 : second] < 128).any()  # the name of the photo
    assert sheet.shape[0] == second + 80 + LABEL + 2 * GAP


@pytest.mark.slow
def test_photos_that_cannot_be_read_are_left_out(run, photos, tmp_path, capsys) -> None:
    (photos / "text.jpg").write_text("no photo")
    assert run(photos / "b.png", photos / "text.jpg", photos / "none.jpg") == 1
    errors = capsys.readouterr().err
    assert "text.jpg is not a photo in a known format" in errors
    assert "none.jpg does not exist; check the path." in errors
    assert Photo.open(tmp_path / "sheet.png").size[0] == 2 * LABEL + 4 * GAP + 80


@pytest.mark.slow
def test_links_are_skipped_without_failure(run, photos, capsys) -> None:
    (photos / "link.png").symlink_to(photos / "a.png")
    assert run(photos) == 0
    assert "link.png is a link and was skipped" in capsys.readouterr().err


@pytest.mark.slow
def test_a_sheet_that_cannot_be_written(photos, tiny_checkpoint, tmp_path, capsys) -> None:
    where = tmp_path / "none" / "sheet.png"
    photo = str(photos / "a.png")
    common = ["compare", str(tiny_checkpoint), "--photos", photo, "--device", "cpu"]
    assert main([*common, "-o", str(where)]) == 1
    assert f"{where} can't be written: No such file or directory." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("checkpoint", "photo", "sheet", "sentence"),
    [
        ("none", "a.png", "sheet.png", "none is neither a folder nor a Hub name"),
        ("bundled", "more", "sheet.png", "There are 0 photos; a sheet holds 1 to 100."),
        ("bundled", "a.png", "sheet.gif", "sheet.gif can't be written as '.gif'"),
    ],
)
def test_wrong_usage(photos, tmp_path, capsys, checkpoint, photo, sheet, sentence) -> None:
    (photos / "more").mkdir()
    common = [checkpoint, "--photos", str(photos / photo), "-o", str(tmp_path / sheet)]
    with pytest.raises(SystemExit) as stop:
        main(["compare", *common])
    assert stop.value.code == 2
    assert sentence in capsys.readouterr().err


def test_long_labels_lose_their_start() -> None:
    class Font:
        def getlength(self, text: str) -> int:
            return 10 * len(text)

    assert shorten("runs/mine/best", 140, Font()) == "runs/mine/best"
    assert shorten("runs/mine/best", 80, Font()) == ".../best"[-8:]
