"""The command line: what it writes, what it says, and its exit codes."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
import tifffile
import torch
from PIL import Image

from colorizer import Adjustments, ColorHint, Photo
from colorizer.__main__ import main
from colorizer.adjust.badge import with_badge
from colorizer.batch.job import NETWORK_THREADS
from colorizer.commands.values import hint
from colorizer.inference.hints import DEFAULT_REACH
from colorizer.photo.metadata import Metadata
from tests.helpers.metadata import full_metadata, tags_of
from tests.helpers.paths import EXAMPLES
from tests.helpers.photos import color_pixels

COLORS = "It had colors already; they were replaced."


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder with a.png, b.jpg and more/a.png."""
    folder = tmp_path / "in"
    (folder / "more").mkdir(parents=True)
    for seed, name in enumerate(("a.png", "b.jpg", "more/a.png")):
        Image.fromarray(color_pixels(24, 32, seed)).save(folder / name)
    return folder


@pytest.fixture
def run(tiny_checkpoint: Path, tmp_path: Path):
    """Runs `colorizer colorize` into the folder `out` and returns the exit code."""

    def run(*arguments: object) -> int:
        common = ["-o", tmp_path / "out", "--checkpoint", tiny_checkpoint, "--device", "cpu"]
        return main(["colorize", *map(str, common), *map(str, arguments)])

    return run


def written(tmp_path: Path) -> list[str]:
    names = {path.name for path in (tmp_path / "out").iterdir()}
    return sorted(names - {"report.csv"})


def test_photos_are_named_after_their_sources(run, photos, tmp_path, capsys) -> None:
    assert run(photos / "a.png", photos / "b.jpg") == 0
    assert written(tmp_path) == ["a_color.png", "b_color.jpg"]
    out = tmp_path / "out"
    lines = capsys.readouterr().out.split()
    assert sorted(lines) == [str(out / "a_color.png"), str(out / "b_color.jpg")]
    photo = Photo.open(out / "a_color.png")
    assert photo.size == (24, 32)
    assert photo.pixels.shape[2] == 3


def test_equal_names_get_a_number(run, photos, tmp_path) -> None:
    assert run(photos / "a.png", photos / "more" / "a.png") == 0
    assert written(tmp_path) == ["a_color-2.png", "a_color.png"]
    first, second = (Photo.open(tmp_path / "out" / name) for name in written(tmp_path))
    assert first.pixels.tobytes() != second.pixels.tobytes()


@pytest.mark.slow
def test_existing_files_are_kept_unless_told(run, photos, tmp_path, capsys) -> None:
    target = tmp_path / "out" / "a_color.png"
    target.parent.mkdir()
    target.write_bytes(b"old")
    assert run(photos / "a.png") == 0
    assert target.read_bytes() == b"old"
    assert f"{target} exists; kept (--overwrite replaces it)." in capsys.readouterr().out
    assert run(photos / "a.png", "--overwrite") == 0
    assert Photo.open(target).size == (24, 32)


def test_a_bad_photo_does_not_stop_the_others(run, photos, tmp_path, capsys) -> None:
    (photos / "text.jpg").write_text("no photo")
    missing = photos / "none.jpg"
    assert run(photos / "text.jpg", photos / "a.png", missing, photos / "b.jpg") == 1
    assert written(tmp_path) == ["a_color.png", "b_color.jpg"]
    errors = capsys.readouterr().err.splitlines()
    errors = [line for line in errors if not line.endswith(COLORS)]
    errors[:2] = sorted(errors[:2])
    assert len(errors) == 3
    assert errors[0] == f"colorizer: {missing} does not exist; check the path."
    assert errors[1].startswith(f"colorizer: {photos / 'text.jpg'} is not a photo")
    assert errors[2] == f"colorizer: 2 of 4 failed; see {tmp_path / 'out' / 'report.csv'}."


