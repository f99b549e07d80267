"""Add an old photo's flaws to a batch of crops, with torch, on any device.

The functions have the names and parameters of those in `augment`, one value per crop, and make the
same of a crop within a gray level or two; `dust` draws marks of the same places and sizes with
slightly other edges. All operations work pixel by pixel or, in `jpeg`, on blocks of 8 x 8, so a
crop doesn't depend on its neighbors in the batch.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from train.data.flaws import ABSENT, BLUR_SIGMA, SCRATCHES, SPECKS, Flaws

Batch = dict[str, dict[str, Tensor]]  # by flaw: "rows", the crops that have it, and parameters

GRAIN_RADIUS = 2  # pixels, of the kernel
LINE_RADIUS = 0.7  # pixels; OpenCV's antialiased lines cover 1.4 pixels across
OUTLINE = 0.6  # pixels that OpenCV's antialiased outline adds to the radii of a small ellipse
SMALLEST = 1e-6  # keeps divisions finite

# JPEG's example table for luminance (ITU-T T.81, table K.1), which libjpeg scales by the quality
QUANTIZATION = (
    (16, 11, 10, 16, 24, 40, 51, 61),
    (12, 12, 14, 19, 26, 58, 60, 55),
    (14, 13, 16, 24, 40, 57, 69, 56),
    (14, 17, 22, 29, 51, 87, 80, 62),
    (18, 22, 37, 56, 68, 109, 103, 77),
    (24, 35, 55, 64, 81, 104, 113, 92),
    (49, 64, 78, 87, 103, 121, 120, 101),
    (72, 92, 95, 98, 112, 100, 103, 99),
)


def stack_flaws(drawn: Sequence[Flaws]) -> Batch:
    """The flaws of the crops of a batch, as tensors on the CPU."""
    batch: Batch = {}
    for name in FLAWS:
        rows = [row for row, flaws in enumerate(drawn) if name in flaws]
        if rows:
            batch[name] = {"rows": torch.tensor(rows)}
            for key in drawn[rows[0]][name]:
                values = np.stack([drawn[row][name][key] for row in rows])
                batch[name][key] = torch.from_numpy(values.astype(np.float32))
    return batch


def moved(batch: Batch, device: torch.device) -> Batch:
    """The same on a device."""
    return {
        name: {key: value.to(device, non_blocking=True) for key, value in parameters.items()}
        for name, parameters in batch.items()
    }


def degrade(gray: Tensor, batch: Batch) -> Tensor:
    """Make photos look old.

    Args:
        gray: float32 (N, H, W), whole sRGB gray levels from 0 to 255; it is not changed.
        batch: as of `stack_flaws`, on the device of `gray`.

    Returns:
        The same shape and kind.
    """
    gray = gray.clone()
    for name, parameters in batch.items():
        rows = parameters["rows"]
        others = {key: value for key, value in parameters.items() if key != "rows"}
        gray[rows] = FLAWS[name](gray[rows], **others)
    return gray


def blur(gray: Tensor, sigma: Tensor) -> Tensor:
    """An unsharp lens: a Gaussian blur; sigma (N,) in pixels."""
    radii = ((6 * sigma + 1).round() / 2).floor()  # as OpenCV chooses them for 8 bits
    kernels = _gaussian(sigma, _blur_radius(BLUR_SIGMA[1]))
    offsets = torch.arange(kernels.shape[1], device=gray.device) - kernels.shape[1] // 2
    kernels = kernels * (offsets.abs() <= radii[:, None])
    return _round(_filter(gray, kernels / kernels.sum(1, keepdim=True)))


def vignette(gray: Tensor, corner: Tensor) -> Tensor:
    """Darken the corners by the cos^4 law of lenses, to the share (N,) of their brightness."""
    y, x = (torch.linspace(-1, 1, size, device=gray.device) for size in gray.shape[1:])
    tangent = _each(corner**-0.5 - 1) * (x**2 + y[:, None] ** 2) / 2  # squared
    return _round(gray / (1 + tangent) ** 2)


def grain(gray: Tensor, noise: Tensor, sigma: Tensor, strength: Tensor) -> Tensor:
    """Add film grain, made of white noise (N, H, W); sigma (N,) in pixels, strength (N,)."""
    kernels = _gaussian(sigma, GRAIN_RADIUS)
    kernels = kernels / kernels.norm(dim=1, keepdim=True)  # keeps the variance
    level = gray / 255
    spread = _each(strength) * (4 * level * (1 - level)).sqrt()
    return _round(gray + spread * _filter(noise, kernels))


def gamma(gray: Tensor, power: Tensor) -> Tensor:
    """An exposure or a print that is lighter or darker: the gray value to the power (N,)."""
    return _round(255 * (gray / 255) ** _each(power))


def fading(gray: Tensor, black: Tensor, white: Tensor) -> Tensor:
    """A bleached print: black and white become these shares (N,) of white."""
    return _round(255 * (_each(black) + _each(white - black) * (gray / 255)))


def dust(
    gray: Tensor,
    scratches: Tensor,
    scratch_levels: Tensor,
    opacity: Tensor,
    specks: Tensor,
    speck_levels: Tensor,
) -> Tensor:
    """Scratches and specks, antialiased by the distance of each pixel from their edges.

    Args:
        gray: (N, H, W).
        scratches: (N, 3, 3, 2), three points (x, y) each.
        scratch_levels: (N, 3) gray levels, or `ABSENT`.
        opacity: (N,) of all scratches of a crop.
        specks: (N, 9, 5), center (x, y), two radii, degrees.
        speck_levels: (N, 9) gray levels, or `ABSENT`.
    """
    y, x = (torch.arange(size, device=gray.device) for size in gray.shape[1:])
    pixels = torch.stack((x.expand(len(y), -1), y[:, None].expand(-1, len(x))), -1)  # (H, W, 2)
    scratched = gray
    for number in range(SCRATCHES[1]):
        start, middle, end = (scratches[:, number, point] for point in range(3))
        distance = torch.minimum(_distance(pixels, start, middle), _distance(pixels, middle, end))
        scratched = _paint(scratched, distance - LINE_RADIUS, scratch_levels[:, number])
    marked = _round(gray + _each(opacity) * (_round(scratched) - gray))
    for number in range(SPECKS[1]):
        distance = _ellipse_distance(pixels, specks[:, number])
        marked = _round(_paint(marked, distance, speck_levels[:, number]))
    return marked


def jpeg(gray: Tensor, quality: Tensor) -> Tensor:
    """The blocks and ringing of JPEG files of a quality (N,), 1 to 100 on libjpeg's scale."""
    height, width = gray.shape[1:]
    padded = F.pad(gray[None], (0, -width % 8, 0, -height % 8), "replicate")[0]
    rows, columns = padded.shape[1] // 8, padded.shape[2] // 8
    blocks = padded.view(len(gray), rows, 8, columns, 8).transpose(2, 3)
    scale = torch.where(quality < 50, (5000 / quality).floor(), 200 - 2 * quality)
    table = torch.tensor(QUANTIZATION, device=gray.device)
    steps = ((table * _each(scale) + 50) / 100).floor().clamp(1, 255)[:, None, None]
    cosines = _cosines().to(gray.device)
    coefficients = _transform(blocks - 128, cosines) / steps  # (N, rows, columns, 8, 8)
    whole = coefficients.sign() * (coefficients.abs() + 0.5).floor()  # as libjpeg rounds
    blocks = _transform(whole * steps, cosines.T)
    decoded = (blocks + 128).transpose(2, 3).flatten(3).flatten(1, 2)
    return _round(decoded[:, :height, :width])


