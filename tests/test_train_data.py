"""Training data: photos are found in folders and tars; the stream of crops can be repeated."""

import io
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.conftest import color_pixels
from train.config import TrainConfig
from train.data import CropStream, cut_crop, find_photos, mean_chroma, read_small


def stream(folder: Path, **changes: object) -> CropStream:
    values: dict[str, object] = {"crops": (32,), "crop_starts": (0.0,), "photos": 40, "batch": 2}
    config = TrainConfig(data=(str(folder),), **(values | changes))  # type: ignore[arg-type]
    return CropStream(find_photos([folder]), config)


def pack(folder: Path, path: Path, mode: str = "w") -> Path:
    with tarfile.open(path, mode) as tar:
        tar.add(folder, "shard")
    return path


def test_photos_of_a_folder_are_found_recursively_and_sorted(photo_folder, tmp_path) -> None:
    shutil.copytree(photo_folder, tmp_path / "x" / "deep")
    shutil.copy(photo_folder / "a.png", tmp_path / "x" / "z.PNG")
    (tmp_path / "x" / "notes.txt").write_text("no photo")
    names = [photo.name for photo in find_photos([tmp_path / "x"])]
    assert names == [f"deep/{letter}.png" for letter in "abcdefgh"] + ["z.PNG"]


def test_a_folder_named_like_a_photo_is_no_photo(photo_folder, tmp_path) -> None:
    shutil.copytree(photo_folder, tmp_path / "x" / "trip.jpg")
    assert len(find_photos([tmp_path / "x"])) == 8


def test_photos_of_a_tar_are_those_of_its_folder(photo_folder, tmp_path) -> None:
    shard = pack(photo_folder, tmp_path / "shard.tar")
    from_tar, from_folder = find_photos([shard]), find_photos([photo_folder])
    assert [photo.name for photo in from_tar] == [f"shard/{photo.name}" for photo in from_folder]
    for one, other in zip(from_tar, from_folder, strict=True):
        assert np.array_equal(one.open(), other.open())


def test_a_compressed_tar_is_read_or_refused(photo_folder, tmp_path) -> None:
    """Its members can't be read at their offsets; photos that are listed must open."""
    shard = pack(photo_folder, tmp_path / "shard.tar.gz", "w:gz")
    try:
        photos = find_photos([shard])
    except ValueError:
        return
    for photo in photos:
        photo.open()


def test_sources_are_joined_in_their_order(photo_folder, tmp_path) -> None:
    shard = pack(photo_folder, tmp_path / "shard.tar")
    assert len(find_photos([shard, photo_folder])) == 16
    assert find_photos([shard, photo_folder])[0].path == shard


def test_sources_without_photos_are_refused(tmp_path) -> None:
    (tmp_path / "notes.txt").write_text("no photo")
    with pytest.raises(ValueError, match="holds no photos; put color photos"):
        find_photos([tmp_path])
    for source in (tmp_path / "none", tmp_path / "notes.txt"):
        with pytest.raises(ValueError, match="is neither a folder nor a tar archive of photos"):
            find_photos([source])


