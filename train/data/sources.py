"""Find training photos by the paths of `--data`.

The kind of a source is recognized by its files. A prefix before the path (`photos:`, `pairs:`,
`arrays:`, `flowers102:`) sets the kind instead.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from train.data.arrays import LIGHTNESS_ARRAYS, find_arrays
from train.data.flowers import find_flowers
from train.data.pairs import find_pairs
from train.data.photo_files import find_photos
from train.data.samples import Sample, Source

FINDERS: Mapping[str, Callable[[Path], Sequence[Sample]]] = {
    "photos": find_photos,
    "pairs": find_pairs,
    "arrays": find_arrays,
    "flowers102": find_flowers,
}


def find_sources(specs: Iterable[str]) -> list[Source]:
    """Look up several sources; the second of the same name becomes `name-2`, and so on.

    Raises:
        ValueError: as of `find_source`.
    """
    sources: list[Source] = []
    for spec in specs:
        source = find_source(spec)
        taken = {other.name for other in sources}
        name, number = source.name, 1
        while name in taken:
            number += 1
            name = f"{source.name}-{number}"
        sources.append(Source(name, source.samples))
    return sources


def find_source(spec: str) -> Source:
    """List the samples of a source, sorted by name, those of arrays by index.

    Args:
        spec: one of these paths, maybe after a prefix that names its kind:
            photos: a folder of color photos, searched recursively, with tar shards in it or not;
                or one tar shard.
            pairs: a folder with `color/` and `gray/`, whose photos have the same names but for
                the ending; the given gray is the input.
            arrays: a folder with `l/gray_scale.npy` or `l.npy`, (N, H, W) uint8, and `ab*.npy`,
                (N, H, W, 2) uint8, perhaps in several parts; see `ArrayPhoto`.
            flowers102: a folder with torchvision's `flowers-102/`; downloaded if it is not there.

    Raises:
        ValueError: the path doesn't exist, holds no samples, or they don't fit together.
    """
    kind, _, rest = spec.partition(":")
    path = Path(rest if kind in FINDERS else spec).expanduser()
    find = FINDERS[kind if kind in FINDERS else _kind(path)]
    return Source(os.path.basename(os.path.abspath(path)), find(path))


def _kind(path: Path) -> str:
    if (path / "flowers-102").is_dir():
        return "flowers102"
    if all((path / side).is_dir() for side in ("color", "gray")):
        return "pairs"
    if any((path / name).is_file() for name in LIGHTNESS_ARRAYS):
        return "arrays"
    return "photos"
