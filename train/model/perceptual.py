"""Perceptual losses: LPIPS, and features of VGG16."""

import warnings
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import vgg16

VGG_LAYERS = (3, 8, 15, 22)  # relu1_2, relu2_2, relu3_3, relu4_3; Johnson et al. 2016, sec. 4
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


class PerceptualLoss(nn.Module):
    """How different two photos look to a network that was trained on others.

    "lpips" is LPIPS v0.1 with AlexNet (Zhang et al. 2018). "vgg16" is the L1 between features of
    VGG16 (Johnson et al. 2016) as a share of the mean magnitude of the true ones, so that each of
    the four layers counts alike. The VGG16 is of torchvision's kind, not Keras': its input is RGB,
    normalized here by the ImageNet mean and standard deviation.

    Args:
        kind: "lpips" or "vgg16".
        weights: safetensors with the state of `lpips.LPIPS(net="alex")`, or with the
            `features.*` of `torchvision.models.vgg16()`.

    Raises:
        ValueError: the file can't be read or holds something else.
    """

    def __init__(self, kind: str, weights: Path) -> None:
        super().__init__()
        try:
            state = load_file(weights)
        except (OSError, SafetensorError) as error:
            raise ValueError(
                f"The perceptual weights {weights} can't be read ({error}); "
                "name a safetensors file with --perceptual-weights."
            ) from error
        self.kind = kind
        try:
            self.network = lpips_network(state) if kind == "lpips" else _VggFeatures(state)
        except RuntimeError as error:
            raise ValueError(
                f"{weights} doesn't hold the weights of {kind}; name a file that does with "
                "--perceptual-weights, or choose the other network with --perceptual."
            ) from error
        self.eval().requires_grad_(False)

    def forward(self, rgb: Tensor, target: Tensor) -> Tensor:
        """Compute the mean distance of predicted and true (N, 3, H, W) sRGB in [0, 1].

        Gradients flow to `rgb` only.
        """
        target = target.detach()
        if self.kind == "lpips":
            distances: Tensor = self.network(rgb, target, normalize=True)
        else:
            pairs = zip(self.network(rgb), self.network(target), strict=True)
            distances = torch.stack([F.l1_loss(ours, true) / true.mean() for ours, true in pairs])
        return distances.mean()


def lpips_network(state: dict[str, Tensor], net: str = "alex") -> nn.Module:
    """LPIPS v0.1 with AlexNet ("alex") or VGG16 ("vgg"), in evaluation mode.

    Raises:
        RuntimeError: the state doesn't fit.
    """
    import lpips  # takes a second, and few runs need it

    with warnings.catch_warnings():  # it calls torchvision the old way
        warnings.simplefilter("ignore", UserWarning)
        network: nn.Module = lpips.LPIPS(net=net, pnet_rand=True, verbose=False)
    network.load_state_dict(state)
    return network.eval()


class _VggFeatures(nn.Module):
    """The features of VGG16 after `VGG_LAYERS`, of (N, 3, H, W) sRGB in [0, 1]."""

    mean: Tensor
    std: Tensor

    def __init__(self, state: dict[str, Tensor]) -> None:
        super().__init__()
        with torch.device("meta"):  # its classifier would be 0.5 GB of random numbers
            layers: nn.Sequential = vgg16(init_weights=False).features
        layers.to_empty(device="cpu").load_state_dict(
            {
                name.removeprefix("features."): value
                for name, value in state.items()
                if name.startswith("features.")
            }
        )
        self.layers = layers[: VGG_LAYERS[-1] + 1]
        self.register_buffer("mean", torch.tensor(IMAGENET_MEAN).view(3, 1, 1))
        self.register_buffer("std", torch.tensor(IMAGENET_STD).view(3, 1, 1))

    def forward(self, rgb: Tensor) -> list[Tensor]:
        features, picture = [], (rgb - self.mean) / self.std
        for number, layer in enumerate(self.layers):
            picture = layer(picture)
            if number in VGG_LAYERS:
                features.append(picture)
        return features
