"""`colorizer colorize --color-source`: a picture, a folder of them, and what can't be used."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from colorizer import Photo
from colorizer.__main__ import main
from colorizer.sources import reference
from tests.helpers.scenes import Pixels, changed, scene

SCENES = {"a": scene(120, 160), "b": scene(120, 160, seed=1), "c": scene(120, 160, seed=2)}


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with a.png, b.png and c.png in gray."""
    for name, pixels in SCENES.items():
        save(tmp_path / "in" / f"{name}.png", Photo(pixels).to_gray().pixels)
    return tmp_path / "in"


@pytest.fixture
def run(tiny_checkpoint: Path, tmp_path: Path):
    """Runs `colorizer colorize` into the folder `out` and returns the exit code."""

    def run(*arguments: object) -> int:
        common = ["-o", tmp_path / "out", "--checkpoint", tiny_checkpoint, "--device", "cpu"]
        return main(["colorize", *map(str, common), *map(str, arguments)])

    return run


def save(path: Path, pixels: Pixels) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels[:, :, 0] if pixels.shape[2] == 1 else pixels).save(path)
    return path


def color_error(path: Path, truth: Pixels) -> float:
    """Median distance from the true colors: of differences between channels, in levels."""
    made = Photo.open(path).pixels.astype(float)
    off = np.diff(made, axis=2) - np.diff(truth.astype(float), axis=2)
    return float(np.median(np.linalg.norm(off, axis=2)[20:-20, 20:-20]))


@pytest.mark.slow
def test_colors_of_a_picture_and_their_strength(run, photos, tmp_path) -> None:
    given = photos / "a.png", "--color-source", save(tmp_path / "edited.png", changed(SCENES["a"]))
    made = tmp_path / "out" / "a_color.png"
    errors = []
    for strength in ("1", "0.5", "0"):
        assert run(*given, "--color-strength", strength, "--overwrite") == 0
        errors.append(color_error(made, SCENES["a"]))
        gray = Photo.open(photos / "a.png")
        assert np.abs(Photo.open(made).lightness - gray.lightness).max() < 0.5
    assert errors[0] < 0.7 * errors[1] < 0.5 * errors[2]


def test_a_folder_of_pictures_with_the_photos_names(run, photos, tmp_path, capsys) -> None:
    save(tmp_path / "edited" / "A_color.jpg", changed(SCENES["a"]))
    save(tmp_path / "edited" / "deep" / "b.png", changed(SCENES["b"]))
    assert run(photos, "--color-source", tmp_path / "edited") == 0
    errors = {
        name: color_error(tmp_path / "out" / f"{name}_color.png", SCENES[name]) for name in SCENES
    }
    assert max(errors["a"], errors["b"]) < 0.5 * errors["c"]
    said = capsys.readouterr().err.splitlines()
    assert said == [
        f"colorizer: {photos / 'c.png'}: No picture has its name, "
        "so its colors are the model's own."
    ]


def test_the_picture_whose_folder_is_named_alike_is_taken(run, photos, tmp_path, capsys) -> None:
    save(tmp_path / "edited" / "in" / "a.png", changed(SCENES["a"]))
    save(tmp_path / "edited" / "other" / "a.png", changed(SCENES["b"]))
    assert run(photos / "a.png", "--color-source", tmp_path / "edited") == 0
    assert capsys.readouterr().err == ""


def test_what_can_not_be_used_fails_alone(run, photos, tmp_path, capsys) -> None:
    edited = tmp_path / "edited"
    save(edited / "a.png", changed(SCENES["b"]))
    save(edited / "b.png", changed(SCENES["b"]))
    save(edited / "b_color.jpg", changed(SCENES["b"]))
    (edited / "c.png").write_text("no photo")
    assert run(photos, "--color-source", edited) == 1
    said = sorted(capsys.readouterr().err.splitlines())
    assert said.pop().startswith("colorizer: 3 of 3 failed; see")
    assert said[0] == (
        f"colorizer: {photos / 'a.png'}: The other picture does not show this photo, so its "
        "colors can't be put in place. Use another version of the same photo, or take this "
        "picture as a reference."
    )
    assert said[1] == (
        f"colorizer: {photos / 'b.png'}: {edited / 'b.png'} and {edited / 'b_color.jpg'} both have "
        f"the name of {photos / 'b.png'}; keep only one of them."
    )
    assert said[2].startswith(
        f"colorizer: {photos / 'c.png'}: {edited / 'c.png'} is not a photo in a known format;"
    )


