"""A coverage-guided fuzzer of the loader, and of what happens to the metadata after it.

    uv run --group fuzz python -m tests.fuzz_photo CORPUS -max_total_time=600

puts a small file of every kind into the folder CORPUS and changes them, keeping what reaches new
code. Most changes keep the structure of a TIFF, JPEG, PNG or JPEG 2000 file. The fuzzer stops at
the first input that raises anything but a PhotoError, takes over 10 seconds or 2 GB of memory, and
writes it to a file; `python -m tests.fuzz_photo FILE` tries that one again.
Other options are libFuzzer's.
"""

import io
import sys
import warnings
from pathlib import Path
from random import Random

import atheris
import numpy as np

with atheris.instrument_imports(include=["colorizer", "PIL", "pillow_heif", "tifffile"]):
    import tifffile  # noqa: F401  # the loader imports it late, when nothing is instrumented

    from colorizer import Photo, PhotoError

from tests.helpers.mutations import mutated
from tests.helpers.photo_files import sample_files

LIMITS = ["-timeout=10", "-rss_limit_mb=2048", "-max_len=65536"]
UNSTRUCTURED = 0.2  # share of changes that libFuzzer makes anywhere in the file
GROWTH = 64  # bytes that a change inside a part may add
SAMPLES = sample_files()


def try_to_open(data: bytes) -> None:
    """Open a file; what opens is a photo, and its metadata can be cleaned and marked."""
    try:
        photo = Photo.open(io.BytesIO(data))
    except PhotoError as error:
        assert str(error).startswith("The photo ")  # noqa: PT017
        assert str(error).endswith(".")  # noqa: PT017
        return
    assert min(photo.size) > 0
    assert photo.pixels.dtype in (np.uint8, np.uint16)
    photo.metadata.without_location().marked("colorizer", 64 * "0")


def change(data: bytes, max_size: int, seed: int) -> bytes:
    """Change a file, mostly so that its structure stays."""
    random = Random(seed)
    if random.random() < UNSTRUCTURED:
        return bytes(atheris.Mutate(data, max_size))

    def edit(part: bytes) -> bytes:
        return bytes(atheris.Mutate(part, len(part) + GROWTH))

    return mutated(data, random, edit, random.choice(list(SAMPLES.values())))[:max_size]


def main(arguments: list[str]) -> None:
    """Fuzz; does not return."""
    warnings.simplefilter("ignore")  # the libraries' about damage
    if arguments and Path(arguments[0]).suffix == "" and not Path(arguments[0]).is_file():
        folder = Path(arguments[0])
        folder.mkdir(parents=True, exist_ok=True)
        for kind, data in SAMPLES.items():
            (folder / kind.replace(" ", "_")).write_bytes(data)
    atheris.Setup([sys.argv[0], *LIMITS, *arguments], try_to_open, custom_mutator=change)
    atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1:])
