"""Compare opening photos in this process and in one of the server's decoding processes.

`python -m benchmarks.decoding PHOTO...`; both kinds take turns.
"""

import argparse
import statistics
import time
from collections.abc import Sequence
from functools import partial

from benchmarks.photo import print_table
from colorizer import Photo
from colorizer.photo.formats import MAX_PIXELS
from colorizer.web.server.decoding import DecodeProcesses


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a ratio and a table for each photo."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", nargs="+", metavar="PHOTO")
    parser.add_argument("--rounds", type=int, default=9)
    options = parser.parse_args(arguments)
    processes = DecodeProcesses(MAX_PIXELS)
    for path in options.photos:
        ways = {
            "in this process": partial(Photo.open, path),
            "in another": partial(Photo.open, path, decoder=processes.decode),
        }
        times: dict[str, list[float]] = {way: [] for way in ways}
        for number in range(options.rounds + 1):
            for way, open_photo in ways.items():
                start = time.perf_counter()
                photo = open_photo()
                if number:  # the first round warms up
                    times[way].append(time.perf_counter() - start)
        here, there = (statistics.median(seconds) for seconds in times.values())
        megapixels = photo.size[0] * photo.size[1] / 1e6
        print(f"{path}, {megapixels:.1f} megapixels: the other process takes {there / here:.2f}")
        print_table(times)
    processes.stop()


if __name__ == "__main__":
    main()