def test_less_than_half_of_a_photo_is_told(run, photos, tmp_path, capsys) -> None:
    part = save(tmp_path / "part.png", SCENES["a"][:, :60])
    assert run(photos / "a.png", "--color-source", part) == 0
    assert capsys.readouterr().err == (
        f"colorizer: {photos / 'a.png'}: The other picture agrees with less than half of it; "
        "the rest has the model's own colors.\n"
    )


@pytest.mark.parametrize(
    ("pixels", "options", "sentence"),
    [
        (None, [], "does not exist; check the path."),
        ("no picture", [], "is not a photo in a known format"),
        (np.full((1, 1, 3), 90, np.uint8), [], "has 1 x 1 pixels; use one whose sides have"),
        (Photo(SCENES["a"]).to_gray().pixels, [], "has no color; use one in color."),
        (SCENES["a"], ["--max-pixels", "19199"], "has more than 0.019199 megapixels"),
        (SCENES["a"], ["--color-strength", "1.1"], "1.1 is not a number from 0 to 1."),
        (SCENES["a"], ["--color-strength", "nan"], "nan is not a number from 0 to 1."),
        (SCENES["a"], ["--color-strength", "much"], "much is not a number from 0 to 1."),
    ],
    ids=["missing", "text", "one pixel", "gray", "bomb", "too strong", "nan", "a word"],
)
def test_what_can_not_be_used_is_wrong_usage(
    run, photos, tmp_path, capsys, pixels: object, options: list[str], sentence: str
) -> None:
    path = tmp_path / "edited.png"
    if isinstance(pixels, str):
        path.write_text(pixels)
    elif isinstance(pixels, np.ndarray):
        save(path, pixels)
    with pytest.raises(SystemExit) as stop:
        run(photos / "a.png", "--color-source", path, *options)
    assert stop.value.code == 2
    assert sentence in capsys.readouterr().err


def test_a_recipe_goes_without(run, photos, tmp_path, capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        run(photos / "a.png", "--color-source", photos, "--recipe", tmp_path / "none.json")
    assert stop.value.code == 2


@pytest.mark.slow
def test_a_reference(run, photos, tmp_path, capsys, monkeypatch) -> None:
    """The tiny network's features tell nothing, so the confidence is set."""
    given = photos / "a.png", "--reference", save(tmp_path / "other.png", SCENES["b"])
    results = []
    for offset in (-20.0, 20.0):
        monkeypatch.setattr(reference, "CONFIDENCE", (0.0, 0.0, 0.0, offset))
        assert run(*given, "--overwrite") == 0
        results.append(Photo.open(tmp_path / "out" / "a_color.png"))
    assert np.abs(results[0].pixels.astype(int) - results[1].pixels).mean() > 5
    assert np.abs(results[1].lightness - Photo.open(photos / "a.png").lightness).max() < 0.5
    assert capsys.readouterr().err == (
        f"colorizer: {photos / 'a.png'}: Hardly anything of it looks like the reference, "
        "so its colors are the model's own.\n"
    )


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--reference", "edited"], "The reference edited is a folder; give one photo."),
        (["--reference", "none.jpg"], "none.jpg does not exist; check the path."),
        (
            ["--reference", "a.jpg", "--color-source", "b.jpg"],
            "Give only one of --color-source, --reference and --consistent.",
        ),
        (["--consistent", "--watch"], "--consistent goes without --watch and --ray"),
    ],
    ids=["folder", "missing", "both", "watch"],
)
def test_references_that_can_not_be_used(
    run, photos, tmp_path, capsys, monkeypatch, options: list[str], sentence: str
) -> None:
    (tmp_path / "edited").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as stop:
        run(photos / "a.png", *options)
    assert stop.value.code == 2
    assert sentence in capsys.readouterr().err


@pytest.mark.slow
def test_photos_of_an_album_share_their_colors(run, photos, tmp_path, monkeypatch) -> None:
    """The tiny network's features tell nothing, so the confidence is set."""
    monkeypatch.setattr(reference, "CONFIDENCE", (0.0, 0.0, 0.0, 20.0))
    (photos / "text.png").write_text("no photo")

    def spread() -> float:
        """How far the mean colors of the results differ."""
        names = sorted((tmp_path / "out").glob("*.png"))
        assert len(names) == 3
        means = [np.diff(Photo.open(name).pixels.mean((0, 1))) for name in names]
        return float(np.std(means, axis=0).sum())

    assert run(photos) == 1
    alone = spread()
    assert run(photos, "--consistent", "--overwrite") == 1
    assert spread() < 0.95 * alone
    assert run(photos, "--consistent", "--color-strength", "0", "--overwrite") == 1
    assert spread() == alone
