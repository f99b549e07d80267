"""Quality of colorized photos against the truth, on 8-bit sRGB, and of the network's confidence."""

import hashlib
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageOps
from safetensors import SafetensorError
from safetensors.torch import load_file
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from torch import Tensor, nn

from colorizer.imaging.color import rgb_to_lab
from colorizer.imaging.resampling import resize
from colorizer.inference.colorization import CONFIDENT_WITHIN
from train.model.losses import lpips_network

Pixels = NDArray[np.uint8]  # (H, W, 3) sRGB

INCEPTION_SIDE = 299  # pixels
CALIBRATION_BINS = 15  # Guo et al. 2017, table 1


def psnr(output: Pixels, truth: Pixels) -> float:
    """Peak signal-to-noise ratio in dB, at most 100 (for equal photos it would be infinite)."""
    if np.array_equal(output, truth):
        return 100.0
    return min(100.0, float(peak_signal_noise_ratio(truth, output)))


def ssim(output: Pixels, truth: Pixels) -> float:
    """Structural similarity (Wang et al. 2004), -1 to 1."""
    return float(structural_similarity(truth, output, channel_axis=2))


def delta_e00(output: Pixels, truth: Pixels) -> float:
    """Mean CIEDE2000 color difference; 1 is just visible."""
    return float(deltaE_ciede2000(rgb2lab(truth), rgb2lab(output)).mean())


def colorfulness(pixels: Pixels) -> float:
    """CF of Hasler and Suesstrunk 2003, eq. 1, on 8-bit levels."""
    red, green, blue = np.moveaxis(pixels.astype(np.float64), 2, 0)
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = np.hypot(red_green.std(), yellow_blue.std())
    return float(spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean()))


class Lpips:
    """LPIPS v0.1 with AlexNet (Zhang et al. 2018).

    Args:
        weights: safetensors with the state of `lpips.LPIPS(net="alex")`.

    Raises:
        ValueError: the file doesn't hold these weights.
    """

    def __init__(self, weights: Path) -> None:
        try:
            self.network = lpips_network(load_file(weights))
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
        """Features (D,) float32 of a photo; of its largest centered square, not of a stretched
        photo.
        """
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


def colors_right(output: Pixels, truth: Pixels, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Where a photo, shrunk by area to `size`, has the truth's (a*, b*) to within 10 units.

    Args:
        output: the photo as it is shown: with the edges of the full photo and inside the gamut.
        truth: the photo in its true colors, of the same size.
        size: (height, width), for comparison with `Colorization.confidence` at its own size.

    Returns:
        bool (height, width).
    """
    planes = [
        rgb_to_lab(torch.from_numpy(pixels).permute(2, 0, 1) / 255)[1:].numpy()
        for pixels in (output, truth)
    ]
    a, b = (resize(plane, size) for plane in planes[0] - planes[1])
    return np.asarray(np.hypot(a, b) <= CONFIDENT_WITHIN)


class Calibration:
    """How often the network is right where it says that it is: a histogram over confidence."""

    def __init__(self) -> None:
        self.pixels, self.confidence, self.right = np.zeros((3, CALIBRATION_BINS))  # sums per bin

    def add(self, confidence: NDArray[np.float32], right: NDArray[np.bool_]) -> None:
        """Count the pixels of a photo.

        Args:
            confidence: (H, W), 0 to 1.
            right: (H, W), whether the color is right.
        """
        self.pixels += np.histogram(confidence, CALIBRATION_BINS, (0, 1))[0]
        for total, weights in ((self.confidence, confidence), (self.right, right)):
            total += np.histogram(
                confidence, CALIBRATION_BINS, (0, 1), weights=weights.astype(np.float64)
            )[0]

    def summary(self) -> dict[str, Any]:
        """The expected calibration error (Guo et al. 2017, eq. 3), for JSON.

        Returns:
            "ece", the mean "confidence" and "accuracy" over all pixels, "pixels", "within" (ab
            units that count as right), and "bins": from, to, pixels, confidence and accuracy of
            each that holds pixels.
        """
        pixels = self.pixels.sum()
        edges = np.linspace(0, 1, CALIBRATION_BINS + 1)
        return {
            "ece": float(np.abs(self.right - self.confidence).sum() / pixels),
            "confidence": float(self.confidence.sum() / pixels),
            "accuracy": float(self.right.sum() / pixels),
            "pixels": int(pixels),
            "within": CONFIDENT_WITHIN,
            "bins": [
                {
                    "from": float(edges[i]),
                    "to": float(edges[i + 1]),
                    "pixels": int(self.pixels[i]),
                    "confidence": float(self.confidence[i] / self.pixels[i]),
                    "accuracy": float(self.right[i] / self.pixels[i]),
                }
                for i in np.flatnonzero(self.pixels)
            ],
        }
