"""All figures of a report: how they are called, written and read; and those of single pixels.

`METRICS` is the one table of names, directions, units and formats.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from skimage.color import deltaE_ciede2000, rgb2lab
from skimage.metrics import peak_signal_noise_ratio, structural_similarity

Pixels = NDArray[np.uint8]  # (H, W, 3) sRGB


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
    "cf": Metric("CF", NEAR_TRUTH, 1, hub="colorfulness"),
    "fid": Metric("FID", LOWER, 2, hub="fid"),
}
OF_GRAY = ("lpips", "delta_e00", "fid")  # also given as a ratio to the gray input's
RATIOS = {
    f"{name}_of_gray": Metric(f"{METRICS[name].title} / gray", METRICS[name].better)
    for name in OF_GRAY
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


def delta_e00(output: Pixels, truth: Pixels) -> float:
    """Mean CIEDE2000 color difference; 1 is just visible."""
    return float(deltaE_ciede2000(rgb2lab(truth), rgb2lab(output)).mean())


def colorfulness(pixels: Pixels) -> float:
    """CF of Hasler and Suesstrunk 2003, eq. 1, on 8-bit levels."""
    red, green, blue = np.moveaxis(pixels.astype(np.float64), 2, 0)
    red_green, yellow_blue = red - green, (red + green) / 2 - blue
    spread = np.hypot(red_green.std(), yellow_blue.std())
    return float(spread + 0.3 * np.hypot(red_green.mean(), yellow_blue.mean()))
