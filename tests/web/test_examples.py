"""The examples of the page, and the one that is shown before and after."""

from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest
from PIL import Image

from colorizer.web.actions.examples import SHOWN, ExampleActions
from colorizer.web.server.models import Models
from tests.helpers.paths import EXAMPLES
from tests.helpers.photos import color_pixels

ENGLISH = SimpleNamespace(headers={})


@pytest.fixture
def models(tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Models:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    return Models(str(tiny_checkpoint), "cpu")


def test_an_example_is_shown_before_and_after(models: Models) -> None:
    """Its picture is made once, and again after it was deleted."""
    actions = ExampleActions(models, [EXAMPLES / "bee.jpg", EXAMPLES / f"{SHOWN}.jpg"])
    [(pair, caption)] = actions.before_and_after(ENGLISH)
    assert caption == "Before and after: Girls at work in a mill. Click to try it."
    with Image.open(pair) as image, Image.open(EXAMPLES / f"{SHOWN}.jpg") as photo:
        assert image.width / image.height == pytest.approx(2 * photo.width / photo.height, rel=0.02)
    made = Path(pair).stat().st_mtime_ns
    assert actions.before_and_after(ENGLISH) == [(pair, caption)]
    assert Path(pair).stat().st_mtime_ns == made
    Path(pair).unlink()
    assert actions.before_and_after(ENGLISH) == [(pair, caption)]
    assert Path(pair).exists()
    chosen = Path(actions.choose_shown())
    assert chosen.read_bytes() == (EXAMPLES / f"{SHOWN}.jpg").read_bytes()


def test_other_examples(models: Models, tmp_path: Path) -> None:
    """Without the usual one the first is shown; without any, nothing is."""
    path = tmp_path / "bee.png"
    Image.fromarray(color_pixels(40, 60)).save(path)
    actions = ExampleActions(models, [path])
    [(_, caption)] = actions.before_and_after(ENGLISH)
    assert "A bee on a flower" in caption
    assert actions.names(ENGLISH) == [(str(path), "A bee on a flower")]
    copy = Path(actions.choose(gr.SelectData(None, {"index": 0, "value": None})))
    assert copy.read_bytes() == path.read_bytes()
    assert ExampleActions(models, []).before_and_after(ENGLISH) == []
