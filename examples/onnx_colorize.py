"""Colorize a photo without torch.

colorizer export --onnx .
pip install onnxruntime numpy pillow
python onnx_colorize.py colorizer-fp32.onnx photo.jpg color.jpg
"""

import sys

import numpy as np
import onnxruntime
from PIL import Image, ImageOps

RGB_TO_XYZ = np.array(  # IEC 61966-2-1
    [
        [0.4124564, 0.3575761, 0.1804375],
        [0.2126729, 0.7151522, 0.0721750],
        [0.0193339, 0.1191920, 0.9503041],
    ]
)
WHITE = RGB_TO_XYZ.sum(1)  # D65

model, source, target = sys.argv[1:]
session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
working_size = int(session.get_modelmeta().custom_metadata_map["working_size"])

photo = ImageOps.exif_transpose(Image.open(source)).convert("RGB")
rgb = np.asarray(photo, np.float32) / 255
linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
y = linear @ RGB_TO_XYZ[1]
lightness = np.where(y > (6 / 29) ** 3, 116 * np.cbrt(y) - 16, y * (29 / 3) ** 3).astype(np.float32)

scale = min(working_size / min(photo.size), 4 * working_size / max(photo.size))
input_size = max(1, round(photo.width * scale)), max(1, round(photo.height * scale))
small = Image.fromarray(lightness).resize(
    input_size, Image.Resampling.BOX if scale < 1 else Image.Resampling.BILINEAR
)
ab = session.run(["ab"], {"lightness": np.asarray(small)[None, None]})[0][0]
a, b = (
    np.asarray(Image.fromarray(plane).resize(photo.size, Image.Resampling.BILINEAR)) for plane in ab
)

fy = (lightness + 16) / 116
roots = np.stack([fy + a / 500, fy, fy - b / 200], 2)
xyz = np.where(roots > 6 / 29, roots**3, 3 * (6 / 29) ** 2 * (roots - 4 / 29)) * WHITE
linear = (xyz @ np.linalg.inv(RGB_TO_XYZ).T).clip(0, 1)  # colors outside of sRGB are clipped
rgb = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055)
Image.fromarray(np.round(rgb * 255).astype(np.uint8)).save(target)
