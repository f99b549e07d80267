"""What is written down in several places says the same everywhere."""

import re
import tomllib

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
