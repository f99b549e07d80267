"""The networks of a run: new ones or those of a checkpoint, and their trained parameters."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import timm
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from colorizer.checkpoints.checkpoint import (
    AnyGenerator,
    load_checkpoint,
    load_discriminator,
)
from colorizer.networks.discriminator import Discriminator, DiscriminatorConfig
from colorizer.networks.generator import Generator, GeneratorConfig
from colorizer.networks.pix2pix import Pix2Pix, Pix2PixConfig
from train.settings.config import TrainConfig

BUNDLED = "bundled"
RANDOM = "none"
WORKING_SIZE = 288  # pixels; compared in EXPERIMENTS.md
CLASSIFIER = "fc."  # of a ResNet, which files of pretrained weights carry along


def build_generator(config: TrainConfig) -> AnyGenerator:
    """The generator to start with, as `config.init` or `config.architecture` says.

    Raises:
        ValueError: the checkpoint or the encoder can't be used.
    """
    generator: AnyGenerator
    if config.init:
        generator = load_checkpoint(_source(config)).generator.train()
    elif config.architecture == "pix2pix":
        generator = Pix2Pix(Pix2PixConfig(space=config.pix2pix_space))
    else:
        generator = _build_unet(config)
    if isinstance(generator, Generator):
        generator = _changed(generator, config)
    return generator


def build_discriminator(
    config: TrainConfig, generator: AnyGenerator, say: Callable[[str], None]
) -> Discriminator:
    """Load the discriminator of `config.init`, or build one if there is none.

    Args:
        config: settings of the run.
        generator: the generator that it trains.
        say: called with a sentence about the origin, if `config.init` is set.

    Raises:
        ValueError: the checkpoint's discriminator can't be used.
    """
    found = load_discriminator(_source(config)) if config.init else None
    if found is not None:
        say(f"The discriminator of {config.init} is trained further.")
        return found
    if config.init:
        say(
            f"{config.init} comes without a discriminator: a fresh one learns from "
            f"{config.discriminator_steps * config.batch} photos first."
        )
    rgb = isinstance(generator, Pix2Pix) and generator.config.space == "rgb"
    return Discriminator(
        DiscriminatorConfig(
            space="rgb" if rgb else "ab",
            width=config.discriminator_width,
            spectral=config.spectral_norm,
            kind=config.discriminator,
        )
    )


def with_working_size(config: TrainConfig) -> TrainConfig:
    """The settings with a working size: the given one, else that of `config.init`, else 288.

    Raises:
        ValueError: the checkpoint can't be used.
    """
    if config.working_size:
        return config
    size = load_checkpoint(_source(config)).working_size if config.init else WORKING_SIZE
    return replace(config, working_size=size)


def parameter_groups(generator: AnyGenerator, config: TrainConfig) -> list[dict[str, Any]]:
    """Freeze the first stages of a U-Net's encoder and group the other parameters.

    Returns:
        Groups of the encoder and of the rest, each with its peak learning rate.
    """
    if isinstance(generator, Pix2Pix):
        return [{"params": list(generator.parameters()), "peak": config.learning_rate}]
    frozen = config.frozen_stride > 0
    encoder: list[Tensor] = []
    for name, layer in generator.encoder.items():
        layer.requires_grad_(not frozen)
        encoder += [] if frozen else list(layer.parameters())
        stride = generator.encoder.strides.get(name, 0)
        frozen = frozen and stride < config.frozen_stride
    others = [
        value for name, value in generator.named_parameters() if not name.startswith("encoder.")
    ]
    return [
        {"params": encoder, "peak": config.encoder_rate},
        {"params": others, "peak": config.learning_rate},
    ]


def _changed(generator: Generator, config: TrainConfig) -> Generator:
    """Give a generator the temperature and the extra layers of the settings.

    New layers change nothing before they are trained.
    """
    changes: dict[str, Any] = {}
    if config.temperature:
        changes["temperature"] = config.temperature
    if config.query_layers and config.query_layers != generator.config.query_layers:
        if generator.config.query_layers:
            raise ValueError(
                f"{config.init} has {generator.config.query_layers} query layers; leave "
                "--query-layers out."
            )
        changes["query_layers"] = config.query_layers
    if not changes:
        return generator
    changed = Generator(replace(generator.config, **changes))
    changed.load_state_dict(changed.state_dict() | generator.state_dict())
    return changed


def _source(config: TrainConfig) -> str | None:
    return None if config.init == BUNDLED else config.init


def _build_unet(config: TrainConfig) -> Generator:
    shape: dict[str, Any] = {
        "encoder": config.encoder,
        "head": config.head,
        "decoder": config.decoder,
        "context_layers": config.context_layers,
    }
    if config.encoder_kind == "timm":
        try:
            pretrained = timm.get_pretrained_cfg(config.encoder)
        except RuntimeError:  # the model has no weights of that tag
            pretrained = None
        if pretrained is None:
            raise ValueError(f"timm knows no encoder {config.encoder}; see timm.list_pretrained().")
        shape |= {
            "stride_in_first_conv": False,
            "batch_norm_eps": None,
            "input_mean": tuple(pretrained.mean),
            "input_std": tuple(pretrained.std),
        }
    network = GeneratorConfig(**shape)
    weights = _encoder_weights(config)
    try:
        return Generator(network, weights)
    except RuntimeError as error:  # lists every key that is missing, left over or of another shape
        raise ValueError(
            f"{config.encoder_weights or 'What timm downloaded'} does not fit the encoder "
            f"{config.encoder}; name a fitting local file with --encoder-weights."
        ) from error


def _encoder_weights(config: TrainConfig) -> dict[str, Tensor] | None:
    if config.encoder_weights == RANDOM:
        return None
    try:
        if config.encoder_weights:
            weights: dict[str, Tensor] = load_file(config.encoder_weights)
        else:
            source = timm.create_model(config.encoder, features_only=True, pretrained=True)
            weights = source.state_dict()
    except (OSError, RuntimeError, SafetensorError) as error:  # RuntimeError: timm has none
        raise ValueError(
            f"The pretrained encoder {config.encoder_weights or config.encoder} can't be used "
            f"({error}); name a fitting local file with --encoder-weights."
        ) from error
    return {name: value for name, value in weights.items() if not name.startswith(CLASSIFIER)}
