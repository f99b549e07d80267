"""The generator: any size, bounded colors, learnable everywhere."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from colorizer.imaging.color import ab_bins
from colorizer.networks.generator import AB_SCALE, Generator, GeneratorConfig
from tests.helpers.networks import tiny_config, tiny_generator

SIZES = [(1, 1), (1, 70), (33, 47), (64, 32), (100, 65)]


def random_lightness(height: int, width: int, count: int = 1, seed: int = 0) -> Tensor:
    random = torch.Generator().manual_seed(seed)
    coarse = 100 * torch.rand(count, 1, 4, 4, generator=random)
    return F.interpolate(coarse, (height, width), mode="bilinear")


@pytest.mark.parametrize("head", ["bins", "tanh"])
@pytest.mark.parametrize("size", SIZES)
@torch.inference_mode()
@pytest.mark.slow
def test_prediction_has_the_size_of_the_input(head: str, size: tuple[int, int]) -> None:
    height, width = size
    prediction = tiny_generator(head=head)(random_lightness(*size, 2))
    assert prediction.ab.shape == (2, 2, height, width)
    assert prediction.ab.dtype == torch.float32
    assert prediction.ab.isfinite().all()
    if head == "tanh":
        assert prediction.logits is None
    else:
        coarse = (-(-height // 4), -(-width // 4))
        assert prediction.logits is not None
        assert prediction.logits.shape == (2, len(ab_bins()), *coarse)
        assert prediction.logits.isfinite().all()


@torch.inference_mode()
def test_photos_of_a_batch_do_not_see_each_other(generator: Generator) -> None:
    batch = random_lightness(48, 40, 2)
    alone = torch.cat([generator(photo[None]).ab for photo in batch])
    assert (generator(batch).ab - alone).abs().max() < 1e-2


@torch.inference_mode()
def test_lightness_decides_the_colors(generator: Generator) -> None:
    first, second = (generator(random_lightness(64, 64, seed=seed)).ab for seed in (0, 1))
    assert (first - second).abs().mean() > 1
    assert first.std() > 1


@pytest.mark.parametrize(
    "changes",
    [{"head": "bins"}, {"head": "tanh"}, {"query_layers": 3}],
    ids=str,
)
def test_gradient_reaches_every_parameter(changes: dict[str, object]) -> None:
    generator = tiny_generator(**changes).train()
    prediction = generator(random_lightness(64, 96, 2))
    torch.manual_seed(0)
    loss = (prediction.ab * torch.randn_like(prediction.ab)).mean()
    if prediction.logits is not None:
        loss = loss + (prediction.logits * torch.randn_like(prediction.logits)).mean()
    loss.backward()
    for name, parameter in generator.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.abs().max() > 0, name


@torch.inference_mode()
def test_color_queries_change_nothing_before_training() -> None:
    torch.manual_seed(0)
    plain = Generator(tiny_config()).eval()
    with_queries = Generator(tiny_config(query_layers=2)).eval()
    with_queries.load_state_dict(with_queries.state_dict() | plain.state_dict())
    lightness = random_lightness(64, 96)
    expected, found = plain(lightness), with_queries(lightness)
    assert expected.logits is not None
    assert found.logits is not None
    assert torch.equal(found.logits, expected.logits)
    assert with_queries.queries is not None
    nn.init.normal_(with_queries.queries.change.weight)
    assert not torch.equal(with_queries(lightness).ab, expected.ab)


@torch.inference_mode()
def test_color_queries_see_the_whole_photo() -> None:
    """What is far away changes the head, even where convolutions don't reach and attention is
    off.
    """
    changed = {}
    for layers in (0, 1):
        generator = tiny_generator(query_layers=layers, context_layers=0)
        lightness = torch.full((1, 1, 32, 1024), 50.0)
        before = generator(lightness).logits
        lightness[..., 960:] = random_lightness(32, 64)
        after = generator(lightness).logits
        assert before is not None
        assert after is not None
        changed[layers] = float((after - before)[..., :8].abs().max())
    assert changed[0] == 0
    assert changed[1] > 0


@pytest.mark.parametrize(("layers", "head"), [(4, "bins"), (-1, "bins"), (1, "tanh")])
def test_color_queries_that_do_not_fit(layers: int, head: str) -> None:
    with pytest.raises(ValueError, match=f"query_layers is {layers} with the head {head}; take 0"):
        GeneratorConfig(query_layers=layers, head=head)


@pytest.mark.parametrize("head", ["bins", "tanh"])
@torch.inference_mode()
def test_ab_is_bounded_whatever_the_weights(head: str) -> None:
    generator = tiny_generator(head=head)
    for layer in (generator.head, generator.residual):
        layer.weight *= 1000
    ab = generator(random_lightness(64, 64)).ab
    assert ab.abs().max() <= AB_SCALE + generator.config.residual
    assert ab.abs().max() > 30  # the weights did drive it to the bounds


@torch.inference_mode()
def test_ab_is_the_annealed_mean_of_the_distribution() -> None:
    """Zhang et al. 2016, eq. 5: the softmax of logits / T, applied to the centers of the bins."""
    generator = tiny_generator()
    nn.init.zeros_(generator.residual.weight)
    prediction = generator(random_lightness(64, 64))
    assert prediction.logits is not None
    powers = torch.softmax(prediction.logits.double(), 1) ** (1 / 0.38)
    shares = powers / powers.sum(1, keepdim=True)
    coarse = torch.einsum("nqhw,qc->nchw", shares, torch.tensor(ab_bins(), dtype=torch.double))
    expected = F.interpolate(coarse, scale_factor=2.0, mode="bilinear")
    expected = F.interpolate(expected, scale_factor=2.0, mode="bilinear")
    assert (prediction.ab - expected).abs().max() < 0.02


@torch.inference_mode()
def test_the_mean_stays_exact_under_autocast() -> None:
    """bfloat16 holds 100 to within 0.25, too coarse for colors."""
    generator = tiny_generator()
    nn.init.zeros_(generator.residual.weight)
    with torch.autocast("cpu", torch.bfloat16):
        prediction = generator(random_lightness(64, 64))
    assert prediction.logits is not None
    shares = torch.softmax(prediction.logits.float() / generator.config.temperature, 1)
    coarse = torch.einsum("nqhw,cq->nchw", shares, generator.bins)
    expected = F.interpolate(coarse, scale_factor=2.0, mode="bilinear")
    expected = F.interpolate(expected, scale_factor=2.0, mode="bilinear")
    assert prediction.ab.dtype == torch.float32
    assert (prediction.ab - expected).abs().max() < 0.05


@torch.inference_mode()
def test_the_gain_is_of_the_chroma() -> None:
    lightness = random_lightness(64, 64)
    plain = tiny_generator()
    gained = Generator(replace(plain.config, chroma_gain=1.5)).eval()
    gained.load_state_dict(plain.state_dict())
    assert torch.allclose(gained(lightness).ab, 1.5 * plain(lightness).ab, atol=1e-3)


@torch.inference_mode()
def test_the_cast_has_a_gain_of_its_own() -> None:
    """The mean color of each photo follows one gain, what differs from it the other."""
    lightness = torch.cat((random_lightness(64, 64), random_lightness(64, 64)))
    plain = tiny_generator()
    gained = Generator(replace(plain.config, chroma_gain=1.5, cast_gain=0.5)).eval()
    gained.load_state_dict(plain.state_dict())
    before, after = plain(lightness).ab, gained(lightness).ab
    cast = before.mean((2, 3), keepdim=True)
    assert cast.abs().min() > 0.01
    assert torch.allclose(after.mean((2, 3), keepdim=True), 0.5 * cast, atol=1e-3)
    assert torch.allclose(after, 0.5 * cast + 1.5 * (before - cast), atol=1e-3)


@torch.inference_mode()
def test_far_parts_of_a_photo_see_each_other_through_context() -> None:
    """Attention over the coarsest features: beyond the reach of the convolutions."""
    lightness = random_lightness(64, 1024)
    other = lightness.clone()
    other[..., :64] = 100 - other[..., :64]
    for layers, reaches in ((0, False), (1, True)):
        generator = tiny_generator(context_layers=layers)
        change = (generator(lightness).ab - generator(other).ab).abs()[..., -64:].max()
        assert bool(change > 1e-4) is reaches


def test_input_is_normalized_as_the_encoder_expects(generator: Generator) -> None:
    """Lightness becomes a gray picture in [0, 1], then mean and spread per channel."""
    seen: list[Tensor] = []
    first = next(iter(generator.encoder.values()))
    hook = first.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.inference_mode():
        generator(torch.full((1, 1, 32, 32), 50.0))
    hook.remove()
    expected = [(0.5 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, (0.5 - 0.406) / 0.225]
    assert seen[0].shape == (1, 3, 32, 32)
    assert seen[0][0, :, 7, 7].tolist() == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"head": "softmax"}, r"head is 'softmax'; use one of bins, tanh\."),
        ({"decoder": (1, 2, 3)}, r"decoder has 3 widths; give four"),
        ({"temperature": 0.0}, r"temperature is 0\.0; it must be above 0\."),
        ({"chroma_gain": 0.0}, r"chroma_gain is 0\.0; it must be above 0, up to 4\."),
        ({"cast_gain": 5.0}, r"cast_gain is 5\.0; it must be above 0, up to 4\."),
        ({"confidence": (1.0, float("nan"))}, "confidence is .*; give two finite numbers"),
    ],
)
def test_wrong_settings_are_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        tiny_config(**changes)


def test_encoders_with_other_strides_are_refused() -> None:
    with pytest.raises(ValueError, match=r"encoder .* use one with 2, 4, 8, 16, 32\."):
        Generator(tiny_config(encoder="convnext_atto"))


@pytest.mark.parametrize("encoder", ["vit_tiny_patch16_224", "tf_efficientnet_lite0"])
def test_encoders_without_a_feature_list_are_refused(encoder: str) -> None:
    with pytest.raises(ValueError, match=r"encoder .* returns its features"):
        Generator(tiny_config(encoder=encoder))
