"""All figures of a report: how they are called, written and read; and those of single pixels.

`METRICS` is the one table of names, directions, units and formats.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

from colorizer.imaging.color import rgb_to_lab
from train.model.losses import ms_ssim

Pixels = NDArray[np.uint8]  # (H, W, 3) sRGB
Ab = NDArray[np.float32]  # (H, W, 2) a* and b*


@dataclass(frozen=True)
class Metric:
    """How a figure is called, written and read."""

    title: str
    better: str  # what is good
    decimals: int = 3
    unit: str = ""
    hub: str = ""  # its name on the Hugging Face Hub

    @property
    def label(self) -> str:
        """The title with the unit."""
        return f"{self.title} ({self.unit})" if self.unit else self.title

    def text(self, value: float) -> str:
        """The value as it is written in tables."""
        return f"{value:.{self.decimals}f}"


HIGHER, LOWER, NEAR_TRUTH = "higher is better", "lower is better", "near the truth's is better"
METRICS = {
    "psnr": Metric("PSNR", HIGHER, 2, "dB", "psnr"),
    "ssim": Metric("SSIM", HIGHER, 3, hub="ssim"),
    "delta_e00": Metric("CIEDE2000", LOWER, 2, hub="ciede2000"),
    "lpips": Metric("LPIPS (AlexNet)", LOWER, 3, hub="lpips"),
    "lpips_vgg": Metric("LPIPS (VGG16)", LOWER, 3, hub="lpips-vgg"),
    "ms_ssim_ab": Metric("MS-SSIM of a*b*", HIGHER, 3, hub="ms-ssim-ab"),
    "edge_error": Metric("ab error at edges", LOWER, 2, hub="edge-ab-error"),
    "spill": Metric("Spill at edges", LOWER, 3, hub="edge-spill"),
    "cf": Metric("CF", NEAR_TRUTH, 1, hub="colorfulness"),
    "fid": Metric("FID", LOWER, 2, hub="fid"),
}
RELATIVE_METRICS = ("lpips", "lpips_vgg", "delta_e00", "fid")  # also divided by the gray input's
RATIOS = {
    f"{name}_of_gray": Metric(f"{METRICS[name].title} / gray", METRICS[name].better)
    for name in RELATIVE_METRICS
} | {"cf_of_truth": Metric("CF / truth", "near 1 is better")}
COLUMNS = METRICS | RATIOS  # of tables, in this order


def psnr(output: Pixels, truth: Pixels) -> float:
    """Peak signal-to-noise ratio in dB, at most 100 (for equal photos it would be infinite)."""
    if np.array_equal(output, truth):
        return 100.0
    return min(100.0, float(peak_signal_noise_ratio(truth, output)))


def ssim(output: Pixels, truth: Pixels) -> float:
    """Structural similarity (Wang et al. 2004), -1 to 1."""
    return float(structural_similarity(truth, output, channel_axis=2))


def ms_ssim_ab(output: Ab, truth: Ab) -> float:
    """Multi-scale SSIM of a* and b*, up to 1; see `train.model.losses.ms_ssim`.

    Args:
        output: (H, W, 2) ab.
        truth: (H, W, 2) ab.
    """
    first, second = (torch.from_numpy(ab).permute(2, 0, 1)[None] for ab in (output, truth))
    return float(ms_ssim(first, second))


def ab_of(pixels: Pixels) -> Ab:
    """(H, W, 2) ab of a photo."""
    lab = rgb_to_lab(torch.from_numpy(pixels).permute(2, 0, 1) / 255)
    return np.ascontiguousarray(lab[1:].permute(1, 2, 0).numpy())


def delta_e00(output: Pixels, truth: Pixels) -> float:
    """Mean CIEDE2000 color difference; 1 is just visible."""
    return float(deltaE_ciede2000(rgb2lab(truth), rgb2lab(output)).mean())


def colorfulness(pixels: Pixels) -> float:
    """CF of Hasler and Suesstrunk 2003, eq. 1, on 8-bit levels."""
    red, green, blue = np.moveaxis(pixels.astype(np.float64), 2, 0)
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = np.hypot(red_green.std(), yellow_blue.std())
    return float(spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean()))