@pytest.mark.parametrize(
    ("name", "format", "saved"),
    [
        ("c.tif", "TIFF", "c_color.tif"),
        ("c.gif", "GIF", "c_color.png"),
        ("c.bmp", "BMP", "c_color.png"),
        ("C.JPG", "JPEG", "C_color.JPG"),
        ("c.jfif", "JPEG", "c_color.jpg"),  # an ending that says nothing to us
        ("c", "JPEG", "c_color.jpg"),
        ("c.dat", "PNG", "c_color.png"),
    ],
)
@pytest.mark.slow
def test_the_format_is_kept_where_it_can_be(run, photos, tmp_path, name, format, saved) -> None:
    Image.fromarray(color_pixels(24, 32)).save(photos / name, format)
    assert run(photos / name) == 0
    assert written(tmp_path) == [saved]


@pytest.mark.slow
def test_adjustments_and_hints_are_used(run, photos, tmp_path) -> None:
    assert run(photos / "a.png") == 0
    plain = (tmp_path / "out" / "a_color.png").read_bytes()
    again = ("--overwrite", photos / "a.png")
    assert run(*again, "--hint", "5,5,#ff0000", "20,10,#0000ff") == 0
    hinted = (tmp_path / "out" / "a_color.png").read_bytes()
    assert run(*again, "--adjust", "strength=0", "contrast=10") == 0
    gray = Photo.open(tmp_path / "out" / "a_color.png")
    assert plain != hinted
    assert gray.pixels.shape[2] == 1


@pytest.mark.parametrize(
    ("text", "reach"), [("5,6,#ff0000", DEFAULT_REACH), ("5,6,#ff0000,0.25", 0.25)]
)
def test_a_hint_may_have_a_reach(text: str, reach: float) -> None:
    assert hint(text) == ColorHint(5, 6, "#ff0000", reach=reach)


@pytest.mark.slow
def test_adjustments_override_the_preset(run, photos, tmp_path) -> None:
    def picture(*options: str) -> bytes:
        assert run("--overwrite", photos / "a.png", *options) == 0
        return (tmp_path / "out" / "a_color.png").read_bytes()

    natural, vivid = picture(), picture("--preset", "vivid")
    fields = [f"{name}={value}" for name, value in asdict(Adjustments()).items()]
    assert picture("--preset", "natural") == natural != vivid
    assert picture("--preset", "vivid", "--adjust", "dust=0") == vivid
    assert picture("--preset", "vivid", "--adjust", *fields) == natural


@pytest.mark.slow
def test_working_size_is_used(run, photos, tmp_path) -> None:
    assert run(photos / "a.png") == 0
    plain = (tmp_path / "out" / "a_color.png").read_bytes()
    assert run(photos / "a.png", "--overwrite", "--working-size", 320) == 0
    assert (tmp_path / "out" / "a_color.png").read_bytes() != plain


@pytest.mark.slow
def test_two_views_are_used(run, photos, tmp_path, tiny_colorizer) -> None:
    torch.set_num_threads(NETWORK_THREADS)  # as the command: the last bits depend on the number
    for views in (1, 2):
        assert run(photos / "a.png", "--overwrite", "--views", views) == 0
        made = Photo.open(tmp_path / "out" / "a_color.png").pixels
        photo = Photo.open(photos / "a.png")
        expected = tiny_colorizer.colorize(photo, views=views).colorized
        np.testing.assert_array_equal(made, expected.pixels)


def test_a_hint_outside_the_photo(run, photos, tmp_path, capsys) -> None:
    assert run(photos / "a.png", "--hint", "500,5,#ff0000") == 1
    assert "lies outside the photo of 32 x 24 pixels" in capsys.readouterr().err
    assert written(tmp_path) == []


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--adjust", "brightness=1"], "brightness is no adjustment; use one of strength,"),
        (["--adjust", "contrast=much"], "contrast=much needs a number, as in contrast=1.0."),
        (["--adjust", "contrast"], "contrast needs a number"),
        (["--adjust", "contrast=101"], "contrast is 101.0; it goes from -100 to 100."),
        (["--preset", "portrait", "--adjust", "gamma=3"], "gamma is 3.0; it goes from 0.5 to 2."),
        (["--preset", "sepia"], "invalid choice: 'sepia' (choose from"),
        (["--hint", "5,5"], "5,5 is not X,Y,#rrggbb"),
        (["--hint", "5,5,#ff0000,4"], "give more than 0 and at most 3 short sides of the photo"),
        (["--hint", "5,5,#ff0000,far"], "5,5,#ff0000,far is not X,Y,#rrggbb[,REACH]"),
        (["--hint", "5,5,#ff0000,1,1"], "5,5,#ff0000,1,1 is not X,Y,#rrggbb[,REACH]"),
        (["--hint", "5,5,red"], "write it as #rrggbb, for example #7fb2e5"),
        (["--working-size", "large"], "large is not a whole number from 192 to 512"),
        (["--working-size", "100"], "100 is not a whole number from 192 to 512"),
        (["--views", "3"], "argument --views: invalid choice: 3"),
        (["--device", "none_such"], "none_such"),
    ],
    ids=" ".join,
)
def test_wrong_usage_ends_with_a_sentence(run, photos, capsys, arguments, sentence) -> None:
    with pytest.raises(SystemExit) as stop:
        run(photos / "a.png", *arguments)
    assert stop.value.code == 2
    assert sentence in capsys.readouterr().err


