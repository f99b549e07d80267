"""Write what was measured as JSON, Markdown, HTML, CSV and pictures."""

import base64
import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader
from markupsafe import Markup, escape
from PIL import Image

from train.measure.evaluate import Measurement
from train.measure.metrics import COLUMNS, METRICS
from train.measure.sheets import Example, draw_sheet, plot_reliability
from train.measure.tables import Table, markdown_table

Document = Mapping[str, Any]  # what `train.evaluate` writes as JSON about a checkpoint


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
    """Write report.json, report.md, report.html, photos.csv and the pictures as PNG.

    The HTML file contains the pictures.

    Args:
        folder: to write to; created if necessary.
        documents: one per checkpoint; a single one is written to JSON without a list around it.
        examples: of each checkpoint, photos by the name of their sheet, "worst" and "best".
        photos: rows of photos.csv; figures that a photo lacks stay empty.
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
        writer = csv.DictWriter(
            table, dict.fromkeys(name for row in photos for name in row), lineterminator="\n"
        )
        writer.writeheader()
        writer.writerows(photos)


def csv_row(checkpoint: str, photo: Measurement) -> dict[str, object]:
    """A row of photos.csv."""
    return {
        "checkpoint": checkpoint,
        "source": photo.source,
        "name": photo.sample.name,
        **photo.output,
        **{f"gray_{name}": value for name, value in photo.gray.items()},
        "truth_cf": photo.truth["cf"],
    }


def to_json(documents: Sequence[Document]) -> str:
    """One document as it is, several as a list."""
    return json.dumps(documents[0] if len(documents) == 1 else list(documents), indent=1)


def report_sections(
    documents: Sequence[Document], examples: Sequence[Mapping[str, Sequence[Example]]]
) -> list[Section]:
    """The comparison, then a section for each checkpoint; see `write_report`."""
    paragraphs = [
        f"{documents[0]['n']} photos. Gray is the input without color. All figures but FID are "
        "means over the photos, ratios are means over means. For PSNR and SSIM, which reward gray, "
        "higher is better; for CIEDE2000, LPIPS and FID, lower. Colorfulness (CF) should be near "
        "the truth's. The figures at edges are taken within 8 pixels of strong color edges: the "
        "mean ab error, and how much of the other side's color spills over (0 to 1)."
    ]
    paragraphs += _fid_paragraph(documents[0])
    sections = [Section("Measurements", paragraphs, comparison_table(documents))]
    for number, (document, sheets) in enumerate(zip(documents, examples, strict=True), 1):
        ending = f"-{number}.png" if len(documents) > 1 else ".png"
        pictures = {
            f"{name}{ending}": (
                f"The {name} photos by CIEDE2000, most extreme first: gray, truth, output.",
                draw_sheet(some),
            )
            for name, some in sheets.items()
        }
        if "calibration" in document:
            caption = "Reliability: how often the network is right, by confidence."
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
    """The report as one HTML file that contains its pictures."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"code": _code, "data_url": _data_url}
    return environment.get_template("report.html").render(sections=sections)


def _about(document: Document) -> list[str]:
    paragraphs = [
        f"Measured at a working size of {document['working_size']} pixels by "
        f"`{document['command']}`. SHA-256 of the weights: {document['sha256'] or 'unknown'}."
    ]
    paragraphs.append(_losses_sentence(document.get("losses")))
    if document["left_out"]:
        paragraphs.append(f"{document['left_out']} photos could not be used.")
    if "calibration" in document:
        calibration = document["calibration"]
        paragraphs.append(
            f"A color counts as correct within {calibration['within']:g} ab units of the truth: "
            f"{calibration['accuracy']:.1%} of the pixels are, and the network's mean confidence "
            f"is {calibration['confidence']:.1%}; its expected calibration error is "
            f"{calibration['ece']:.3f}."
        )
    else:
        paragraphs.append("It predicts no color distribution, so it has no confidence to measure.")
    return paragraphs


def _losses_sentence(losses: Sequence[str] | None) -> str:
    if losses is None:
        return "Which measures were losses in its training is unknown."
    if not losses:
        return "None of the measures was a loss in its training."
    names = ", ".join(METRICS[name].title for name in losses)
    return f"Losses in its training, so favorable to it: {names}."


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
    """The names of the figures that at least one document has, in the order of `COLUMNS`."""
    named = {name for document in documents for name in document["output"] | document["ratios"]}
    return [name for name in COLUMNS if name in named]


def _titles(columns: Sequence[str]) -> list[str]:
    return [COLUMNS[name].title for name in columns]


def _cells(values: Mapping[str, float], columns: Sequence[str]) -> list[str]:
    return [COLUMNS[name].text(values[name]) if name in values else "" for name in columns]


def _code(text: str) -> Markup:
    """HTML of a text, in which backquotes become code."""
    return Markup(re.sub(r"`(.+?)`", r"<code>\1</code>", str(escape(text))))


def _data_url(picture: Image.Image) -> str:
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=90, subsampling="4:4:4")
    return "data:image/jpeg;base64," + base64.b64encode(jpeg.getvalue()).decode()
