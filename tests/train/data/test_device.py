"""Crops made on the device: those of the data workers but for rounding, whatever the batch."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from colorizer import Photo
from tests.helpers.photos import color_pixels, save_photos
from train.data import device
from train.data.cache import cached
from train.data.crops import CropStream
from train.data.device import DeviceMemoryError, load_photos, stored_side
from train.data.device_crops import DeviceCrops, collate_drawings, to_gray
from train.data.flaws import DRAWS
from train.data.samples import Source
from train.data.sources import find_sources
from train.settings.config import TrainConfig

CPU = torch.device("cpu")
CLEAN = {f"degrade_{name}": 0.0 for name in DRAWS}
OLD = {f"degrade_{name}": 0.5 for name in DRAWS}


def settings(*folders: Path, **changes: object) -> TrainConfig:
    values: dict[str, object] = {"data": tuple(map(str, folders)), "photos": 40, "batch": 4}
    values |= {"crops": (32,), "crop_starts": (0.0,), **CLEAN}
    return TrainConfig(**(values | changes))


def both(config: TrainConfig) -> tuple[CropStream, DeviceCrops]:
    sources = find_sources(config.data)
    return CropStream(sources, config), on_device(sources, config)


def on_device(sources: list[Source], config: TrainConfig) -> DeviceCrops:
    return DeviceCrops(sources, config, load_photos(sources, config, CPU))


def batch(crops: DeviceCrops, numbers: list[int]) -> Tensor:
    drawings, _ = collate_drawings([crops.drawings[number] for number in numbers])
    return crops.make(drawings)


# Crops


def test_crops_are_those_of_the_workers_within_two_levels(photo_folder: Path) -> None:
    """Photos of 48 x 64 pixels are stored as they are, so nothing but rounding differs."""
    workers, device_ = both(settings(photo_folder))
    for number in range(len(workers)):
        (expected, skips), (crop, our_skips) = workers[number], device_[number]
        assert crop.dtype == torch.uint8
        assert crop.shape == (4, 32, 32)
        assert skips == our_skips
        assert (crop.int() - expected.int()).abs().max() <= 2


def test_degraded_crops_are_those_of_the_workers(photo_folder: Path) -> None:
    """But for dust, whose edges cover much of so small a crop."""
    workers, device_ = both(settings(photo_folder, **(OLD | {"degrade_dust": 0.0})))
    for number in range(12):
        error = (device_[number][0].int() - workers[number][0].int()).abs().float()
        assert error[:3].max() <= 2
        assert error[3].mean() < 1


def test_large_photos_are_shrunk_and_look_the_same(tmp_path: Path) -> None:
    save_photos(tmp_path, ["a.png", "b.png"], (300, 420))
    config = settings(tmp_path)
    workers, device_ = both(config)
    photos = load_photos(find_sources(config.data), config, CPU)
    assert stored_side(config) == 54  # 32 / 0.6
    assert [tuple(photo.shape) for photo in photos.pixels] == [(3, 54, 76)] * 2
    for number in range(10):
        error = (device_[number][0].int() - workers[number][0].int()).abs().float()
        assert error.mean() < 1


def test_a_crop_is_a_pure_function_of_its_number(photo_folder: Path) -> None:
    """Whatever the batch, the order, and the process."""
    config = settings(photo_folder, **OLD)
    one, other = (on_device(find_sources(config.data), config) for _ in range(2))
    together = batch(one, list(range(20)))
    for number in reversed(range(20)):
        assert torch.equal(other[number][0], together[number])
    assert torch.equal(batch(other, [13, 2, 7]), together[[13, 2, 7]])
    assert not torch.equal(on_device_with_seed(config, 1)[0][0], together[0])


def on_device_with_seed(config: TrainConfig, seed: int) -> DeviceCrops:
    return on_device(find_sources(config.data), replace(config, seed=seed))


def test_crop_sizes_follow_the_schedule(photo_folder: Path) -> None:
    config = settings(photo_folder, crops=(32, 48), crop_starts=(0.0, 0.5))
    crops = on_device(find_sources(config.data), config)
    assert len(crops) == 40
    assert [crops[number][0].shape[1] for number in (0, 19, 20, 39)] == [32, 32, 48, 48]


def test_useless_photos_are_replaced_and_reported_alike(tmp_path: Path) -> None:
    save_photos(tmp_path / "mixed", ["a.png", "b.png", "c.png"])
    Image.new("RGB", (30, 30), (90, 90, 90)).save(tmp_path / "mixed" / "gray.png")
    (tmp_path / "mixed" / "text.jpg").write_text("no photo")
    save_photos(tmp_path / "good", ["d.png"])
    workers, device_ = both(settings(tmp_path / "mixed", tmp_path / "good"))
    skips = [device_[number][1] for number in range(20)]
    assert skips == [workers[number][1] for number in range(20)]
    assert len({skip.name for each in skips for skip in each}) == 2


def test_nothing_but_gray_photos_is_an_error(tmp_path: Path) -> None:
    Image.new("RGB", (30, 30), (90, 90, 90)).save(tmp_path / "gray.png")
    with pytest.raises(ValueError, match=r"None of the photos of .* is a readable color photo"):
        both(settings(tmp_path))[1].check()


def test_a_given_gray_is_the_input(pairs: Path, photo_folder: Path) -> None:
    """Also in a batch with photos that have none."""
    workers, device_ = both(settings(pairs, photo_folder))
    crops = batch(device_, list(range(20)))
    grays = [workers[number][0][3] for number in range(20)]
    flat = [int(gray.max()) == int(gray.min()) for gray in grays]
    assert 0 < sum(flat) < 20
    assert (crops[:, 3].int() - torch.stack(grays).int()).abs().max() <= 2


def test_the_gray_has_the_lightness_of_the_color() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (40, 50, 3), np.uint8)
    ours = to_gray(torch.from_numpy(pixels).permute(2, 0, 1)[None].float())[0].numpy()
    error = np.abs(ours - Photo(pixels).to_gray().pixels[:, :, 0])
    assert error.max() <= 1
    assert (error > 0).mean() < 0.01


def test_photos_come_from_the_cache(photo_folder: Path, tmp_path: Path) -> None:
    config = settings(photo_folder)
    sources = find_sources(config.data)
    kept = cached(sources, tmp_path, workers=0)
    for ours, theirs in zip(
        load_photos(kept, config, CPU).pixels, load_photos(sources, config, CPU).pixels, strict=True
    ):
        assert torch.equal(ours, theirs)


# Memory


def test_photos_are_packed_into_chunks(photo_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = settings(photo_folder)
    sources = find_sources(config.data)
    whole = load_photos(sources, config, CPU)
    monkeypatch.setattr(device, "CHUNK", 3 * 48 * 64 * 3)  # three photos
    packed = load_photos(sources, config, CPU)
    blocks = {photo.untyped_storage().data_ptr() for photo in packed.pixels}
    assert len(blocks) == 3
    assert all(map(torch.equal, packed.pixels, whole.pixels))
    assert packed.stored_bytes == 8 * 48 * 64 * 3


def test_a_small_device_is_refused_with_a_sentence(
    photo_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = settings(photo_folder)
    sources = find_sources(config.data)
    needed = 8 * 48 * 64 * 3
    share = device.SHARE
    monkeypatch.setattr(device, "free_bytes", lambda device: needed / share + 1)
    load_photos(sources, config, CPU)
    monkeypatch.setattr(device, "free_bytes", lambda device: needed / share - 2)
    with pytest.raises(
        DeviceMemoryError, match=r"need about .* GB on cpu.*use --device-augment no"
    ):
        load_photos(sources, config, CPU)


def test_a_lack_of_room_is_seen_after_some_photos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_photos(tmp_path, [f"{number}.png" for number in range(9)])
    config, read = settings(tmp_path), []
    (source,) = find_sources(config.data)
    prepare = device._prepare
    monkeypatch.setattr(
        device, "_prepare", lambda *each, **more: read.append(1) or prepare(*each, **more)
    )
    monkeypatch.setattr(device, "ESTIMATE_AFTER", 3)
    monkeypatch.setattr(device, "free_bytes", lambda device: 5 * 24 * 32 * 3)
    with pytest.raises(DeviceMemoryError):
        load_photos([source], config, CPU)
    assert len(read) == 3


def test_the_cpu_has_memory() -> None:
    assert device.free_bytes(CPU) > 10**6


def test_color_pixels_are_read_upright(tmp_path: Path) -> None:
    Image.fromarray(color_pixels(20, 30)).save(tmp_path / "a.png")
    config = settings(tmp_path)
    (photo,) = load_photos(find_sources(config.data), config, CPU).pixels
    assert np.array_equal(photo.permute(1, 2, 0).numpy(), color_pixels(20, 30))
