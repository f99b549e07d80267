"""Metrics that compare photos by the features of a pretrained network."""

import hashlib
import warnings
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from train.measure.metrics import Pixels
from train.model.perceptual import lpips_network

INCEPTION_SIDE = 299  # pixels


class Lpips:
    """LPIPS v0.1 (Zhang et al. 2018).

    Args:
        weights: safetensors with the state of `lpips.LPIPS(net=net)`.
        net: "alex" (AlexNet) or "vgg" (VGG16).

    Raises:
        ValueError: the file doesn't hold these weights.
    """

    def __init__(self, weights: Path, net: str = "alex") -> None:
        try:
            self.network = lpips_network(load_file(weights), net)
        except (OSError, RuntimeError, SafetensorError) as error:
            raise ValueError(f"{weights} does not hold LPIPS weights: {error}") from error

    def __call__(self, output: Pixels, truth: Pixels) -> float:
        """Perceptual distance of two photos of the same size, 0 for equal ones."""
        pair = [
            torch.from_numpy(pixels).permute(2, 0, 1)[None] / 127.5 - 1
            for pixels in (output, truth)
        ]
        with torch.inference_mode():
            return float(self.network(*pair))


class Inception:
    """Features for FID (Heusel et al. 2017), from a TorchScript file.

    Two kinds of files are in use. The one of StyleGAN's metrics (inception-2015-12-05.pt) has
    `forward(img, return_features, ...)`, takes levels from 0 to 255 and scales them itself; the
    other takes (level - 128) / 128. Both get float32 (N, 3, 299, 299) RGB and give (N, features).

    Args:
        file: TorchScript runs what its file says: take it from people you trust.

    Attributes:
        sha256: of the file, 64 hexadecimal digits.

    Raises:
        ValueError: the file is no such network.
    """

    def __init__(self, file: Path) -> None:
        try:
            self.sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
            with warnings.catch_warnings():  # deprecated, but what FID networks are shared as
                warnings.simplefilter("ignore")
                self.network = torch.jit.load(file, map_location="cpu").eval()  # type: ignore[no-untyped-call]
            arguments = [argument.name for argument in self.network.forward.schema.arguments]
            self.scales_itself = "return_features" in arguments
            shape = self(np.zeros((INCEPTION_SIDE, INCEPTION_SIDE, 3), np.uint8)).shape
        except OSError as error:
            raise ValueError(f"{file} can't be read ({error.strerror}); check the path.") from error
        except RuntimeError as error:
            raise ValueError(
                f"{file} is no TorchScript of an Inception network; "
                "name one that other tools compute FID with."
            ) from error
        if len(shape) != 1:
            raise ValueError(
                f"{file} gives {tuple(shape)} values for a photo, not one row of features; "
                "name an Inception network for FID."
            )

    def __call__(self, pixels: Pixels) -> Tensor:
        """Compute the features, (D,) float32, of a photo's largest centered square."""
        square = ImageOps.fit(
            Image.fromarray(pixels), (INCEPTION_SIDE, INCEPTION_SIDE), Image.Resampling.BICUBIC
        )
        levels = torch.from_numpy(np.array(square)).permute(2, 0, 1)[None].float()
        with torch.inference_mode():
            features: Tensor = (
                self.network(levels, return_features=True)
                if self.scales_itself
                else self.network((levels - 128) / 128)
            )
        return features[0]


def frechet_distance(features: Tensor, reference: Tensor) -> float:
    """FID between two sets of features, (n, D) each; 0 for equal ones.

    It is biased upward for few photos, so only equal numbers of photos compare.

    Raises:
        ValueError: a set holds fewer than two photos.
    """
    from torchmetrics.image.fid import FrechetInceptionDistance

    if min(len(features), len(reference)) < 2:
        raise ValueError("FID needs at least two photos; measure more, or leave out --inception.")
    given = nn.Identity()  # the features are here already
    given.num_features = features.shape[1]  # type: ignore[assignment]
    metric = FrechetInceptionDistance(given)
    metric.update(features.double(), real=False)
    metric.update(reference.double(), real=True)
    return max(0.0, float(metric.compute()))  # rounding takes that of equal sets below 0
