"""Imports run one way, from the entry points down to `colorizer.imaging`, and in no circle."""

import ast
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from tests.helpers.paths import ROOT

# Each room may import from itself and from the rooms after it, never from those before it.
ROOMS = (
    "app",
    "benchmarks",
    "train",
    "train.publishing",
    "train.run",
    "train.measure",
    "train.model",
    "train.data",
    "train.settings",
    "colorizer.__main__",
    "colorizer.commands",
    "colorizer.web.serve",
    "colorizer.web.page",
    "colorizer.web.tabs",
    "colorizer.web.api",
    "colorizer.web.actions",
    "colorizer.web.server",
    "colorizer.web.texts",
    "colorizer.web",
    "colorizer.batch",
    "colorizer",  # the public names
    "colorizer.recipe",
    "colorizer.edit",
    "colorizer.inference",
    "colorizer.sources",
    "colorizer.adjust",
    "colorizer.checkpoints",
    "colorizer.photo",
    "colorizer.networks",
    "colorizer.imaging",
    "colorizer.bundled",
    "colorizer.files",
    "colorizer.errors",
    "colorizer.file_names",
    "colorizer.version",
)
FILES = [
    path
    for top in ("app.py", "benchmarks", "colorizer", "train")
    for path in ([ROOT / top] if top.endswith(".py") else sorted((ROOT / top).rglob("*.py")))
]


def module_of(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_of(path): path for path in FILES}


@cache
def import_nodes(path: Path) -> list[ast.Import | ast.ImportFrom]:
    """The imports anywhere in a file, in functions, too."""
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return [node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]


def imports_of(module: str) -> set[str]:
    """Modules of ours that a module imports."""
    found = set()
    for node in import_nodes(MODULES[module]):
        if isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
        elif node.module:
            for name in node.names:
                inner = f"{node.module}.{name.name}"
                found.add(inner if inner in MODULES else node.module)
    return (found & set(MODULES)) - {module}


def room_of(module: str) -> int:
    """Its place in `ROOMS`: that of the longest name that it begins with."""
    if module == "colorizer":
        return ROOMS.index(module)
    names = [room for room in ROOMS if room != "colorizer" and f"{module}.".startswith(f"{room}.")]
    assert names, f"{module} is in no room; put it into ROOMS."
    return ROOMS.index(max(names, key=len))


@pytest.mark.parametrize("module", MODULES)
def test_imports_run_one_way(module: str) -> None:
    wrong = [name for name in imports_of(module) if room_of(name) < room_of(module)]
    assert wrong == []


def test_no_module_imports_itself_by_way_of_others() -> None:
    order = TopologicalSorter({module: imports_of(module) for module in MODULES}).static_order()
    assert set(order) == set(MODULES)  # a circle raises CycleError


def test_the_library_knows_no_gradio() -> None:
    users = {
        module
        for module, path in MODULES.items()
        for node in import_nodes(path)
        if (isinstance(node, ast.Import) and any("gradio" in name.name for name in node.names))
        or (isinstance(node, ast.ImportFrom) and (node.module or "").startswith("gradio"))
    }
    assert users
    assert {name for name in users if name.startswith("colorizer.")} == {
        name for name in users if name.startswith("colorizer.web")
    }


def test_no_test_imports_another() -> None:
    tests = sorted((ROOT / "tests").rglob("*.py"))
    imported = {
        (path.name, node.module)
        for path in tests
        for node in import_nodes(path)
        if isinstance(node, ast.ImportFrom) and node.module
    }
    assert imported
    assert [pair for pair in imported if ".test_" in pair[1] or "conftest" in pair[1]] == []
