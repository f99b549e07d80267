"""The settings of a training run, as one frozen dataclass."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from typing import Any

from colorizer.checkpoints.files import WORKING_SIZES
from colorizer.networks.discriminator import KINDS
from train.settings.checks import (
    check_choices,
    check_crops,
    check_minimum,
    check_numbers,
    check_shares,
)


def setting(default: Any, help: str, choices: tuple[str, ...] | None = None) -> Any:
    """A field with its default, the help text of its flag and, maybe, all values it can have."""
    return field(default=default, metadata={"help": help, "choices": choices})


PRECISIONS = ("auto", "no", "bf16")
DEVICE_AUGMENT = ("auto", "yes", "no")
COUNTS = (
    "accumulate",
    "discriminator_width",
    "ema_half_life",
    "log_every",
    "save_every",
    "val_photos",
)
SHARES = ("val_fraction", "balance", "flip", "adversarial_share", "rebalance", "beta1")
SETTINGS_FILE = "train_config.json"  # in the folder of a run
RENAMED = {  # names of earlier versions, in flags, settings files, logs and saved states
    "critic": "discriminator",
    "critic_photos": "discriminator_photos",
    "critic_rate": "discriminator_rate",
    "critic_width": "discriminator_width",
    "critic_optimizer": "discriminator_optimizer",
}


def renamed(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values under the names of this version."""
    return {RENAMED.get(name, name): value for name, value in values.items()}


class Phase(StrEnum):
    """What a step trains; a run goes through the phases in this order."""

    RECONSTRUCTION = "reconstruction"  # the generator learns from the true colors
    DISCRIMINATOR = "discriminator"  # the discriminator learns alone
    ADVERSARIAL = "adversarial"  # both networks learn