def test_photos_are_opened_upright_as_rgb(tmp_path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(color_pixels(20, 30)).save(tmp_path / "a.png", exif=exif)
    Image.fromarray(color_pixels(20, 30)[:, :, 0]).save(tmp_path / "b.png")
    first, second = find_photos([tmp_path])
    assert first.open().size == (20, 30)
    assert torch.equal(
        read_small([first], 100)[0].permute(1, 2, 0),
        torch.from_numpy(np.rot90(color_pixels(20, 30), -1).copy()),
    )
    assert second.open().mode == "RGB"


@pytest.mark.parametrize("content", [b"", b"text", b"\x89PNG\r\n\x1a\nxx"])
def test_unreadable_photos_are_os_errors(content: bytes, tmp_path) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(OSError, match=r"a\.png|cannot"):
        find_photos([tmp_path])[0].open()


def test_a_crop_is_a_pure_function_of_its_number(photo_folder) -> None:
    one, other = stream(photo_folder), stream(photo_folder)
    forward = [one[number] for number in range(40)]
    for number in reversed(range(40)):
        assert torch.equal(other[number], forward[number])
    assert all(crop.dtype == torch.uint8 and crop.shape == (3, 32, 32) for crop in forward)


def test_crops_and_seeds_differ(photo_folder) -> None:
    crops, other = stream(photo_folder), stream(photo_folder, seed=1)
    distinct = {crops[number].numpy().tobytes() for number in range(40)}
    assert len(distinct) == 40
    assert not torch.equal(crops[0], other[0])


def test_every_epoch_shows_every_photo_in_a_new_order(tmp_path) -> None:
    levels = {}
    for number in range(8):
        pixels = np.zeros((40, 40, 3), np.uint8)
        pixels[:] = (20 * number + 60, 20, 20)
        Image.fromarray(pixels).save(tmp_path / f"{number}.png")
        levels[20 * number + 60] = number
    crops = stream(tmp_path)
    seen = [levels[int(crops[number][0, 0, 0])] for number in range(32)]
    epochs = [tuple(seen[start : start + 8]) for start in range(0, 32, 8)]
    assert all(sorted(epoch) == list(range(8)) for epoch in epochs)
    assert len(set(epochs)) == 4


def test_length_is_full_batches(photo_folder) -> None:
    assert len(stream(photo_folder, photos=41, batch=4)) == 40


def test_crop_sizes_follow_the_schedule(photo_folder) -> None:
    crops = stream(
        photo_folder, crops=(32, 48, 64), crop_starts=(0.0, 0.5, 0.75), photos=40, batch=5
    )
    sizes = [crops[number].shape[1] for number in range(40)]
    assert sizes == [32] * 20 + [48] * 10 + [64] * 10


def test_unreadable_and_gray_photos_are_replaced(photo_folder, tmp_path) -> None:
    folder = tmp_path / "mixed"
    shutil.copytree(photo_folder, folder)
    for letter in "bcd":
        gray = np.repeat(color_pixels(48, 64)[:, :, :1], 3, axis=2)
        Image.fromarray(gray).save(folder / f"{letter}.png")
    (folder / "e.png").write_bytes((photo_folder / "e.png").read_bytes()[:300])
    (folder / "f.png").write_text("no photo")
    crops = stream(folder)
    assert min(mean_chroma(crops[number]) for number in range(40)) >= 2


def test_nothing_but_gray_photos_is_an_error(tmp_path) -> None:
    Image.fromarray(color_pixels(48, 64)[:, :, 0]).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="None of the photos is a readable color photo; check"):
        stream(tmp_path)[0]


def test_a_photo_that_vanishes_is_replaced(photo_folder, tmp_path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(photo_folder, folder)
    crops = stream(folder)
    for letter in "abcdefg":
        (folder / f"{letter}.png").unlink()
    assert crops[0].shape == (3, 32, 32)


@pytest.mark.parametrize("size", [(48, 64), (64, 48), (1, 40), (40, 1), (1, 1), (3, 1000)])
def test_crops_of_any_photo(size: tuple[int, int]) -> None:
    image = Image.fromarray(color_pixels(*size))
    for seed in range(20):
        crop = cut_crop(image, 32, (0.6, 1.0), np.random.default_rng(seed))
        assert crop.shape == (3, 32, 32)


def test_a_crop_shows_a_square_of_the_photo() -> None:
    """A picture whose colors tell the place: slopes say how large the region is, and mirroring."""
    y, x = np.mgrid[0:100, 0:200]
    image = Image.fromarray(np.stack((x, y, 0 * x), 2).astype(np.uint8))
    sides, mirrored = [], 0
    for seed in range(60):
        crop = cut_crop(image, 50, (0.5, 0.8), np.random.default_rng(seed)).float()
        across = float(crop[0, :, 45].mean() - crop[0, :, 5].mean()) * 50 / 40
        down = float(crop[1, 45].mean() - crop[1, 5].mean()) * 50 / 40
        assert abs(across) == pytest.approx(down, abs=2.5)
        sides.append(down)
        mirrored += across < 0
    assert 48 < min(sides) < 56
    assert 74 < max(sides) < 82
    assert 15 < mirrored < 45


def test_mean_chroma_of_known_colors() -> None:
    red = torch.tensor([255, 0, 0], dtype=torch.uint8).view(3, 1, 1).expand(3, 8, 8)
    assert mean_chroma(red) == pytest.approx((80.09**2 + 67.20**2) ** 0.5, abs=0.05)
    assert mean_chroma(torch.full((3, 8, 8), 99, dtype=torch.uint8)) < 1e-3


def test_a_truncated_tar_member_is_an_os_error(photo_folder, tmp_path) -> None:
    shard = pack(photo_folder, tmp_path / "shard.tar")
    photos = find_photos([shard])
    shard.write_bytes(io.BytesIO(shard.read_bytes()).getvalue()[: photos[-1].offset + 200])
    with pytest.raises(OSError, match=r"."):
        photos[-1].open()


def test_small_copies_leave_out_what_cannot_be_read(tmp_path) -> None:
    Image.fromarray(color_pixels(40, 60)).save(tmp_path / "a.png")
    (tmp_path / "b.png").write_text("no photo")
    small = read_small(find_photos([tmp_path]), 20)
    assert [tuple(pixels.shape) for pixels in small] == [(3, 20, 30)]