def test_a_bad_checkpoint(photos, tmp_path, capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["colorize", str(photos / "a.png"), "-o", str(tmp_path), "--checkpoint", "none"])
    assert stop.value.code == 2
    assert "none is neither a folder nor a Hub name" in capsys.readouterr().err


def test_an_output_that_is_a_file(run, photos, tmp_path, capsys) -> None:
    (tmp_path / "out").write_text("in the way")
    with pytest.raises(SystemExit) as stop:
        run(photos / "a.png")
    assert stop.value.code == 2
    assert "can't be made" in capsys.readouterr().err


def test_no_command_is_wrong_usage(capsys) -> None:
    with pytest.raises(SystemExit) as stop:
        main([])
    assert stop.value.code == 2


def test_what_is_worth_knowing_is_said_beside_the_results(run, photos, tmp_path, capsys) -> None:
    deep = Photo(
        color_pixels(24, 32).astype(np.uint16) * 257, alpha=np.full((24, 32), 60000, np.uint16)
    )
    deep.save(photos / "deep.png")
    assert run(photos / "deep.png", "--format", "jpeg") == 0
    said = capsys.readouterr()
    assert said.out.split() == [str(tmp_path / "out" / "deep_color.jpg")]
    lines = [
        line.removeprefix(f"colorizer: {photos / 'deep.png'}: ") for line in said.err.split("\n")
    ]
    assert lines == [
        COLORS,
        "JPEG stores 8 bits per channel; PNG and TIFF keep all 16.",
        "JPEG has no transparency; transparent areas became white.",
        "",
    ]


def test_16_bits_transparency_and_metadata_go_through(run, photos, tmp_path) -> None:
    given = Photo(
        color_pixels(24, 32).astype(np.uint16) * 257,
        alpha=np.full((24, 32), 1000, np.uint16),
        metadata=Metadata(dpi=(600.0, 600.0)),
    )
    given.save(photos / "deep.tif")
    assert run(photos / "deep.tif") == 0
    made = Photo.open(tmp_path / "out" / "deep_color.tif")
    assert made.pixels.dtype == np.uint16
    assert made.alpha is not None
    assert (made.alpha == 1000).all()
    assert made.metadata.dpi == (600, 600)
    assert b"compositeWithTrainedAlgorithmicMedia" in made.metadata.xmp
    assert np.abs(made.lightness - given.lightness).mean() < 0.01
    assert np.abs(made.lightness - given.lightness).max() < 0.1


def test_negatives_are_inverted_when_told(run, photos, tmp_path) -> None:
    assert run(photos / "a.png", "--negative") == 0
    made, given = Photo.open(tmp_path / "out" / "a_color.png"), Photo.open(photos / "a.png")
    assert np.abs(made.lightness - given.inverted().lightness).mean() < 0.5


@pytest.mark.slow
def test_a_badge_only_when_asked_for(run, photos, tmp_path) -> None:
    Image.fromarray(color_pixels(240, 320)).save(photos / "a.png")
    assert run(photos / "a.png") == 0
    plain = Photo.open(tmp_path / "out" / "a_color.png")
    assert run(photos / "a.png", "--badge", "--overwrite") == 0
    badged = Photo.open(tmp_path / "out" / "a_color.png")
    assert np.array_equal(badged.pixels, with_badge(plain).pixels)
    assert not np.array_equal(badged.pixels, plain.pixels)


