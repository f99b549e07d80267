"""The networks of a run: from scratch, from pretrained encoders or from checkpoints."""

from dataclasses import replace
from pathlib import Path

import pytest
import timm
import torch
from safetensors.torch import save_file

from colorizer.checkpoints.checkpoint import (
    DISCRIMINATOR_CONFIG_FILE,
    AnyGenerator,
    CheckpointError,
    load_checkpoint,
    load_discriminator,
    save_checkpoint,
)
from colorizer.networks.discriminator import Discriminator, DiscriminatorConfig
from colorizer.networks.generator import Generator, GeneratorConfig
from colorizer.networks.pix2pix import SPACES, Pix2Pix, Pix2PixConfig
from tests.helpers.checkpoints import change_config
from tests.helpers.networks import tiny_generator, tiny_pix2pix
from train.model.build import build_discriminator, build_generator, parameter_groups
from train.settings.config import TrainConfig
from train.settings.presets import PRESETS

TINY: dict[str, object] = {
    "encoder": "test_resnet",
    "encoder_weights": "none",
    "decoder": (16, 16, 8, 8),
    "context_layers": 1,
}


def settings(**changes: object) -> TrainConfig:
    return TrainConfig(**(TINY | changes))  # type: ignore[arg-type]


def discriminator_of(config: TrainConfig, generator: AnyGenerator) -> tuple[Discriminator, str]:
    """The discriminator that is built, and what is said about it."""
    said: list[str] = []
    return build_discriminator(config, generator, said.append), "\n".join(said)


@pytest.mark.parametrize("head", ["bins", "tanh"])
def test_the_generator_is_the_one_of_the_settings(head: str) -> None:
    generator = build_generator(settings(head=head))
    assert generator.training
    assert generator.config == GeneratorConfig(
        encoder="test_resnet",
        stride_in_first_conv=False,
        batch_norm_eps=None,
        input_mean=(0.5, 0.5, 0.5),  # timm's of this encoder
        input_std=(0.5, 0.5, 0.5),
        decoder=(16, 16, 8, 8),
        context_layers=1,
        head=head,
    )


def test_a_keras_encoder_is_fed_and_strides_as_keras_has_it() -> None:
    generator = build_generator(settings(encoder="resnet26", encoder_kind="keras"))
    assert generator.config == GeneratorConfig(
        encoder="resnet26", decoder=(16, 16, 8, 8), context_layers=1
    )
    assert generator.config.stride_in_first_conv
    assert generator.encoder["layer2"][0].conv1.stride == (2, 2)


