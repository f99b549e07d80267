"""Small photos and folders of them."""

import tarfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from skimage.color import rgb2lab

Pixels = NDArray[np.uint8]
SaveImage = Callable[..., Path]
UPRIGHT = {
    1: lambda stored: stored,
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.transpose(1, 0, 2),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: stored[::-1, ::-1].transpose(1, 0, 2),
    8: lambda stored: np.rot90(stored),
}


def color_pixels(height: int, width: int, seed: int = 0) -> Pixels:
    """A smooth random color photo, uint8 (height, width, 3), dark to light."""
    random = np.random.default_rng(seed)
    coarse = Image.fromarray(random.integers(0, 256, (5, 6, 3), dtype=np.uint8))
    return np.array(coarse.resize((width, height), Image.Resampling.BICUBIC))


def save_photos(folder: Path, files: Iterable[str], size: tuple[int, int] = (24, 32)) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for seed, file in enumerate(files):
        Image.fromarray(color_pixels(*size, seed=seed)).save(folder / file)
    return folder


def as_arrays(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """(N, H, W, 3) sRGB as 8-bit L and ab, by scikit-image."""
    lab = rgb2lab(pixels)
    lightness = np.round(lab[..., 0] * 2.55).astype(np.uint8)
    return lightness, np.round(lab[..., 1:] + 128).astype(np.uint8)


def pack(folder: Path, path: Path, mode: Literal["w", "w:gz"] = "w", name: str = "shard") -> Path:
    with tarfile.open(path, mode) as tar:
        tar.add(folder, name)
    return path
