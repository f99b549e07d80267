"""The stream of training crops: it can be repeated, and shows each photo as often as it should."""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from torch.utils.data import DataLoader

from colorizer import Photo
from tests.helpers.photos import color_pixels
from train.data.crops import CropStream, collate, cut_crop, draw_window, mean_chroma
from train.data.order import Skip, draw_counts
from train.data.samples import Pair, Source
from train.data.sources import find_source, find_sources
from train.settings.config import TrainConfig

PLAIN = {name: 0.0 for name in vars(TrainConfig()) if name.startswith("degrade_")}
WHOLE = {"crop_scale": (1.0, 1.0), "flip": 0.0, **PLAIN}


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    """As in the processes that decode photos; on a busy machine several take far longer."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def stream(sources: list[Source], **changes: object) -> CropStream:
    values: dict[str, object] = {"crops": (32,), "crop_starts": (0.0,), "photos": 40, "batch": 2}
    return CropStream(sources, TrainConfig(**(values | changes)))  # type: ignore[arg-type]


def folder_stream(folder: Path, **changes: object) -> CropStream:
    return stream([find_source(str(folder))], **changes)


@dataclass(frozen=True)
class Solid:
    """A photo of one color, by which it is told from others."""

    level: int
    readable: bool = True

    @property
    def name(self) -> str:
        return str(self.level)

    def read(self) -> Pair:
        if not self.readable:
            raise OSError("a bad disk")
        return Pair(Image.new("RGB", (40, 40), (self.level, 255, 0)), None)


def solids(name: str, count: int, first: int = 0) -> Source:
    return Source(name, [Solid(first + number) for number in range(count)])


def random_crop(
    pair: Pair, size: int, scale: tuple[float, float], flip: float, seed: int
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    config = TrainConfig(crop_scale=scale, flip=flip)
    return cut_crop(pair, size, draw_window(pair.color.size, config, np.random.default_rng(seed)))


def levels(crops: CropStream, count: int) -> list[int]:
    """Which solid photos the first crops show."""
    return [int(crops[number][0][0, 0, 0]) for number in range(count)]


# The order of photos


def test_a_crop_is_a_pure_function_of_its_number(photo_folder) -> None:
    one, other = folder_stream(photo_folder), folder_stream(photo_folder)
    forward = [one[number][0] for number in range(40)]
    for number in reversed(range(40)):  # as after resuming, or in another process
        assert torch.equal(other[number][0], forward[number])
    assert all(crop.dtype == torch.uint8 and crop.shape == (4, 32, 32) for crop in forward)


def test_crops_and_seeds_differ(photo_folder) -> None:
    crops, other = folder_stream(photo_folder), folder_stream(photo_folder, seed=1)
    distinct = {crops[number][0].numpy().tobytes() for number in range(40)}
    assert len(distinct) == 40
    assert not torch.equal(crops[0][0], other[0][0])


def test_every_epoch_shows_every_photo_in_a_new_order() -> None:
    seen = levels(stream([solids("x", 8)]), 32)
    epochs = [tuple(seen[start : start + 8]) for start in range(0, 32, 8)]
    assert all(sorted(epoch) == list(range(8)) for epoch in epochs)
    assert len(set(epochs)) == 4


def test_length_is_full_batches() -> None:
    assert len(stream([solids("x", 3)], photos=41, batch=4)) == 40


def test_length_covers_all_phases() -> None:
    crops = stream(
        [solids("x", 3)], photos=40, batch=4, adversarial_share=0.5, discriminator_photos=8
    )
    assert len(crops) == 48
    assert crops[47][0].shape == (4, 32, 32)


def test_crop_sizes_follow_the_schedule() -> None:
    crops = stream(
        [solids("x", 3)], crops=(32, 48, 64), crop_starts=(0.0, 0.5, 0.75), photos=40, batch=5
    )
    sizes = [crops[number][0].shape[1] for number in range(40)]
    assert sizes == [32] * 20 + [48] * 10 + [64] * 10


# Several sources


@pytest.mark.parametrize(
    ("sizes", "balance", "counts"),
    [
        ([7], 0.3, [7]),
        ([900, 90, 10], 0.0, [900, 90, 10]),
        ([900, 90, 10], 1.0, [334, 333, 333]),
        ([100, 25], 0.5, [83, 42]),  # 125 * 10 / 15 and 125 * 5 / 15
        ([10**6, 1, 1], 0.0, [10**6, 1, 1]),
        ([1, 1, 1], 0.7, [1, 1, 1]),
        ([3, 10**5 + 7, 77], 0.0, [3, 10**5 + 7, 77]),
    ],
)
def test_draw_counts_are_exact(sizes, balance, counts) -> None:
    assert draw_counts(sizes, balance).tolist() == counts


@pytest.mark.parametrize("balance", [0.0, 1e-12, 0.25, 0.5, 0.75, 1.0])
def test_draw_counts_leave_no_source_out(balance) -> None:
    random = np.random.default_rng(0)
    for _ in range(50):
        sizes = np.ceil(10 ** random.uniform(0, 5, random.integers(1, 8))).astype(int).tolist()
        counts = draw_counts(sizes, balance)
        assert counts.sum() == sum(sizes)
        assert counts.min() >= 1
        weights = np.array(sizes) ** (1 - balance)
        assert np.abs(counts - sum(sizes) * weights / weights.sum()).max() < 1


@pytest.mark.parametrize(("balance", "large", "small"), [(0.0, 16, 4), (0.5, 13, 7), (1.0, 10, 10)])
@pytest.mark.slow
def test_sources_are_drawn_from_as_often_as_balanced(balance, large, small) -> None:
    crops = stream([solids("x", 16), solids("y", 4, first=100)], balance=balance, photos=120)
    seen = levels(crops, 120)
    for start in range(0, 120, 20):  # every cycle
        assert sum(level < 100 for level in seen[start : start + 20]) == large
    # within a source all come before one comes again
    of_large = [level for level in seen if level < 100]
    of_small = [level for level in seen if level >= 100]
    assert (len(of_large), len(of_small)) == (6 * large, 6 * small)
    for of_source, size in ((of_large, 16), (of_small, 4)):
        for start in range(0, len(of_source) - size + 1, size):
            assert len(set(of_source[start : start + size])) == size


def test_sources_are_mixed() -> None:
    seen = levels(stream([solids("x", 20), solids("y", 20, first=100)]), 40)
    changes = sum((one < 100) != (other < 100) for one, other in pairwise(seen))
    assert changes > 10


def test_a_balanced_stream_is_pure() -> None:
    sources = [solids("x", 7), solids("y", 2, first=100)]
    seen = levels(stream(sources), 40)
    crops = stream(sources)
    assert [int(crops[number][0][0, 0, 0]) for number in reversed(range(40))] == seen[::-1]


# Photos that are of no use


def test_unreadable_and_gray_photos_are_replaced_and_reported(photo_folder, tmp_path) -> None:
    folder = tmp_path / "mixed"
    shutil.copytree(photo_folder, folder)
    for letter in "bcd":
        gray = np.repeat(color_pixels(48, 64)[:, :, :1], 3, axis=2)
        Image.fromarray(gray).save(folder / f"{letter}.png")
    (folder / "e.png").write_bytes((photo_folder / "e.png").read_bytes()[:300])
    (folder / "f.jpg").write_text("no photo")
    crops = folder_stream(folder)
    skips = []
    for number in range(9):  # an epoch, as long as no skip crosses its end
        crop, skipped = crops[number]
        assert crop[:3].float().std(0).max() > 5
        skips += skipped
    reasons = {skip.name: skip.reason.partition(":")[0] for skip in skips}
    assert {name for name, reason in reasons.items() if reason == "nearly gray"} == {
        "mixed/b.png",
        "mixed/c.png",
        "mixed/d.png",
    }
    assert reasons["mixed/e.png"] == reasons["mixed/f.jpg"] == "unreadable"
    assert len(reasons) == 5


@pytest.mark.slow
def test_one_bad_photo_in_a_hundred_is_reported_once_an_epoch() -> None:
    photos = [Solid(level, readable=level != 37) for level in range(100)]
    crops = stream([Source("x", photos)], photos=300)
    skips = [crops[number][1] for number in range(300)]
    assert [skip for skipped in skips for skip in skipped] == [
        Skip("x/37", "unreadable: a bad disk")
    ] * 3
    shown = Counter(levels(crops, 300)).values()
    assert sorted(shown)[:-3] == [3] * (len(shown) - 3)  # each replaced by the next of its order
    assert sum(shown) == 300


def test_a_dull_part_of_a_colorful_photo_is_kept(tmp_path) -> None:
    pixels = np.full((32, 3200, 3), 120, np.uint8)
    pixels[:, -640:] = (200, 30, 30)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    crops = [folder_stream(tmp_path, photos=40)[number] for number in range(20)]
    assert all(skips == [] for _, skips in crops)
    assert any(int(crop[:3].float().std(0).max()) == 0 for crop, _ in crops)


def test_the_threshold_of_gray_is_a_setting(tmp_path) -> None:
    Image.new("RGB", (40, 40), (120, 125, 120)).save(tmp_path / "dull.png")
    Image.new("RGB", (40, 40), (120, 200, 120)).save(tmp_path / "green.png")
    drawn = {skip.name for number in range(4) for skip in folder_stream(tmp_path)[number][1]}
    assert drawn == set()
    crops = folder_stream(tmp_path, gray_chroma=10.0)
    drawn = {skip.name for number in range(4) for skip in crops[number][1]}
    assert drawn == {f"{tmp_path.name}/dull.png"}


def test_nothing_but_gray_photos_is_an_error(tmp_path) -> None:
    for letter in "abc":
        Image.fromarray(color_pixels(48, 64)[:, :, 0]).save(tmp_path / f"{letter}.png")
    with pytest.raises(ValueError, match=r"None of the photos of .* is a readable color photo"):
        folder_stream(tmp_path)[0]


@pytest.mark.parametrize("usable", range(5))
def test_the_only_usable_photo_is_found_from_everywhere(usable) -> None:
    photos = [Solid(level, readable=level == usable) for level in range(5)]
    assert set(levels(stream([Source("x", photos)]), 40)) == {usable}


def test_a_photo_that_vanishes_is_replaced(photo_folder, tmp_path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(photo_folder, folder)
    crops = folder_stream(folder)
    for letter in "abcdefg":
        (folder / f"{letter}.png").unlink()
    assert crops[0][0].shape == (4, 32, 32)


# What a crop holds


def test_the_gray_is_the_lightness_of_the_color(tmp_path) -> None:
    pixels = color_pixels(64, 64)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    crop, _ = folder_stream(tmp_path, crops=(64,), **WHOLE)[0]
    assert np.array_equal(crop[:3].permute(1, 2, 0).numpy(), pixels)
    assert np.array_equal(crop[3].numpy(), Photo(pixels).to_gray().pixels[:, :, 0])


def test_a_given_gray_is_the_input(tmp_path) -> None:
    for side, pixels in (
        ("color", color_pixels(64, 64)),
        ("gray", color_pixels(64, 64, 1)[..., 0]),
    ):
        (tmp_path / side).mkdir()
        Image.fromarray(pixels).save(tmp_path / side / "a.png")
    crop, _ = folder_stream(tmp_path, crops=(64,), **WHOLE)[0]
    assert np.array_equal(crop[:3].permute(1, 2, 0).numpy(), color_pixels(64, 64))
    assert np.array_equal(crop[3].numpy(), color_pixels(64, 64, 1)[..., 0])


def test_only_the_gray_is_degraded(photo_folder) -> None:
    plain = folder_stream(photo_folder, **PLAIN)
    old = folder_stream(photo_folder, **(PLAIN | {"degrade_gamma": 1.0, "degrade_grain": 1.0}))
    for number in range(5):
        assert torch.equal(plain[number][0][:3], old[number][0][:3])
        assert not torch.equal(plain[number][0][3], old[number][0][3])


def test_color_and_given_gray_are_cut_and_mirrored_together() -> None:
    """Pictures whose values tell the place."""
    y, x = np.mgrid[0:100, 0:200]
    color = Image.fromarray(np.stack((x, y, 0 * x), 2).astype(np.uint8))
    pair = Pair(color, Image.fromarray(x.astype(np.uint8)))
    for seed in range(20):
        pixels, gray = random_crop(pair, 32, (0.5, 0.8), 0.5, seed)
        assert np.array_equal(gray, pixels[:, :, 0])


@pytest.mark.parametrize(("flip", "fewest", "most"), [(0.0, 0, 0), (0.5, 15, 45), (1.0, 60, 60)])
def test_a_crop_shows_a_square_of_the_photo(flip, fewest, most) -> None:
    """A picture whose colors tell the place: slopes say how large the region is, and mirroring."""
    y, x = np.mgrid[0:100, 0:200]
    pair = Pair(Image.fromarray(np.stack((x, y, 0 * x), 2).astype(np.uint8)), None)
    sides, mirrored = [], 0
    for seed in range(60):
        color, _ = random_crop(pair, 50, (0.5, 0.8), flip, seed)
        crop = color.astype(float)
        across = (crop[:, 45, 0].mean() - crop[:, 5, 0].mean()) * 50 / 40
        down = (crop[45, :, 1].mean() - crop[5, :, 1].mean()) * 50 / 40
        assert abs(across) == pytest.approx(down, abs=2.5)
        sides.append(down)
        mirrored += across < 0
    assert 48 < min(sides) < 56
    assert 74 < max(sides) < 82
    assert fewest <= mirrored <= most


@pytest.mark.parametrize("size", [(48, 64), (64, 48), (1, 40), (40, 1), (1, 1), (3, 1000)])
def test_crops_of_any_photo(size: tuple[int, int]) -> None:
    image = Image.fromarray(color_pixels(*size))
    for gray in (None, ImageOps.grayscale(image)):
        for seed in range(20):
            color, level = random_crop(Pair(image, gray), 32, (0.6, 1.0), 0.5, seed)
            assert (color.shape, level.shape) == ((32, 32, 3), (32, 32))
            assert color.dtype == level.dtype == np.uint8


@pytest.mark.parametrize("size", [(8, 8), (500, 300), (1, 900)])
def test_mean_chroma_of_known_colors(size) -> None:
    red = Image.new("RGB", size, (255, 0, 0))
    assert mean_chroma(red) == pytest.approx((80.09**2 + 67.20**2) ** 0.5, abs=0.05)
    assert mean_chroma(Image.new("RGB", size, (99, 99, 99))) < 1e-3


def test_mean_chroma_is_that_of_the_whole_photo() -> None:
    pixels: NDArray[np.uint8] = np.full((300, 400, 3), 128, np.uint8)
    pixels[:, 300:] = (255, 0, 0)
    assert mean_chroma(Image.fromarray(pixels)) == pytest.approx(104.55 / 4, rel=0.02)


# Batches


def test_batches_hold_the_crops_and_all_skips() -> None:
    crop, skips = torch.zeros(4, 32, 32, dtype=torch.uint8), [Skip("x/a", "nearly gray")]
    batch, joined = collate([(crop, []), (crop + 1, skips), (crop + 2, 2 * skips)])
    assert batch.shape == (3, 4, 32, 32)
    assert batch[:, 0, 0, 0].tolist() == [0, 1, 2]
    assert joined == 3 * skips


@pytest.mark.slow
def test_other_processes_give_the_same_batches(photo_folder, tmp_path) -> None:
    shutil.copy(photo_folder / "a.png", tmp_path / "a.png")
    (tmp_path / "b.png").write_text("no photo")
    sources = find_sources([str(photo_folder), str(tmp_path)])
    crops = stream(sources, batch=4)
    expected = [collate([crops[4 * step + item] for item in range(4)]) for step in range(10)]
    loaded = DataLoader(stream(sources, batch=4), 4, num_workers=2, collate_fn=collate)
    skipped: Counter[str] = Counter()
    for (batch, skips), (pixels, expected_skips) in zip(loaded, expected, strict=True):
        assert torch.equal(batch, pixels)
        assert skips == expected_skips
        skipped.update(skip.name for skip in skips)
    assert set(skipped) == {f"{tmp_path.name}/b.png"}
