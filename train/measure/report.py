"""Measurements as Markdown, HTML, CSV and pictures."""

import base64
import csv
import html
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from PIL import Image, ImageDraw, ImageFont, ImageOps

Table = list[list[str]]  # the first row holds the titles
Document = Mapping[str, Any]  # what `train.evaluate` writes as JSON about a checkpoint

COLUMNS = {  # title and decimals
    "psnr": ("PSNR", 2),
    "ssim": ("SSIM", 3),
    "delta_e00": ("delta_e00", 2),
    "lpips": ("LPIPS", 3),
    "cf": ("CF", 1),
    "fid": ("FID", 2),
    "lpips_of_gray": ("LPIPS / gray", 3),
    "delta_e00_of_gray": ("delta_e00 / gray", 3),
    "fid_of_gray": ("FID / gray", 3),
    "cf_of_truth": ("CF / truth", 3),
}
SIDE = 160  # pixels of each picture on a sheet
CAPTION_HEIGHT = 18
GAP = 8
SHEET_COLUMNS = 2
CAPTION_LETTERS = 72  # what fits above three pictures
STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 2rem auto; padding: 0 1rem;
  color: #222; background: #fff; }
h1, h2 { line-height: 1.2; }
div { overflow-x: auto; }
table { border-collapse: collapse; margin: 1rem 0; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; text-align: right; border-bottom: 1px solid #ddd;
  white-space: nowrap; }
