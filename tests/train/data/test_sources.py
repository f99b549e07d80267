"""Sources of training photos: each kind is found and read, and what is wrong with one is said."""

import pickle
import shutil
import urllib.error
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from skimage.color import lab2rgb

from colorizer import Photo
from tests.helpers.photos import as_arrays, color_pixels, pack, save_photos
from train.data.photo_files import PhotoFile
from train.data.samples import Sample, Source, split
from train.data.sources import find_source, find_sources

TURNED_RIGHT = 6  # EXIF orientation


def names(source: Source) -> list[str]:
    return [sample.name for sample in source.samples]


def color_of(sample: Sample) -> NDArray[np.uint8]:
    return np.array(sample.read().color)


def test_photos_of_a_folder_are_found_recursively_and_sorted(photo_folder, tmp_path) -> None:
    shutil.copytree(photo_folder, tmp_path / "x" / "deep")
    shutil.copy(photo_folder / "a.png", tmp_path / "x" / "z.PNG")
    (tmp_path / "x" / "notes.txt").write_text("no photo")
    (tmp_path / "x" / "._a.jpg").write_text("what macOS leaves beside a photo")
    source = find_source(str(tmp_path / "x"))
    assert names(source) == [f"deep/{letter}.png" for letter in "abcdefgh"] + ["z.PNG"]
    assert source.name == "x"


@pytest.mark.parametrize("folder", ["@eaDir", "#recycle", "$RECYCLE.BIN", ".Trash-1000"])
def test_folders_of_systems_and_trash_are_left_out(photo_folder, tmp_path, folder) -> None:
    shutil.copytree(photo_folder, tmp_path / "x" / "deep")
    shutil.copytree(photo_folder, tmp_path / "x" / folder / "deep")
    expected = [f"deep/{letter}.png" for letter in "abcdefgh"]
    assert names(find_source(str(tmp_path / "x"))) == expected
    shard = find_source(str(pack(tmp_path / "x", tmp_path / "shard.tar")))
    assert names(shard) == [f"shard/{name}" for name in expected]


def test_a_folder_named_like_a_photo_is_no_photo(photo_folder, tmp_path) -> None:
    shutil.copytree(photo_folder, tmp_path / "x" / "trip.jpg")
    assert len(find_source(str(tmp_path / "x")).samples) == 8


def test_photos_of_a_tar_are_those_of_its_folder(photo_folder, tmp_path) -> None:
    shard = find_source(str(pack(photo_folder, tmp_path / "shard.tar")))
    folder = find_source(str(photo_folder))
    assert names(shard) == [f"shard/{name}" for name in names(folder)]
    for one, other in zip(shard.samples, folder.samples, strict=True):
        assert np.array_equal(color_of(one), color_of(other))


def test_tars_in_a_folder_count_too(photo_folder, tmp_path) -> None:
    shutil.copy(photo_folder / "b.png", tmp_path / "b.png")
    for shard in ("0.tar", "1.tar"):
        pack(photo_folder / "a.png", tmp_path / shard, name="a.png")
    source = find_source(f"photos:{tmp_path}")
    assert names(source) == ["0.tar/a.png", "1.tar/a.png", "b.png"]
    expected = np.array(Image.open(photo_folder / "a.png"))
    assert np.array_equal(color_of(source.samples[1]), expected)


@pytest.mark.parametrize("where", ["{}", "{}/shard.tar"])
def test_a_compressed_tar_is_refused(photo_folder, tmp_path, where) -> None:
    """Its members can't be read at their offsets."""
    pack(photo_folder, tmp_path / "shard.tar", "w:gz")
    with pytest.raises(ValueError, match=r"shard\.tar is compressed .*; pack .* with plain tar"):
        find_source(where.format(tmp_path))