@dataclass(frozen=True)
class TrainConfig:
    """Data, network, losses and schedule of a run. Help texts explain each field."""

    data: tuple[str, ...] = setting(
        (),
        "folders or tar shards of color photos, folders with color/ and gray/, folders with arrays "
        "of L and ab, or flowers102:FOLDER",
    )
    output: str = setting("", "folder of the run: settings, log, checkpoints, samples")
    val_data: tuple[str, ...] = setting((), "as --data, to validate on; empty splits --data")
    val_fraction: float = setting(
        0.02, "share of --data to keep for validation, chosen by file name"
    )
    cache: str = setting(
        "", "folder to keep decoded photos in, for all runs; empty decodes photos each time"
    )
    val_photos: int = setting(64, "photos to validate on while training, evenly picked")
    balance: float = setting(
        0.5, "with several sources: 0 draws each photo equally often, 1 each source"
    )
    gray_chroma: float = setting(2.0, "skip photos whose mean chroma (ab units) is lower, as gray")
    crops: tuple[int, ...] = setting(
        (128, 160, 192), "sizes of the square crops in pixels, in order of use"
    )
    crop_starts: tuple[float, ...] = setting(
        (0.0, 0.6, 0.88), "share of the run at which each crop size starts"
    )
    crop_scale: tuple[float, ...] = setting(
        (0.6, 1.0), "smallest and largest side of the cropped region, as a share of the short side"
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
        "safetensors file of the pretrained encoder; empty downloads it with timm; none starts "
        "from random weights",
    )
    encoder_kind: str = setting(
        "timm",
        "keras: ResNet weights in the layout of Keras (BGR, stride in conv1)",
        ("timm", "keras"),
    )
    decoder: tuple[int, ...] = setting(
        (256, 128, 96, 32), "channels of the U-Net's decoder at stride 16, 8, 4 and 2"
    )
    context_layers: int = setting(2, "attention layers of the U-Net at stride 32")
    query_layers: int = setting(
        0, "layers of color queries in the U-Net, 0 to 3; with --init they are added"
    )
    head: str = setting(
        "bins",
        "output of the U-Net: a color distribution (bins), or ab by regression (tanh)",
        ("bins", "tanh"),
    )
    temperature: float = setting(
        0.0, "of the color distribution's annealed mean; 0 takes the value of --init, else 0.38"
    )
    pix2pix_space: str = setting(
        "rgb", "what pix2pix predicts: RGB in [0, 1] from gray, or ab from L", ("rgb", "ab")
    )
    working_size: int = setting(
        0,
        "short side in pixels to which photos are shrunk for the network; 0 takes the value of "
        "--init, else 288",
    )

    photos: int = setting(100_000, "photos to train the generator on, repeats counted")
    epochs: float = setting(0.0, "passes over the data, instead of --photos; 0 uses --photos")
    adversarial_share: float = setting(
        0.0, "share of --photos, at the end, for adversarial training; 1 is all of them"
    )
    discriminator_photos: int = setting(
        2000, "photos to train the discriminator alone on before the adversarial phase"
    )
    batch: int = setting(32, "photos per optimizer step, over all processes")
    accumulate: int = setting(1, "micro-batches per batch, computed one after the other")

    learning_rate: float = setting(1e-3, "peak rate of the generator (AdamW)")
    encoder_rate: float = setting(1e-4, "peak rate of the U-Net's encoder (AdamW)")
    discriminator_rate: float = setting(2e-4, "rate of the discriminator (AdamW)")
    beta1: float = setting(0.9, "decay of the gradient's mean (AdamW)")
    weight_decay: float = setting(1e-2, "AdamW weight decay of the generator")
    schedule: str = setting(
        "cosine", "of the generator's rates, after the warm-up", ("cosine", "constant")
    )
    warmup: int = setting(200, "steps from rate 0 to the peak")
    frozen_stride: int = setting(4, "encoder stages up to this stride are frozen; 0 trains all")
    clip: float = setting(1.0, "largest gradient norm; 0 turns clipping off")
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
        0.0, "weight of the L1 between gradients of ab, per ab unit; reduces bleeding"
    )
    ms_ssim_weight: float = setting(0.0, "weight of 1 - MS-SSIM of ab")
    perceptual_weight: float = setting(0.0, "weight of the perceptual loss")
    perceptual: str = setting("lpips", "network of the perceptual loss", ("lpips", "vgg16"))
    perceptual_weights: str = setting(
        "", "safetensors with the state of lpips.LPIPS(net='alex') or of VGG16's features"
    )
    vgg_weight: float = setting(0.0, "weight of a second perceptual loss, on VGG16")
    vgg_weights: str = setting("", "safetensors with VGG16's features, for --vgg-weight")
    colorfulness_weight: float = setting(0.0, "weight of the colorfulness loss")
    adversarial_weight: float = setting(0.05, "weight of the adversarial loss")
    gan: str = setting("bce", "adversarial loss", ("bce", "least-squares", "hinge"))
    discriminator: str = setting(
        "patch", "a new discriminator: a PatchGAN, or a U-Net with a logit per pixel", KINDS
    )
    r1_weight: float = setting(0.0, "weight of the discriminator's R1 penalty on real photos")
    discriminator_width: int = setting(64, "channels of the discriminator's first layer")
    spectral_norm: bool = setting(False, "spectral instead of batch norm in the discriminator")

    mixed_precision: str = setting(
        "auto", "of the networks; auto measures which is faster", PRECISIONS
    )
    compile: bool = setting(False, "compile the generator with torch.compile")
    workers: int = setting(1, "processes that decode photos, for each training process")
    device_augment: str = setting(
        "auto",
        "keep all photos on the device and make crops there; auto does so on CUDA if they fit",
        DEVICE_AUGMENT,
    )
    seed: int = setting(0, "seed of data order, crops, degradation and initial weights")
    log_every: int = setting(20, "steps between lines of metrics.jsonl")
    save_every: int = setting(250, "steps between checkpoints, validation, samples and curves")
    resume: bool = setting(False, "continue the run in --output from where it was saved last")

    def __post_init__(self) -> None:
        check_choices(self)
        check_numbers(self)
        check_minimum(self, COUNTS, 1)
        degradations = [item.name for item in fields(self) if item.name.startswith("degrade_")]
        check_shares(self, [*SHARES, *degradations])
        check_crops(self.crops, self.crop_starts, self.crop_scale)
        self._check_length()
        if self.perceptual_weight and not self.perceptual_weights:
            raise ValueError(
                "The perceptual loss needs pretrained features; name a file with "
                "--perceptual-weights, or set --perceptual-weight 0."
            )
        if self.vgg_weight and not self.vgg_weights:
            raise ValueError("--vgg-weight needs VGG16's features; name a file with --vgg-weights.")
        if self.working_size and not WORKING_SIZES[0] <= self.working_size <= WORKING_SIZES[1]:
            raise ValueError(
                f"working_size is {self.working_size}; "
                f"it goes from {WORKING_SIZES[0]} to {WORKING_SIZES[1]} pixels."
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
        if 0 < self.discriminator_photos < self.batch and self.adversarial_share:
            raise ValueError(
                f"discriminator_photos is {self.discriminator_photos} and batch {self.batch}; one "
                "step needs a full batch, and 0 leaves the phase out."
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
    def discriminator_steps(self) -> int:
        """Steps that train the discriminator alone."""
        return self.discriminator_photos // self.batch if self.adversarial_steps else 0

    @property
    def steps(self) -> int:
        """Optimizer steps in the run, over all phases."""
        return self.photos // self.batch + self.discriminator_steps

    def phase_at(self, step: int) -> Phase:
        """What a step does."""
        if step >= self.steps - self.adversarial_steps:
            return Phase.ADVERSARIAL
        if step >= self.steps - self.adversarial_steps - self.discriminator_steps:
            return Phase.DISCRIMINATOR
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


def config_from(values: Mapping[str, Any]) -> TrainConfig:
    """Settings as read from JSON or flags, maybe by their names in earlier versions.

    Raises:
        TypeError: there is no setting of that name.
        ValueError: a value is out of range.
    """
    settings: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in renamed(values).items()
    }
    return TrainConfig(**settings)
