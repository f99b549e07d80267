"""Train a generator: `python -m train.fit --data FOLDER --output RUN`; `--help` lists the
settings.
"""

import json
import math
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import timm
import torch
from accelerate import Accelerator
from accelerate.utils import set_seed
from safetensors import SafetensorError
from safetensors.torch import load_file
from timm.utils.model_ema import ModelEmaV3
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils.data import DataLoader
from torchvision.transforms.functional import center_crop
from torchvision.utils import make_grid, save_image
from tqdm import tqdm

from colorizer.checkpoints import save_checkpoint
from colorizer.color import lab_to_rgb, rgb_to_lab
from colorizer.generator import Generator, GeneratorConfig
from train.augment import jitter_gamma, simulate_hints
from train.config import TrainConfig, parse_config
from train.data import CropStream, find_photos, read_small
from train.losses import BinLoss, ab_loss, bin_prior

PRIOR_CROPS = 2000  # crops from which the share of each ab bin is counted
WORKING_SIZE = 288  # written into checkpoints; compared in EXPERIMENTS.md
VALIDATE_EVERY = 6  # photos of the validation set while training
SHEET_PHOTOS = 32
SHEET_SIDE = 256  # pixels of each
STATE_FILE = "last.pt"
LOG_FILE = "metrics.jsonl"
CONFIG_FILE = "train_config.json"
FREE = ("resume", "workers", "log_every", "save_every")  # settings that a resumed run may change
CHECKPOINT_FOLDER = "checkpoint"


def fit(config: TrainConfig) -> Path:
    """Train as `config` says, or go on with a run.

    Returns:
        The folder of the checkpoint, which holds the averaged (EMA) weights.

    Raises:
        ValueError: the data, the encoder or the run to resume can't be used.
    """
    accelerator = Accelerator(
        mixed_precision=config.mixed_precision, cpu=not torch.cuda.is_available()
    )
    set_seed(config.seed)
    output = Path(config.output)
    state = load_state(output, config) if config.resume else {}
    if not config.resume and (output / STATE_FILE).exists():
        raise ValueError(f"{output} holds a run; continue it with --resume or name another folder.")
    start = int(state.get("step", 0))

    crops = CropStream(find_photos(config.data), config)
    validation = read_small(find_photos(config.val_data)[::VALIDATE_EVERY], WORKING_SIZE)
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
    decay = 0.5 ** (config.batch / config.ema_half_life)
    ema = ModelEmaV3(generator, decay, use_warmup=True, warmup_power=0.75).to(accelerator.device)
    network, optimizer, loader = accelerator.prepare(generator, optimizer, loader)
    if state:
        generator.load_state_dict(state["generator"])
        ema.module.load_state_dict(state["ema"])
        optimizer.load_state_dict(state["optimizer"])
    else:
        sample = (crops[number] for number in range(min(PRIOR_CROPS, len(crops))))
        state["prior"] = bin_prior(generator.bins.cpu(), sample)
    bin_loss = BinLoss(generator.bins.cpu(), state["prior"], config.rebalance)
    bin_loss.to(accelerator.device)

    if accelerator.is_main_process:
        output.mkdir(parents=True, exist_ok=True)
        (output / CONFIG_FILE).write_text(json.dumps(asdict(config), indent=1) + "\n")
        cut_log(output, start)
    progress = tqdm(total=len(crops), initial=start * config.batch, unit="photo", mininterval=5)
    for step, pixels in enumerate(loader, start):
        factor = rate_factor(step, config)
        for group in optimizer.param_groups:
            group["lr"] = factor * group["peak"]
        losses = batch_losses(network, bin_loss, pixels, step, config)
        accelerator.backward(sum(losses.values()))
        norm = accelerator.clip_grad_norm_(network.parameters(), config.clip)
        optimizer.step()
        optimizer.zero_grad()
        ema.update(generator, step)
        progress.update(len(pixels) * accelerator.num_processes)

        done = step + 1
        last = done == config.steps
        if accelerator.is_main_process and (done % config.log_every == 0 or last):
            values = {name: float(loss.detach()) for name, loss in losses.items()}
            crop = pixels.shape[-1]
            log(output, step=done, rate=factor, crop=crop, norm=float(norm), **values)
            progress.set_postfix(values, refresh=False)
        if accelerator.is_main_process and (done % config.save_every == 0 or last):
            save_state(
                output,
                step=done,
                prior=state["prior"],
                generator=generator.state_dict(),
                ema=ema.module.state_dict(),
                optimizer=optimizer.state_dict(),
            )
            save_checkpoint(output / CHECKPOINT_FOLDER, ema.module, WORKING_SIZE)
            if validation:
                sheet = output / "samples" / f"{done:07d}.png"
                log(output, step=done, **validate(ema.module, validation, sheet))
    progress.close()
    return output / CHECKPOINT_FOLDER


