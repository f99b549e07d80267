"""Let many visitors colorize a photo over HTTP at once: `python -m benchmarks.crowd ADDRESS PHOTO`.

Each visitor uploads the photo, waits for the result, and downloads it.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import quantiles

from gradio_client import Client, handle_file

from benchmarks.photo import make_photo


def visit(address: str, photo: Path, folder: Path) -> float:
    """Colorize a photo; returns the seconds until it is downloaded."""
    client = Client(address, verbose=False, download_files=folder)
    start = time.perf_counter()
    client.predict(photo=handle_file(photo), api_name="/colorize")
    return time.perf_counter() - start


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crowd", description=__doc__)
    parser.add_argument("address", help="of a running page, like http://127.0.0.1:7860")
    parser.add_argument("photo", type=Path, help="enlarged to the size asked for")
    parser.add_argument("--visitors", type=int, default=50, help="default: 50")
    parser.add_argument("--megapixels", type=float, default=1.0, help="default: 1")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        photo = folder / "photo.jpg"
        make_photo(options.photo, options.megapixels, photo)
        visit(options.address, photo, folder / "first")  # warms up

        def number(index: int) -> float:
            return visit(options.address, photo, folder / str(index))

        start = time.perf_counter()
        with ThreadPoolExecutor(options.visitors) as pool:
            seconds = sorted(pool.map(number, range(options.visitors)))
        total = time.perf_counter() - start
    cuts = quantiles(seconds, n=20)
    print(f"{options.visitors / total:.2f} photos per second")
    print(f"until a photo is back: {cuts[9]:.1f} s (median), {cuts[18]:.1f} s (95th percentile)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
