"""The encoder: what timm computes, and nothing of timm where it isn't needed."""

import subprocess
import sys

import pytest
import timm
import torch
from torch import nn

from colorizer.networks.encoder import build_encoder, is_encoder


def randomized(encoder: nn.Module) -> nn.Module:
    """Batch norm as after training: statistics and weights of all kinds."""
    torch.manual_seed(0)
    for layer in encoder.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.running_mean, std=0.3)
            nn.init.uniform_(layer.running_var, 0.3, 2)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, std=0.3)
    return encoder.eval()


ENCODERS = [
    ("resnet18", False),
    ("resnet10t", False),
    ("resnet26", False),
    ("resnet26", True),  # strides in the first convolution of a stage, as Keras does
    ("resnet50", True),
]


@pytest.mark.parametrize(("name", "keras"), ENCODERS, ids=str)
@torch.inference_mode()
@pytest.mark.slow
def test_the_folded_encoder_computes_what_timm_computes(name: str, keras: bool) -> None:
    eps = 1.001e-3
    reference = randomized(timm.create_model(name, features_only=True, pretrained=False))
    state = {key: value.clone() for key, value in reference.state_dict().items()}
    for layer in reference.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.eps = eps
    if keras:
        for stage in (reference.layer2, reference.layer3, reference.layer4):
            stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    encoder = build_encoder(name, keras, eps, state).eval()
    picture = torch.randn(2, 3, 64, 96)
    expected, features = reference(picture), encoder(picture)
    assert len(features) == len(expected) == len(encoder.channels) == 5
    assert [ours.shape[1] for ours in features] == encoder.channels
    assert [64 // ours.shape[2] for ours in features] == list(encoder.strides.values())
    for ours, theirs in zip(features, expected, strict=True):
        assert (ours - theirs).abs().max() < 1e-4 * theirs.abs().max()


@pytest.mark.parametrize("name", sorted({name for name, _ in ENCODERS}))
@pytest.mark.slow
def test_no_batch_norm_is_left_in_the_encoder(name: str) -> None:
    """So its statistics are frozen in training."""
    encoder = build_encoder(name, False, None)
    left = [key for key, layer in encoder.named_modules() if isinstance(layer, nn.BatchNorm2d)]
    assert not left


@torch.inference_mode()
@pytest.mark.slow
def test_the_keras_stride_matters() -> None:
    """The same weights fit strictly into the other kind, and compute something else."""
    reference = randomized(timm.create_model("resnet26", features_only=True, pretrained=False))
    state = {key: value.clone() for key, value in reference.state_dict().items()}
    picture = torch.randn(1, 3, 64, 64)
    moved, plain = (
        build_encoder("resnet26", keras, None, state)(picture)[-1] for keras in (True, False)
    )
    assert (moved - plain).abs().max() > 0.1 * plain.abs().max()


def test_encoder_weights_are_loaded_strictly() -> None:
    state = timm.create_model("resnet18", features_only=True, pretrained=False).state_dict()
    del state["layer4.1.bn2.bias"]
    with pytest.raises(RuntimeError, match=r"layer4\.1\.bn2\.bias"):
        build_encoder("resnet18", False, None, state)


@pytest.mark.slow
def test_the_bundled_checkpoint_needs_no_slow_imports() -> None:
    """Each of them takes a second or more."""
    program = (
        "import sys; from colorizer import Colorizer; Colorizer.load(device='cpu'); "
        "print({'timm', 'torchvision', 'gradio', 'matplotlib', 'scipy'} & set(sys.modules))"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert run.stdout == "set()\n", run.stderr


def test_other_encoders_need_timm(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)  # as if it was not installed
    with pytest.raises(ValueError, match="need the package timm; pip install timm torchvision"):
        is_encoder("convnext_tiny")
    assert is_encoder("resnet50")
