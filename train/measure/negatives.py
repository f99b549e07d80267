"""Train and measure the network that recognizes negatives (`colorizer.inference.negatives`)."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F
from tqdm import tqdm

from colorizer.inference.negatives import MIN_LOGIT, Polarity, small_gray
from train.data.samples import Sample

BATCH = 128
LEARNING_RATE = 3e-3  # of AdamW, at the start of the cosine schedule
MIN_CROP = 0.7  # of each side of the photo
MAX_LOG_GAMMA = 0.8  # logarithm of the tone curve's exponent
MIN_CONTRAST = 0.5  # of faded photos
NOISE, BLUR = 0.04, 0.5  # deviation of levels; share of the photos that are blurred


def network_inputs(samples: Sequence[Sample]) -> NDArray[np.float32]:
    """Photos as inputs of the network: (N, 1, `SIDE`, `SIDE`), -0.5 to 0.5."""

    def read(sample: Sample) -> NDArray[np.float32]:
        return small_gray(sample.read().input())

    with ThreadPoolExecutor() as pool:
        inputs = list(tqdm(pool.map(read, samples), total=len(samples), mininterval=5))
    return np.stack(inputs)[:, None]


def vary(gray: Tensor, random: torch.Generator) -> Tensor:
    """Photos randomly cropped, mirrored, toned, faded, blurred and with grain, like scans."""
    count = len(gray)

    def uniform(low: float, high: float) -> Tensor:
        return low + (high - low) * torch.rand(count, 1, 1, 1, generator=random)

    scale = uniform(MIN_CROP, 1)
    mirror = torch.where(uniform(-1, 1) > 0, 1.0, -1.0)
    move = torch.zeros(count, 2, 3)
    move[:, 0, 0], move[:, 1, 1] = (scale * mirror).flatten(), scale.flatten()
    move[:, 0, 2] = ((1 - scale) * uniform(-1, 1)).flatten()
    move[:, 1, 2] = ((1 - scale) * uniform(-1, 1)).flatten()
    grid = F.affine_grid(move, list(gray.shape), align_corners=False)
    gray = F.grid_sample(gray, grid, padding_mode="border", align_corners=False)
    gray = torch.where(uniform(0, 1) < BLUR, F.avg_pool2d(gray, 3, 1, 1), gray)
    share = (gray + 0.5).clamp(1e-4, 1)
    exponent = uniform(-MAX_LOG_GAMMA, MAX_LOG_GAMMA).exp()
    share = torch.where(
        uniform(-1, 1) > 0, share**exponent, 1 - (1 - share).clamp_min(0) ** exponent
    )
    contrast = uniform(MIN_CONTRAST, 1)
    gray = share * contrast + (1 - contrast) * uniform(0, 1) - 0.5
    return gray + NOISE * uniform(0, 1) * torch.randn(gray.shape, generator=random)


def train(photos: NDArray[np.float32], epochs: int, seed: int = 0) -> Polarity:
    """Train on positives alone: the network is antisymmetric."""
    torch.manual_seed(seed)
    random = torch.Generator().manual_seed(seed)
    network, data = Polarity().train(), torch.from_numpy(photos)
    steps = epochs * max(1, len(data) // BATCH)
    optimizer = torch.optim.AdamW(network.parameters(), LEARNING_RATE, weight_decay=0.05)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in (progress := tqdm(range(steps), mininterval=5)):
        chosen = torch.randint(len(data), (BATCH,), generator=random)
        loss = F.softplus(-network(vary(data[chosen], random))).mean()
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        progress.set_postfix(loss=f"{loss.item():.3f}", refresh=False)
    return network.eval()


def measure(network: Callable[[Tensor], Tensor], photos: NDArray[np.float32]) -> dict[str, float]:
    """Rates on positives that the network has not seen, as they are and inverted."""
    with torch.inference_mode():
        logits = network(torch.from_numpy(photos))
    found, alarms = (logits > MIN_LOGIT).sum().item(), (logits < -MIN_LOGIT).sum().item()
    return {
        "photos": len(photos),
        "negatives_found": found / len(photos),
        "positives_taken_for_negatives": alarms / len(photos),
        "precision": found / max(1, found + alarms),  # among as many positives as negatives
    }
