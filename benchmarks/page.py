"""Time the server's part of each action on the page: `python -m benchmarks.page PHOTO`.

The connection between browser and server is not included.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from benchmarks.photo import make_photo, print_table
from colorizer import Adjustments, ColorHint, Colorizer, Photo
from colorizer.adjust.adjustments import PRESETS
from colorizer.edit import Edit
from colorizer.web.actions.photo_state import PhotoState, colorize, with_hints
from colorizer.web.actions.previews import (
    THUMBNAIL_PIXELS,
    color_pictures,
    pictures,
    processed_picture,
)
from colorizer.web.server.files import picture
from colorizer.web.server.uploads import open_upload

SLIDERS = {  # a quick one, a slow one, and a preset of many
    "slider: saturation": Adjustments(saturation=1.2),
    "slider: contrast": Adjustments(contrast=20),
    "slider: dust": Adjustments(dust=0.5),
    "preset: strong restoration": PRESETS["strong_restoration"],
}


def time_visit(colorizer: Colorizer, path: Path) -> dict[str, float]:
    """Seconds of each action with one photo."""
    seconds: dict[str, float] = {}

    def timed(name: str, action: Callable[[], Any]) -> Any:
        start = time.perf_counter()
        result = action()
        seconds[name] = time.perf_counter() - start
        return result

    def first() -> PhotoState:
        state = colorize(colorizer, open_upload(path), Edit(), path)
        pictures(state, 0, {})
        return state

    state: PhotoState = timed("upload to first result", first)
    for name, settings in SLIDERS.items():
        timed(name, partial(processed_picture, state, 0, asdict(settings)))
    height, width = state.size
    hint = ColorHint(width // 2, height // 2, "#2040c0", state.radius(2))

    def hinted() -> None:
        color_pictures(with_hints(state, (hint,)), 0, {})

    timed("hint", hinted)

    def alternatives() -> None:
        for result in replace(state).alternatives:
            picture(result.preview(THUMBNAIL_PIXELS).colorized)

    timed("alternatives", alternatives)

    def download() -> None:
        photo = state.edit.framing(open_upload(path))
        result: Photo = state.result.on(photo).adjust(Adjustments())
        result.save(path.with_name("photo_color.jpg"))

    timed("download in full size", download)
    return seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("photo", type=Path, help="enlarged to the size asked for")
    parser.add_argument("--megapixels", type=float, default=12.0, help="default: 12")
    parser.add_argument("--repeats", type=int, default=5, help="default: 5, after one to warm up")
    options = parser.parse_args(arguments)
    colorizer = Colorizer.load()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "photo.jpg"
        make_photo(options.photo, options.megapixels, path)
        rounds = [time_visit(colorizer, path) for _ in range(options.repeats + 1)][1:]
    print(f"{options.megapixels:g} megapixels, {torch.get_num_threads()} threads")
    print_table({name: [seconds[name] for seconds in rounds] for name in rounds[0]})
    return 0


if __name__ == "__main__":
    sys.exit(main())
