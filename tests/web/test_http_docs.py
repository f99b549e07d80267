"""The examples of docs/http.md do what is said, as they stand there."""

import re
import shutil
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import pytest
from PIL import Image

from colorizer import Adjustments
from tests.helpers.browser import started
from tests.helpers.documentation import TEXT, examples, run


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, tiny_checkpoint: Path) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("app")
    with started(folder, COLORIZER_CHECKPOINT=str(tiny_checkpoint)) as address:
        yield address


@pytest.mark.skipif(not shutil.which("curl"), reason="no curl on the PATH (apt-get install curl)")
def test_curl(address: str, tmp_path: Path) -> None:
    plain, hinted = examples("sh")
    run(plain, "sh", address, tmp_path)
    with Image.open(tmp_path / "portrait_color.png") as image:
        assert (image.format, image.size, image.mode) == ("PNG", (512, 512), "RGB")
    run(hinted, "sh", address, tmp_path)
    with Image.open(tmp_path / "portrait_hinted.jpg") as image:
        assert (image.format, image.size, image.mode) == ("JPEG", (512, 512), "RGB")


def test_python(address: str, tmp_path: Path) -> None:
    [block] = examples("python")
    lines = run(block + "print(path)\n", "python", address, tmp_path).splitlines()
    assert Path(lines[-3]).name == "portrait_color.jpg"
    assert re.fullmatch("[0-9a-f]{64}", lines[-2])
    with Image.open(lines[-1]) as image:
        assert (image.format, image.size, image.mode) == ("TIFF", (512, 512), "RGB")


def test_adjustments_are_listed_with_their_ranges() -> None:
    rows = re.findall(r"^\| `([a-z_]+)` \| ([-\d.]+) \| ([-\d.]+) \| ([-\d.]+) \|$", TEXT, re.M)
    listed = [(name, float(low), float(high), float(value)) for name, low, high, value in rows]
    assert listed == [
        (item.name, *item.metadata["range"], item.default) for item in fields(Adjustments)
    ]
