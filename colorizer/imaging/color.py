"""Color spaces: sRGB, linear RGB, CIELAB, gamut mapping and the ab bins of the generator's head.

All tensors are float32 with channels at dimension -3: (..., 3, H, W). `rgb` is sRGB in [0, 1];
`lab` holds L* in [0, 100] and a*, b* in about [-110, 110], for the D65 white and the 2 degree
observer.
"""

from functools import cache

import torch
from torch import Tensor

# IEC 61966-2-1, linear sRGB to XYZ; the rows of its inverse give linear RGB.
RGB_TO_XYZ = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)
# D65: the white of sRGB itself, so that gray has a* = b* = 0
WHITE = tuple(sum(row) for row in RGB_TO_XYZ)
DELTA = 6 / 29  # CIE 15:2004, the junction of the cube root and the line
BIN_WIDTH = 10.0  # Zhang et al. 2016, sec. 2.2


def srgb_to_linear(rgb: Tensor) -> Tensor:
    """Decode sRGB values in [0, 1] to linear light in [0, 1] (IEC 61966-2-1). Any shape."""
    return torch.where(
        rgb <= 0.04045, rgb / 12.92, ((rgb.clamp_min(0.04045) + 0.055) / 1.055) ** 2.4
    )


def linear_to_srgb(linear: Tensor) -> Tensor:
    """Encode linear light in [0, 1] as sRGB in [0, 1]; values outside are clipped. Any shape."""
    linear = linear.clamp(0, 1)
    curve = 1.055 * linear.clamp_min(0.0031308) ** (1 / 2.4) - 0.055
    return torch.where(linear <= 0.0031308, linear * 12.92, curve)


def luminance_to_lightness(luminance: Tensor) -> Tensor:
    """Relative luminance Y in [0, 1] to lightness L* in [0, 100]. Any shape."""
    return 116 * _cube_root(luminance) - 16


def gray_to_lightness(gray: Tensor) -> Tensor:
    """sRGB gray values in [0, 1] to lightness L* in [0, 100]. Any shape."""
    return luminance_to_lightness(srgb_to_linear(gray))


def lightness_to_gray(lightness: Tensor) -> Tensor:
    """Lightness L* in [0, 100] to sRGB gray values in [0, 1]. Any shape."""
    return linear_to_srgb(_cube((lightness + 16) / 116))


def rgb_to_lab(rgb: Tensor) -> Tensor:
    """sRGB (..., 3, H, W) in [0, 1] to CIELAB (..., 3, H, W). Differentiable."""
    xyz = _mix(RGB_TO_XYZ, srgb_to_linear(rgb))
    x, y, z = (_cube_root(xyz.select(-3, i) / WHITE[i]) for i in range(3))
    return torch.stack((116 * y - 16, 500 * (x - y), 200 * (y - z)), dim=-3)


def hex_to_lab(color: str) -> Tensor:
    """Convert "#rrggbb" (sRGB) to CIELAB, (3,) float32: L*, a* and b*."""
    rgb = torch.tensor([int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)])
    return rgb_to_lab(rgb.view(3, 1, 1)).flatten()


def lab_to_linear(lab: Tensor) -> Tensor:
    """CIELAB (..., 3, H, W) to linear RGB (..., 3, H, W); outside [0, 1] means out of gamut."""
    lightness, a, b = lab.unbind(-3)
    y = (lightness + 16) / 116
    roots = (y + a / 500, y, y - b / 200)
    xyz = [_cube(root) * white for root, white in zip(roots, WHITE, strict=True)]
    return _mix(xyz_to_rgb(), torch.stack(xyz, dim=-3))


def lab_to_rgb(lab: Tensor) -> Tensor:
    """CIELAB (..., 3, H, W) to sRGB (..., 3, H, W) in [0, 1]. Differentiable.

    Colors out of gamut are clipped, which shifts their lightness; `compose` keeps lightness.
    """
    return linear_to_srgb(lab_to_linear(lab))


@cache
def ab_bins() -> tuple[tuple[float, float], ...]:
    """Centers (a*, b*) of the cells that contain an sRGB color (Zhang et al. 2016, sec. 2.2)."""
    levels = torch.linspace(0, 1, 65)
    cube = torch.stack(torch.meshgrid(levels, levels, levels, indexing="ij")).reshape(3, 65, -1)
    cells = (rgb_to_lab(cube)[1:].flatten(1) / BIN_WIDTH).round()
    return tuple(sorted({(BIN_WIDTH * a + 0, BIN_WIDTH * b + 0) for a, b in cells.T.tolist()}))


@cache
def xyz_to_rgb() -> tuple[tuple[float, ...], ...]:
    """The inverse of `RGB_TO_XYZ`."""
    inverse = torch.tensor(RGB_TO_XYZ, dtype=torch.float64).inverse()
    return tuple(tuple(row) for row in inverse.tolist())


def _mix(matrix: tuple[tuple[float, ...], ...], planes: Tensor) -> Tensor:
    return torch.einsum("ij,...jhw->...ihw", planes.new_tensor(matrix), planes)


def _cube_root(ratio: Tensor) -> Tensor:
    line = ratio / (3 * DELTA**2) + 4 / 29
    return torch.where(ratio > DELTA**3, ratio.clamp_min(DELTA**3) ** (1 / 3), line)


def _cube(root: Tensor) -> Tensor:
    return torch.where(root > DELTA, root**3, 3 * DELTA**2 * (root - 4 / 29))
