"""The generator: a U-Net from lightness to a distribution over colors.

An ImageNet-pretrained encoder, attention over the coarsest features for global context, and a
decoder with skip connections. The head predicts, at stride 4, a distribution over the in-gamut ab
bins; its annealed mean gives ab, which is bounded by construction, and a small tanh-bounded
residual at stride 2 sharpens the edges (Zhang et al. 2016). Color queries, one per bin, look at the
decoder's features of several scales and adapt the head to the photo (after Kang et al. 2023).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.imaging.color import ab_bins
from colorizer.networks.encoder import build_encoder, is_encoder

AB_SCALE = 110.0  # |a*| and |b*| of sRGB stay below it
CONTEXT_HEADS = 4
HEADS = ("bins", "tanh")
MAX_GAIN = 4.0
MAX_CONTEXT_LAYERS = 16
STRIDE = 32  # of the encoder


@dataclass(frozen=True)
class GeneratorConfig:
    """Everything needed to rebuild the network exactly."""

    encoder: str = "resnet50"  # timm name
    stride_in_first_conv: bool = (
        True  # ResNets only: the Keras kind strides in the first convolution of a stage
    )
    batch_norm_eps: float | None = 1.001e-5  # of the pretrained encoder; None: as timm has it
    input_mean: tuple[float, ...] = (
        103.939 / 255,
        116.779 / 255,
        123.68 / 255,
    )  # BGR, of values in [0, 1]
    input_std: tuple[float, ...] = (1 / 255, 1 / 255, 1 / 255)
    decoder: tuple[int, ...] = (256, 128, 96, 32)  # channels at stride 16, 8, 4 and 2
    context_layers: int = 2  # attention layers at stride 32
    query_layers: int = 0  # of the color queries, for stride 32, 16 and 8 in turn; 0: none
    head: str = "bins"  # "bins": distribution over ab bins; "tanh": plain regression
    bins: tuple[tuple[float, float], ...] = field(default_factory=ab_bins)  # centres (a*, b*)
    temperature: float = 0.38  # of the annealed mean; Zhang et al. 2016, sec. 2.3
    residual: float = 20.0  # largest correction of a* and b* beside the annealed mean
    chroma_gain: float = 1.0  # of the result: the mean of plausible colors is paler than each
    cast_gain: float | None = None  # of the photo's mean color instead; None: as chroma_gain
    confidence: tuple[float, float] = (1.0, 0.0)  # slope and offset of its logit: Platt 1999

    def __post_init__(self) -> None:
        if not is_encoder(self.encoder):
            raise ValueError(f"encoder is {self.encoder!r}; use a name of timm.list_models().")
        if self.head not in HEADS:
            raise ValueError(f"head is {self.head!r}; use one of {', '.join(HEADS)}.")
        if len(self.decoder) != 4:
            raise ValueError(
                f"decoder has {len(self.decoder)} widths; give four, for stride 16, 8, 4 and 2."
            )
        if self.decoder[0] % CONTEXT_HEADS:
            raise ValueError(f"decoder starts with {self.decoder[0]}; use a multiple of 4.")
        if not 0 <= self.query_layers <= 3 or (self.query_layers and self.head != "bins"):
            raise ValueError(
                f"query_layers is {self.query_layers} with the head {self.head}; "
                "take 0 to 3, and 0 without the head bins."
            )
        if not 0 <= self.context_layers <= MAX_CONTEXT_LAYERS:
            raise ValueError(
                f"context_layers is {self.context_layers}; take 0 to {MAX_CONTEXT_LAYERS}."
            )
        for name in ("input_mean", "input_std"):
            values = getattr(self, name)
            if len(values) != 3 or not all(map(math.isfinite, values)):
                raise ValueError(f"{name} is {values}; give three finite numbers.")
        if 0 in self.input_std:
            raise ValueError(f"input_std is {self.input_std}; none may be 0.")
        if not all(len(center) == 2 and all(map(math.isfinite, center)) for center in self.bins):
            raise ValueError("bins holds something else than pairs of finite numbers, a* and b*.")
        if not 0 < self.temperature < math.inf:
            raise ValueError(f"temperature is {self.temperature}; it must be above 0.")
        if not math.isfinite(self.residual):
            raise ValueError(f"residual is {self.residual}; it must be finite.")
        for name in ("chroma_gain", "cast_gain"):
            gain = getattr(self, name)
            if gain is not None and not 0 < gain <= MAX_GAIN:
                raise ValueError(f"{name} is {gain}; it must be above 0, up to {MAX_GAIN:g}.")
        if len(self.confidence) != 2 or not all(map(math.isfinite, self.confidence)):
            raise ValueError(
                f"confidence is {self.confidence}; give two finite numbers, slope and offset."
            )


class Prediction(NamedTuple):
    """What the generator says about a batch."""

    ab: Tensor  # (N, 2, H, W) float32, a* and b*
    logits: Tensor | None  # (N, bins, ceil(H / 4), ceil(W / 4)); None without a distribution
    rgb: Tensor | None = None  # (N, 3, H, W), 0 to 1, of networks that predict that


class Generator(nn.Module):
    """U-Net from lightness to color; see the module's docstring.

    Args:
        config: what to build.
        encoder_weights: the pretrained encoder's state under timm's names, before folding, loaded
            strictly; None leaves it random, for loading a whole checkpoint.
    """

    bins: Tensor
    mean: Tensor
    std: Tensor

    def __init__(
        self,
        config: GeneratorConfig | None = None,
        encoder_weights: Mapping[str, Tensor] | None = None,
    ) -> None:
        super().__init__()
        self.config = config = config or GeneratorConfig()
        self.encoder = build_encoder(
            config.encoder, config.stride_in_first_conv, config.batch_norm_eps, encoder_weights
        )
        channels, strides = self.encoder.channels, list(self.encoder.strides.values())
        if strides != [2, 4, 8, 16, 32]:
            raise ValueError(
                f"encoder {config.encoder} has strides {strides}; use one with 2, 4, 8, 16, 32."
            )
        width = config.decoder[0]
        self.reduce = projection(channels[4], width)
        self.context = nn.ModuleList(
            nn.TransformerEncoderLayer(
                width, CONTEXT_HEADS, 2 * width, 0.0, "gelu", batch_first=True, norm_first=True
            )
            for _ in range(config.context_layers)
        )
        self.blocks = nn.ModuleList()
        for skip, out in zip(reversed(channels[:4]), config.decoder, strict=True):
            self.blocks.append(DecoderBlock(width, skip, out))
            width = out
        outputs = len(config.bins) if config.head == "bins" else 2
        self.head = nn.Conv2d(config.decoder[2], outputs, 1)
        self.queries = (
            ColorQueries(
                outputs,
                (config.decoder[0], *config.decoder)[: config.query_layers],
                config.decoder[2],
            )
            if config.query_layers
            else None
        )
        self.residual = nn.Conv2d(config.decoder[3], 2, 3, padding=1)
        nn.init.zeros_(self.residual.weight)
        nn.init.zeros_(self.residual.bias)  # type: ignore[arg-type]
        self.register_buffer(
            "bins", torch.tensor(config.bins).T.contiguous(), persistent=False
        )  # (2, Q)
        self.register_buffer(
            "mean", torch.tensor(config.input_mean).view(1, -1, 1, 1), persistent=False
        )
        self.register_buffer(
            "std", torch.tensor(config.input_std).view(1, -1, 1, 1), persistent=False
        )

    def forward(self, lightness: Tensor) -> Prediction:
        """Predict the colors of a batch.

        Args:
            lightness: (N, 1, H, W) float32, L* in [0, 100]; any size, padded to the stride inside.

        Returns:
            A `Prediction` at the input's size.
        """
        height, width = lightness.shape[-2:]
        skips = self.encode(lightness)
        x = self.reduce(skips.pop())  # (N, C, H/32, W/32)
        x = self._add_context(x)
        scales = [x]
        for block in self.blocks[:3]:
            x = block(x, skips.pop())
            scales.append(x)  # at stride 32, 16, 8 and 4
        logits = self.head(x)  # (N, Q, H/4, W/4)
        if self.queries is not None:
            logits = logits + torch.einsum("nqc,nchw->nqhw", self.queries(scales), x)
        logits = logits.float()
        x = self.blocks[3](x, skips.pop())
        residual = self.config.residual * torch.tanh(self.residual(x).float())  # (N, 2, H/2, W/2)
        coarse = self._decode(logits)  # (N, 2, H/4, W/4)
        ab = F.interpolate(coarse, scale_factor=2.0, mode="bilinear") + residual
        ab = F.interpolate(ab, scale_factor=2.0, mode="bilinear")[..., :height, :width]
        ab = self._apply_chroma_gain(ab)
        if self.config.head != "bins":
            return Prediction(ab, None)
        return Prediction(ab, logits[..., : (height + 3) // 4, : (width + 3) // 4])

    def encode(self, lightness: Tensor) -> list[Tensor]:
        """Compute the encoder's features of a batch, as of `forward`.

        Returns:
            Features at stride 2, 4, 8, 16 and 32, (N, C, h, w) each, of the padded batch.
        """
        height, width = lightness.shape[-2:]
        pad = (0, padding(width, STRIDE), 0, padding(height, STRIDE))
        lightness = F.pad(lightness, pad, mode="replicate")
        features: list[Tensor] = self.encoder((lightness / 100 - self.mean) / self.std)
        return features

    def _add_context(self, x: Tensor) -> Tensor:
        if not self.context:
            return x
        tokens = x.flatten(2).transpose(1, 2)  # (N, H * W, C)
        for layer in self.context:
            tokens = layer(tokens)
        return tokens.transpose(1, 2).reshape(x.shape)

    def _apply_chroma_gain(self, ab: Tensor) -> Tensor:
        """Multiply ab by the gains: what a photo's colors share, and how they differ from that."""
        gain, cast_gain = self.config.chroma_gain, self.config.cast_gain
        if cast_gain is None:
            return gain * ab
        return gain * ab + (cast_gain - gain) * ab.mean((2, 3), keepdim=True)

    def _decode(self, logits: Tensor) -> Tensor:
        if self.config.head == "tanh":
            return AB_SCALE * torch.tanh(logits)
        with torch.autocast(logits.device.type, enabled=False):  # bins need more than 8 bits
            probabilities = torch.softmax(logits / self.config.temperature, dim=1)
            return torch.einsum("nqhw,cq->nchw", probabilities, self.bins)


