"""The generator's encoder: a backbone that was pretrained on ImageNet.

Its batch norm is folded into its convolutions. The function stays the same, with the
statistics of the pretraining, and is faster.

Any backbone of timm works that returns features at stride 2, 4, 8, 16 and 32. Importing timm
takes longer than colorizing a photo, so the plain ResNets with bottlenecks are built here, under
timm's names; timm is imported only for others.
"""

from collections.abc import Mapping
from itertools import pairwise
from types import ModuleType
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

if TYPE_CHECKING:
    from timm.models import FeatureListNet

BLOCKS = {  # of each stage; He et al. 2016, table 1
    "resnet26": (2, 2, 2, 2),
    "resnet50": (3, 4, 6, 3),
    "resnet101": (3, 4, 23, 3),
    "resnet152": (3, 8, 36, 3),
}
STAGES = ("layer1", "layer2", "layer3", "layer4")


class Encoder(nn.ModuleDict):
    """Layers that run one after the other; some of them return features.

    Attributes:
        strides: of the features, by the name of the layer that returns them.
        channels: of the features, in the same order.
    """

    def __init__(
        self, layers: Mapping[str, nn.Module], strides: Mapping[str, int], channels: list[int]
    ) -> None:
        super().__init__(dict(layers))
        self.strides = dict(strides)
        self.channels = channels

    def forward(self, x: Tensor) -> list[Tensor]:
        """(N, 3, H, W) to the features, (N, channels, H / stride, W / stride) each."""
        features: list[Tensor] = []
        for name, layer in self.items():
            x = layer(x)
            if name in self.strides:
                features.append(x)
        return features


class Bottleneck(nn.Module):
    """Three convolutions and a shortcut, with batch norm folded into the convolutions.

    Args:
        channels: of the input.
        width: of the middle convolution; the output has four times as many channels.
        stride: 1 or 2.
        stride_first: whether the first convolution strides, as Keras has it, or the second.
    """

    def __init__(self, channels: int, width: int, stride: int, stride_first: bool) -> None:
        super().__init__()
        first, second = (stride, 1) if stride_first else (1, stride)
        self.conv1 = nn.Conv2d(channels, width, 1, stride=first)
        self.conv2 = nn.Conv2d(width, width, 3, stride=second, padding=1)
        self.conv3 = nn.Conv2d(width, 4 * width, 1)
        self.downsample = (
            nn.Sequential(nn.Conv2d(channels, 4 * width, 1, stride=stride))
            if stride > 1 or channels != 4 * width
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) to (N, 4 * width, H / stride, W / stride)."""
        shortcut = x if self.downsample is None else self.downsample(x)
        x = torch.relu(self.conv1(x))
        x = torch.relu(self.conv2(x))
        return torch.relu_(self.conv3(x) + shortcut)


def is_encoder(name: object) -> bool:
    """Whether an encoder has that name.

    Raises:
        ValueError: timm, which would know, is not installed.
    """
    if not isinstance(name, str):
        return False
    return name in BLOCKS or bool(_timm().is_model(name))


def build_encoder(
    name: str,
    stride_in_first_conv: bool,
    batch_norm_eps: float | None,
    weights: Mapping[str, Tensor] | None = None,
) -> Encoder:
    """A backbone, folded.

    Args:
        name: timm's of the backbone.
        stride_in_first_conv: whether a stage strides in its first convolution, as Keras has it.
        batch_norm_eps: of the pretrained backbone; None: as timm has it.
        weights: its state before folding, loaded strictly; None leaves it random.

    Raises:
        ValueError: the generator can't use this backbone.
        RuntimeError: the weights don't fit.
    """
    if name not in BLOCKS:
        return _timm_encoder(name, stride_in_first_conv, batch_norm_eps, weights)
    encoder = _resnet(BLOCKS[name], stride_in_first_conv)
    if weights is not None:
        folded = _timm_encoder(name, stride_in_first_conv, batch_norm_eps, weights)
        encoder.load_state_dict(folded.state_dict())
    return encoder


def fold_batch_norm(module: nn.Module) -> None:
    """Fold every batch norm that follows a convolution (or a chain that ends in one) into it.

    In place; "follows" is by order of registration. Activations fused into a batch norm stay.
    """
    for (conv_name, conv), (norm_name, norm) in pairwise(list(module.named_children())):
        parent = module
        while isinstance(conv, nn.Sequential) and len(conv):
            parent, (conv_name, conv) = conv, list(conv.named_children())[-1]
        if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
            fused = fuse_conv_bn_eval(conv.eval(), norm.eval()).requires_grad_()
            setattr(parent, conv_name, fused)
            setattr(module, norm_name, getattr(norm, "act", nn.Identity()))
    for _, child in module.named_children():
        fold_batch_norm(child)


def _resnet(blocks: tuple[int, ...], stride_first: bool) -> Encoder:
    layers: dict[str, nn.Module] = {
        "conv1": nn.Conv2d(3, 64, 7, stride=2, padding=3),
        "act1": nn.ReLU(inplace=True),
        "maxpool": nn.MaxPool2d(3, stride=2, padding=1),
    }
    channels = [64]
    for stage, (name, count) in enumerate(zip(STAGES, blocks, strict=True)):
        width = 64 * 2**stage
        before = (channels[-1], *[4 * width] * (count - 1))
        layers[name] = nn.Sequential(
            *(
                Bottleneck(inputs, width, 2 if stage and not number else 1, stride_first)
                for number, inputs in enumerate(before)
            )
        )
        channels.append(4 * width)
    return Encoder(layers, dict(zip(("act1", *STAGES), (2, 4, 8, 16, 32), strict=True)), channels)


def _timm_encoder(
    name: str,
    stride_in_first_conv: bool,
    batch_norm_eps: float | None,
    weights: Mapping[str, Tensor] | None,
) -> Encoder:
    timm = _timm()
    network = timm.create_model(name, features_only=True, pretrained=False)
    if not isinstance(network, timm.models.FeatureListNet):
        raise ValueError(
            f"encoder {name} returns its features in a way that the generator "
            "can't use; take a ResNet."
        )
    for layer in network.modules():
        if batch_norm_eps is not None and isinstance(layer, nn.BatchNorm2d):
            layer.eps = batch_norm_eps
    if stride_in_first_conv:
        _move_stride(network)
    if weights is not None:
        network.load_state_dict(weights)
    fold_batch_norm(network)
    strides = dict(zip(network.return_layers, network.feature_info.reduction(), strict=True))
    return Encoder(dict(network.items()), strides, network.feature_info.channels())


def _timm() -> ModuleType:
    try:
        import timm
    except ImportError as error:
        names = ", ".join(BLOCKS)
        raise ValueError(
            f"encoders other than {names} need the package timm; pip install timm torchvision."
        ) from error
    return timm


def _move_stride(encoder: "FeatureListNet") -> None:
    firsts = [getattr(encoder, name, [None])[0] for name in STAGES[1:]]
    if not all(hasattr(block, "conv3") for block in firsts):
        raise ValueError("stride_in_first_conv is for ResNets with bottlenecks; set it to False.")
    for block in firsts:
        block.conv1.stride, block.conv2.stride = block.conv2.stride, block.conv1.stride
