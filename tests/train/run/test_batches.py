"""Batches of a run: made by data workers or on the device, each process its own share."""

from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from accelerate import Accelerator

from tests.helpers.training import settings
from train.data import device
from train.data.crops import CropStream
from train.data.device_crops import DeviceCrops
from train.data.sources import find_sources
from train.run.batches import load_batches, makes_crops, open_crops
from train.run.folder import RunError
from train.settings.config import TrainConfig

OLD = {"degrade_grain": 0.5, "degrade_jpeg": 0.5, "degrade_dust": 0.5}


def process(index: int, count: int) -> Accelerator:
    """What a batch needs to know of one of several processes."""
    return SimpleNamespace(process_index=index, num_processes=count, device=torch.device("cpu"))


def opened(config: TrainConfig) -> CropStream | DeviceCrops:
    return open_crops(config, Accelerator(cpu=True), find_sources(config.data))


@pytest.mark.parametrize(
    ("choice", "kind", "expected"),
    [
        ("auto", "cuda", True),
        ("auto", "cpu", False),
        ("auto", "mps", False),
        ("yes", "cpu", True),
        ("no", "cuda", False),
    ],
)
def test_the_device_makes_crops_where_it_should(choice: str, kind: str, expected: bool) -> None:
    assert makes_crops(TrainConfig(device_augment=choice), torch.device(kind)) is expected


@pytest.mark.parametrize("workers", [0, pytest.param(2, marks=pytest.mark.slow)])
def test_batches_hold_the_crops_in_order(photo_folder: Path, tmp_path: Path, workers: int) -> None:
    config = settings(
        photo_folder, tmp_path, device_augment="yes", photos=16, batch=4, accumulate=2, **OLD
    )
    crops = opened(config)
    assert isinstance(crops, DeviceCrops)
    fetched = settings(photo_folder, tmp_path, workers=workers, photos=16, batch=4, accumulate=2)
    batches = list(load_batches(fetched, process(0, 1), crops, 1, 2))
    assert len(batches) == 3  # of 4, without the first
    numbers = iter(range(4, 16))
    for micro_batches, skips in batches:
        assert [tuple(pixels.shape) for pixels in micro_batches] == [(2, 4, 32, 32)] * 2
        assert skips == []
        for crop in torch.cat(micro_batches):
            assert torch.equal(crop, crops[next(numbers)][0])


def test_each_process_makes_its_share(photo_folder: Path, tmp_path: Path) -> None:
    config = settings(photo_folder, tmp_path, device_augment="yes", batch=4, **OLD)
    crops = opened(config)
    whole = list(load_batches(config, process(0, 1), crops, 0, 4))
    shares = [list(load_batches(config, process(index, 2), crops, 0, 2)) for index in range(2)]
    for (batch,), (first,), (second,) in zip(
        *([pixels for pixels, _ in each] for each in (whole, *shares)), strict=True
    ):
        assert torch.equal(torch.cat((first, second)), batch)


def test_yes_ends_with_a_sentence_where_the_photos_do_not_fit(
    photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device, "free_bytes", lambda device: 100)
    with pytest.raises(RunError, match="GB beside training; use --device-augment no"):
        opened(settings(photo_folder, tmp_path, device_augment="yes"))


def test_auto_says_that_data_workers_take_over(
    photo_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(device, "free_bytes", lambda device: 100)
    monkeypatch.setattr("train.run.batches.makes_crops", lambda config, device: True)
    assert isinstance(opened(settings(photo_folder, tmp_path)), CropStream)
    assert "Data workers make the crops instead of the device. The photos need" in (
        capsys.readouterr().err
    )
