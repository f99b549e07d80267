"""Decoded photos in memory-mapped files, shared by data workers and runs.

Each source has a file of pixels and an index beside it. Their name contains a digest of the
source's files (paths, sizes, times of modification), so a changed source gets new ones.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray
from PIL import Image
from tqdm import tqdm

from colorizer.errors import ColorizerError
from colorizer.files import atomic_write
from train.data.processes import map_in_order
from train.data.samples import Pair, Sample, Source

FORMAT = 1  # of the files; part of the digest
ESTIMATE_AFTER = 64  # photos from which the size of all is estimated

Pixels = NDArray[np.uint8]
Planes = tuple[Pixels, Pixels | None]  # (H, W, 3) color and (H, W) gray, if the source has it


class CacheError(ColorizerError, ValueError):
    """The cache can't be written; the message says what to do."""


@dataclass(frozen=True, slots=True)
class CachedPhoto:
    """A decoded photo in a file of pixels: color, then gray if the source has it."""

    name: str
    path: Path
    offset: int  # bytes
    height: int
    width: int
    has_gray: bool
    error: str  # why the photo can't be read; empty if it can

    def read(self) -> Pair:
        """The photo, as its source would decode it. Raises OSError if that failed."""
        if self.error:
            raise OSError(self.error)
        pixels = _mapped(self.path)
        end = self.offset + self.height * self.width * 3
        color = pixels[self.offset : end].reshape(self.height, self.width, 3)
        gray = None
        if self.has_gray:
            plane = pixels[end : end + self.height * self.width]
            gray = Image.fromarray(np.array(plane.reshape(self.height, self.width)))
        return Pair(Image.fromarray(np.array(color)), gray)

    def files(self) -> tuple[Path, ...]:
        """The file with the pixels."""
        return (self.path,)


def cached(sources: Iterable[Source], folder: Path, workers: int = 1) -> list[Source]:
    """The same sources, decoded once into a folder.

    A lock makes other runs wait for the one that decodes a source.

    Args:
        sources: to decode.
        folder: of the cache; created if it doesn't exist.
        workers: processes that decode; 0 decodes in this one.

    Raises:
        CacheError: the folder can't be written, or the disk is too small.
    """
    folder.mkdir(parents=True, exist_ok=True)
    return [_cached(source, folder, workers) for source in sources]


def digest(source: Source) -> str:
    """32 hexadecimal digits that change when a file of the source changes."""
    stamp = lru_cache(maxsize=None)(_stamp)  # many samples may share a file
    found = hashlib.sha256(f"{FORMAT}\n".encode())
    for sample in source.samples:
        found.update(f"{sample.name} {[stamp(path) for path in sample.files()]}\n".encode())
    return found.hexdigest()[:32]


def _stamp(path: Path) -> tuple[str, int, int]:
    try:
        status = path.stat()
    except OSError:  # decoding says why
        return str(path.absolute()), -1, -1
    return str(path.absolute()), status.st_size, status.st_mtime_ns


def _cached(source: Source, folder: Path, workers: int) -> Source:
    pixels = folder / f"{source.name}-{digest(source)}.u8"
    index = pixels.with_suffix(".json")
    if not index.exists():
        with FileLock(pixels.with_suffix(".lock")):
            if not index.exists():  # another run may have written it in the meantime
                _build(source, pixels, index, workers)
    rows = json.loads(index.read_text())
    return Source(source.name, [CachedPhoto(row[0], pixels, *row[1:]) for row in rows])


def _build(source: Source, pixels: Path, index: Path, workers: int) -> None:
    """Decode all samples; the index is written last, so that it exists only beside all pixels."""
    rows: list[list[object]] = []
    try:
        with atomic_write(pixels) as part, part.open("wb") as file:
            decoded = map_in_order(_decode, source.samples, workers)
            progress = tqdm(decoded, f"cache {source.name}", len(source), mininterval=5)
            for sample, planes in zip(source.samples, progress, strict=True):
                rows.append([sample.name, *_write(file, planes)])
                if len(rows) == min(ESTIMATE_AFTER, len(source)):
                    _check_space(pixels, file.tell() * (len(source) / len(rows) - 1))
        with atomic_write(index) as part:
            part.write_text(json.dumps(rows))
    except OSError as error:
        raise CacheError(
            f"The cache {pixels.parent} can't be written ({error.strerror or error}); make room, "
            "choose another folder, or train without --cache."
        ) from error


def _write(file: BinaryIO, planes: Planes | str) -> list[object]:
    """Append a photo; returns its row of the index after the name."""
    offset = file.tell()
    if isinstance(planes, str):
        return [offset, 0, 0, False, planes]
    color, gray = planes
    file.write(color.tobytes())
    if gray is not None:
        file.write(gray.tobytes())
    return [offset, *color.shape[:2], gray is not None, ""]


def _check_space(pixels: Path, more: float) -> None:
    free = shutil.disk_usage(pixels.parent).free
    if more > free:
        raise CacheError(
            f"The cache {pixels.parent} needs about {more / 1e9:.1f} GB more, but "
            f"{free / 1e9:.1f} GB are free; make room, choose another folder, or train without "
            "--cache."
        )


def _decode(sample: Sample) -> Planes | str:
    try:
        pair = sample.read()
    except OSError as error:
        return str(error)
    return np.array(pair.color), None if pair.gray is None else np.array(pair.gray)


@lru_cache(maxsize=64)
def _mapped(path: Path) -> Pixels:
    if os.path.getsize(path) == 0:  # an empty file can't be mapped
        return np.empty(0, np.uint8)
    mapped: Pixels = np.memmap(path, np.uint8, "r")
    return mapped
