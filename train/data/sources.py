"""Where training photos come from: folders, tar shards, pairs, arrays, Flowers102.

A source is named by a path, and its kind is found out by looking at it; a prefix (`photos:`,
`pairs:`, `arrays:`, `flowers102:`) before the path names the kind instead.
"""

import hashlib
import io
import os
import re
import sys
import tarfile
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import ExifTags, Image
from PIL.ContainerIO import ContainerIO

from colorizer.file_names import is_system_name
from colorizer.imaging.color import lab_to_rgb
from colorizer.photo.formats import READABLE
from colorizer.photo.photo import Photo

SUFFIXES = {
    ".avif", ".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp",
}  # fmt: skip
NOT_READ = {".arw", ".cr2", ".cr3", ".dng", ".heic", ".heif", ".nef"}  # photos, but not to us
LIGHTNESS_ARRAYS = ("l/gray_scale.npy", "l.npy")
SHOWN = 3  # names in a sentence about many


class Pair(NamedTuple):
    """A color photo and, where the source has one, the gray input that belongs to it."""

    color: Image.Image  # RGB
    gray: Image.Image | None  # mode L, the same size; None: to be made from color

    def input(self) -> Photo:
        """The gray input: the given one, or the color photo without its colors."""
        if self.gray is None:
            return Photo(np.array(self.color)).to_gray()
        return Photo(np.array(self.gray)[:, :, None])

    def shrunk(self, short: int) -> "Pair":
        """The same at a short side of at most `short` pixels."""
        scale = short / min(self.color.size)
        if scale >= 1:
            return self
        width, height = (max(1, round(side * scale)) for side in self.color.size)
        gray = None if self.gray is None else self.gray.resize((width, height))
        return Pair(self.color.resize((width, height)), gray)


class Sample(Protocol):
    """One photo of a source; small enough that millions can be listed."""

    @property
    def name(self) -> str:
        """Unique in its source, the same wherever the source lies."""

    def read(self) -> Pair:
        """Decode it. Raises OSError if it can't be read."""


@dataclass(frozen=True)
class Source:
    """What one path of --data or --val-data holds."""

    name: str
    samples: Sequence[Sample]

    def __len__(self) -> int:
        return len(self.samples)


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """A color photo that lies in a file, or in a stretch of a tar shard."""

    path: Path
    name: str
    offset: int = 0
    length: int = -1  # bytes; -1 means the whole file

    def read(self) -> Pair:
        return Pair(self.open(), None)

    def open(self) -> Image.Image:
        """Decode the photo, upright, as RGB. Raises OSError if it can't be read."""
        return self._photo().to_image().convert("RGB")

    def open_gray(self) -> Image.Image:
        """Decode the photo, upright, as mode L with its lightness. Raises OSError likewise."""
        return self._photo().to_gray().to_image()

    def size(self) -> tuple[int, int]:
        """(width, height) of the upright photo, from its header alone.

        Raises:
            OSError: it has no readable header.
        """
        with self.path.open("rb") as file:
            length = self.path.stat().st_size if self.length < 0 else self.length
            part = ContainerIO(file, self.offset, length)
            try:
                with Image.open(part, formats=READABLE) as image:
                    exif = Image.Image.getexif(image)  # that of PNG would decode the photo first
                    turned = exif.get(ExifTags.Base.Orientation, 1) >= 5  # by a quarter
                    upright = image.format == "TIFF" or not turned  # Pillow turns TIFF itself
                    return image.size if upright else image.size[::-1]
            except Exception as error:  # as below
                raise OSError(f"{self.name}: {error}") from error

    def _photo(self) -> Photo:
        with self.path.open("rb") as file:
            file.seek(self.offset)
            data = io.BytesIO(file.read(self.length))
        try:
            return Photo.open(data)
        except Exception as error:  # decoders fail in many ways, and one photo must not end a run
            raise OSError(f"{self.name}: {error}") from error


@dataclass(frozen=True, slots=True)
class PhotoPair:
    """A color photo and its gray version, for example a scan of a black-and-white print."""

    color: PhotoFile
    gray: PhotoFile

    @property
    def name(self) -> str:
        return self.color.name

    def read(self) -> Pair:
        return Pair(self.color.open(), self.gray.open_gray())


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


def pick(sources: Iterable[Source], count: int | None) -> list[tuple[str, Sample]]:
    """Samples with the names of their sources, evenly over all; None takes every one."""
    samples = [(source.name, sample) for source in sources for sample in source.samples]
    if count is None or count >= len(samples):
        return samples
    return [samples[index] for index in np.linspace(0, len(samples) - 1, count).astype(int)]


def split(sources: Sequence[Source], val_fraction: float) -> tuple[list[Source], list[Source]]:
    """Divide sources into training and validation.

    The side of a sample follows from its name alone, so photos that are added later move none of
    the others. A source that has nothing on a side is left out there.

    Args:
        sources: what to divide.
        val_fraction: share of the samples to validate on, 0 to 1; met roughly, but by at least
            one of several samples unless it is 0.

    Raises:
        ValueError: nothing is left to train on.
    """
    shares = sorted(_hash_share(sample.name) for _, sample in pick(sources, None))
    limit = max(val_fraction, shares[0]) if val_fraction and len(shares) > 1 else val_fraction

    def side(validate: bool) -> list[Source]:
        halves = [
            Source(
                source.name,
                [each for each in source.samples if (_hash_share(each.name) <= limit) == validate],
            )
            for source in sources
        ]
        return [half for half in halves if half.samples]

    training, validation = side(False), side(True)
    if not training:
        raise ValueError(
            f"val_fraction {val_fraction} leaves no photos to train on; lower it or add photos."
        )
    return training, validation