def batch_losses(
    network: nn.Module, bin_loss: BinLoss, pixels: Tensor, step: int, config: TrainConfig
) -> dict[str, Tensor]:
    """Weighted losses, by name, of uint8 (N, 3, crop, crop) photos; the step decides what is
    random.
    """
    random = torch.Generator().manual_seed(config.seed + step)
    lab = rgb_to_lab(pixels / 255)
    lightness, ab = jitter_gamma(lab[:, :1], config.gamma_jitter, random), lab[:, 1:]
    hinted = torch.rand((), generator=random) < config.hint_share
    prediction = network(lightness, simulate_hints(ab, random) if hinted else None)
    losses = {"ab": config.ab_weight * ab_loss(prediction.ab, ab)}
    if prediction.logits is not None:
        losses["bins"] = config.bins_weight * bin_loss(prediction.logits, F.avg_pool2d(ab, 4))
    return losses


def build_generator(config: TrainConfig) -> Generator:
    """A generator with a pretrained encoder: from a local file, else from timm.

    Raises:
        ValueError: the encoder's weights can't be read, don't fit or can't be downloaded.
    """
    if config.encoder_kind == "keras":
        network = GeneratorConfig(encoder=config.encoder, head=config.head)
    else:
        pretrained = timm.get_pretrained_cfg(config.encoder)
        if pretrained is None:
            raise ValueError(f"timm knows no encoder {config.encoder}; see timm.list_models().")
        network = GeneratorConfig(
            encoder=config.encoder,
            stride_in_first_conv=False,
            batch_norm_eps=None,
            input_mean=tuple(pretrained.mean),
            input_std=tuple(pretrained.std),
            head=config.head,
        )
    try:
        if config.encoder_weights:
            weights = load_file(config.encoder_weights)
        else:
            source = timm.create_model(config.encoder, features_only=True, pretrained=True)
            weights = source.state_dict()
        return Generator(network, weights)
    except (OSError, RuntimeError, SafetensorError) as error:
        raise ValueError(
            f"The pretrained encoder {config.encoder_weights or config.encoder} can't be used "
            f"({error}); name a fitting local file with --encoder-weights."
        ) from error


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
        lab = rgb_to_lab(pixels[None].to(generator.mean.device) / 255)
        lightness, truth = lab[:, :1], lab[:, 1:]
        ab = generator(lightness).ab
        error += float((ab - truth).norm(dim=1).mean())
        gray += float(truth.norm(dim=1).mean())
        chroma += float(ab.norm(dim=1).mean())
        versions = [torch.cat((lightness, colors), 1) for colors in (0 * truth, truth, ab)]
        squares = [center_crop(lab_to_rgb(version)[0].cpu(), [SHEET_SIDE]) for version in versions]
        rows.append(torch.cat(squares, -1))
    save_sheet(rows[:SHEET_PHOTOS], sheet)
    return {"val_error": error / gray, "val_chroma": chroma / gray}


def save_sheet(rows: list[Tensor], path: Path) -> None:
    """Save (3, H, W) sRGB pictures as one PNG, four to a row."""
    path.parent.mkdir(parents=True, exist_ok=True)
    save_image(make_grid(rows, nrow=4), path)


def cut_log(output: Path, step: int) -> None:
    """Drop the lines of the log after a step, which a resumed run writes again, and broken ones."""
    path = output / LOG_FILE
    if path.exists():
        lines = path.read_text().splitlines(keepends=True)
        path.write_text("".join(line for line in lines if _step(line) <= step))


def _step(line: str) -> float:
    try:
        return float(json.loads(line)["step"])
    except (ValueError, KeyError, TypeError):
        return math.inf


def load_state(output: Path, config: TrainConfig) -> dict[str, Any]:
    """The state that `save_state` wrote.

    Raises:
        ValueError: there is none, or the run had other settings than `config`.
    """
    if not (output / STATE_FILE).exists():
        raise ValueError(f"{output} holds no run to resume; leave out --resume to start one.")
    before = json.loads((output / CONFIG_FILE).read_text())
    now = json.loads(json.dumps(asdict(config)))
    changed = [name for name in now if name not in FREE and now[name] != before.get(name)]
    if changed:
        raise ValueError(f"{', '.join(changed)} of the run in {output} differ; give the same.")
    state: dict[str, Any] = torch.load(output / STATE_FILE, map_location="cpu", weights_only=True)
    return state


def save_state(output: Path, **state: Any) -> None:
    """Write what resuming needs, beside the file of that name, then rename."""
    beside = output / (STATE_FILE + ".part")
    torch.save(state, beside)
    os.replace(beside, output / STATE_FILE)


def log(output: Path, **values: float) -> None:
    """Append a line to the run's metrics.jsonl."""
    with (output / LOG_FILE).open("a") as file:
        file.write(json.dumps({name: round(value, 5) for name, value in values.items()}) + "\n")


def main() -> int:
    """Run the command line; returns the exit code."""
    try:
        print(fit(parse_config()))
    except ValueError as error:
        print(f"train.fit: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
