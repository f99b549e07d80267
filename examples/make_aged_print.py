"""Turn a photo into an aged sepia print: faded, blotchy, grainy, scratched and creased.

Usage: python examples/make_aged_print.py SOURCE OUT [--seed 0]
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Plane = NDArray[np.float64]

PAPER = (233, 222, 198)
# Darkest, middle and lightest tone of the print, as RGB.
TONES = ((52, 37, 26), (150, 121, 88), (228, 212, 180))


def blotches(rng: np.random.Generator, size: tuple[int, int], cells: int) -> Plane:
    """Make smooth noise in [0, 1] of `size` (width, height), about `cells` spots across."""
    coarse = Image.fromarray((rng.random((cells, cells)) * 255).astype(np.uint8))
    return np.asarray(coarse.resize(size, Image.Resampling.BICUBIC), dtype=np.float64) / 255


def damage(rng: np.random.Generator, size: tuple[int, int]) -> Plane:
    """Draw scratches, dust and a crease as a map of the lost surface, 0 to 1."""
    width, height = size
    layer = Image.new("L", size, 0)
    draw = ImageDraw.Draw(layer)
    for _ in range(14):
        x, y, lean = rng.random(3) * (width, height, 0.08 * width)
        end = (x + lean, y + (0.05 + 0.25 * rng.random()) * height)
        draw.line([(x, y), end], fill=int(70 + 110 * rng.random()), width=1)
    for _ in range(90):
        x, y, radius = rng.random(3) * (width, height, 0.0018 * max(size))
        draw.ellipse([x - radius, y - radius, x + radius, y + radius], fill=200)
    draw.line([(0, 0.70 * height), (width, 0.66 * height)], fill=90, width=3)
    draw.polygon([(width, 0), (0.93 * width, 0), (width, 0.05 * height)], fill=170)
    blurred = layer.filter(ImageFilter.GaussianBlur(0.7))
    return np.asarray(blurred, dtype=np.float64) / 255


def age(photo: Image.Image, seed: int = 0) -> Image.Image:
    """Make an aged print of a photo on cream paper; the seed determines the damage."""
    rng = np.random.default_rng(seed)
    size = photo.size
    soft = photo.convert("L").filter(ImageFilter.GaussianBlur(max(size) / 1600))
    tone = np.asarray(soft, dtype=np.float64) / 255
    rows, columns = np.ogrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j]
    edge = np.clip((rows**2 + columns**2) / 2, 0, 1) ** 1.5
    tone = 0.06 + 0.82 * tone + 0.10 * edge * (1 - tone)
    tone += 0.08 * (blotches(rng, size, 5) - 0.5) + 0.03 * rng.standard_normal(tone.shape)
    rubbed = damage(rng, size)
    tone = np.clip(tone * (1 - rubbed) + rubbed, 0, 1)
    stops = np.linspace(0, 1, len(TONES))
    sepia = np.stack([np.interp(tone, stops, level) for level in zip(*TONES, strict=True)], -1)
    picture = Image.fromarray(sepia.round().astype(np.uint8))
    border = round(0.03 * max(size))
    sheet = Image.new("RGB", (size[0] + 2 * border, size[1] + 2 * border), PAPER)
    sheet.paste(picture, (border, border))
    return sheet


def main() -> None:
    """Read the photo named on the command line and write its aged print as a JPEG."""
    parser = argparse.ArgumentParser(description="Turn a photo into an aged sepia print.")
    parser.add_argument("source", type=Path, help="photo to age")
    parser.add_argument("out", type=Path, help="JPEG file to write")
    parser.add_argument("--seed", type=int, default=0, help="seed of the damage (default: 0)")
    args = parser.parse_args()
    with Image.open(args.source) as photo:
        age(photo, args.seed).save(args.out, format="JPEG", quality=88, optimize=True)


if __name__ == "__main__":
    main()
