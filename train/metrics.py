"""Quality of colorized photos against the truth, on 8-bit sRGB."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.torch import load_file
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

Pixels = NDArray[np.uint8]  # (H, W, 3) sRGB


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
        import lpips

        self.network = lpips.LPIPS(net="alex", pnet_rand=True, verbose=False).eval()
        try:
            self.network.load_state_dict(load_file(weights))
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
