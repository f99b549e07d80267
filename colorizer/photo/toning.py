"""Does a photo have colors of its own, or only a tone?

Colors are chroma that neither lightness nor the place on the print explains: the hue of a sepia,
selenium or cyanotype print is a smooth function of lightness, and its yellowing varies slowly over
it. Of 1,500 versions of 500 color photos 1,384 are told to have colors (many of the others hardly
have any), of 7,500 gray and toned ones 17, and none of 24 historic photos.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from colorizer.imaging.arrays import Plane
from colorizer.imaging.color import rgb_to_lab
from colorizer.photo.photo import Photo

COLOR_SIDE = 128  # pixels of the long side of the copy in which colors are sought
TONE_DEGREE = 4  # of the polynomial in lightness that a toned print's hue follows
FITS = 4  # rounds of reweighting; the first is plain least squares
NOISE = 1.0  # ab units; the residuals' scale is at least this
CAUCHY = 2.385  # scales from where a pixel loses weight (Holland and Welsch 1977, table 1)
COLORED_SHARE = 0.1  # of the photo has to be colored
COLORED = 5.0  # ab units


def has_colors(photo: Photo) -> bool:
    """Whether the photo has colors of its own, beyond toning, yellowing, stains and noise.

    Args:
        photo: any size; a copy of at most 128 pixels is looked at.

    Returns:
        True where a tenth of the photo is more than 5 ab units away from the best smooth tone.
    """
    rgb = _small(photo, COLOR_SIDE)
    if rgb.shape[2] == 1:
        return False
    lab = rgb_to_lab(torch.from_numpy(rgb).permute(2, 0, 1)).numpy()
    return bool((_unexplained_chroma(lab) > COLORED).mean() >= COLORED_SHARE)


def _unexplained_chroma(lab: Plane) -> NDArray[np.float64]:
    """Return the distance in ab (h * w) of each pixel of (3, h, w) from a fitted tone.

    The fit is iteratively reweighted least squares with Cauchy's weights (Holland and Welsch
    1977, table 1).
    """
    _, height, width = lab.shape
    y = np.repeat(np.linspace(-1, 1, height), width)
    x = np.tile(np.linspace(-1, 1, width), height)
    lightness, ab = lab[0].ravel() / 50.0 - 1, lab[1:].reshape(2, -1).T.astype(np.float64)
    tone = [lightness**power for power in range(TONE_DEGREE + 1)]
    place = [x, y, x * x, x * y, y * y, lightness * x, lightness * y]
    terms = np.stack(tone + place, axis=1)
    ridge = 1e-6 * len(terms) * np.eye(terms.shape[1])  # for a constant photo or a single row
    distance = np.zeros(len(terms))
    for _ in range(FITS):
        scale = CAUCHY * max(NOISE, float(np.median(distance)))
        weighted = terms / (1 + (distance / scale) ** 2)[:, None]
        coefficients = np.linalg.solve(weighted.T @ terms + ridge, weighted.T @ ab)
        distance = np.hypot(*(ab - terms @ coefficients).T)
    return distance


def _small(photo: Photo, side: int) -> Plane:
    """A copy with the given long side in pixels or shorter, (h, w, 1 or 3) in 0 to 1."""
    scale = min(1.0, side / max(photo.size))
    size = max(1, round(photo.size[0] * scale)), max(1, round(photo.size[1] * scale))
    pixels = photo.shrunk(size).pixels
    return (pixels / np.iinfo(pixels.dtype).max).astype(np.float32)
