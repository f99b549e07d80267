"""An optional visible badge on colorized photos; their metadata states the colorization anyway."""

from dataclasses import replace
from functools import cache

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from colorizer.imaging.arrays import Plane
from colorizer.photo.photo import Photo

TEXT = "Colorized by AI"
HEIGHT_SHARE = 0.05  # height of the badge, as a share of the photo's short side
MARGIN = 0.5  # distance to the photo's edges, as a share of the badge's height
BACKGROUND_OPACITY = 0.6  # of the black behind the text
FONT_SIZE = 64  # pixels; the text is then resized for the photo


def with_badge(photo: Photo) -> Photo:
    """Put a badge into the lower right corner of a photo; gray photos stay as they are.

    Args:
        photo: any size. The text is illegible in photos of less than about 250 pixels.
    """
    if photo.pixels.shape[2] == 1:
        return photo
    text = _text()
    height, width = photo.size
    tall = min(
        HEIGHT_SHARE * min(height, width), width / (text.shape[1] / text.shape[0] + 2 * MARGIN)
    )
    rows, columns = max(1, round(tall)), max(1, round(tall * text.shape[1] / text.shape[0]))
    edge = round(MARGIN * tall)
    bottom, right = max(height - edge, rows), max(width - edge, columns)
    corner = np.s_[bottom - rows : bottom, right - columns : right]
    ink = cv2.resize(text, (columns, rows), interpolation=cv2.INTER_AREA)[:, :, None]
    pixels, alpha = photo.pixels.copy(), photo.alpha
    highest = np.iinfo(pixels.dtype).max
    pixels[corner] = np.rint(pixels[corner] * (1 - BACKGROUND_OPACITY) * (1 - ink) + highest * ink)
    if alpha is not None:
        alpha = alpha.copy()
        alpha[corner] = highest
    return replace(photo, pixels=pixels, alpha=alpha)


@cache
def _text() -> Plane:
    """Coverage of the badge's text, (h, w), 0 to 1."""
    font = ImageFont.load_default(FONT_SIZE)
    left, top, right, bottom = font.getbbox(TEXT)
    border = FONT_SIZE // 5
    size = round(right - left) + 2 * border, round(bottom - top) + 2 * border
    image = Image.new("L", size)
    ImageDraw.Draw(image).text((border - left, border - top), TEXT, fill=255, font=font)
    return np.asarray(np.asarray(image) / np.float32(255), np.float32)
