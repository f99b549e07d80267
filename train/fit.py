"""Train a generator: `python -m train.fit --data FOLDER --output RUN`. See `--help` for every
setting.
"""

import json
import math
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision.utils import make_grid, save_image
from tqdm import tqdm

from colorizer.checkpoints import save_checkpoint
from colorizer.color import lab_to_rgb, rgb_to_lab
from colorizer.generator import Generator, GeneratorConfig
from train.augment import jitter_gamma, simulate_hints
from train.config import TrainConfig, parse_config
from train.data import CropStream, find_photos, read_pixels
from train.losses import BinLoss, ab_loss, bin_prior

PRIOR_CROPS = 2000  # crops from which the share of each ab bin is counted
WORKING_SIZE = 256  # written into checkpoints
VALIDATE_EVERY = 6  # photos of the validation set while training
SHEET_PHOTOS = 32


def fit(config: TrainConfig) -> Path:
    """Train as `config` says, or go on with a run; returns the folder of the checkpoint (EMA
    weights).
    """
    accelerator = Accelerator(
        mixed_precision=config.mixed_precision, cpu=not torch.cuda.is_available()
    )
    output = Path(config.output)
    state_file = output / "last.pt"
    state: dict[str, Any] = {}
    if config.resume:
        if not state_file.exists():
            raise ValueError(f"{output} holds no run to resume; leave out --resume to start one.")
        state = torch.load(state_file, map_location="cpu", weights_only=True)
    if accelerator.is_main_process:
        output.mkdir(parents=True, exist_ok=True)
        (output / "train_config.json").write_text(json.dumps(asdict(config), indent=1) + "\n")

    set_seed(config.seed)
    photos = find_photos(config.data)
    crops = CropStream(photos, config)
    start = int(state.get("step", 0))
    loader = DataLoader(
        crops,
        batch_size=config.batch,
        sampler=range(start * config.batch, len(crops)),
        num_workers=config.workers,
        prefetch_factor=4 if config.workers else None,
    )

    generator = build_generator(config).to(memory_format=torch.channels_last)
    optimizer = torch.optim.AdamW(
        parameter_groups(generator, config), weight_decay=config.weight_decay, fused=True
    )
    prior = state.get("prior")
    if prior is None:
        prior = bin_prior(
            generator.bins, (crops[number] for number in range(min(PRIOR_CROPS, len(crops))))
        )
    bin_loss = BinLoss(generator.bins, prior, config.rebalance).to(accelerator.device)
    ema = ModelEmaV3(
        generator,
        decay=0.5 ** (config.batch / config.ema_half_life),
        use_warmup=True,
        warmup_power=0.75,
    )
    ema.to(accelerator.device)
    network, optimizer, loader = accelerator.prepare(generator, optimizer, loader)
    if state:
        generator.load_state_dict(state["generator"])
        ema.module.load_state_dict(state["ema"])
        optimizer.load_state_dict(state["optimizer"])
    validation = (
        [read_pixels(photo) for photo in find_photos(config.val_data)[::VALIDATE_EVERY]]
        if config.val_data
        else []
    )

    progress = tqdm(
        total=config.steps * config.batch, initial=start * config.batch, unit="photo", mininterval=5
    )
    for step, pixels in enumerate(loader, start):
        random = torch.Generator().manual_seed(config.seed + step)
        factor = rate_factor(step, config)
        for group in optimizer.param_groups:
            group["lr"] = factor * group["peak"]
        lab = rgb_to_lab(pixels / 255)
        lightness, ab = jitter_gamma(lab[:, :1], config.gamma_jitter, random), lab[:, 1:]
        hinted = torch.rand((), generator=random) < config.hint_share
        prediction = network(lightness, simulate_hints(ab, random) if hinted else None)
        losses = {"ab": config.ab_weight * ab_loss(prediction.ab, ab)}
        if prediction.logits is not None:
            losses["bins"] = config.bins_weight * bin_loss(prediction.logits, F.avg_pool2d(ab, 4))
        accelerator.backward(sum(losses.values()))
        norm = accelerator.clip_grad_norm_(network.parameters(), config.clip)
        optimizer.step()
        optimizer.zero_grad()
        ema.update(generator, step)
        progress.update(len(pixels) * accelerator.num_processes)

        done = step + 1
        if accelerator.is_main_process and (done % config.log_every == 0 or done == config.steps):
            values = {name: float(loss.detach()) for name, loss in losses.items()}
            log(
                output,
                step=done,
                rate=factor,
                crop=pixels.shape[-1],
                norm=float(norm),
                hinted=bool(hinted),
                **values,
            )
            progress.set_postfix(
                {name: f"{value:.3f}" for name, value in values.items()}, refresh=False
            )
        if accelerator.is_main_process and (done % config.save_every == 0 or done == config.steps):
            contents = {
                "step": done,
                "prior": prior,
                "generator": generator.state_dict(),
                "ema": ema.module.state_dict(),
                "optimizer": optimizer.state_dict(),
            }
            torch.save(contents, state_file.with_suffix(".part"))
            os.replace(state_file.with_suffix(".part"), state_file)
            save_checkpoint(output / "checkpoint", ema.module, WORKING_SIZE)
            if validation:
                log(
                    output,
                    step=done,
                    **validate(ema.module, validation, output / "samples" / f"{done:07d}.png"),
                )
    progress.close()
    return output / "checkpoint"


