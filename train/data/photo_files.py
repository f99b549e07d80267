"""Photos in folders and tar shards."""

import io
import tarfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from PIL import ExifTags, Image
from PIL.ContainerIO import ContainerIO

from colorizer.file_names import is_system_name
from colorizer.photo.formats import READABLE_FORMATS
from colorizer.photo.photo import Photo
from train.data.samples import Pair

SUFFIXES = {
    ".avif", ".bmp", ".gif", ".jp2", ".jpeg", ".jpg", ".png", ".ppm", ".tif", ".tiff", ".webp",
}  # fmt: skip
UNSUPPORTED_SUFFIXES = {".arw", ".cr2", ".cr3", ".dng", ".heic", ".heif", ".nef"}  # of photos


@dataclass(frozen=True, slots=True)
class PhotoFile:
    """A color photo that lies in a file, or in a stretch of a tar shard."""

    path: Path
    name: str
    offset: int = 0
    length: int = -1  # bytes; -1 means the whole file

    def read(self) -> Pair:
        """Decode the photo."""
        return Pair(self.open(), None)

    def files(self) -> tuple[Path, ...]:
        """Return the photo's file or its archive."""
        return (self.path,)

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
                with Image.open(part, formats=READABLE_FORMATS) as image:
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


def find_photos(path: Path) -> list[PhotoFile]:
    """Photos in a folder, searched recursively, or in a tar shard; sorted by name.

    Raises:
        ValueError: there are none.
    """
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
        if _is_skipped(Path(name)):
            continue
        unknown[path.suffix.lower()] += path.suffix.lower() in UNSUPPORTED_SUFFIXES
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
    return path.suffix.lower() in SUFFIXES and not _is_skipped(path)


def _is_skipped(path: Path) -> bool:
    """Whether a file is hidden (._a.jpg of macOS), or lies in a system or trash folder.

    Args:
        path: relative to the folder or archive that is searched.
    """
    return any(is_system_name(part) for part in path.parts)
