"""What is written down in several places says the same everywhere."""

import os
import re
import subprocess
import sys
import tomllib
import urllib.request
import zipfile
from pathlib import Path

import pytest

from tests.helpers.browser import started
from tests.helpers.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def front_matter() -> dict[str, str]:
    """The `key: value` lines at the top of the README, which Hugging Face Spaces reads."""
    _, block, _ = (ROOT / "README.md").read_text().split("---\n", 2)
    return dict(line.split(": ", 1) for line in block.splitlines() if ": " in line)


def test_a_space_and_the_container_have_the_dependencies_and_open_heic() -> None:
    lines = (ROOT / "requirements.txt").read_text().split("\n")
    project = PROJECT["project"]
    needed = [*project["dependencies"], *project["optional-dependencies"]["heic"]]
    assert sorted(line for line in lines if line) == sorted(needed)
    assert "--requirements requirements.txt" in (ROOT / "Dockerfile").read_text()


def test_every_dependency_has_an_upper_bound() -> None:
    groups = [PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"].values()]
    names = [item for group in groups for item in group if isinstance(item, str)]
    assert names
    assert [name for name in names if "<" not in name] == []


def test_locks_cannot_be_redirected_through_links() -> None:
    """Before 3.20.1, filelock followed a link in place of the lock (CVE-2025-68146)."""
    [needed] = [line for line in PROJECT["project"]["dependencies"] if line.startswith("filelock")]
    assert needed.startswith("filelock>=3.20.1,")


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


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as a wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    [path] = folder.glob("*.whl")
    return path


@pytest.mark.slow
def test_the_wheel_holds_types_and_data(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "colorizer").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert "colorizer/py.typed" in package
    bundled = ("weights/config.json", "weights/model.safetensors", "examples/dogs.jpg")
    assert (package | {f"colorizer/{name}" for name in bundled}) - names == set()


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing of the clone, in which `python` finds the wheel alone.

    The wheel is unpacked as an installer does; its dependencies are those of this environment,
    except for the packages that it does without.
    """
    folder = tmp_path_factory.mktemp("installed")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "packages")
    for name in ("timm", "torchvision"):
        (folder / "packages" / f"{name}.py").write_text(f"raise ImportError('no {name}')")
    (folder / "empty").mkdir()
    return folder


@pytest.mark.slow
def test_an_installed_wheel_colorizes(installed: Path) -> None:
    code = "import colorizer, sys; print(colorizer.__file__); from colorizer.__main__ import main; "
    code += "sys.exit(main(sys.argv[1:]))"
    photo = ROOT / "examples" / "portrait.jpg"
    done = subprocess.run(
        [sys.executable, "-c", code, "colorize", photo, "-o", "out"],
        cwd=installed / "empty",
        env=os.environ | {"PYTHONPATH": str(installed / "packages")},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    package, result = map(Path, done.stdout.split())
    assert package.is_relative_to(installed / "packages")
    assert (installed / "empty" / result).stat().st_size > 10_000


@pytest.mark.slow
def test_an_installed_wheel_serves_the_page(installed: Path) -> None:
    command = ("-m", "colorizer", "serve", "--host", "127.0.0.1")
    path = str(installed / "packages")
    with started(installed, installed / "empty", command, PYTHONPATH=path) as address:
        for name in ("healthz", "gradio_api/file=" + f"{path}/colorizer/examples/portrait.jpg"):
            with urllib.request.urlopen(address + name, timeout=30) as response:
                assert response.status == 200