def _gaussian(sigma: Tensor, radius: int) -> Tensor:
    """Gaussian kernels (N, 2 * radius + 1) with the sum 1."""
    offsets = torch.arange(-radius, radius + 1, device=sigma.device)
    kernels = torch.exp(-(offsets**2) / (2 * sigma[:, None] ** 2))
    return kernels / kernels.sum(1, keepdim=True)


def _blur_radius(sigma: float) -> int:
    return math.floor(round(6 * sigma + 1) / 2)


def _filter(planes: Tensor, kernels: Tensor) -> Tensor:
    """Filter planes (N, H, W) along both axes with kernels (N, K), mirrored at the edges.

    A sum of shifted copies: the kernels are small, and a convolution would sum in an order, and on
    some devices with a precision, that depend on the batch.
    """
    height, width = planes.shape[1:]
    radius = kernels.shape[1] // 2
    taps = [_each(tap) for tap in kernels.unbind(1)]
    padded = F.pad(planes[None], (radius, radius, radius, radius), "reflect")[0]
    rows = _sum(tap * padded[:, :, at : at + width] for at, tap in enumerate(taps))
    return _sum(tap * rows[:, at : at + height] for at, tap in enumerate(taps))


def _distance(pixels: Tensor, start: Tensor, end: Tensor) -> Tensor:
    """Distance (N, H, W) of pixels (H, W, 2) from the lines between points (N, 2)."""
    along = (end - start)[:, None, None]
    offset = pixels - start[:, None, None]
    length = along.square().sum(-1).clamp_min(SMALLEST)
    share = ((offset * along).sum(-1) / length).clamp(0, 1)
    nearest = offset - share[..., None] * along
    return torch.hypot(nearest[..., 0], nearest[..., 1])


