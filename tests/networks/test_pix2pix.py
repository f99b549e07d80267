"""The pix2pix U-Net: that of the paper, for any size, on either scale."""

from itertools import pairwise

import pytest
import torch
from torch import nn

from colorizer.imaging.color import lightness_to_gray, rgb_to_lab
from colorizer.networks.pix2pix import SPACES, Pix2Pix, Pix2PixConfig
from tests.helpers.networks import tiny_pix2pix


def spread(values: torch.Tensor) -> float:
    """Standard deviation within pictures, of the channel that varies most."""
    return float(values.flatten(2).std(dim=2).max())


def layers_of(block: nn.Module) -> list[str]:
    return [type(layer).__name__ for layer in block.children()]


@pytest.mark.parametrize(("space", "outputs"), [("rgb", 3), ("ab", 2)])
def test_the_network_is_that_of_the_paper(space: str, outputs: int) -> None:
    """Isola et al. 2017, appendix 6.1.1. Its U-Net from 3 to 3 channels has 54,413,955 parameters
    in the authors' PyTorch code; ours reads 1 channel, and its first and its innermost convolution,
    which no norm follows, have biases.
    """
    with torch.device("meta"):
        network = Pix2Pix(Pix2PixConfig(space=space))
    downs = [layer for layer in network.downs.modules() if isinstance(layer, nn.Conv2d)]
    ups = [layer for layer in network.modules() if isinstance(layer, nn.ConvTranspose2d)]
    assert [layer.out_channels for layer in downs] == [64, 128, 256, 512, 512, 512, 512, 512]
    assert [layer.in_channels for layer in ups] == [512, 1024, 1024, 1024, 1024, 512, 256, 128]
    assert [layer.out_channels for layer in ups] == [512, 512, 512, 512, 256, 128, 64, outputs]
    fewer = (3 - 1) * 64 * 16 + (3 - outputs) * (128 * 16 + 1)
    expected = 54_413_955 - fewer + 64 + 512
    assert sum(value.numel() for value in network.parameters()) == expected


def test_the_layers_are_those_of_the_paper() -> None:
    """No norm in the outermost and the innermost layers, dropout in the first three ups."""
    network = Pix2Pix(Pix2PixConfig(width=2))
    down, up = ["LeakyReLU", "Conv2d", "BatchNorm2d"], ["ReLU", "ConvTranspose2d", "BatchNorm2d"]
    assert [layers_of(block) for block in network.downs] == [down[1:2], *[down] * 6, down[:2]]
    assert [layers_of(block) for block in network.ups] == [*[[*up, "Dropout"]] * 3, *[up] * 4]
    assert layers_of(network.last) == up[:2]
    assert {layer.p for layer in network.modules() if isinstance(layer, nn.Dropout)} == {0.5}
    slopes = {
        layer.negative_slope for layer in network.modules() if isinstance(layer, nn.LeakyReLU)
    }
    assert slopes == {0.2}


def test_weights_start_as_in_the_paper() -> None:
    """Ibid., sec. 6.2: Gaussian, mean 0, standard deviation 0.02."""
    torch.manual_seed(0)
    network = Pix2Pix(Pix2PixConfig(width=8))
    for name, value in network.state_dict().items():
        if value.dim() > 1 and value.numel() > 1000:
            assert float(value.std()) == pytest.approx(0.02, rel=0.1), name
            assert float(value.mean()) == pytest.approx(0, abs=0.002), name
    scales = torch.cat(
        [layer.weight for layer in network.modules() if isinstance(layer, nn.BatchNorm2d)]
    )
    assert float(scales.mean().detach()) == pytest.approx(1, abs=0.005)
    assert float(scales.std().detach()) == pytest.approx(0.02, rel=0.2)


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize(
    "size", [(1, 1), (31, 40), (256, 256), (255, 257), (192, 256), (1, 300), (512, 20)]
)
@pytest.mark.slow
def test_any_size_comes_out_as_it_went_in(space: str, size: tuple[int, int]) -> None:
    network = tiny_pix2pix(space)
    with torch.inference_mode():
        prediction = network(100 * torch.rand(2, 1, *size))
    assert prediction.ab.shape == (2, 2, *size)
    assert prediction.ab.dtype == torch.float32
    assert prediction.ab.isfinite().all()
    assert prediction.logits is None
    if space == "rgb":
        assert prediction.rgb.shape == (2, 3, *size)
        assert prediction.rgb.isfinite().all()
    else:
        assert prediction.rgb is None


def test_padding_repeats_the_edge() -> None:
    """So a photo that is padded by hand gets the same colors."""
    network = tiny_pix2pix("ab")
    lightness = 100 * torch.rand(1, 1, 200, 256)
    padded = torch.cat((lightness, lightness[:, :, -1:].expand(-1, -1, 56, -1)), dim=2)
    with torch.inference_mode():
        expected = network(padded).ab[:, :, :200]
        assert torch.allclose(network(lightness).ab, expected, atol=1e-3)