@pytest.mark.parametrize("spec", ["{}", "photos:{}"])
def test_a_folder_without_photos_is_refused(tmp_path, spec) -> None:
    (tmp_path / "notes.txt").write_text("no photo")
    with pytest.raises(ValueError, match="holds no photos; put color photos"):
        find_source(spec.format(tmp_path))


@pytest.mark.parametrize("spec", ["{}/none", "{}/notes.txt", "photos:{}/none", "photo:{}"])
def test_what_is_no_source_is_refused(tmp_path, spec) -> None:
    (tmp_path / "notes.txt").write_text("no photo")
    with pytest.raises(ValueError, match="is neither a folder nor a tar archive of photos"):
        find_source(spec.format(tmp_path))


def test_photos_are_opened_upright_as_rgb(tmp_path) -> None:
    exif = Image.Exif()
    exif[0x0112] = TURNED_RIGHT
    Image.fromarray(color_pixels(20, 30)).save(tmp_path / "a.png", exif=exif)
    Image.fromarray(color_pixels(20, 30)[:, :, 0]).save(tmp_path / "b.png")
    first, second = find_source(str(tmp_path)).samples
    assert np.array_equal(color_of(first), np.rot90(color_pixels(20, 30), -1))
    assert first.read().gray is None
    assert second.read().color.mode == "RGB"


def test_sixteen_bit_scans_keep_their_tones(tmp_path) -> None:
    levels = np.linspace(0, 65535, 256).astype(np.uint16)[None].repeat(4, 0)
    Image.fromarray(levels).save(tmp_path / "a.tif")
    gray = np.array(PhotoFile(tmp_path / "a.tif", "a.tif").open_gray())
    assert np.abs(gray.astype(int) - np.arange(256)).max() <= 1


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif", ".webp", ".avif"])
@pytest.mark.parametrize("orientation", [1, 3, TURNED_RIGHT, 8])
def test_the_size_in_the_header_is_that_of_the_photo(tmp_path, suffix, orientation) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    Image.fromarray(color_pixels(20, 30)).save(tmp_path / f"a{suffix}", exif=exif)
    shard = pack(tmp_path / f"a{suffix}", tmp_path / "shard.tar", name=f"a{suffix}")
    for sample in (PhotoFile(tmp_path / f"a{suffix}", "a"), find_source(str(shard)).samples[0]):
        assert isinstance(sample, PhotoFile)
        assert sample.size() == sample.open().size


@pytest.mark.parametrize("content", [b"", b"text", b"\x89PNG\r\n\x1a\nxx"])
def test_unreadable_photos_are_os_errors(content: bytes, tmp_path) -> None:
    (tmp_path / "a.png").write_bytes(content)
    photo = PhotoFile(tmp_path / "a.png", "a.png")
    for read in (photo.read, photo.open, photo.open_gray, photo.size):
        with pytest.raises(OSError, match=r"a\.png"):
            read()


@pytest.mark.parametrize("format", ["JPEG", "PNG", "TIFF", "WEBP", "AVIF", "GIF", "BMP"])
@pytest.mark.filterwarnings("ignore::UserWarning:PIL")  # Pillow's, about what is damaged
@pytest.mark.slow
def test_damaged_photos_are_read_or_os_errors(format: str, tmp_path) -> None:
    path = tmp_path / "a.png"
    Image.fromarray(color_pixels(20, 30)).save(path, format)
    data = np.frombuffer(path.read_bytes(), np.uint8)
    random = np.random.default_rng(0)
    failed = 0
    for _ in range(60):
        damaged = data.copy()
        damaged[random.integers(0, min(len(data), 300), 8)] = random.integers(0, 256, 8)
        path.write_bytes(damaged.tobytes())
        try:
            PhotoFile(path, "a.png").open()
        except OSError:
            failed += 1
    assert failed > 0