class ColorQueries(nn.Module):
    """One query per color bin, which adapts the head's weights to the photo.

    It looks at the photo's features and changes the weights for its color. Before training, the
    changes are 0.

    Args:
        bins: how many.
        scales: channels of the features that the layers look at, one after the other.
        out: inputs of the head.
    """

    def __init__(self, bins: int, scales: Sequence[int], out: int) -> None:
        super().__init__()
        width = scales[0]
        self.start = nn.Parameter(torch.randn(1, bins, width) / width**0.5)
        self.adapt = nn.ModuleList(
            nn.Sequential(nn.LayerNorm(channels), nn.Linear(channels, width)) for channels in scales
        )
        self.layers = nn.ModuleList(
            nn.TransformerDecoderLayer(
                width, CONTEXT_HEADS, 2 * width, 0.0, "gelu", batch_first=True, norm_first=True
            )
            for _ in scales
        )
        self.change = nn.Linear(width, out)
        nn.init.zeros_(self.change.weight)
        nn.init.zeros_(self.change.bias)

    def forward(self, scales: Sequence[Tensor]) -> Tensor:
        """Map features (N, channels, h, w) of each scale to changes (N, bins, out) of the weights.

        Further features are unused.
        """
        queries = self.start.expand(len(scales[0]), -1, -1)
        for features, adapt, layer in zip(scales, self.adapt, self.layers, strict=False):
            queries = layer(queries, adapt(features.flatten(2).transpose(1, 2)))
        change: Tensor = self.change(queries)
        return change