def test_rgb_is_in_its_range_and_agrees_with_ab() -> None:
    network = tiny_pix2pix("rgb")
    nn.init.normal_(network.last[1].weight, std=20.0)
    with torch.inference_mode():
        prediction = network(100 * torch.rand(1, 1, 64, 64))
    assert 0 <= prediction.rgb.min() < 0.01
    assert 0.99 < prediction.rgb.max() <= 1
    assert torch.allclose(prediction.ab, rgb_to_lab(prediction.rgb)[:, 1:])


def test_ab_is_bounded() -> None:
    network = tiny_pix2pix("ab")
    nn.init.normal_(network.last[1].weight, std=20.0)
    with torch.inference_mode():
        ab = network(100 * torch.rand(1, 1, 64, 64)).ab
    assert 109 < ab.abs().max() <= 110


def test_colors_keep_their_precision_under_autocast() -> None:
    """bfloat16 would round ab by half a unit."""
    network = tiny_pix2pix("rgb")
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        prediction = network(100 * torch.rand(1, 1, 64, 64))
    assert prediction.ab.dtype == prediction.rgb.dtype == torch.float32
    assert torch.allclose(prediction.ab, rgb_to_lab(prediction.rgb)[:, 1:], atol=1e-3)


@pytest.mark.parametrize("space", SPACES)
def test_the_input_fills_the_range_from_minus_1_to_1(space: str) -> None:
    """With gray levels or with lightness in equal steps, as the space says."""
    network = tiny_pix2pix(space)
    seen: list[torch.Tensor] = []
    network.downs[0].register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    lightness = torch.linspace(0, 100, 256).expand(1, 1, 256, 256)
    network(lightness)
    expected = 2 * lightness_to_gray(lightness) - 1 if space == "rgb" else lightness / 50 - 1
    assert torch.allclose(seen[0], expected, atol=1e-6)
    assert float(seen[0].min()) == pytest.approx(-1, abs=1e-5)
    assert float(seen[0].max()) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("space", SPACES)
def test_different_places_get_different_colors(space: str) -> None:
    """Else the tests of the pipeline with this network would prove little."""
    with torch.inference_mode():
        ab = tiny_pix2pix(space)(100 * torch.rand(1, 1, 256, 256)).ab
    assert spread(ab) > 3


@pytest.mark.parametrize("space", SPACES)
def test_gradient_reaches_every_parameter(space: str) -> None:
    torch.manual_seed(0)
    network = Pix2Pix(Pix2PixConfig(space=space, width=4)).train()
    prediction = network(100 * torch.rand(2, 1, 256, 256))
    output = prediction.rgb if space == "rgb" else prediction.ab
    (output * torch.randn_like(output)).sum().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name


def test_gradient_of_ab_is_finite_where_rgb_is_saturated() -> None:
    network = Pix2Pix(Pix2PixConfig(width=2)).train()
    nn.init.constant_(network.last[1].bias, 40.0)
    network(100 * torch.rand(1, 1, 32, 32)).ab.square().mean().backward()
    assert all(parameter.grad.isfinite().all() for parameter in network.parameters())


def test_every_layer_counts() -> None:
    """Without its input from below, each up still has the skip, and the other way round."""
    network = tiny_pix2pix("ab")
    lightness = 100 * torch.rand(1, 1, 256, 256)
    with torch.inference_mode():
        base = network(lightness).ab
        for block in (*network.downs, *network.ups):
            handle = block.register_forward_hook(lambda _, __, output: torch.zeros_like(output))
            assert (network(lightness).ab - base).abs().max() > 0.1
            handle.remove()


def test_dropout_acts_in_training_only() -> None:
    network = tiny_pix2pix("ab")
    lightness = 100 * torch.rand(1, 1, 64, 64)
    with torch.inference_mode():
        assert torch.equal(network(lightness).ab, network(lightness).ab)
        for layer in network.modules():
            if isinstance(layer, nn.Dropout):
                layer.train()
        results = [network(lightness).ab for _ in range(3)]
    for one, other in pairwise(results):
        assert (one - other).abs().max() > 0.1


def test_one_photo_alone_can_be_trained_on() -> None:
    """The innermost layer is one pixel, which batch norm refuses."""
    prediction = Pix2Pix(Pix2PixConfig(width=2)).train()(100 * torch.rand(1, 1, 256, 256))
    assert prediction.rgb.isfinite().all()


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match=r"space is 'lab'; use one of rgb, ab\."):
        Pix2PixConfig(space="lab")
    with pytest.raises(ValueError, match="width is 0; it must be at least 1"):
        Pix2PixConfig(width=0)
