"""What is written down in several places says the same everywhere."""

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def front_matter() -> dict[str, str]:
    """The `key: value` lines at the top of the README, which Hugging Face Spaces reads."""
    _, block, _ = (ROOT / "README.md").read_text().split("---\n", 2)
    return dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)


def test_requirements_repeat_the_dependencies() -> None:
    lines = (ROOT / "requirements.txt").read_text().split("\n")
    assert [line for line in lines if line] == PROJECT["project"]["dependencies"]


def test_every_dependency_has_an_upper_bound() -> None:
    groups = [PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"].values()]
    names = [item for group in groups for item in group if isinstance(item, str)]
    assert names
    assert [name for name in names if "<" not in name] == []


def test_space_runs_the_gradio_that_is_required() -> None:
    gradio = next(line for line in PROJECT["project"]["dependencies"] if line.startswith("gradio"))
    lower = re.search(r">=([\d.]+)", gradio)
    assert lower
    assert front_matter()["sdk_version"] == lower[1] + ".0"
    assert front_matter()["app_file"] == "app.py"
    assert (ROOT / "app.py").exists()


def test_space_runs_a_python_that_is_allowed() -> None:
    version = front_matter()["python_version"].strip('"')
    assert PROJECT["project"]["requires-python"] == ">=3.11"
    assert tuple(map(int, version.split("."))) >= (3, 11)


def test_pictures_and_files_named_in_the_readme_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    names = re.findall(r"\]\(([^)#:]+)\)", readme)
    assert names
    assert [name for name in names if not (ROOT / name).exists()] == []


def tree(name: str) -> dict[str, str]:
    """The list of rooms in a document: path and what it is."""
    lines = re.findall(r"^ {4}(\S+) {2,}(\S.*)$", (ROOT / name).read_text("utf-8"), re.MULTILINE)
    return {path: words for path, words in lines if (ROOT / path).exists() or "/" in path}


def test_the_tree_lists_every_room() -> None:
    listed = tree("README.md")
    assert listed == tree("docs/architecture.md")
    assert [path for path in listed if not (ROOT / path).exists()] == []
    rooms = {f"colorizer/{path.parent.name}/" for path in ROOT.glob("colorizer/*/__init__.py")}
    assert rooms
    assert rooms - set(listed) == set()


def test_where_to_change_what_names_at_most_two_files_that_exist() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    _, section = page.split("## Where do I change ...\n")
    rows = [re.findall(r"`([^`]+)`", row) for row in re.findall(r"^\| .+\|$", section, re.M)[1:]]
    assert len(rows) >= 15
    assert all(1 <= len(paths) <= 2 for paths in rows)
    assert [path for paths in rows for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.slow
def test_the_wheel_holds_types_and_data(tmp_path: Path) -> None:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "colorizer").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "colorizer/py.typed" in package
    weights = {f"colorizer/weights/{name}" for name in ("config.json", "model.safetensors")}
    assert (package | weights) - names == set()