class DecoderBlock(nn.Module):
    """Upsample by two, add the skip (both projected) and mix with two 3x3 convolutions."""

    def __init__(self, deep: int, skip: int, out: int) -> None:
        super().__init__()
        self.deep = projection(deep, out)
        self.skip = projection(skip, out)
        self.mix = nn.Sequential(
            nn.ReLU(inplace=True),
            nn.Conv2d(out, out, 3, padding=1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(inplace=True),
            nn.Conv2d(out, out, 3, padding=1, bias=False),
            nn.BatchNorm2d(out),
            nn.ReLU(inplace=True),
        )

    def forward(self, deep: Tensor, skip: Tensor) -> Tensor:
        """(N, deep, H, W) and (N, skip, 2H, 2W) to (N, out, 2H, 2W)."""
        deep = F.interpolate(self.deep(deep), scale_factor=2.0, mode="bilinear")
        mixed: Tensor = self.mix(deep + self.skip(skip))
        return mixed


def padding(side: int, stride: int) -> int:
    """Return the pixels that a side lacks to a multiple of the stride.

    Written like this, `torch.export` sees that the sum is a multiple, and is fast.
    """
    return (side + stride - 1) // stride * stride - side


def projection(channels: int, out: int) -> nn.Sequential:
    """A normalized 1x1 convolution: it brings features of any scale to that of their partners."""
    return nn.Sequential(nn.Conv2d(channels, out, 1, bias=False), nn.BatchNorm2d(out))
