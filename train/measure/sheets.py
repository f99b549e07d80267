"""Pictures of a report: sheets of examples, and the reliability diagram."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont, ImageOps

from colorizer import Colorizer
from train.measure.evaluate import Measurement, read_photo

EXAMPLES = 16  # of the worst and of the best photos
SIDE = 160  # pixels of each picture on a sheet
CAPTION_HEIGHT = 18
GAP = 8
SHEET_COLUMNS = 2
MAX_CAPTION_LENGTH = 72  # letters that fit above three pictures


@dataclass(frozen=True)
class Example:
    """A photo on a sheet."""

    caption: str
    pictures: tuple[Image.Image, Image.Image, Image.Image]  # gray, truth, output


def examples(
    colorizer: Colorizer, photos: Sequence[Measurement], working_size: int, views: int = 1
) -> dict[str, list[Example]]:
    """Colorize the "worst" and the "best" photos by delta_e00 again, most extreme first.

    Keeping all results of the evaluation would need unbounded memory.
    """
    ordered = sorted(photos, key=lambda photo: photo.output["delta_e00"])
    chosen = {"worst": ordered[::-1][:EXAMPLES], "best": ordered[:EXAMPLES]}
    return {
        name: [_example(colorizer, photo, working_size, views) for photo in some]
        for name, some in chosen.items()
    }


def _example(colorizer: Colorizer, photo: Measurement, working_size: int, views: int) -> Example:
    gray, truth = read_photo(photo.sample)
    output = colorizer.colorize(gray, working_size=working_size, views=views).colorized
    caption = f"{photo.sample.name}, delta_e00 {photo.output['delta_e00']:.2f}"
    return Example(caption, (gray.to_image(), Image.fromarray(truth), output.to_image()))


def draw_sheet(examples: Sequence[Example]) -> Image.Image:
    """Gray, truth and output of each photo side by side under its caption; RGB."""
    cell = (3 * SIDE + GAP, CAPTION_HEIGHT + SIDE + GAP)
    rows = -(-len(examples) // SHEET_COLUMNS)
    sheet = Image.new("RGB", (SHEET_COLUMNS * cell[0] + GAP, rows * cell[1] + GAP), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(12)
    for index, example in enumerate(examples):
        row, column = divmod(index, SHEET_COLUMNS)
        left, top = GAP + column * cell[0], GAP + row * cell[1]
        caption = example.caption
        if len(caption) > MAX_CAPTION_LENGTH:
            caption = "..." + caption[3 - MAX_CAPTION_LENGTH :]  # the end tells photos apart
        draw.text((left, top), caption, "black", font)
        for place, picture in enumerate(example.pictures):
            small = ImageOps.pad(picture.convert("RGB"), (SIDE, SIDE), color="white")
            sheet.paste(small, (left + place * SIDE, top + CAPTION_HEIGHT))
    return sheet


def plot_reliability(calibration: Mapping[str, Any]) -> Image.Image:
    """Accuracy over confidence, above the share of the pixels, as in Guo et al. 2017, fig. 1.

    Args:
        calibration: as of `train.measure.calibration.Calibration.summary`.
    """
    bins = calibration["bins"]
    left = [bin["from"] for bin in bins]
    width = [bin["to"] - bin["from"] for bin in bins]
    figure = Figure(figsize=(5, 6), dpi=110, layout="constrained")
    upper, lower = figure.subplots(2, sharex=True, height_ratios=[4, 1])
    upper.bar(left, [bin["accuracy"] for bin in bins], width, align="edge", edgecolor="white")
    upper.plot([0, 1], [0, 1], "--", color="black", linewidth=1, label="perfect")
    upper.set(
        xlim=(0, 1),
        ylim=(0, 1),
        ylabel=f"share within {calibration['within']:g} ab units of the truth",
        title=f"Expected calibration error {calibration['ece']:.3f}",
    )
    upper.legend(loc="upper left")
    shares = [bin["pixels"] / calibration["pixels"] for bin in bins]
    lower.bar(left, shares, width, align="edge", color="gray", edgecolor="white")
    lower.set(xlabel="confidence", ylabel="share of pixels")
    png = io.BytesIO()
    figure.savefig(png, format="png")
    return Image.open(png).convert("RGB")