@pytest.mark.parametrize("encoder", ["resnet18", "resnet10t"])
@pytest.mark.slow
def test_generators_start_from_pretrained_encoders(
    encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a local file timm is asked for the weights, as --encoder-weights says."""
    asked = []
    create = timm.create_model

    def spy(name: str, pretrained: bool = False, **options: object) -> object:
        asked.append(pretrained)
        return create(name, pretrained=False, **options)

    monkeypatch.setattr(timm, "create_model", spy)
    build_generator(settings(encoder=encoder, encoder_weights="none"))
    assert not any(asked)
    build_generator(settings(encoder=encoder, encoder_weights=""))
    assert any(asked)


@pytest.mark.slow
def test_a_generator_takes_a_local_encoder(tmp_path: Path) -> None:
    encoder = timm.create_model("resnet18", features_only=True, pretrained=False).eval()
    path = tmp_path / "encoder.safetensors"
    save_file(encoder.state_dict(), path)
    generator = build_generator(settings(encoder="resnet18", encoder_weights=str(path)))
    picture = torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        expected, features = encoder(picture), generator.encoder(picture)
    assert torch.allclose(features[-1], expected[-1], atol=1e-4)


@pytest.mark.parametrize("encoder", ["none_such", "resnet18.none_such"])
def test_an_encoder_that_timm_does_not_know(encoder: str) -> None:
    with pytest.raises(ValueError, match=f"timm knows no encoder {encoder}; see timm.list_"):
        build_generator(settings(encoder=encoder))


def test_an_encoder_of_another_kind() -> None:
    with pytest.raises(ValueError, match=r"use one with 2, 4, 8, 16, 32|take a ResNet"):
        build_generator(settings(encoder="vit_tiny_patch16_224"))


@pytest.mark.parametrize("content", [None, b"damaged"], ids=str)
def test_a_local_encoder_that_cannot_be_read(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "encoder.safetensors"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"encoder\.safetensors can't be used .*--encoder-weights"):
        build_generator(settings(encoder_weights=str(path)))


def test_a_local_encoder_of_another_model(tmp_path: Path) -> None:
    path = tmp_path / "encoder.safetensors"
    save_file(timm.create_model("resnet10t", features_only=True).state_dict(), path)
    with pytest.raises(ValueError, match=r"encoder\.safetensors does not fit .* test_resnet; name"):
        build_generator(settings(encoder_weights=str(path)))


def test_an_encoder_that_cannot_be_downloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    create = timm.create_model

    def unreachable(name: str, pretrained: bool = False, **options: object) -> object:
        if pretrained:
            raise OSError("no route to host")
        return create(name, **options)

    monkeypatch.setattr(timm, "create_model", unreachable)
    with pytest.raises(ValueError, match=r"encoder test_resnet can't be used \(no route to host\)"):
        build_generator(settings(encoder_weights=""))


@pytest.mark.parametrize("space", SPACES)
def test_pix2pix_from_scratch(space: str) -> None:
    config = TrainConfig(**{**PRESETS["pix2pix"], "pix2pix_space": space})
    with torch.device("meta"):  # 54 million weights that no test needs
        generator = build_generator(config)
    assert isinstance(generator, Pix2Pix)
    assert generator.training
    assert generator.config == Pix2PixConfig(space=space)


def test_a_generator_from_a_checkpoint(tiny_checkpoint: Path) -> None:
    """Its own settings count, not those of a generator from scratch."""
    generator = build_generator(settings(init=str(tiny_checkpoint), head="tanh"))
    expected = load_checkpoint(tiny_checkpoint).generator
    assert generator.training
    assert generator.config == expected.config
    for name, value in expected.state_dict().items():
        assert torch.equal(generator.state_dict()[name], value), name


def test_further_parts_and_temperature_are_added_to_a_checkpoint(tiny_checkpoint: Path) -> None:
    start = load_checkpoint(tiny_checkpoint).generator
    assert start.config.query_layers == 0
    changes = {"query_layers": 2, "temperature": 0.25}
    config = settings(init=str(tiny_checkpoint), **changes)
    generator = build_generator(config)
    assert isinstance(generator, Generator)
    assert generator.config == replace(start.config, **changes)
    for name, value in start.state_dict().items():
        assert torch.equal(generator.state_dict()[name], value), name


def test_color_queries_are_not_added_twice(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, tiny_generator(query_layers=1), 256)
    kept = build_generator(settings(init=str(tmp_path)))
    assert isinstance(kept, Generator)
    assert kept.config.query_layers == 1
    with pytest.raises(ValueError, match="has 1 query layers; leave --query-layers out"):
        build_generator(settings(init=str(tmp_path), query_layers=2))


def test_the_bundled_checkpoint_is_a_start(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "colorizer.checkpoints.checkpoint.bundled_checkpoint", lambda: tiny_checkpoint
    )
    config = settings(init="bundled")
    generator = build_generator(config)
    assert generator.config == load_checkpoint(tiny_checkpoint).generator.config
    assert "bundled comes without a discriminator" in discriminator_of(config, generator)[1]


def test_a_checkpoint_that_is_not_there() -> None:
    with pytest.raises(CheckpointError, match="nowhere is neither a folder nor a Hub name"):
        build_generator(settings(init="nowhere"))


@pytest.mark.parametrize("spectral", [False, True])
@pytest.mark.slow
def test_a_fresh_discriminator_judges_what_the_generator_predicts(spectral: bool) -> None:
    config = settings(spectral_norm=spectral)
    for generator, space in (
        (tiny_generator(), "ab"),
        (tiny_pix2pix("ab"), "ab"),
        (tiny_pix2pix("rgb"), "rgb"),
    ):
        discriminator, said = discriminator_of(config, generator)
        assert discriminator.training
        assert discriminator.config == DiscriminatorConfig(space=space, spectral=spectral)
        assert not said


def test_the_discriminator_of_a_checkpoint_is_trained_further(tmp_path: Path) -> None:
    generator = tiny_pix2pix("rgb")
    before = Discriminator(DiscriminatorConfig(space="rgb", width=4, spectral=True))
    save_checkpoint(tmp_path, generator, 256, before)
    config = settings(init=str(tmp_path), spectral_norm=False)
    discriminator, said = discriminator_of(config, build_generator(config))
    assert said == f"The discriminator of {tmp_path} is trained further."
    assert discriminator.training
    assert discriminator.config == before.config
    for name, value in before.state_dict().items():
        assert torch.allclose(discriminator.state_dict()[name], value, atol=1e-3), name


def test_a_u_net_discriminator_is_built_and_published_with_a_checkpoint(tmp_path: Path) -> None:
    """As `--discriminator unet` asks; then `--preset finetune` takes it from the checkpoint."""
    generator = tiny_generator()
    first, _ = discriminator_of(settings(discriminator="unet", discriminator_width=4), generator)
    assert first.config == DiscriminatorConfig(kind="unet", width=4)
    save_checkpoint(tmp_path, generator, 192, first)
    config = settings(**{**PRESETS["finetune"], "init": str(tmp_path)})
    second, said = discriminator_of(config, build_generator(config))
    assert said == f"The discriminator of {tmp_path} is trained further."
    assert second.config == first.config


def test_a_discriminator_of_an_earlier_version_is_a_patchgan(tmp_path: Path) -> None:
    before = Discriminator(DiscriminatorConfig(width=4))
    save_checkpoint(tmp_path, tiny_generator(), 192, before)
    change_config(tmp_path, lambda config: config.pop("kind"), DISCRIMINATOR_CONFIG_FILE)
    found = load_discriminator(tmp_path)
    assert found is not None
    assert found.config == before.config


def test_a_checkpoint_without_a_discriminator_gets_a_fresh_one(tiny_checkpoint: Path) -> None:
    config = settings(init=str(tiny_checkpoint), adversarial_share=0.5, discriminator_photos=640)
    discriminator, said = discriminator_of(config, build_generator(config))
    assert said == (
        f"{tiny_checkpoint} comes without a discriminator: a fresh one learns from 640 photos "
        "first."
    )
    assert discriminator.config == DiscriminatorConfig()


@pytest.mark.parametrize(("frozen_stride", "frozen"), [(0, 0), (2, 1), (4, 2), (32, 5)])
def test_the_first_stages_stay_as_pretrained(frozen_stride: int, frozen: int) -> None:
    generator = tiny_generator()
    groups = parameter_groups(generator, TrainConfig(frozen_stride=frozen_stride))
    stages = ["conv1", "layer1", "layer2", "layer3", "layer4"]
    for number, name in enumerate(stages):
        trained = {value.requires_grad for value in generator.encoder[name].parameters()}
        assert trained == {number >= frozen}
    listed = [value for group in groups for value in group["params"]]
    wanted = [value for value in generator.parameters() if value.requires_grad]
    assert len(listed) == len(wanted)
    assert {id(value) for value in listed} == {id(value) for value in wanted}
    assert [group["peak"] for group in groups] == [1e-4, 1e-3]


def test_encoder_and_decoder_learn_at_their_rates() -> None:
    generator = tiny_generator()
    config = TrainConfig(frozen_stride=0, encoder_rate=3e-5, learning_rate=7e-4)
    rates = {
        id(value): group["peak"]
        for group in parameter_groups(generator, config)
        for value in group["params"]
    }
    for name, value in generator.named_parameters():
        assert rates[id(value)] == (3e-5 if name.startswith("encoder.") else 7e-4), name


def test_all_of_pix2pix_learns_at_one_rate() -> None:
    generator = tiny_pix2pix()
    (group,) = parameter_groups(generator, TrainConfig(learning_rate=2e-4))
    assert group["peak"] == 2e-4
    assert [id(value) for value in group["params"]] == [id(v) for v in generator.parameters()]
    assert all(value.requires_grad for value in generator.parameters())


def test_groups_make_an_optimizer() -> None:
    """Also where the encoder's is empty, because all of it is frozen."""
    generator = tiny_generator()
    groups = parameter_groups(generator, TrainConfig(frozen_stride=32))
    assert not groups[0]["params"]
    torch.optim.AdamW(groups, fused=True).step()
    assert isinstance(generator, Generator)