def test_a_truncated_tar_member_is_an_os_error(photo_folder, tmp_path) -> None:
    shard = pack(photo_folder, tmp_path / "shard.tar")
    last = find_source(str(shard)).samples[-1]
    assert isinstance(last, PhotoFile)
    shard.write_bytes(shard.read_bytes()[: last.offset + 200])
    with pytest.raises(OSError, match=r"h\.png"):
        last.read()


# Pairs


@pytest.mark.parametrize("spec", ["{}", "pairs:{}"])
def test_the_gray_of_a_pair_is_the_given_one(pairs, spec) -> None:
    source = find_source(spec.format(pairs))
    assert names(source) == ["a.png", "b.png", "c.png"]
    color, gray = source.samples[1].read()
    assert gray is not None
    assert (color.mode, gray.mode) == ("RGB", "L")
    assert np.array_equal(np.array(gray), np.full((24, 32), 60))
    assert np.array_equal(np.array(color), color_pixels(24, 32, seed=1))


def test_the_prefix_photos_takes_pairs_for_photos(pairs) -> None:
    assert len(find_source(f"photos:{pairs}").samples) == 6


def test_a_toned_gray_is_read_as_its_lightness(pairs) -> None:
    sepia = color_pixels(24, 32) // 2 + np.array([60, 40, 20], np.uint8)
    Image.fromarray(sepia).save(pairs / "gray" / "a.tif")
    gray = find_source(str(pairs)).samples[0].read().gray
    assert np.array_equal(np.array(gray), Photo(sepia).to_gray().pixels[:, :, 0])


def test_pairs_match_in_subfolders(pairs) -> None:
    for side, suffix in (("color", "png"), ("gray", "tif")):
        (pairs / side / "more").mkdir()
        shutil.copy(pairs / side / f"a.{suffix}", pairs / side / "more" / f"a.{suffix}")
    assert names(find_source(str(pairs))) == ["a.png", "b.png", "c.png", "more/a.png"]


def test_missing_partners_are_named(pairs) -> None:
    (pairs / "gray" / "b.tif").unlink()
    (pairs / "color" / "c.png").unlink()
    with pytest.raises(
        ValueError, match=r"without a partner .*, 2 in all \(color/b, gray/c\); add it"
    ):
        find_source(str(pairs))


def test_of_many_missing_partners_the_first_are_named(pairs) -> None:
    save_photos(pairs / "color", [f"x{number}.png" for number in range(5)])
    with pytest.raises(ValueError, match=r"5 in all \(color/x0, color/x1, color/x2, \.\.\.\);"):
        find_source(str(pairs))


def test_two_photos_of_one_name_are_refused(pairs) -> None:
    shutil.copy(pairs / "color" / "a.png", pairs / "color" / "a.jpg")
    with pytest.raises(ValueError, match="color has photos that differ only in their ending"):
        find_source(str(pairs))


def test_a_pairs_folder_lacks_a_side(pairs) -> None:
    shutil.rmtree(pairs / "gray")
    with pytest.raises(ValueError, match="gray is neither a folder"):
        find_source(f"pairs:{pairs}")


def test_pairs_of_different_sizes_are_named(pairs) -> None:
    Image.fromarray(np.zeros((32, 24), np.uint8)).save(pairs / "gray" / "b.tif")
    with pytest.raises(
        ValueError, match=r"different sizes, 1 in all \(b\.png\); bring color and gray to the same"
    ):
        find_source(str(pairs))


def test_a_turned_scan_fits_its_upright_partner(pairs) -> None:
    exif = Image.Exif()
    exif[0x0112] = TURNED_RIGHT
    Image.fromarray(np.zeros((32, 24), np.uint8)).save(pairs / "gray" / "b.tif", exif=exif)
    color, gray = find_source(str(pairs)).samples[1].read()
    assert gray is not None
    assert gray.size == color.size == (32, 24)


def test_an_unreadable_pair_is_left_to_be_skipped(pairs) -> None:
    (pairs / "gray" / "b.tif").write_text("no photo")
    source = find_source(str(pairs))
    with pytest.raises(OSError, match=r"b\.tif"):
        source.samples[1].read()


