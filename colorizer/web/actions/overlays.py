"""What is drawn over or beside the pictures: hints, the model's doubt, a comparison."""

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from colorizer import ColorHint, Photo
from colorizer.imaging.arrays import Plane

Pixels = NDArray[np.uint8]

WHITE, DARK = (255, 255, 255), (24, 24, 24)
UNSURE_COLOR = (232, 96, 10)  # of the shading; the legend in page.css uses it, too
UNSURE_OPACITY = 0.8
LEFT_OPACITY = 0.5  # of what keeps the photo's own colors
HATCHED_OPACITY = 0.2  # from which the shading has dark lines, for people who can't see its color
SHARED_SIDE = 1200  # pixels, of each picture of a comparison, at most


def rgb(photo: Photo) -> Pixels:
    """A copy as uint8 (H, W, 3)."""
    return np.array(np.broadcast_to(photo.pixels, (*photo.size, 3)))


def mark_hints(
    pixels: Pixels,
    hints: tuple[ColorHint, ...],
    point: tuple[int, int] | None,
    radius: float,
    size: tuple[int, int],
) -> None:
    """Draw hints as dots of their color, and a chosen point as a cross-hair, in place.

    Args:
        pixels: uint8 (H, W, 3) of any size.
        hints: in pixels of the photo; a ring shows how far each reaches.
        point: in pixels of the photo.
        radius: of the brush at that point, in pixels of the photo.
        size: (height, width) of the photo.
    """
    scale = pixels.shape[1] / size[1]
    dot = max(5, round(max(pixels.shape) / 90))

    def ring(x: float, y: float, radius: float) -> tuple[int, int]:
        center = int((x + 0.5) * scale), int((y + 0.5) * scale)
        if radius * scale > dot:
            for color, thickness in ((DARK, 3), (WHITE, 1)):
                cv2.circle(pixels, center, round(radius * scale), color, thickness, cv2.LINE_AA)
        return center

    for hint in hints:
        center = ring(hint.x, hint.y, hint.radius)
        red, green, blue = (int(hint.color[i : i + 2], 16) for i in (1, 3, 5))
        for reach, fill in ((dot + 3, DARK), (dot + 2, WHITE), (dot, (red, green, blue))):
            cv2.circle(pixels, center, reach, fill, cv2.FILLED, cv2.LINE_AA)
    if point is not None:
        x, y = ring(*point, radius)
        near, far = dot, 3 * dot
        for color, thickness in ((DARK, 5), (WHITE, 2)):
            for dx, dy in ((1, 0), (-1, 0), (0, 1), (0, -1)):
                start, end = (x + dx * near, y + dy * near), (x + dx * far, y + dy * far)
                cv2.line(pixels, start, end, color, thickness, cv2.LINE_AA)


def shade_unsure(pixels: Pixels, confidence: Plane) -> Pixels:
    """Shade a picture in orange, with dark hatching, where the model is unsure.

    The shading is relative: the surest twentieth of the photo stays clear, the least sure twentieth
    gets the full color. Absolute probabilities would mean little to a person.

    Args:
        pixels: uint8 (H, W, 3).
        confidence: of any size, 0 to 1.
    """
    low, high = np.quantile(confidence, (0.05, 0.95))
    doubt = ((high - confidence) / max(high - low, 1e-6)).clip(0, 1) ** 3
    return shade(pixels, UNSURE_OPACITY * doubt)


def shade_left(pixels: Pixels, taken: Plane) -> Pixels:
    """Shade a picture in the same way where it takes no colors of another picture.

    Args:
        pixels: uint8 (H, W, 3).
        taken: of any size, 0 to 1.
    """
    return shade(pixels, LEFT_OPACITY * (1 - taken))


def shade(pixels: Pixels, opacity: Plane) -> Pixels:
    """Lay a hatched veil over a picture.

    Args:
        pixels: uint8 (H, W, 3).
        opacity: of any size, 0 to 1.
    """
    opacity = np.asarray(cv2.resize(opacity.astype(np.float32), pixels.shape[1::-1]))
    shaded = pixels + opacity[:, :, None] * (np.array(UNSURE_COLOR, np.float32) - pixels)
    rows, columns = np.indices(opacity.shape)
    period = max(6, max(opacity.shape) // 80)
    lines = ((rows + columns) % period < period / 3) & (opacity > HATCHED_OPACITY)
    shaded[lines] *= 1 - opacity[lines, None]
    return np.asarray(shaded.round(), np.uint8)


def side_by_side(pictures: dict[str, Photo]) -> Image.Image:
    """Put pictures of one size side by side, each with its label below.

    The labels must be `drawable`.
    """
    images = [photo.to_image().convert("RGB") for photo in pictures.values()]
    for image in images:
        image.thumbnail((SHARED_SIDE, SHARED_SIDE))
    width, height = images[0].size
    text, gap = max(12, width // 32), max(4, width // 60)
    sheet = Image.new(
        "RGB", (len(images) * (width + gap) + gap, height + 2 * gap + 2 * text), "white"
    )
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(text)
    for column, (label, image) in enumerate(zip(pictures, images, strict=True)):
        left = gap + column * (width + gap)
        sheet.paste(image, (left, gap))
        middle = left + width / 2, gap + height + gap / 2 + text
        draw.text(middle, label, DARK, font, anchor="mm")
    return sheet


def drawable(label: str) -> bool:
    """Whether Pillow's own font has all letters of a label."""
    return label.isascii()