def _kind(path: Path) -> str:
    if (path / "flowers-102").is_dir():
        return "flowers102"
    if all((path / side).is_dir() for side in ("color", "gray")):
        return "pairs"
    if any((path / name).is_file() for name in LIGHTNESS_ARRAYS):
        return "arrays"
    return "photos"


def _find_photos(path: Path) -> list[PhotoFile]:
    if path.is_dir():
        photos = _photos_below(path)
    elif path.is_file() and tarfile.is_tarfile(path):
        photos = _members(path)
    else:
        raise ValueError(f"{path} is neither a folder nor a tar archive of photos; check the path.")
    if not photos:
        raise ValueError(
            f"{path} holds no photos; put color photos ({', '.join(sorted(SUFFIXES))}) into it."
        )
    return sorted(photos, key=lambda photo: photo.name)


def _photos_below(folder: Path) -> list[PhotoFile]:
    photos = []
    unknown: Counter[str] = Counter()
    for path in folder.rglob("*"):
        name = path.relative_to(folder).as_posix()
        if _is_left_out(Path(name)):
            continue
        unknown[path.suffix.lower()] += path.suffix.lower() in NOT_READ
        if _is_photo(name) and path.is_file():
            photos.append(PhotoFile(path, name))
        elif path.suffix.lower() == ".tar" and path.is_file():
            photos += _members(path, f"{name}/")
    for suffix, count in (+unknown).items():
        print(f"{count} {suffix} files in {folder} are left out; convert them to JPEG to train on.")
    return photos


def _members(archive: Path, prefix: str = "") -> list[PhotoFile]:
    try:
        with tarfile.open(archive, "r:") as tar:
            members = [member for member in tar if member.isfile() and _is_photo(member.name)]
    except tarfile.ReadError:
        raise ValueError(
            f"{archive} is compressed or damaged; pack the photos with plain tar."
        ) from None
    return [
        PhotoFile(archive, prefix + member.name, member.offset_data, member.size)
        for member in members
    ]


def _is_photo(name: str) -> bool:
    path = Path(name)
    return path.suffix.lower() in SUFFIXES and not _is_left_out(path)


def _is_left_out(path: Path) -> bool:
    """Whether a file is hidden, as ._a.jpg of macOS, or lies in a folder of a system or its trash.

    Args:
        path: relative to the folder or archive that is searched.
    """
    return any(is_system_name(part) for part in path.parts)


def _find_pairs(path: Path) -> list[PhotoPair]:
    sides = []
    for side in ("color", "gray"):
        photos = _find_photos(path / side)
        named = {os.path.splitext(photo.name)[0]: photo for photo in photos}
        if len(named) < len(photos):
            raise ValueError(
                f"{path / side} has photos that differ only in their ending; keep one of each."
            )
        sides.append(named)
    color, gray = sides
    lonely = [f"color/{name}" for name in sorted(color.keys() - gray.keys())]
    lonely += [f"gray/{name}" for name in sorted(gray.keys() - color.keys())]
    if lonely:
        raise ValueError(
            f"{path} has photos without a partner of the same name, {len(lonely)} in all "
            f"({_first(lonely)}); add it in the other folder, or remove them."
        )
    pairs = [PhotoPair(photo, gray[name]) for name, photo in color.items()]
    unequal = [pair.name for pair in pairs if not _equal_size(pair)]
    if unequal:
        raise ValueError(
            f"{path} has pairs of different sizes, {len(unequal)} in all ({_first(unequal)}); "
            "bring color and gray to the same width and height, or remove them."
        )
    return pairs


def _equal_size(pair: PhotoPair) -> bool:
    try:
        return pair.color.size() == pair.gray.size()
    except OSError:
        return True  # one unreadable photo is no reason to stop: training skips and counts it


def _find_arrays(path: Path) -> list[ArrayPhoto]:
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


def _find_flowers(path: Path) -> list[PhotoFile]:
    from torchvision.datasets import Flowers102  # takes a while, and few need it

    photos = []
    for part in ("train", "val", "test"):
        try:
            flowers = Flowers102(path, part, download=True, loader=Path)  # if it isn't there yet
        except (OSError, RuntimeError) as error:
            raise ValueError(
                f"{path} holds no complete Flowers102 and it can't be downloaded ({error}); put "
                "the set's flowers-102 folder there (jpg, imagelabels.mat, setid.mat)."
            ) from error
        photos += [PhotoFile(file, file.name) for file, _ in islice(flowers, len(flowers))]
    return sorted(photos, key=lambda photo: photo.name)


FINDERS: Mapping[str, Callable[[Path], Sequence[Sample]]] = {
    "photos": _find_photos,
    "pairs": _find_pairs,
    "arrays": _find_arrays,
    "flowers102": _find_flowers,
}


def _natural(path: Path) -> list[int | str]:
    parts = re.split(r"(\d+)", path.as_posix())
    return [int(part) if part.isdigit() else part for part in parts]


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")


def _hash_share(name: str) -> float:
    """A number in [0, 1) that follows from the name, the same on every machine."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6], "big") / 2**48
