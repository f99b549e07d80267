"""The settings of a training run: one frozen dataclass, one command line flag per field, and the
presets.
"""

import argparse
import math
import types
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from colorizer.checkpoints.checkpoint import WORKING_SIZES


def setting(default: Any, help: str, choices: tuple[str, ...] | None = None) -> Any:
    """A field with a default, the help line of its flag and, where few values fit, those."""
    return field(default=default, metadata={"help": help, "choices": choices})


PRECISIONS = ("auto", "no", "bf16")
NETWORK = (  # settings of a new network, which --init has already
    "architecture",
    "encoder",
    "encoder_weights",
    "encoder_kind",
    "decoder",
    "context_layers",
    "head",
    "pix2pix_space",
)


class Phase(StrEnum):
    """What the steps of a stretch of the run do; a run goes through the phases in this order."""

    RECONSTRUCTION = "reconstruction"  # the generator learns from the truth
    CRITIC = "critic"  # the discriminator learns to tell its colors from real ones
    ADVERSARIAL = "adversarial"  # both learn, the generator from the truth and the discriminator


@dataclass(frozen=True)
class TrainConfig:
    """What a run trains on, with what, and for how long."""

    data: tuple[str, ...] = setting(
        (),
        "folders or tar shards of color photos, folders with color/ and gray/, folders of L and ab "
        "arrays, or flowers102:FOLDER",
    )
    output: str = setting("", "folder of the run: settings, log, checkpoints, samples")
    val_data: tuple[str, ...] = setting((), "as --data, to validate on; empty splits --data")
    val_fraction: float = setting(
        0.02, "share of --data that is kept for validation, chosen by the names"
    )
    val_photos: int = setting(64, "photos to validate on while training, evenly picked")
    balance: float = setting(
        0.5, "several sources: 0 draws every photo equally often, 1 every source"
    )
    gray_chroma: float = setting(2.0, "photos of lower mean chroma (ab units) are dropped as gray")
    crops: tuple[int, ...] = setting(
        (128, 160, 192), "sizes of the square crops in pixels, in the order they are used"
    )
    crop_starts: tuple[float, ...] = setting(
        (0.0, 0.6, 0.88), "share of the run at which each crop size starts"
    )
    crop_scale: tuple[float, ...] = setting(
        (0.6, 1.0), "side of the region that a crop shows, as a share of the short side"
    )
    flip: float = setting(0.5, "probability that a crop is mirrored")

    degrade_gamma: float = setting(1.0, "probability that the input is made lighter or darker")
    degrade_fading: float = setting(0.2, "probability that the input loses contrast")
    degrade_blur: float = setting(0.1, "probability that the input is blurred")
    degrade_grain: float = setting(0.15, "probability that the input gets film grain")
    degrade_jpeg: float = setting(0.1, "probability that the input gets JPEG artifacts")
    degrade_vignette: float = setting(0.1, "probability that the input gets dark corners")
    degrade_dust: float = setting(0.1, "probability that the input gets dust and scratches")

    init: str = setting("", "checkpoint to start from: a folder, user/repo on the Hub, or bundled")
    architecture: str = setting(
        "unet", "network to train where no --init is given", ("unet", "pix2pix")
    )
    encoder: str = setting("resnet50", "timm name of the U-Net's encoder, a ResNet")
    encoder_weights: str = setting(
        "",
        "safetensors of the pretrained encoder; empty asks timm, which downloads it; none"
        " starts from random weights",
    )
    encoder_kind: str = setting(
        "timm",
        "keras: weights of a ResNet as Keras has it (BGR, stride in conv1)",
        ("timm", "keras"),
    )
    decoder: tuple[int, ...] = setting(
        (256, 128, 96, 32), "channels of the U-Net's decoder at stride 16, 8, 4 and 2"
    )
    context_layers: int = setting(2, "attention layers of the U-Net at stride 32")
    query_layers: int = setting(
        0, "layers of the U-Net's color queries, 0 to 3; with --init they are added to its network"
    )
    head: str = setting(
        "bins", "the U-Net predicts a color distribution, or ab by regression", ("bins", "tanh")
    )
    temperature: float = setting(
        0.0, "of the color distribution's annealed mean; 0 takes that of --init, else 0.38"
    )
    pix2pix_space: str = setting(
        "rgb", "what pix2pix predicts: RGB in [0, 1] from gray, or ab from L", ("rgb", "ab")
    )
    working_size: int = setting(
        0,
        "short side in pixels at which the checkpoint will see photos; 0 takes that of --init, "
        "else 288",
    )

    photos: int = setting(100_000, "photos to train the generator on, repeats counted")
    epochs: float = setting(0.0, "passes over the data, which replace --photos; 0 leaves it")
    adversarial_share: float = setting(
        0.0, "share of --photos, at the end, that trains with the discriminator; 1 is all of it"
    )
    critic_photos: int = setting(
        2000, "photos that the discriminator sees alone before the adversarial phase"
    )
    batch: int = setting(32, "photos per optimizer step, over all processes")
    accumulate: int = setting(1, "parts of a batch that are computed one after the other")

    learning_rate: float = setting(1e-3, "peak rate of the generator (AdamW)")
    encoder_rate: float = setting(1e-4, "peak rate of the U-Net's encoder (AdamW)")
    critic_rate: float = setting(2e-4, "rate of the discriminator (AdamW)")
    beta1: float = setting(0.9, "decay of the gradient's mean (AdamW)")
    weight_decay: float = setting(1e-2, "AdamW weight decay of the generator")
    schedule: str = setting(
        "cosine", "of the generator's rates, after the warm-up", ("cosine", "constant")
    )
    warmup: int = setting(200, "steps from rate 0 to the peak")
    frozen_stride: int = setting(
        4, "encoder stages up to this stride stay as pretrained; 0 trains all"
    )
    clip: float = setting(1.0, "largest gradient norm; 0 leaves gradients as they are")
    ema_half_life: int = setting(
        12_000, "half-life of the averaged weights, in photos; shorter early in the run"
    )

    bins_weight: float = setting(1.0, "weight of the cross entropy on the ab bins")
    rebalance: float = setting(
        0.5, "class rebalancing, 0 (none) to 1 (uniform); Zhang et al. 2016, eq. 4"
    )
    ab_weight: float = setting(0.05, "weight of the smooth L1 on ab, per ab unit")
    delta_e_weight: float = setting(0.0, "weight of the CIEDE2000 at equal lightness")
    l1_weight: float = setting(
        0.0, "weight of the L1 on the network's own scale, RGB in [0, 1] or ab / 110"
    )
    gradient_weight: float = setting(
        0.0, "weight of the L1 between gradients of ab, per ab unit, against bleeding"
    )
    perceptual_weight: float = setting(0.0, "weight of the perceptual loss")
    perceptual: str = setting("lpips", "features of the perceptual loss", ("lpips", "vgg16"))
    perceptual_weights: str = setting(
        "", "safetensors with the state of lpips.LPIPS(net='alex') or of VGG16's features"
    )
    colorfulness_weight: float = setting(0.0, "weight of the colorfulness loss")
    adversarial_weight: float = setting(0.05, "weight of the discriminator's verdict")
    gan: str = setting("bce", "adversarial loss", ("bce", "least-squares", "hinge"))
    critic_width: int = setting(64, "channels of the discriminator's first layer")
    spectral_norm: bool = setting(False, "spectral instead of batch norm in the discriminator")

    mixed_precision: str = setting(
        "auto", "of the networks; auto takes bf16 where the device is made for it", PRECISIONS
    )
    compile: bool = setting(False, "compile the generator with torch.compile")
    workers: int = setting(1, "processes that decode photos, for each training process")
    seed: int = setting(0, "of data order, crops, degradation and initial weights")
    log_every: int = setting(20, "steps between lines of metrics.jsonl")
    save_every: int = setting(250, "steps between checkpoints, validation, samples and curves")
    resume: bool = setting(False, "continue the run in --output from where it was saved last")

    def __post_init__(self) -> None:
        for item in fields(self):
            choices = item.metadata["choices"]
            if choices and getattr(self, item.name) not in choices:
                raise ValueError(
                    f"{item.name} is {getattr(self, item.name)!r}; use {' or '.join(choices)}."
                )
            values = getattr(self, item.name)
            for value in values if isinstance(values, tuple) else (values,):
                if isinstance(value, int | float) and not 0 <= value < math.inf:
                    raise ValueError(f"{item.name} is {value}; it must be 0 or a positive number.")
        counts = ("accumulate", "critic_width", "ema_half_life")
        for name in (*counts, "log_every", "save_every", "val_photos"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it must be at least 1.")
        shares = ["val_fraction", "balance", "flip", "adversarial_share", "rebalance"]
        shares += [item.name for item in fields(self) if item.name.startswith("degrade_")]
        for name in [*shares, "beta1"]:
            if getattr(self, name) > 1:
                raise ValueError(f"{name} is {getattr(self, name)}; it goes from 0 to 1.")
        self._check_crops()
        self._check_length()
        if self.perceptual_weight and not self.perceptual_weights:
            raise ValueError(
                "The perceptual loss needs pretrained features; name a file with "
                "--perceptual-weights, or set --perceptual-weight 0."
            )
        if self.working_size and not WORKING_SIZES[0] <= self.working_size <= WORKING_SIZES[1]:
            raise ValueError(
                f"working_size is {self.working_size}; "
                f"it goes from {WORKING_SIZES[0]} to {WORKING_SIZES[1]} pixels."
            )

    def _check_crops(self) -> None:
        if len(self.crops) != len(self.crop_starts):
            raise ValueError(
                f"{len(self.crops)} crops but {len(self.crop_starts)} crop_starts; "
                "give as many of each."
            )
        if (
            not self.crops
            or self.crop_starts[0] != 0
            or list(self.crop_starts) != sorted(self.crop_starts)
            or self.crop_starts[-1] >= 1
        ):
            raise ValueError(
                f"crop_starts is {self.crop_starts}; start at 0, let it grow, and stay below 1."
            )
        if any(crop < 32 or crop % 4 for crop in self.crops):
            raise ValueError(
                f"crops is {self.crops}; each must be a multiple of 4 and at least 32 pixels."
            )
        if len(self.crop_scale) != 2 or not 0 < self.crop_scale[0] <= self.crop_scale[1] <= 1:
            raise ValueError(
                f"crop_scale is {self.crop_scale}; give a smallest and a largest share, up to 1."
            )

    def _check_length(self) -> None:
        if self.batch < 1 or self.photos < self.batch:
            raise ValueError(
                f"photos is {self.photos} and batch {self.batch}; one step needs a full batch."
            )
        if self.batch % self.accumulate:
            raise ValueError(
                f"batch is {self.batch} and accumulate {self.accumulate}; choose a batch that can "
                "be divided by it."
            )
        if self.adversarial_share and not self.adversarial_steps and not self.epochs:
            raise ValueError(
                f"adversarial_share {self.adversarial_share} of {self.photos} photos is less than "
                "a step; raise it, or set it to 0."
            )
        if 0 < self.critic_photos < self.batch and self.adversarial_share:
            raise ValueError(
                f"critic_photos is {self.critic_photos} and batch {self.batch}; one step needs a "
                "full batch, and 0 leaves the phase out."
            )

    @property
    def adversarial(self) -> bool:
        """Whether the run has an adversarial phase, and so a discriminator."""
        return self.adversarial_steps > 0

    @property
    def adversarial_steps(self) -> int:
        """Steps that train both networks."""
        return round(self.photos // self.batch * self.adversarial_share)

    @property
    def critic_steps(self) -> int:
        """Steps that train the discriminator alone."""
        return self.critic_photos // self.batch if self.adversarial_steps else 0

    @property
    def steps(self) -> int:
        """Optimizer steps in the run, over all phases."""
        return self.photos // self.batch + self.critic_steps

    def phase_at(self, step: int) -> Phase:
        """What a step does."""
        if step >= self.steps - self.adversarial_steps:
            return Phase.ADVERSARIAL
        if step >= self.steps - self.adversarial_steps - self.critic_steps:
            return Phase.CRITIC
        return Phase.RECONSTRUCTION

    def crop_at(self, step: int) -> int:
        """Crop size in pixels at a step."""
        share = step / self.steps
        return [
            crop for crop, start in zip(self.crops, self.crop_starts, strict=True) if share >= start
        ][-1]

    def with_epochs(self, samples: int) -> "TrainConfig":
        """The same settings with `epochs` turned into `photos`, for data of so many samples."""
        if not self.epochs:
            return self
        return replace(self, photos=max(self.batch, round(self.epochs * samples)), epochs=0.0)


CLEAN = {item.name: 0.0 for item in fields(TrainConfig) if item.name.startswith("degrade_")}

PRESETS: Mapping[str, Mapping[str, Any]] = {
    "default": {},
    # Isola et al. 2017, sec. 3 and 6.2; batch and epochs as tutorials for colorization have them
    "pix2pix": {
        "architecture": "pix2pix",
        "crops": (256,),
        "crop_starts": (0.0,),
        "working_size": 256,
        **CLEAN,
        "epochs": 50.0,
        "adversarial_share": 1.0,
        "critic_photos": 0,
        "batch": 64,
        "learning_rate": 2e-4,
        "beta1": 0.5,
        "weight_decay": 0.0,
        "schedule": "constant",
        "warmup": 0,
        "clip": 0.0,
        "bins_weight": 0.0,
        "ab_weight": 0.0,
        "l1_weight": 100.0,
        "adversarial_weight": 1.0,
    },
    "finetune": {
        "init": "bundled",
        "photos": 1600,
        "batch": 16,
        "crops": (160,),
        "crop_starts": (0.0,),
        "learning_rate": 1e-4,
        "encoder_rate": 1e-5,
        "warmup": 20,
        "adversarial_share": 0.25,
        "critic_photos": 320,
        "ema_half_life": 400,
        "val_fraction": 0.1,
        "save_every": 50,
        "log_every": 5,
    },
    "smoke": {
        "encoder": "test_resnet",
        "encoder_weights": "none",
        "decoder": (32, 32, 16, 16),
        "context_layers": 1,
        "frozen_stride": 0,
        "crops": (64,),
        "crop_starts": (0.0,),
        "photos": 160,
        "batch": 8,
        "warmup": 5,
        "adversarial_share": 0.25,
        "critic_photos": 40,
        "critic_width": 16,
        "ema_half_life": 40,
        "val_photos": 4,
        "working_size": 192,
        "workers": 0,
        "log_every": 1,
        "save_every": 13,
    },
}


def parse_config(arguments: Sequence[str] | None = None) -> tuple[TrainConfig, bool]:
    """Read a `TrainConfig` from command line arguments: the defaults, changed by --preset, changed
    by the other flags. Errors end the program with a sentence.

    Returns:
        The settings, and whether --dry-run was given.
    """
    parser = _parser()
    values: dict[str, Any] = vars(parser.parse_args(arguments))
    preset, dry_run = values.pop("preset"), values.pop("dry_run")
    values = {name: _frozen(value) for name, value in values.items()}
    given = [name for name in NETWORK if name in values]
    if given and values.get("init"):
        parser.error(f"{', '.join(given)}: the network is that of --init; leave these out.")
    if "photos" in values:
        values.setdefault("epochs", 0.0)  # whoever counts photos doesn't mean the preset's epochs
    try:
        return TrainConfig(**{**PRESETS[preset], **values}), dry_run
    except ValueError as error:
        parser.error(str(error))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m train.fit", description="Train a colorizer on your photos."
    )
    parser.add_argument(
        "--preset",
        choices=sorted(PRESETS),
        default="default",
        help="settings to start from: ours, the classic pix2pix, finetune (adapts the bundled "
        "checkpoint to a few hundred photos), smoke (a trial of seconds); see --dry-run",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="print the settings and what was found, then stop"
    )
    hints = typing.get_type_hints(TrainConfig)
    for item in fields(TrainConfig):
        kind = hints[item.name]
        values = item.default if isinstance(item.default, tuple) else (item.default,)
        shown = " ".join(map(str, values))
        help = item.metadata["help"] + (f" (default: {shown})" if shown else "")
        options: dict[str, Any] = {
            "help": help.replace("%", "%%"),
            "default": argparse.SUPPRESS,  # so that a preset's value can be told from a flag's
        }
        if kind is bool:
            options["action"] = argparse.BooleanOptionalAction
        elif isinstance(kind, types.GenericAlias):  # tuple[int, ...] and its like
            options |= {"type": typing.get_args(kind)[0], "nargs": "+"}
        else:
            options |= {"type": kind, "choices": item.metadata["choices"]}
        required = item.name in ("data", "output")
        parser.add_argument("--" + item.name.replace("_", "-"), required=required, **options)
    return parser


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
