"""How much damage does dust removal mend, and how much writing does it change?

python -m benchmarks.mending photos/ --amount 0.5 0.8 1

Damage is drawn on the photos of a folder, as for training. A damaged pixel counts as mended if at
least half of its difference from the photo before is gone. The writing is that of
`benchmarks/captions.json`: boxes marked by hand in photos of these names.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from colorizer import Photo
from colorizer.adjust.restoration import copy_size, remove_dust
from colorizer.imaging.arrays import Plane
from train.data.damage import damage

CAPTIONS = Path(__file__).with_name("captions.json")
INK = 15.0  # L* units between a letter and the median of its box
CHANGE = 3.0  # L* units that are seen
SEED = 3


def main() -> None:
    """Print a table: a row for each amount."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--amount", type=float, nargs="+", default=[0.5, 0.8, 1.0])
    options = parser.parse_args()
    paths = sorted(options.photos.glob("*.jpg"))
    print("| amount | damaged pixels mended | intact pixels changed | pixels of writing changed |")
    print("|---|---|---|---|")
    for amount in options.amount:
        rows = np.array([damaged_photo(path, amount) for path in paths])
        mended, intact = rows[:, 0].sum() / rows[:, 1].sum(), rows[:, 2].mean()
        writing = np.concatenate(list(captions(options.photos, amount)))
        print(f"| {amount} | {mended:.1%} | {intact:.2%} | {writing.mean():.1%} |")


def damaged_photo(path: Path, amount: float) -> tuple[int, int, float]:
    """Count mended and damaged pixels; measure the share of intact pixels that change."""
    random = np.random.default_rng([SEED, *path.name.encode()])
    gray = np.asarray(read_lightness(path) * 2.55, np.uint8)
    damaged_gray, mask = damage(gray, random)
    clean, damaged = (np.asarray(plane / 2.55, np.float32) for plane in (gray, damaged_gray))
    mended = np.abs(cleaned(damaged, amount) - clean) < np.abs(damaged - clean) / 2
    changed = np.abs(cleaned(clean, amount) - clean) > CHANGE
    return int((mended & mask).sum()), int(mask.sum()), float(changed.mean())


def captions(folder: Path, amount: float) -> Iterator[NDArray[np.bool_]]:
    """Which pixels of writing change, box by box."""
    for name, boxes in json.loads(CAPTIONS.read_text("utf-8")).items():
        before = read_lightness(folder / name)
        after = cleaned(before, amount)
        for left, top, right, bottom in boxes:
            part = np.s_[top:bottom, left:right]
            ink = np.abs(before[part] - np.median(before[part])) > INK
            yield (np.abs(after[part] - before[part]) > CHANGE)[ink]


def cleaned(lightness: Plane, amount: float) -> Plane:
    """L* (H, W) without dust."""
    size = lightness.shape
    assert copy_size(size) == size, "photos of at most a megapixel"
    result = lightness.copy()
    remove_dust(lightness, amount)(result, slice(0, size[0]), size)
    return result


def read_lightness(path: Path) -> Plane:
    """L* of a photo, (H, W), at most a megapixel."""
    photo = Photo.open(path)
    return photo.resized_lightness(copy_size(photo.size))


if __name__ == "__main__":
    main()
