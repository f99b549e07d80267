"""The U-Net discriminator: a logit for each pixel, at every size."""

import pytest
import torch

from colorizer.networks.discriminator import SPACES, Discriminator, DiscriminatorConfig

CHANNELS = {"ab": 2, "rgb": 3}


def unet(**changes: object) -> Discriminator:
    return Discriminator(DiscriminatorConfig(kind="unet", width=4, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("spectral", [False, True])
@pytest.mark.parametrize("size", [(32, 40), (37, 51), (64, 33)])
def test_each_pixel_has_a_logit(space: str, spectral: bool, size: tuple[int, int]) -> None:
    torch.manual_seed(0)
    network = unet(space=space, spectral=spectral)
    lightness, colors = torch.rand(2, 1, *size) * 100, torch.rand(2, CHANNELS[space], *size)
    logits = network(lightness, colors)
    assert logits.shape == (2, 1, *size)
    assert logits.isfinite().all()
    logits.square().sum().backward()
    for name, value in network.named_parameters():
        assert value.grad is not None, name
        assert value.grad.abs().sum() > 0, name


def test_a_logit_follows_its_own_pixel_most() -> None:
    torch.manual_seed(0)
    network = unet(strided_layers=2).eval()
    ab = torch.randn(1, 2, 64, 64, requires_grad=True)
    network(torch.rand(1, 1, 64, 64) * 100, ab)[0, 0, 20, 40].backward()
    assert ab.grad is not None
    strength = ab.grad[0].abs().sum(0)
    row, column = divmod(int(strength.argmax()), 64)
    assert abs(row - 20) <= 2
    assert abs(column - 40) <= 2


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="kind is 'pixel'; use one of patch, unet"):
        DiscriminatorConfig(kind="pixel")