# Arrays


@pytest.mark.parametrize("spec", ["{}", "arrays:{}"])
def test_arrays_are_read_in_natural_order(arrays, spec) -> None:
    source = find_source(spec.format(arrays))
    assert names(source) == [f"{index:06d}" for index in range(6)]
    for seed, sample in enumerate(source.samples):
        color, gray = sample.read()
        assert gray is None
        lightness, ab = as_arrays(color_pixels(24, 32, seed=seed))
        expected = lab2rgb(np.dstack((lightness / 2.55, ab - 128.0)))
        assert np.abs(np.array(color) - 255 * expected).max() < 1.5


def test_rounding_in_arrays_costs_bright_colors_nothing(tmp_path) -> None:
    """Yellow whose rounded Lab is barely out of gamut; less chroma at its lightness is pale."""
    lightness, ab = as_arrays(np.full((1, 8, 8, 3), (255, 254, 7), np.uint8))
    np.save(tmp_path / "l.npy", lightness)
    np.save(tmp_path / "ab.npy", ab)
    color = color_of(find_source(str(tmp_path)).samples[0])
    assert np.abs(color.astype(int) - (255, 254, 7)).max() <= 5


def test_unequal_counts_are_cut_with_a_sentence(arrays, capsys) -> None:
    (arrays / "ab" / "ab" / "ab10.npy").unlink()
    assert len(find_source(str(arrays)).samples) == 5
    assert "has 6 photos of L and 5 of ab; the first 5 are used." in capsys.readouterr().err


@pytest.mark.parametrize(
    ("file", "array", "sentence"),
    [
        (
            "l.npy",
            np.zeros((2, 8, 8), np.float32),
            r"l\.npy is float32 of shape \(2, 8, 8\); .* ui",
        ),
        ("l.npy", np.zeros((8, 8), np.uint8), r"l\.npy is uint8 of shape \(8, 8\); .*\(N, H, W\)"),
        ("ab.npy", np.zeros((2, 8, 8), np.uint8), r"ab\.npy is uint8 .*; .*\(N, 8, 8, 2\)"),
        ("ab.npy", np.zeros((2, 8, 9, 2), np.uint8), r"of shape \(2, 8, 9, 2\); .*\(N, 8, 8, 2\)"),
        ("ab.npy", np.zeros((2, 8, 8, 2)), r"ab\.npy is float64"),
        ("ab.npy", np.zeros((0, 8, 8, 2), np.uint8), "without photos"),
        ("ab.npy", np.array([{}]), r"ab\.npy can't be read as an array"),
    ],
)
def test_wrong_arrays_are_refused(tmp_path, file, array, sentence) -> None:
    np.save(tmp_path / "l.npy", np.zeros((2, 8, 8), np.uint8))
    np.save(tmp_path / "ab.npy", np.zeros((2, 8, 8, 2), np.uint8))
    np.save(tmp_path / file, array)
    with pytest.raises(ValueError, match=sentence):
        find_source(str(tmp_path))


@pytest.mark.parametrize("content", [b"", b"text"])
def test_a_file_that_is_no_array_is_refused(tmp_path, content) -> None:
    (tmp_path / "l.npy").write_bytes(content)
    np.save(tmp_path / "ab.npy", np.zeros((2, 8, 8, 2), np.uint8))
    with pytest.raises(ValueError, match=r"l\.npy can't be read as an array"):
        find_source(str(tmp_path))


@pytest.mark.parametrize(("lost", "sentence"), [("l", "the array of L"), ("ab", "arrays of ab")])
def test_missing_arrays_are_named(arrays, lost, sentence) -> None:
    shutil.rmtree(arrays / lost)
    with pytest.raises(ValueError, match=f"lacks {sentence}; it needs"):
        find_source(f"arrays:{arrays}")


# Flowers102


