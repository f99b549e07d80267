"""Photos kept as arrays of L and ab."""

import re
import sys
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from colorizer.imaging.color import lab_to_rgb
from train.data.samples import Pair

LIGHTNESS_ARRAYS = ("l/gray_scale.npy", "l.npy")


@dataclass(frozen=True, slots=True)
class ArrayPhoto:
    """A photo that is kept as 8-bit CIELAB, one row of an array of L and one of an array of ab."""

    name: str
    lightness: Path  # (N, H, W) uint8, L* = value * 100 / 255
    lightness_index: int
    ab: Path  # (N, H, W, 2) uint8, a* and b* = value - 128
    ab_index: int

    def read(self) -> Pair:
        """The photo as RGB, its gray left to be made from it.

        L itself makes no better gray: it is the same but for rounding, and the network's input
        should have the lightness of the color that it is compared with, as for every photo.
        """
        lightness = torch.from_numpy(_array(self.lightness)[self.lightness_index] * (100 / 255))
        ab = torch.from_numpy(_array(self.ab)[self.ab_index] - 128.0).permute(2, 0, 1)
        # It was sRGB once, so it is out of gamut by rounding at most, which clipping mends best.
        rgb = lab_to_rgb(torch.cat((lightness[None], ab)).float())
        pixels = (rgb * 255).round_().byte().permute(1, 2, 0).numpy()
        return Pair(Image.fromarray(np.ascontiguousarray(pixels)), None)

    def files(self) -> tuple[Path, ...]:
        """Return the files of the arrays."""
        return self.lightness, self.ab


def find_arrays(path: Path) -> list[ArrayPhoto]:
    """Photos in a folder with `l/gray_scale.npy` or `l.npy`, and `ab*.npy` in one or more parts.

    Raises:
        ValueError: an array is missing, unreadable, or of another shape or type.
    """
    lightness = next((path / name for name in LIGHTNESS_ARRAYS if (path / name).is_file()), None)
    parts = sorted(path.rglob("ab*.npy"), key=_natural)
    if lightness is None or not parts:
        raise ValueError(
            f"{path} lacks {'arrays of ab' if lightness else 'the array of L'}; "
            f"it needs {' or '.join(LIGHTNESS_ARRAYS)}, and ab*.npy."
        )
    rows = _checked_rows(lightness, "(N, H, W)", (None, None))
    size = _array(lightness).shape[1:]
    places = [
        (part, row)
        for part in parts
        for row in range(_checked_rows(part, f"(N, {size[0]}, {size[1]}, 2)", (*size, 2)))
    ]
    count = min(rows, len(places))
    if not count:
        raise ValueError(f"{path} has arrays without photos; check how they were saved.")
    if rows != len(places):
        print(
            f"{path} has {rows} photos of L and {len(places)} of ab; the first {count} are used.",
            file=sys.stderr,
        )
    return [
        ArrayPhoto(f"{index:06d}", lightness, index, *place)
        for index, place in enumerate(places[:count])
    ]


def _checked_rows(path: Path, expected: str, shape: tuple[int | None, ...]) -> int:
    """How many photos an array has. Raises ValueError unless they are uint8 of that shape."""
    try:
        array = _array(path)
    except (OSError, ValueError, EOFError) as error:
        raise ValueError(f"{path} can't be read as an array ({error}); save it anew.") from None
    fits = array.ndim == len(shape) + 1 and all(
        want in (None, have) for want, have in zip(shape, array.shape[1:], strict=True)
    )
    if array.dtype != np.uint8 or not fits:
        raise ValueError(
            f"{path} is {array.dtype} of shape {array.shape}; expected is uint8 {expected}."
        )
    return len(array)


@lru_cache(maxsize=32)
def _array(path: Path) -> NDArray[np.uint8]:
    array: NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return array


def _natural(path: Path) -> list[int | str]:
    parts = re.split(r"(\d+)", path.as_posix())
    return [int(part) if part.isdigit() else part for part in parts]
