"""Crops of a batch: those that Pillow cuts one by one."""

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from tests.helpers.photos import color_pixels
from train.data.resampling import WEIGHT_ONE, bicubic_weights, cut_squares

SIZES = [(120, 160), (96, 96), (50, 41), (30, 90), (1, 40), (40, 1), (1, 1)]  # (height, width)


def textured(height: int, width: int) -> np.ndarray:
    noise = np.random.default_rng(height).integers(-40, 41, (height, width, 3))
    return (color_pixels(height, width) + noise).clip(0, 255).astype(np.uint8)


def planes(pixels: np.ndarray) -> Tensor:
    return torch.from_numpy(pixels).permute(2, 0, 1)


def random_boxes(seed: int = 0) -> Tensor:
    random = np.random.default_rng(seed)
    boxes = []
    for height, width in SIZES:
        side = min(height, width) * random.uniform(0.4, 1)
        boxes.append(
            (random.uniform(0, width - side), random.uniform(0, height - side)) + 2 * (side,)
        )
    return torch.tensor(boxes, dtype=torch.float64)


@pytest.mark.parametrize("size", [32, 64])
def test_crops_are_those_of_pillow_within_two_levels(size: int) -> None:
    photos, boxes = [textured(*size) for size in SIZES], random_boxes()
    mirrored = torch.zeros(len(photos), dtype=torch.bool)
    crops = cut_squares([planes(photo) for photo in photos], boxes, mirrored, size)
    assert crops.shape == (len(photos), 3, size, size)
    for photo, crop, (left, top, width, height) in zip(photos, crops, boxes.tolist(), strict=True):
        box = (left, top, left + width, top + height)
        image = Image.fromarray(photo).resize((size, size), Image.Resampling.BICUBIC, box=box)
        error = np.abs(crop.permute(1, 2, 0).numpy() - np.array(image))
        assert error.max() <= 2
        assert (error > 0).mean() < 0.03


def test_mirroring_is_exact() -> None:
    photos, boxes = [planes(textured(*size)) for size in SIZES], random_boxes()
    plain, mirrored = (
        cut_squares(photos, boxes, torch.full((len(photos),), flag), 32) for flag in (False, True)
    )
    assert torch.equal(mirrored, plain.flip(3))
    assert not torch.equal(mirrored, plain)


def test_a_crop_does_not_depend_on_its_neighbors() -> None:
    photos, boxes = [planes(textured(*size)) for size in SIZES], random_boxes()
    mirrored = torch.arange(len(photos)) % 2 == 0
    together = cut_squares(photos, boxes, mirrored, 48)
    for row, photo in enumerate(photos):
        rows = slice(row, row + 1)
        assert torch.equal(cut_squares([photo], boxes[rows], mirrored[rows], 48)[0], together[row])


def test_missing_channels_are_black() -> None:
    color = planes(textured(40, 50))
    gray = torch.cat((color, color[:1]))
    box = torch.tensor([[0.0, 0.0, 40.0, 40.0]] * 2, dtype=torch.float64)
    crops = cut_squares([color, gray], box, torch.zeros(2, dtype=torch.bool), 40)
    assert torch.equal(crops[:, :3], gray[None, :3, :, :40].expand(2, -1, -1, -1))  # unchanged
    assert crops[0, 3].max() == 0
    assert torch.equal(crops[1, 3], crops[1, 0])


def test_weights_are_whole_numbers_with_the_sum_of_one() -> None:
    starts, lengths, limits = torch.tensor([[0.0, 2.3], [64.0, 20.7], [64.0, 30.0]])
    weights = bicubic_weights(starts, lengths, limits, size=32, count=70)
    assert torch.equal(weights, weights.round())
    assert (weights.sum(-1) / WEIGHT_ONE - 1).abs().max() < 1e-3
    assert weights[0, :, 64:].abs().max() == weights[1, :, 30:].abs().max() == 0
    assert 255 * weights.abs().sum(-1).max() < 2**24  # what float32 holds exactly
