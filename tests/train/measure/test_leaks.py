"""Leaks: copies of a photo are found however they were saved, look-alikes are not."""

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.helpers.photos import color_pixels
from train.data.sources import find_sources
from train.leaks import main
from train.measure.leaks import Leak, center_square, correlation, find_leaks, perceptual_hash


def picture(seed: int, size: tuple[int, int] = (300, 200)) -> Image.Image:
    """A random picture with as much detail as a photo."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (16, 24, 3), dtype=np.uint8))
    return coarse.resize(size, Image.Resampling.BICUBIC)


@pytest.fixture
def train(tmp_path: Path) -> Path:
    """Twenty different pictures, 0.png to 19.png."""
    (tmp_path / "train").mkdir()
    for seed in range(20):
        picture(seed).save(tmp_path / "train" / f"{seed}.png")
    return tmp_path / "train"


@pytest.fixture
def val(tmp_path: Path) -> Path:
    """Copies of 3, 5 and 7, each made otherwise, and three other pictures."""
    folder = tmp_path / "val"
    folder.mkdir()
    square = ImageOps.fit(picture(3), (256, 256))
    ImageOps.mirror(square).save(folder / "mirrored.jpg", quality=50)
    picture(5).resize((150, 100)).save(folder / "small.webp", quality=40)
    picture(7).crop((6, 5, 292, 196)).save(folder / "cropped.png")
    for seed in (30, 31):
        picture(seed).save(folder / f"{seed}.png")
    similar = np.array(picture(9)) // 2 + np.array(picture(40)) // 2  # half of it is 9
    Image.fromarray(similar).save(folder / "similar.png")
    return folder


def found(train: Path, val: Path, **limits: float) -> list[Leak]:
    return find_leaks(find_sources([str(train)]), find_sources([str(val)]), **limits)


def test_copies_are_found_and_nothing_else(train: Path, val: Path) -> None:
    leaks = found(train, val)
    assert {leak[:3] for leak in leaks} == {
        ("val/mirrored.jpg", "train/3.png", True),
        ("val/small.webp", "train/5.png", False),
        ("val/cropped.png", "train/7.png", False),
    }
    correlations = [leak.correlation for leak in leaks]
    assert correlations == sorted(correlations, reverse=True)
    assert min(correlations) > 0.98


def test_both_limits_must_be_met(train: Path, val: Path) -> None:
    assert "cropped.png" not in str(found(train, val, max_distance=0))
    loose = found(train, val, max_distance=31, min_correlation=0.0)
    assert {"val/similar.png", "val/30.png"} <= {leak.val for leak in loose}


def test_correlation_aligns_and_a_flat_picture_has_none() -> None:
    whole = center_square(picture(1))
    cropped = center_square(picture(1).crop((8, 6, 290, 190)))
    flat = Image.new("L", whole.size, 128)
    plain = np.corrcoef(np.array(whole).ravel(), np.array(cropped).ravel())[0, 1]
    assert plain < 0.9
    assert correlation(cropped, whole) > 0.99
    assert correlation(whole, whole) == pytest.approx(1, abs=1e-4)
    assert correlation(flat, whole) == correlation(whole, flat) == 0


def test_hash_ignores_brightness() -> None:
    square = center_square(Image.fromarray(color_pixels(80, 80)))
    darker = square.point(lambda level: level * 0.7)
    assert np.bitwise_count(perceptual_hash(square) ^ perceptual_hash(darker)) <= 2


def test_the_command_prints_and_writes_the_pairs(train, val, tmp_path, monkeypatch, capsys) -> None:
    (val / "broken.png").write_text("no photo")
    target = tmp_path / "new" / "leaks.csv"
    arguments = ["leaks", "--train", str(train), "--val", str(val), "--output", str(target)]
    monkeypatch.setattr(sys, "argv", arguments)
    assert main() == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("3 of 7 validation photos are in the training data.")
    assert "val/mirrored.jpg train/3.png mirrored" in captured.out
    assert "Left out: broken.png" in captured.err
    with target.open() as file:
        rows = list(csv.DictReader(file))
    assert {row["val"] for row in rows} == {
        "val/mirrored.jpg", "val/small.webp", "val/cropped.png"
    }  # fmt: skip


def test_errors_are_one_sentence(train, tmp_path, monkeypatch, capsys) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "a.png").write_text("no photo")
    for arguments, message in (
        (("--val", tmp_path / "none"), "is neither a folder nor a tar archive"),
        (("--val", tmp_path / "bad"), "--val holds no readable photo"),
        (("--val", train, "--max-distance", 40), "max_distance is 40; it goes from 0 to 31"),
        (("--val", train, "--min-correlation", 2), "min_correlation is 2.0; it goes from 0 to 1"),
    ):
        monkeypatch.setattr(sys, "argv", ["leaks", "--train", str(train), *map(str, arguments)])
        assert main() == 1
        assert message in capsys.readouterr().err