def _ellipse_distance(pixels: Tensor, ellipses: Tensor) -> Tensor:
    """Signed distance (N, H, W) of pixels (H, W, 2) from ellipses (N, 5), to first order."""
    center, radii, angle = ellipses[:, :2], ellipses[:, 2:4] + OUTLINE, ellipses[:, 4].deg2rad()
    x, y = (pixels - center[:, None, None]).unbind(-1)
    cosine, sine = _each(angle.cos()), _each(angle.sin())
    turned = torch.stack((x * cosine + y * sine, y * cosine - x * sine), -1)
    scaled = turned / radii[:, None, None]
    radius = scaled.norm(dim=-1)  # 1 on the ellipse
    slope = (scaled / radii[:, None, None]).norm(dim=-1)  # of the squared radius, halved
    inside = -radii.amin(1)[:, None, None]  # what it is in the center
    return torch.where(slope < SMALLEST, inside, (radius - 1) * radius / slope.clamp_min(SMALLEST))


def _paint(gray: Tensor, distance: Tensor, levels: Tensor) -> Tensor:
    """Cover gray (N, H, W) with levels (N,) where the distance from a mark is small."""
    cover = (0.5 - distance).clamp(0, 1) * _each(levels != ABSENT)
    return gray + cover * (_each(levels) - gray)


def _cosines() -> Tensor:
    """The matrix of the orthonormal DCT of 8 values."""
    frequency, place = torch.arange(8)[:, None], torch.arange(8)
    matrix = torch.cos((2 * place + 1) * frequency * math.pi / 16) / 2
    matrix[0] /= math.sqrt(2)
    return matrix


def _transform(blocks: Tensor, matrix: Tensor) -> Tensor:
    """Multiply (..., 8, 8) with a matrix along both axes, in a fixed order of summation."""
    for _ in range(2):
        blocks = _sum(blocks[..., place, None] * matrix[:, place] for place in range(8)).mT
    return blocks


def _sum(terms: Iterable[Tensor]) -> Tensor:
    return reduce(Tensor.add_, terms)


def _each(values: Tensor) -> Tensor:
    """Values (N,) to multiply planes (N, H, W) with."""
    return values[:, None, None]


def _round(levels: Tensor) -> Tensor:
    return levels.round().clamp(0, 255)


FLAWS: Mapping[str, Callable[..., Tensor]] = {
    "blur": blur,
    "vignette": vignette,
    "grain": grain,
    "gamma": gamma,
    "fading": fading,
    "dust": dust,
    "jpeg": jpeg,
}
