"""The discriminator: patches of 70 x 70 pixels, and its options."""

import pytest
import torch
from torch import nn

from colorizer.discriminator import Discriminator, DiscriminatorConfig


def patch_side(layers: int) -> tuple[int, int]:
    """(height, width) of what one output depends on, measured by the gradient."""
    torch.manual_seed(0)
    network = Discriminator(DiscriminatorConfig(width=4, strided_layers=layers)).eval()
    ab = torch.randn(1, 2, 256, 256, requires_grad=True)
    judged = network(torch.rand(1, 1, 256, 256) * 100, ab)
    judged[0, 0, judged.shape[2] // 2, judged.shape[3] // 2].backward()
    assert ab.grad is not None
    rows, columns = ab.grad[0].abs().sum(0).nonzero().T
    return int(rows.max() - rows.min()) + 1, int(columns.max() - columns.min()) + 1


@pytest.mark.parametrize(("layers", "side"), [(3, 70), (2, 34), (4, 142)])
def test_one_output_sees_one_patch(layers: int, side: int) -> None:
    """Isola et al. 2017, appendix 6.1.2: C64-C128-C256-C512 sees 70 x 70."""
    assert patch_side(layers) == (side, side)


@pytest.mark.parametrize("spectral", [False, True])
@pytest.mark.parametrize(("size", "out"), [((256, 256), (30, 30)), ((32, 40), (2, 3))])
def test_shapes(spectral: bool, size: tuple[int, int], out: tuple[int, int]) -> None:
    network = Discriminator(DiscriminatorConfig(width=4, spectral=spectral))
    judged = network(torch.rand(2, 1, *size) * 100, torch.randn(2, 2, *size))
    assert judged.shape == (2, 1, *out)
    assert judged.isfinite().all()


def test_default_widths_are_those_of_the_paper() -> None:
    widths = [layer.out_channels for layer in Discriminator().modules() if hasattr(layer, "stride")]
    assert widths == [64, 128, 256, 512, 1]


def test_widths_stop_growing_at_eight_times() -> None:
    network = Discriminator(DiscriminatorConfig(width=2, strided_layers=5))
    convs = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert [conv.out_channels for conv in convs] == [2, 4, 8, 16, 16, 16, 1]


def test_lightness_and_color_both_count() -> None:
    torch.manual_seed(0)
    network = Discriminator(DiscriminatorConfig(width=4)).eval()
    lightness, ab = torch.full((1, 1, 64, 64), 50.0), torch.zeros(1, 2, 64, 64)
    base = network(lightness, ab)
    assert (network(lightness + 20, ab) - base).abs().max() > 1e-4
    assert (network(lightness, ab + 20) - base).abs().max() > 1e-4


def test_gradient_reaches_every_parameter() -> None:
    for spectral in (False, True):
        network = Discriminator(DiscriminatorConfig(width=4, spectral=spectral))
        judged = network(torch.rand(2, 1, 64, 64) * 100, 50 * torch.randn(2, 2, 64, 64))
        (judged * torch.randn_like(judged)).sum().backward()
        for name, parameter in network.named_parameters():
            assert parameter.grad is not None, name
            assert parameter.grad.abs().max() > 0, name


def test_spectral_norm_replaces_batch_norm() -> None:
    torch.manual_seed(0)
    network = Discriminator(DiscriminatorConfig(width=8, spectral=True))
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in network.modules())
    for layer in network.modules():
        if hasattr(layer, "parametrizations"):
            layer.parametrizations.weight.original.data *= 9
    for _ in range(20):  # each step refines the estimate of the largest singular value
        network(torch.rand(1, 1, 32, 32), torch.rand(1, 2, 32, 32))
    normed = [layer for layer in network.modules() if hasattr(layer, "parametrizations")]
    assert len(normed) == 3
    for layer in normed:
        largest = torch.linalg.svdvals(layer.weight.detach().flatten(1)).max()
        assert float(largest) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("changes", [{"width": 0}, {"strided_layers": 0}])
def test_wrong_settings_are_refused(changes: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="both must be at least 1"):
        DiscriminatorConfig(**changes)
