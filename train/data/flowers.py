"""Oxford Flowers102, as torchvision keeps it."""

from itertools import islice
from pathlib import Path

from train.data.photo_files import PhotoFile


def find_flowers(path: Path) -> list[PhotoFile]:
    """Photos of Flowers102; downloaded if they aren't there.

    Raises:
        ValueError: they are incomplete and can't be downloaded.
    """
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
