"""Faces by skin tone: the angle, its groups, and what is measured of a face."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from skimage.data import astronaut

from colorizer import Photo
from colorizer.imaging.color import lab_to_rgb
from colorizer.inference.faces import Face, find_faces
from tests.helpers.photos import color_pixels
from train.data.sources import find_sources
from train.faces import main
from train.measure.faces import box_of, measure, summarize, tone, typology_angle
from train.measure.metrics import colorfulness, delta_e00


def flat(lightness: float, a: float, b: float) -> np.ndarray:
    """A face of one color, (40, 40, 3)."""
    rgb = lab_to_rgb(torch.tensor([lightness, a, b]).view(3, 1, 1)).flatten()
    return np.tile((rgb * 255).round().byte().numpy(), (40, 40, 1))


@pytest.mark.parametrize(
    ("lightness", "name"),
    [(75, "very light"), (64, "light"), (60, "intermediate"), (54, "tan"), (45, "brown"),
     (30, "dark")],
)  # fmt: skip
def test_the_angle_follows_the_lightness_of_skin(lightness: float, name: str) -> None:
    angle = typology_angle(flat(lightness, 11, 15))
    assert angle == pytest.approx(math.degrees(math.atan((lightness - 50) / 15)), abs=2)
    assert tone(angle) == name


def test_the_angle_is_of_skin_alone() -> None:
    face = flat(62, 11, 15)
    eyes = face.copy()
    eyes[12:16, 12:28] = (20, 60, 160)
    eyes[:8] = (10, 10, 10)  # hair
    assert typology_angle(eyes) == pytest.approx(typology_angle(face))
    assert typology_angle(flat(62, -20, 15)) is None  # green
    assert typology_angle(flat(62, 0, 0)) is None


def test_limits_of_tones() -> None:
    angles = (55.1, 55, 41, 28, 10, -30, -89)
    names = ["very light", "light", "intermediate", "tan", "brown", "dark", "dark"]
    assert [tone(angle) for angle in angles] == names


@pytest.fixture
def people(tmp_path: Path) -> Path:
    """A photo with a face, one without, and one that is too small for any."""
    folder = tmp_path / "people"
    folder.mkdir()
    Image.fromarray(astronaut()[:256, 96:352]).save(folder / "face.png")
    Image.fromarray(color_pixels(64, 64)).save(folder / "none.png")
    Image.fromarray(color_pixels(24, 24)).save(folder / "small.png")
    return folder


def test_a_face_is_measured_over_its_box(tiny_colorizer, people: Path) -> None:
    truth = np.array(Image.open(people / "face.png"))
    gray = Photo(truth).to_gray()
    box = box_of(find_faces(gray)[0])
    assert box[0].start < 120 < box[0].stop  # her nose
    assert box[1].start < 128 < box[1].stop
    output = tiny_colorizer.colorize(gray).colorized.pixels
    (face,) = measure(tiny_colorizer, find_sources([str(people)]))
    assert face == {
        "photo": "people/face.png",
        "ita": pytest.approx(typology_angle(truth[box])),
        "tone": tone(face["ita"]),
        "delta_e00": pytest.approx(delta_e00(output[box], truth[box])),
        "gray_delta_e00": pytest.approx(
            delta_e00(np.repeat(gray.pixels, 3, axis=2)[box], truth[box])
        ),
        "cf": pytest.approx(colorfulness(output[box])),
        "truth_cf": pytest.approx(colorfulness(truth[box])),
    }


def test_a_box_ends_where_the_photo_does() -> None:
    assert box_of(Face(-3.2, 10.4, 20, 25, 0.9)) == (slice(10, 35), slice(0, 17))


def test_groups_are_means_over_faces_and_ratios_of_means() -> None:
    faces = [
        {"tone": name, "delta_e00": error, "gray_delta_e00": 10.0, "cf": error, "truth_cf": 20.0}
        for name, error in (("tan", 2.0), ("light", 3.0), ("tan", 6.0))
    ]
    groups = summarize(faces)
    assert list(groups) == ["light", "tan"]
    assert groups["tan"] == {
        "n": 2, "delta_e00": 4.0, "gray_delta_e00": 10.0,
        "delta_e00_of_gray": 0.4, "cf_of_truth": 0.2,
    }  # fmt: skip


def test_the_command(tiny_checkpoint, people, tmp_path, monkeypatch, capsys) -> None:
    target = tmp_path / "new" / "faces.json"
    arguments = ["faces", "--checkpoint", tiny_checkpoint, "--data", people, "--json", target]
    monkeypatch.setattr(sys, "argv", [*map(str, arguments)])
    assert main() == 0
    document = json.loads(target.read_text())
    (name,) = document["groups"]
    assert f"| {name} | 1 | {document['faces'][0]['delta_e00']:.2f} |" in capsys.readouterr().out
    (people / "face.png").unlink()
    assert main() == 1
    assert "holds no face in color" in capsys.readouterr().err
