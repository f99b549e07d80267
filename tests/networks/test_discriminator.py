"""The discriminator: patches of 70 x 70 pixels, on either scale, and its options."""

import pytest
import torch
from torch import nn

from colorizer.imaging.color import lightness_to_gray
from colorizer.networks.discriminator import SPACES, Discriminator, DiscriminatorConfig

CHANNELS = {"ab": 2, "rgb": 3}


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


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("spectral", [False, True])
@pytest.mark.parametrize(("size", "out"), [((256, 256), (30, 30)), ((32, 40), (2, 3))])
def test_shapes(space: str, spectral: bool, size: tuple[int, int], out: tuple[int, int]) -> None:
    network = Discriminator(DiscriminatorConfig(space=space, width=4, spectral=spectral))
    judged = network(torch.rand(2, 1, *size) * 100, torch.rand(2, CHANNELS[space], *size))
    assert judged.shape == (2, 1, *out)
    assert judged.isfinite().all()


def test_default_widths_are_those_of_the_paper() -> None:
    widths = [layer.out_channels for layer in Discriminator().modules() if hasattr(layer, "stride")]
    assert widths == [64, 128, 256, 512, 1]


@pytest.mark.parametrize("space", SPACES)
def test_the_network_is_that_of_the_paper(space: str) -> None:
    """Its 70 x 70 discriminator of 3 + 3 channels has 2,768,705 parameters in the authors' PyTorch
    code; ours sees 1 + 2 or 1 + 3.
    """
    with torch.device("meta"):
        network = Discriminator(DiscriminatorConfig(space=space))
    fewer = (6 - 1 - CHANNELS[space]) * 64 * 16
    assert sum(value.numel() for value in network.parameters()) == 2_768_705 - fewer


def test_widths_stop_growing_at_eight_times() -> None:
    network = Discriminator(DiscriminatorConfig(width=2, strided_layers=5))
    convs = [layer for layer in network.modules() if isinstance(layer, nn.Conv2d)]
    assert [conv.out_channels for conv in convs] == [2, 4, 8, 16, 16, 16, 1]


@pytest.mark.parametrize(("space", "change"), [("ab", 20.0), ("rgb", 0.2)])
def test_lightness_and_every_color_channel_count(space: str, change: float) -> None:
    torch.manual_seed(0)
    network = Discriminator(DiscriminatorConfig(space=space, width=4)).eval()
    lightness, colors = torch.full((1, 1, 64, 64), 50.0), torch.zeros(1, CHANNELS[space], 64, 64)
    base = network(lightness, colors)
    assert (network(lightness + 20, colors) - base).abs().max() > 1e-4
    for channel in range(CHANNELS[space]):
        changed = colors.clone()
        changed[:, channel] += change
        assert (network(lightness, changed) - base).abs().max() > 1e-4


@pytest.mark.parametrize(("space", "lowest", "highest"), [("ab", -110, 110), ("rgb", 0, 1)])
def test_the_input_fills_the_range_from_minus_1_to_1(
    space: str, lowest: float, highest: float
) -> None:
    network = Discriminator(DiscriminatorConfig(space=space, width=4))
    seen: list[torch.Tensor] = []
    network.layers[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    lightness = torch.linspace(0, 100, 64).expand(1, 1, 64, 64)
    colors = torch.linspace(lowest, highest, 64).expand(1, CHANNELS[space], 64, 64)
    network(lightness, colors)
    ramp = torch.linspace(-1, 1, 64).expand(1, CHANNELS[space], 64, 64)
    assert torch.allclose(seen[0][:, 1:], ramp, atol=1e-5)
    gray = lightness_to_gray(lightness) * 2 - 1 if space == "rgb" else ramp[:, :1]
    assert torch.allclose(seen[0][:, :1], gray, atol=1e-5)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("spectral", [False, True])
def test_gradient_reaches_every_parameter(space: str, spectral: bool) -> None:
    torch.manual_seed(0)
    network = Discriminator(DiscriminatorConfig(space=space, width=4, spectral=spectral))
    judged = network(torch.rand(2, 1, 64, 64) * 100, torch.rand(2, CHANNELS[space], 64, 64))
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


def test_a_space_that_it_cannot_judge() -> None:
    with pytest.raises(ValueError, match=r"space is 'lab'; use one of ab, rgb\."):
        DiscriminatorConfig(space="lab")
