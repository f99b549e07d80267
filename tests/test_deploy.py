"""What hosts read fits the code: the Space's front matter, the container's files."""

import fnmatch
import re
from typing import Any

import yaml  # type: ignore[import-untyped]

from tests.helpers.documentation import settings
from tests.helpers.paths import ROOT

RECIPE = (ROOT / "Dockerfile").read_text()
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
SPACE_FIELDS = {  # of those that Spaces document, the ones that fit a Gradio app
    *("title", "emoji", "colorFrom", "colorTo", "sdk", "sdk_version", "python_version"),
    *("app_file", "license", "short_description", "suggested_hardware", "pinned", "tags"),
    *("models", "preload_from_hub", "startup_duration_timeout"),
}
SPACE_COLORS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")
LONGEST_DESCRIPTION = 60  # characters, as the Hub allows


def test_the_space_knows_its_fields() -> None:
    _, block, _ = (ROOT / "README.md").read_text().split("---\n", 2)
    fields = yaml.safe_load(block)
    assert set(fields) <= SPACE_FIELDS
    assert {fields["colorFrom"], fields["colorTo"]} <= set(SPACE_COLORS)
    assert len(fields["short_description"]) <= LONGEST_DESCRIPTION
    assert f"FROM python:{fields['python_version']}-slim" in RECIPE


def test_the_container_gets_its_files() -> None:
    """What the Dockerfile copies is there, and .dockerignore lets it in."""
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[0] == "*"
    let_in = {line[1:] for line in lines if line.startswith("!")}
    copied = [line.split()[1:-1] for line in RECIPE.splitlines() if line.startswith("COPY ")]
    names = [name for words in copied if "--from=build" not in words for name in words]
    assert "weights" in names
    for name in names:
        assert list(ROOT.glob(name)), name
        assert any(fnmatch.fnmatch(name, f"{path}*") for path in let_in), name


def test_compose_fits_the_container() -> None:
    service = COMPOSE["services"]["colorizer"]
    (volume,), (port,) = service["volumes"], service["ports"]
    assert f"VOLUME {volume.split(':')[1]}\n" in RECIPE
    assert f"EXPOSE {port.split(':')[-1]}\n" in RECIPE
    assert all(f"ARG {name}=" in RECIPE for name in service["build"]["args"])
    assert [name for name in settings() if name not in service["environment"]] == []


def test_compose_bounds_memory_and_processes() -> None:
    service = COMPOSE["services"]["colorizer"]
    assert {"mem_limit", "pids_limit"} <= service.keys()
    assert all("size=" in folder for folder in service["tmpfs"])


def test_a_space_takes_five_commands() -> None:
    block = re.search(r"(?:^ {4}.+\n)+", (ROOT / "deploy" / "README.md").read_text(), re.MULTILINE)
    assert block
    assert len(block[0].splitlines()) == 5
