"""The settings of a training run: one frozen dataclass, one command line flag per field."""

import argparse
import types
import typing
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any


def setting(default: Any, help: str) -> Any:
    """A field with a default and the help line of its flag."""
    return field(default=default, metadata={"help": help})


@dataclass(frozen=True)
class TrainConfig:
    """What a run trains on, with what, and for how long."""

    data: tuple[str, ...] = setting((), "folders or tar shards of color photos")
    output: str = setting("", "folder of the run: settings, log, checkpoints, samples")
    val_data: tuple[str, ...] = setting(
        (), "as --data, to validate on: every sixth photo is looked at"
    )
    encoder_weights: str = setting(
        "", "safetensors of the pretrained encoder; empty asks timm, which downloads it"
    )
    encoder: str = setting("resnet50", "timm name of the encoder, a ResNet")
    encoder_kind: str = setting(
        "timm", "timm, or keras: weights of a ResNet as Keras has it (BGR, stride in conv1)"
    )
    head: str = setting("bins", "bins (color distribution) or tanh (regression)")
    photos: int = setting(100_000, "photos to train on, repeats counted")
    batch: int = setting(32, "photos per step")
    crops: tuple[int, ...] = setting(
        (128, 160, 192), "sizes of the square crops in pixels, in the order they are used"
    )
    crop_starts: tuple[float, ...] = setting(
        (0.0, 0.6, 0.88), "share of the run at which each crop size starts"
    )
    crop_scale: tuple[float, ...] = setting(
        (0.6, 1.0), "side of the region that a crop shows, as a share of the short side"
    )
    gray_chroma: float = setting(2.0, "photos of lower mean chroma (ab units) are dropped as gray")
    gamma_jitter: float = setting(
        0.3, "lightness is raised to exp(+-this), to be at home in faded and dark prints"
    )
    hint_share: float = setting(0.25, "share of the steps that train with simulated color hints")
    learning_rate: float = setting(1e-3, "peak rate of the decoder (AdamW)")
    encoder_rate: float = setting(1e-4, "peak rate of the encoder (AdamW)")
    weight_decay: float = setting(1e-2, "AdamW weight decay")
    warmup: int = setting(200, "steps from rate 0 to the peak")
    frozen_stride: int = setting(
        4, "encoder stages up to this stride stay as pretrained; 0 trains all"
    )
    clip: float = setting(1.0, "largest gradient norm")
    bins_weight: float = setting(1.0, "weight of the cross entropy on the ab bins")
    rebalance: float = setting(
        0.5, "class rebalancing, 0 (none) to 1 (uniform); Zhang et al. 2016, eq. 4"
    )
    ab_weight: float = setting(0.05, "weight of the smooth L1 on ab, per ab unit")
    ema_half_life: int = setting(12_000, "half-life of the averaged weights, in photos")
    mixed_precision: str = setting("bf16", "no, bf16 or fp16")
    workers: int = setting(1, "processes that decode photos")
    seed: int = setting(0, "of data order, crops and initial weights")
    log_every: int = setting(20, "steps between lines of metrics.jsonl")
    save_every: int = setting(250, "steps between checkpoints, validation and samples")
    resume: bool = setting(False, "continue the run in --output from its last checkpoint")

    def __post_init__(self) -> None:
        if len(self.crops) != len(self.crop_starts):
            raise ValueError(
                f"{len(self.crops)} crops but {len(self.crop_starts)} crop_starts; "
                "give as many of each."
            )
        if (
            not self.crops
            or self.crop_starts[0] != 0
            or list(self.crop_starts) != sorted(self.crop_starts)
        ):
            raise ValueError(f"crop_starts is {self.crop_starts}; start at 0 and let it grow.")
        if any(crop < 32 or crop % 4 for crop in self.crops):
            raise ValueError(
                f"crops is {self.crops}; each must be a multiple of 4 and at least 32 pixels."
            )
        if len(self.crop_scale) != 2 or not 0 < self.crop_scale[0] <= self.crop_scale[1] <= 1:
            raise ValueError(
                f"crop_scale is {self.crop_scale}; give a smallest and a largest share, up to 1."
            )
        if self.batch < 1 or self.photos < self.batch:
            raise ValueError(
                f"photos is {self.photos} and batch {self.batch}; one step needs a full batch."
            )
        counts = ("ema_half_life", "log_every", "save_every")
        if any(getattr(self, name) < 1 for name in counts):
            raise ValueError(f"{', '.join(counts)} must each be at least 1.")
        if self.encoder_kind not in ("timm", "keras"):
            raise ValueError(f"encoder_kind is {self.encoder_kind!r}; use timm or keras.")
        if not 0 <= self.rebalance <= 1:
            raise ValueError(
                f"rebalance is {self.rebalance}; it goes from 0 (none) to 1 (uniform)."
            )

    @property
    def steps(self) -> int:
        """Optimizer steps in the run."""
        return self.photos // self.batch

    def crop_at(self, step: int) -> int:
        """Crop size in pixels at a step."""
        share = step / self.steps
        return [
            crop for crop, start in zip(self.crops, self.crop_starts, strict=True) if share >= start
        ][-1]


def parse_config(arguments: Sequence[str] | None = None) -> TrainConfig:
    """Read a `TrainConfig` from command line arguments; errors end the program with a sentence."""
    parser = argparse.ArgumentParser(
        prog="python -m train.fit",
        description="Train a colorizer on your photos.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    hints = typing.get_type_hints(TrainConfig)
    for item in fields(TrainConfig):
        kind = hints[item.name]
        options: dict[str, Any] = {"help": item.metadata["help"], "default": item.default}
        if kind is bool:
            options["action"] = argparse.BooleanOptionalAction
        elif isinstance(kind, types.GenericAlias):  # tuple[int, ...] and its like
            options |= {"type": typing.get_args(kind)[0], "nargs": "+"}
        else:
            options["type"] = kind
        required = item.name in ("data", "output")
        parser.add_argument("--" + item.name.replace("_", "-"), required=required, **options)
    values: dict[str, Any] = vars(parser.parse_args(arguments))
    try:
        return TrainConfig(**{name: _frozen(value) for name, value in values.items()})
    except ValueError as error:
        parser.error(str(error))


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