th:first-child, td:first-child { text-align: left; }
img { max-width: 100%; height: auto; display: block; margin: 1rem 0; }
p { overflow-wrap: anywhere; }
"""


@dataclass(frozen=True)
class Example:
    """A photo on a sheet."""

    caption: str
    pictures: tuple[Image.Image, Image.Image, Image.Image]  # gray, truth, output


@dataclass(frozen=True)
class Section:
    """A part of the report, which Markdown and HTML show alike."""

    title: str
    paragraphs: list[str]
    table: Table
    pictures: dict[str, tuple[str, Image.Image]] = field(default_factory=dict)  # by file: caption


def write_report(
    folder: Path,
    documents: Sequence[Document],
    examples: Sequence[Mapping[str, Sequence[Example]]],
    photos: Sequence[Mapping[str, object]],
) -> None:
    """Write report.json, report.md, report.html (one file, with the pictures in it), photos.csv and
    the pictures as PNG.

    Args:
        folder: where to; made if it isn't there.
        documents: one per checkpoint; a single one is written to JSON without a list around it.
        examples: of each checkpoint, photos by the name of their sheet, "worst" and "best".
        photos: rows of photos.csv, with the same keys.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sections = report_sections(documents, examples)
    for section in sections:
        for file, (_, picture) in section.pictures.items():
            picture.save(folder / file)
    (folder / "report.json").write_text(to_json(documents) + "\n", encoding="utf-8")
    (folder / "report.md").write_text(to_markdown(sections), encoding="utf-8")
    (folder / "report.html").write_text(to_html(sections), encoding="utf-8")
    with (folder / "photos.csv").open("w", newline="", encoding="utf-8") as table:
        writer = csv.DictWriter(table, photos[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(photos)


def to_json(documents: Sequence[Document]) -> str:
    """One document as it is, several as a list."""
    return json.dumps(documents[0] if len(documents) == 1 else list(documents), indent=1)


def report_sections(
    documents: Sequence[Document], examples: Sequence[Mapping[str, Sequence[Example]]]
) -> list[Section]:
    """The comparison, then a section for each checkpoint; see `write_report`."""
    paragraphs = [
        f"{documents[0]['n']} photos. Gray is the input without color. All figures but FID are "
        "means over the photos, the ratios means over means. Good are high PSNR and SSIM (which "
        "reward gray), low delta_e00, LPIPS and FID, and a colorfulness (CF) near the truth's."
    ]
    paragraphs += _fid_paragraph(documents[0])
    sections = [Section("Measurements", paragraphs, comparison_table(documents))]
    for number, (document, sheets) in enumerate(zip(documents, examples, strict=True), 1):
        ending = f"-{number}.png" if len(documents) > 1 else ".png"
        pictures = {
            f"{name}{ending}": (
                f"The {name} photos by delta_e00, most extreme first: gray, truth, output.",
                draw_sheet(some),
            )
            for name, some in sheets.items()
        }
        if "calibration" in document:
            caption = "Reliability: how often the network is right, by how sure it is."
            pictures = {
                f"reliability{ending}": (caption, plot_reliability(document["calibration"]))
            } | pictures
        sections.append(
            Section(document["checkpoint"], _about(document), group_table(document), pictures)
        )
    return sections


def comparison_table(documents: Sequence[Document]) -> Table:
    """A row for gray, one for each checkpoint and one for the truth."""
    columns = _columns(documents)
    rows = [
        ("gray", documents[0]["gray"]),
        *((each["checkpoint"], each["output"] | each["ratios"]) for each in documents),
        ("truth", documents[0]["truth"]),
    ]
    return [["", *_titles(columns)]] + [[name, *_cells(values, columns)] for name, values in rows]


def group_table(document: Document) -> Table:
    """A row for each group of photos."""
    columns = _columns(list(document["groups"].values()))
    return [[document["per"], "photos", *_titles(columns)]] + [
        [name, str(group["n"]), *_cells(group["output"] | group["ratios"], columns)]
        for name, group in document["groups"].items()
    ]


def markdown_table(table: Table) -> str:
    """A table in Markdown, with numbers to the right."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table]
    lines.insert(1, "|---" + "|---:" * (len(table[0]) - 1) + "|")
    return "\n".join(lines)


def to_markdown(sections: Sequence[Section]) -> str:
    """The report as Markdown; pictures lie beside it."""
    parts = []
    for number, section in enumerate(sections):
        parts.append(f"{'##' if number else '#'} {section.title}")
        parts += section.paragraphs
        parts.append(markdown_table(section.table))
        parts += [f"{caption}\n\n![]({file})" for file, (caption, _) in section.pictures.items()]
    return "\n\n".join(parts) + "\n"


def to_html(sections: Sequence[Section]) -> str:
    """The report as one HTML file, pictures and all."""
    parts = []
    for number, section in enumerate(sections):
        heading = "h2" if number else "h1"
        parts.append(f"<{heading}>{html.escape(section.title)}</{heading}>")
        for paragraph in section.paragraphs:
            text = re.sub(r"`(.+?)`", r"<code>\1</code>", html.escape(paragraph))
            parts.append(f"<p>{text}</p>")
        parts.append(_html_table(section.table))
        for caption, picture in section.pictures.values():
            text = html.escape(caption)
            parts.append(f'<p>{text}</p>\n<img alt="{text}" src="{_data_url(picture)}">')
    body = "\n".join(parts)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{html.escape(sections[0].title)}</title>\n<style>{STYLE}</style>\n</head>\n"
        f"<body>\n{body}\n</body>\n</html>\n"
    )


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
        if len(caption) > CAPTION_LETTERS:
            caption = "..." + caption[3 - CAPTION_LETTERS :]  # the end tells photos apart
        draw.text((left, top), caption, "black", font)
        for place, picture in enumerate(example.pictures):
            small = ImageOps.pad(picture.convert("RGB"), (SIDE, SIDE), color="white")
            sheet.paste(small, (left + place * SIDE, top + CAPTION_HEIGHT))
    return sheet


def plot_reliability(calibration: Mapping[str, Any]) -> Image.Image:
    """Accuracy over confidence, above the share of the pixels, as in Guo et al. 2017, fig. 1.

    Args:
        calibration: as of `train.measure.metrics.Calibration.summary`.
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


def _about(document: Document) -> list[str]:
    paragraphs = [
        f"Measured at a working size of {document['working_size']} pixels by "
        f"`{document['command']}`. SHA-256 of the weights: {document['sha256'] or 'unknown'}."
    ]
    if document["left_out"]:
        paragraphs.append(f"{document['left_out']} photos could not be used and are left out.")
    if "calibration" in document:
        calibration = document["calibration"]
        paragraphs.append(
            f"A color counts as right within {calibration['within']:g} ab units of the truth: "
            f"{calibration['accuracy']:.1%} of the pixels are, and the network's mean confidence "
            f"is {calibration['confidence']:.1%}; its expected calibration error is "
            f"{calibration['ece']:.3f}."
        )
    else:
        paragraphs.append("It predicts no color distribution, so it has no confidence to measure.")
    return paragraphs


def _fid_paragraph(document: Document) -> list[str]:
    if "inception" not in document:
        return []
    return [
        f"FID compares with the same {document['n']} photos in color (paired, so that 0 is its "
        f"floor), by the Inception network with SHA-256 {document['inception']['sha256']}. On few "
        "photos FID is biased upward: compare it only between runs on equally many photos, with "
        "the same file."
    ]


def _columns(documents: Sequence[Document]) -> list[str]:
    """The names of the figures that any of them has, in the order of `COLUMNS`."""
    named = {name for document in documents for name in document["output"] | document["ratios"]}
    return [name for name in COLUMNS if name in named]


def _titles(columns: Sequence[str]) -> list[str]:
    return [COLUMNS[name][0] for name in columns]


def _cells(values: Mapping[str, float], columns: Sequence[str]) -> list[str]:
    return [f"{values[name]:.{COLUMNS[name][1]}f}" if name in values else "" for name in columns]


def _html_table(table: Table) -> str:
    lines = [
        "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in row) + "</tr>"
        for tag, row in [("th", table[0]), *(("td", row) for row in table[1:])]
    ]
    return "<div><table>\n" + "\n".join(lines) + "\n</table></div>"


def _data_url(picture: Image.Image) -> str:
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=90, subsampling="4:4:4")
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.getvalue()).decode()
