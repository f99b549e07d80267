"""Train and measure the network that finds damage (`colorizer.adjust.damage`)."""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from colorizer.adjust.damage import DamageDetector
from colorizer.imaging.color import gray_to_lightness
from train.data.augment import Gray, add_flaw
from train.data.damage import Damaged, damage
from train.data.samples import Sample

BATCH = 16
CROP = 128  # pixels
MAX_SCALE = 2.2  # photos are enlarged at most so far: old prints are soft
LEARNING_RATE = 4e-3  # of AdamW, at the peak of the one-cycle schedule
QUEUE = 6  # batches that are drawn ahead
THRESHOLD = 0.5  # of the probability, for the figures


def draw_example(sample: Sample, random: np.random.Generator) -> Damaged:
    """A crop of a photo as an old one, with damage: (`CROP`, `CROP`)."""
    gray = _crop(np.asarray(sample.read().input().to_gray().pixels[:, :, 0]), random)
    for flaw, probability in (
        ("blur", 0.3),
        ("vignette", 0.1),
        ("gamma", 0.5),
        ("fading", 0.4),
        ("grain", 0.5),
    ):
        if random.random() < probability:
            gray = add_flaw(gray, flaw, random)
    damaged, mask = damage(gray, random)
    if random.random() < 0.5:  # the scanner blurs marks, too
        damaged = np.asarray(cv2.GaussianBlur(damaged, (0, 0), random.uniform(0.3, 0.9)), np.uint8)
    if random.random() < 0.5:
        damaged = add_flaw(damaged, "jpeg", random)
    return Damaged(damaged, mask)


def train(samples: Sequence[Sample], steps: int, seed: int = 0) -> DamageDetector:
    """Train on damage drawn anew for every step."""
    torch.manual_seed(seed)
    network = DamageDetector().train().to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, steps)
    batches = _batches(samples, steps, seed)
    for damaged, mask in (progress := tqdm(batches, total=steps, mininterval=5)):
        logits = network(damaged)
        loss = F.binary_cross_entropy_with_logits(logits, mask) + _dice_loss(logits, mask)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        schedule.step()
        progress.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
    return network.eval()


def measure(network: DamageDetector, samples: Sequence[Sample], seed: int = 1) -> dict[str, float]:
    """Precision and recall of pixels, on damage drawn on photos."""
    found = right = damaged_pixels = 0
    batches = max(1, len(samples) // BATCH)
    for damaged, mask in _batches(samples, batches, seed):
        with torch.inference_mode():
            taken = network(damaged).sigmoid() > THRESHOLD
        found += int(taken.sum())
        right += int((taken & (mask > 0)).sum())
        damaged_pixels += int(mask.sum())
    return {
        "photos": batches * BATCH,
        "precision": right / max(1, found),
        "recall": right / max(1, damaged_pixels),
    }


def _dice_loss(logits: Tensor, mask: Tensor) -> Tensor:
    """1 - Dice coefficient of a batch: damage is rare, and so little of the cross entropy."""
    share = logits.sigmoid()
    return 1 - (2 * (share * mask).sum() + 1) / (share.sum() + mask.sum() + 1)


def _batches(samples: Sequence[Sample], count: int, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """L* scaled to -0.5 to 0.5, and the mask, each (N, 1, `CROP`, `CROP`)."""
    seeds = np.random.SeedSequence(seed).spawn(count)

    def draw(number: int) -> tuple[Tensor, Tensor]:
        random = np.random.default_rng(seeds[number])
        chosen = random.choice(len(samples), BATCH)
        examples = [draw_example(samples[index], random) for index in chosen]
        gray = torch.from_numpy(np.stack([example.gray for example in examples]))[:, None]
        mask = torch.from_numpy(np.stack([example.mask for example in examples]))[:, None]
        lightness = gray_to_lightness(gray / 255)
        return lightness / 100 - 0.5, mask.float()

    with ThreadPoolExecutor(1) as pool:
        queue: list[Future[tuple[Tensor, Tensor]]] = []
        for number in range(count):
            queue.append(pool.submit(draw, number))
            if len(queue) == QUEUE:
                yield queue.pop(0).result()
        for item in queue:
            yield item.result()


def _crop(gray: Gray, random: np.random.Generator) -> Gray:
    """A random crop of the photo, enlarged at random and perhaps mirrored."""
    scale = max(random.uniform(0.8, MAX_SCALE), (CROP + 1) / min(gray.shape))
    height, width = (round(scale * side) for side in gray.shape)
    gray = np.asarray(cv2.resize(gray, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    top, left = random.integers(height - CROP), random.integers(width - CROP)
    crop = gray[top : top + CROP, left : left + CROP]
    return np.ascontiguousarray(crop[:, :: random.choice((-1, 1))])