def build_generator(config: TrainConfig) -> Generator:
    """A generator with a pretrained encoder from a local file or, without one, from timm."""
    if config.encoder == "resnet50":
        network = GeneratorConfig(head=config.head)
    else:
        network = GeneratorConfig(
            encoder=config.encoder,
            stride_in_first_conv=False,
            batch_norm_eps=1e-3 if config.encoder.startswith("tf_") else 1e-5,
            input_mean=(0.5, 0.5, 0.5)
            if config.encoder.startswith("tf_")
            else (0.485, 0.456, 0.406),
            input_std=(0.5, 0.5, 0.5)
            if config.encoder.startswith("tf_")
            else (0.229, 0.224, 0.225),
            head=config.head,
        )
    return Generator(network, Path(config.encoder_weights) if config.encoder_weights else None)


def parameter_groups(generator: Generator, config: TrainConfig) -> list[dict[str, Any]]:
    """Freeze the encoder's first stages; the rest in two groups, encoder and others, each with its
    peak rate.
    """
    reductions = dict(
        zip(
            generator.encoder.return_layers.values(),
            generator.encoder.feature_info.reduction(),
            strict=True,
        )
    )
    frozen = config.frozen_stride > 0
    encoder: list[Tensor] = []
    for name, layer in generator.encoder.items():
        layer.requires_grad_(not frozen)
        encoder += [] if frozen else list(layer.parameters())
        stride = reductions.get(generator.encoder.return_layers.get(name, ""), 0)
        frozen = frozen and stride < config.frozen_stride
    others = [
        value for name, value in generator.named_parameters() if not name.startswith("encoder.")
    ]
    return [
        {"params": encoder, "peak": config.encoder_rate},
        {"params": others, "peak": config.learning_rate},
    ]


def rate_factor(step: int, config: TrainConfig) -> float:
    """Share of the peak learning rate at a step: linear warm-up, then a cosine to 1 %."""
    if step < config.warmup:
        return (step + 1) / config.warmup
    share = (step - config.warmup) / max(1, config.steps - config.warmup)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share))


@torch.no_grad()
def validate(generator: Generator, images: list[Tensor], sheet: Path) -> dict[str, float]:
    """Error and chroma over uint8 (3, H, W) photos, as shares of gray's error and the truth's
    chroma; draws a sheet.
    """
    generator.eval()
    error = gray = chroma = 0.0
    rows = []
    for pixels in images:
        lab = rgb_to_lab(pixels[None] / 255)
        lightness, truth = lab[:, :1], lab[:, 1:]
        ab = generator(lightness).ab
        error += float((ab - truth).norm(dim=1).mean())
        gray += float(truth.norm(dim=1).mean())
        chroma += float(ab.norm(dim=1).mean())
        versions = [torch.cat((lightness, colors), 1) for colors in (0 * truth, truth, ab)]
        rows.append(lab_to_rgb(torch.cat(versions, -1))[0])
    save_sheet(rows[:SHEET_PHOTOS], sheet)
    return {"val_error": error / gray, "val_chroma": chroma / gray}


def save_sheet(rows: list[Tensor], path: Path) -> None:
    """Save (3, H, W) sRGB pictures as one PNG, four to a row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_image(make_grid(rows, nrow=4), path)


def log(output: Path, **values: float) -> None:
    """Append a line to the run's metrics.jsonl."""
    with (output / "metrics.jsonl").open("a") as file:
        file.write(json.dumps({name: round(value, 5) for name, value in values.items()}) + "\n")


if __name__ == "__main__":
    fit(parse_config())