def refuse_network(*_: object, **__: object) -> None:
    raise urllib.error.URLError("no network")


@pytest.mark.parametrize("spec", ["{}", "flowers102:{}"])
def test_flowers_are_those_of_all_splits(flowers, monkeypatch, spec) -> None:
    monkeypatch.setattr("urllib.request.urlopen", refuse_network)
    source = find_source(spec.format(flowers))
    assert names(source) == [f"image_{number:05d}.jpg" for number in range(1, 7)]
    assert source.name == "data"
    expected = np.array(Image.open(flowers / "flowers-102" / "jpg" / "image_00003.jpg"))
    assert np.array_equal(color_of(source.samples[2]), expected)


def test_flowers_that_cannot_be_downloaded_are_refused(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("urllib.request.urlopen", refuse_network)
    with pytest.raises(ValueError, match=r"no complete Flowers102 .*no network.*; put the set's"):
        find_source(f"flowers102:{tmp_path / 'data'}")


# Several sources


def test_sources_of_one_name_are_told_apart(photo_folder, tmp_path) -> None:
    specs = []
    for parent in ("x", "y", "z"):
        shutil.copytree(photo_folder, tmp_path / parent / "photos")
        specs.append(f"{tmp_path / parent / 'photos'}/")
    sources = find_sources([*specs, f"photos:{tmp_path / 'x'}"])
    assert [source.name for source in sources] == ["photos", "photos-2", "photos-3", "x"]
    assert [len(source.samples) for source in sources] == [8, 8, 8, 8]


def test_the_working_folder_has_its_name(photo_folder, monkeypatch) -> None:
    monkeypatch.chdir(photo_folder)
    assert find_source(".").name == photo_folder.name


def listed(name: str, count: int) -> Source:
    return Source(name, [PhotoFile(Path(), f"{number}.jpg") for number in range(count)])


def test_a_split_is_whole_and_of_about_its_share() -> None:
    source = listed("x", 2000)
    (training,), (validation,) = split([source], 0.1)
    assert 150 < len(validation.samples) < 250
    assert len(training.samples) + len(validation.samples) == 2000
    assert {*training.samples, *validation.samples} == set(source.samples)
    numbers = [int(name.partition(".")[0]) for name in names(training)]
    assert numbers == sorted(numbers)


def test_photos_that_are_added_move_none() -> None:
    before, after = split([listed("x", 100)], 0.2), split([listed("y", 300)], 0.2)
    for old, new in zip(before, after, strict=True):
        assert set(names(old[0])) == {
            name for name in names(new[0]) if int(name.partition(".")[0]) < 100
        }


def test_a_split_is_the_same_on_every_machine() -> None:
    """Python's own hash of a string differs from one process to the next."""
    validation = split([listed("x", 40)], 0.1)[1]
    assert names(validation[0]) == ["26.jpg", "34.jpg", "36.jpg", "38.jpg"]


def test_a_side_without_photos_has_no_source() -> None:
    training, validation = split([listed("x", 1), listed("y", 200)], 0.1)
    assert [source.name for source in training] == ["x", "y"]
    assert [source.name for source in validation] == ["y"]
    assert split([listed("x", 100)], 0.0)[1] == []


def test_nothing_to_train_on_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"val_fraction 1\.0 leaves no photos to train on; lower"):
        split([listed("x", 100)], 1.0)


@pytest.mark.parametrize("kind", ["photo_folder", "pairs", "arrays", "flowers"])
def test_samples_are_small_and_the_same_after_pickling(kind, request) -> None:
    """They travel to the processes that decode photos; after reading too, which opens files."""
    fixture: Callable[[str], Path] = request.getfixturevalue
    sample = find_source(str(fixture(kind))).samples[-1]
    before = color_of(sample)
    pickled = pickle.dumps(sample)
    assert len(pickled) < 1000
    assert np.array_equal(color_of(pickle.loads(pickled)), before)
