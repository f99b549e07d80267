"""Put a photo and its colorized version side by side.

python examples/make_before_after.py examples/portrait.jpg examples/before_after.webp
"""

import argparse
from pathlib import Path

from PIL import Image

from colorizer import Colorizer, Photo

HEIGHT = 560  # pixels
GAP = 8


def side_by_side(photo: Photo) -> Image.Image:
    """Colorize a photo and return it with its gray version at the left."""
    result = Colorizer.load().colorize(photo)
    pair = [result.gray.to_image(), result.colorized.to_image()]
    width = round(photo.size[1] * HEIGHT / photo.size[0])
    sheet = Image.new("RGB", (2 * width + GAP, HEIGHT), "white")
    for number, image in enumerate(pair):
        resized = image.resize((width, HEIGHT), Image.Resampling.LANCZOS)
        sheet.paste(resized, (number * (width + GAP), 0))
    return sheet


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    options = parser.parse_args()
    side_by_side(Photo.open(options.source)).save(options.target, quality=90)
