"""Tiny networks that run in milliseconds."""

import torch
from torch import nn
from torch.nn import functional as F

from colorizer.networks.generator import Generator, GeneratorConfig
from colorizer.networks.pix2pix import Pix2Pix, Pix2PixConfig


def tiny_config(**changes: object) -> GeneratorConfig:
    """Settings of a network that runs in milliseconds."""
    values: dict[str, object] = {
        "encoder": "test_resnet",
        "stride_in_first_conv": False,
        "batch_norm_eps": 1e-5,
        "input_mean": (0.485, 0.456, 0.406),
        "input_std": (0.229, 0.224, 0.225),
        "decoder": (16, 16, 8, 8),
        "context_layers": 1,
    }
    return GeneratorConfig(**(values | changes))  # type: ignore[arg-type]


def tiny_generator(seed: int = 0, **changes: object) -> Generator:
    """A network whose random weights paint different, strong colors in different places."""
    torch.manual_seed(seed)
    generator = Generator(tiny_config(**changes))
    for layer in generator.encoder.modules():
        if isinstance(layer, nn.Conv2d):  # timm starts some at zero
            nn.init.kaiming_normal_(layer.weight)
    for layer in generator.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.momentum = None  # statistics as after training, from the pass below
    # Until something is learned:
    zeros: list[nn.Module] = [generator.residual]
    zeros += [generator.queries.change] if generator.queries is not None else []
    for layer in zeros:
        nn.init.normal_(layer.weight, std=0.1)
    nn.init.normal_(generator.head.weight, std=0.5)
    with torch.no_grad():
        generator.train()(100 * F.interpolate(torch.rand(4, 1, 8, 8), (128, 128)))
    return generator.eval()


def tiny_pix2pix(space: str = "rgb", seed: int = 0) -> Pix2Pix:
    """A narrow network whose random weights paint different, strong colors in different places."""
    torch.manual_seed(seed)
    network = Pix2Pix(Pix2PixConfig(space=space, width=4))
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.kaiming_normal_(layer.weight)
        elif isinstance(layer, nn.BatchNorm2d):
            layer.momentum = None  # statistics as after training, from the pass below
    with torch.no_grad():
        network.train()(100 * torch.rand(2, 1, 256, 256))
    return network.eval()