def test_bad_input_ends_in_sentences_and_no_file(run, photos, tmp_path, capsys) -> None:
    data = (photos / "b.jpg").read_bytes()
    tifffile.imwrite(photos / "nan.tif", np.full((4, 5), np.nan, np.float32))
    (photos / "empty.jpg").write_bytes(b"")
    (photos / "cut.jpg").write_bytes(data[: len(data) // 2])
    (photos / "text.png").write_text("no photo")
    (photos / "wrong.png").write_bytes(data)  # a JPEG all the same
    expected = {
        "cut.jpg": "is damaged (",
        "empty.jpg": "is not a photo in a known format; convert it to JPEG, PNG or TIFF.",
        "nan.tif": "has floating-point pixels; convert it to 8 or 16 bits.",
        "none.jpg": "does not exist; check the path.",
        "text.png": "is not a photo in a known format; convert it to JPEG, PNG or TIFF.",
    }
    assert run(*(photos / name for name in expected), photos / "wrong.png") == 1
    said = capsys.readouterr()
    errors = sorted(line for line in said.err.splitlines() if not line.endswith(COLORS))
    assert errors.pop().startswith(f"colorizer: {len(expected)} of {len(expected) + 1} failed; see")
    for line, (name, sentence) in zip(errors, expected.items(), strict=True):
        assert line.startswith(f"colorizer: {photos / name} {sentence}")
    assert written(tmp_path) == ["wrong_color.jpg"]


def test_the_place_is_kept(run, photos, tmp_path) -> None:
    full_photo = Photo(color_pixels(24, 32), metadata=full_metadata())
    full_photo.save(photos / "a.jpg")
    assert run(photos / "a.jpg") == 0
    made = Photo.open(tmp_path / "out" / "a_color.jpg").metadata
    assert tags_of(made) == tags_of(full_metadata())
    assert made.iptc == full_metadata().iptc
    assert b"GPSLatitude" in made.xmp


@pytest.mark.slow
def test_a_negative_is_offered_and_not_inverted(run, photos, tmp_path, capsys) -> None:
    meadow = Photo.open(EXAMPLES / "meadow.jpg").to_gray()
    meadow.shrunk((200, 300)).inverted().save(photos / "a.png")
    assert run(photos / "a.png") == 0
    said = "a.png: It looks like a negative; --negative inverts it first."
    assert said in capsys.readouterr().err
    as_it_is = Photo.open(tmp_path / "out" / "a_color.png").lightness
    assert np.abs(as_it_is - Photo.open(photos / "a.png").lightness).mean() < 0.5
    assert run(photos / "a.png", "--negative", "--overwrite") == 0
    assert "negative" not in capsys.readouterr().err


@pytest.mark.slow
def test_quality_and_the_largest_size(run, photos, tmp_path, capsys) -> None:
    assert run(photos / "b.jpg", "--quality", "30") == 0
    small = (tmp_path / "out" / "b_color.jpg").stat().st_size
    assert run(photos / "b.jpg", "--overwrite") == 0
    assert (tmp_path / "out" / "b_color.jpg").stat().st_size > small
    assert run(photos / "b.jpg", "--overwrite", "--max-pixels", "100") == 1
    assert "b.jpg has more than 0.0001 megapixels; make it smaller" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--quality", "0"], ["--format", "gif"], ["--jobs", "0"]])
def test_wrong_options_are_refused(run, photos, options, capsys) -> None:
    with pytest.raises(SystemExit) as exit:
        run(photos / "a.png", *options)
    assert exit.value.code == 2
    assert options[0] in capsys.readouterr().err


@pytest.mark.slow
def test_several_at_once_give_the_same_files(run, photos, tmp_path) -> None:
    names = [photos / "a.png", photos / "b.jpg", photos / "more" / "a.png"]

    def results() -> dict[str, bytes]:
        return {name: (tmp_path / "out" / name).read_bytes() for name in written(tmp_path)}

    assert run(*names, "--jobs", "1") == 0
    alone = results()
    assert len(alone) == 3
    assert run(*names, "--jobs", "3", "--overwrite") == 0
    assert results() == alone
