"""The report of an evaluation: tables, HTML that stands alone, sheets and the reliability plot."""

import base64
import csv
import io
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from train.measure.report import (
    comparison_table,
    group_table,
    report_sections,
    to_html,
    to_json,
    to_markdown,
    write_report,
)
from train.measure.sheets import SIDE, Example, draw_sheet, plot_reliability
from train.measure.tables import markdown_table

CALIBRATION = {
    "ece": 0.25,
    "confidence": 0.5,
    "accuracy": 0.75,
    "pixels": 200,
    "within": 10.0,
    "bins": [
        {"from": 0.4, "to": 0.6, "pixels": 150, "confidence": 0.5, "accuracy": 0.75},
        {"from": 0.8, "to": 1.0, "pixels": 50, "confidence": 0.9, "accuracy": 1.0},
    ],
}


def document(name: str, **changes: Any) -> dict[str, Any]:
    figures = {
        "output": {"psnr": 23.456, "delta_e00": 10.25, "cf": 22.04},
        "gray": {"psnr": 22.0, "delta_e00": 11.5, "cf": 0.0},
        "truth": {"cf": 42.96},
        "ratios": {"delta_e00_of_gray": 0.8913, "cf_of_truth": 0.513},
    }
    about = {
        "command": "python -m train.evaluate --data 'my <photos>'",
        "checkpoint": name,
        "n": 7,
        "left_out": 0,
        "working_size": 288,
        "sha256": "ab" * 32,
    }
    groups = {"per": "folder", "groups": {"cats & dogs": {"n": 4} | figures}}
    return about | figures | groups | changes


def example(caption: str, color: str = "red") -> Example:
    size = (30, 20)
    pictures = (Image.new("L", size, 99), Image.new("RGB", size, color), Image.new("RGB", size))
    return Example(caption, pictures)


@pytest.fixture
def sheets() -> dict[str, list[Example]]:
    return {"worst": [example("a.png")], "best": [example("b.png")]}


def test_comparison_has_a_row_each_and_gray_and_truth() -> None:
    documents = [document("one"), document("two", output={"psnr": 20, "cf": 5, "fid": 3.14159})]
    assert comparison_table(documents) == [
        ["", "PSNR", "CIEDE2000", "CF", "FID", "CIEDE2000 / gray", "CF / truth"],
        ["gray", "22.00", "11.50", "0.0", "", "", ""],
        ["one", "23.46", "10.25", "22.0", "", "0.891", "0.513"],
        ["two", "20.00", "", "5.0", "3.14", "0.891", "0.513"],
        ["truth", "", "", "43.0", "", "", ""],
    ]


def test_groups_have_a_row_each() -> None:
    assert group_table(document("one")) == [
        ["folder", "photos", "PSNR", "CIEDE2000", "CF", "CIEDE2000 / gray", "CF / truth"],
        ["cats & dogs", "4", "23.46", "10.25", "22.0", "0.891", "0.513"],
    ]


def test_markdown_table_keeps_its_columns() -> None:
    assert markdown_table([["", "n"], ["a|b", "1"]]).splitlines() == [
        "|  | n |",
        "|---|---:|",
        "| a\\|b | 1 |",
    ]


def test_one_document_is_written_without_a_list() -> None:
    assert json.loads(to_json([document("one")]))["checkpoint"] == "one"
    assert [each["checkpoint"] for each in json.loads(to_json([document("1"), document("2")]))] == [
        "1",
        "2",
    ]


class Page(HTMLParser):
    """The cells of all tables, the text, and everything that a browser would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.cells: list[str] = []
        self.text = ""
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "iframe")
        self.loaded += [value or "" for name, value in attrs if name in ("src", "href", "srcset")]
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        self.text += data
        if self.lasttag in ("td", "th") and data.strip():
            self.cells[-1] += data


@pytest.mark.slow
def test_html_stands_alone_and_has_all_rows(sheets) -> None:
    documents = [document("<one>", calibration=CALIBRATION), document("two")]
    text = to_html(report_sections(documents, [sheets, sheets]))
    page = Page(text)
    for row in [*comparison_table(documents), *group_table(documents[0])]:
        assert set(row) <= {*page.cells}
    assert "'my <photos>'" in page.text
    assert not re.search(r"https?:|url\(|@import", text)
    assert len(page.loaded) == 5  # two sheets each, and a plot
    for source in page.loaded:
        kind, _, data = source.partition(",")
        assert kind == "data:image/jpeg;base64"
        Image.open(io.BytesIO(base64.b64decode(data))).load()


def test_fid_names_its_protocol(sheets) -> None:
    inception = {"sha256": "cd" * 32, "reference": "paired"}
    text = to_markdown(report_sections([document("one", inception=inception)], [sheets]))
    assert "FID compares with the same 7 photos in color (paired" in text
    assert "cd" * 32 in text
    assert "biased upward" in text
    assert "FID compares" not in to_markdown(report_sections([document("one")], [sheets]))


def test_text_says_what_is_missing(sheets) -> None:
    text = to_markdown(report_sections([document("one", left_out=2)], [sheets]))
    assert "2 photos could not be used" in text
    assert "predicts no color distribution" in text
    calibrated = document("one", calibration=CALIBRATION)
    text = to_markdown(report_sections([calibrated], [sheets]))
    assert "75.0% of the pixels are, and the network's mean confidence is 50.0%" in text
    assert "could not be used" not in text


@pytest.mark.slow
def test_the_folder_is_complete(sheets, tmp_path: Path) -> None:
    documents = [document("one", calibration=CALIBRATION), document("two")]
    photos = [{"name": "a,b.png", "psnr": 1.5}, {"name": "c.png", "psnr": 2.5}]
    folder = tmp_path / "new" / "report"
    write_report(folder, documents, [sheets, sheets], photos)
    assert json.loads((folder / "report.json").read_text()) == documents
    markdown = (folder / "report.md").read_text()
    named = re.findall(r"!\[\]\((.*?)\)", markdown)
    assert named == ["reliability-1.png", "worst-1.png", "best-1.png", "worst-2.png", "best-2.png"]
    for name in named:
        Image.open(folder / name).load()
    assert markdown_table(comparison_table(documents)) in markdown
    with (folder / "photos.csv").open() as file:
        assert [row["name"] for row in csv.DictReader(file)] == ["a,b.png", "c.png"]
    assert (folder / "report.html").exists()


def test_a_sheet_shows_gray_truth_and_output_in_order() -> None:
    examples = [example("a.png", "red"), example("b.png", "blue"), example("c" * 300, "lime")]
    pixels = np.array(draw_sheet(examples)).astype(int)
    for color in ((255, 0, 0), (0, 0, 255), (0, 255, 0)):
        rows, columns = np.nonzero((pixels == color).all(2))
        assert columns.max() - columns.min() + 1 == SIDE
        middle = pixels[(rows.min() + rows.max()) // 2]
        assert (middle[columns.min() - SIDE // 2] == 99).all()
        assert (middle[columns.max() + SIDE // 2] == 0).all()


def test_a_caption_is_drawn() -> None:
    plain, named = (np.array(draw_sheet([example(caption)])) for caption in ("", "a.png, 12.34"))
    assert (plain != named).any()


def test_the_plot_has_bars_as_high_as_accuracy() -> None:
    pixels = np.array(plot_reliability(CALIBRATION)).astype(int)
    blue = (pixels[:, :, 2] - pixels[:, :, 0]) > 100
    heights = blue.sum(0)
    columns = np.flatnonzero(heights)
    low, high = heights[columns[:5]].max(), heights[columns[-5:]].max()
    assert low / high == pytest.approx(0.75, abs=0.03)
