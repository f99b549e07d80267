"""What the documentation shows works: its Python and `colorizer colorize` are run, and the
options of other commands are given to the parsers that will read them.
"""

import argparse
import glob
import re
import runpy
import shlex
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any, NoReturn

import pytest
from huggingface_hub.cli.hf import app as hf
from markdown_it import MarkdownIt

import colorizer
from colorizer import Colorizer, Photo, Recipe
from colorizer.__main__ import main
from colorizer.commands.parser import build_parser
from tests.helpers.documentation import settings
from tests.helpers.paths import ROOT
from tests.helpers.photos import save_photos

TEXTS = [
    *(ROOT / name for name in ("README.md", "CONTRIBUTING.md", "deploy/README.md")),
    ROOT / "train" / "README.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
ELSEWHERE = {"http.md"}  # whose examples need a server: tests/web/test_http_docs.py runs them
NOT_RUN = {  # commands, and why not even their options are checked here
    ("pip", "install"): "it installs",
    ("uv", "build"): "test_the_wheel builds one",
    ("uv", "venv"): "it installs",
    ("uv", "pip", "install"): "it installs",
    ("app.py",): "it serves until it is stopped; the tests of the page start it",
    ("colorizer", "serve"): "it serves until it is stopped; test_project starts it",
    ("pipx", "install"): "it installs",
    ("cp", "-r", "deploy/gimp/colorizer"): "test_gimp runs the plug-in from its place",
    ("npm",): "test_static_page builds the page",
    ("ruff",): "CI runs it",
    ("mypy",): "CI runs it",
    ("mkdocs",): "CI runs it",
    ("python", "-m", "tests.fuzz_photo"): "its options are libFuzzer's",
    ("pytest",): "this is it",
    ("pre-commit",): "it changes the clone",
}
DATA = ("yaml", "json", "text")  # of fenced blocks without commands
TREE = re.compile(r"^\S+(, \S+)?\s{2,}\S")  # of a list of files: a name, and what it is


class ParsedError(Exception):
    """Raised in place of running a command whose options are right."""


def blocks(language: str) -> list[Any]:
    """The blocks of all texts in a language, "sh" or "python", named by their place."""
    found = []
    for path in TEXTS:
        for token in MarkdownIt().parse(path.read_text("utf-8")):
            if token.type in ("fence", "code_block") and path.name not in ELSEWHERE:
                place = f"{path.relative_to(ROOT)}:{(token.map or [0])[0] + 1}"
                if language_of(token.info, token.content, place) == language:
                    found.append(pytest.param(token.content, id=place))
    return found


def language_of(info: str, content: str, place: str) -> str:
    """What a block is written in; every block must be something that is known here."""
    if info:
        assert info in (*DATA, "sh", "python"), f"{place}: a block in {info}; how is it tested?"
        return info
    if re.search(r"^(from|import) ", content, re.MULTILINE):
        return "python"
    return "text" if all(map(TREE.match, content.splitlines())) else "sh"


def commands(block: str) -> list[list[str]]:
    """The words of each command, without variables and `uv run` before it."""
    lines = block.replace("\\\n", " ").splitlines()
    found = [shlex.split(part) for line in lines for part in line.split(" && ")]
    return [without_runner(words) for words in found if words]


def without_runner(words: list[str]) -> list[str]:
    while re.fullmatch(r"[A-Z_]+=\S*", words[0]):
        words = words[1:]
    if words[:2] == ["uv", "run"]:
        words = words[2:]
        while words[0].startswith("--"):
            words = words[2:] if words[0] in ("--group", "--extra") else words[1:]
    return words


@pytest.fixture
def workplace(tmp_path: Path, tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that the texts speak of; the bundled network is the tiny one."""
    save_photos(tmp_path, ("grandma.jpg", "old.jpg", "negative.png"))
    save_photos(tmp_path / "album", ("a.jpg", "b.jpg"))
    save_photos(tmp_path, ("grandma_tinted.jpg",))
    save_photos(tmp_path / "edited", ("a.jpg",))
    (tmp_path / "runs" / "mine").mkdir(parents=True)
    (tmp_path / "runs" / "mine" / "best").symlink_to(tiny_checkpoint)
    (tmp_path / "requirements.txt").write_text((ROOT / "requirements.txt").read_text())
    monkeypatch.setattr(
        "colorizer.checkpoints.checkpoint.bundled_checkpoint", lambda: tiny_checkpoint
    )
    recipe = Recipe.of(Colorizer.load(), Photo.open(tmp_path / "grandma.jpg"), "grandma.jpg")
    (tmp_path / "grandma_recipe.json").write_text(recipe.to_json(), "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("block", blocks("python"))
@pytest.mark.slow
def test_python(block: str, workplace: Path) -> None:
    before = set(workplace.iterdir())
    exec(compile(block, "<documentation>", "exec"), {})
    assert set(workplace.iterdir()) > before  # it has saved something


@pytest.mark.slow
@pytest.mark.parametrize("block", blocks("sh"))
def test_commands(block: str, workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for words in commands(block):
        if any(words[: len(head)] == list(head) for head in NOT_RUN):
            continue
        match words:
            case ["colorizer", "colorize", *arguments]:
                colorize(arguments)
            case ["colorizer", *arguments]:
                build_parser().parse_args(arguments)
            case ["python", *arguments]:
                parse_python(arguments, monkeypatch)
            case ["hf", *arguments]:
                parse_hf(arguments)
            case ["docker", *arguments]:
                check_docker(arguments)
            case ["sed", *_]:
                subprocess.run(words, check=True)
                assert "torch==2.8.*" in (workplace / "requirements.txt").read_text()
            case _:
                pytest.fail(f"{shlex.join(words)}: how is it tested?")


def colorize(arguments: list[str]) -> None:
    """Colorize as a shell would have it done; that must make files."""
    arguments = [name for word in arguments for name in sorted(glob.glob(word)) or [word]]
    option = "-o" if "-o" in arguments else "--output"
    assert main(["colorize", *arguments]) == 0
    assert list(Path(arguments[arguments.index(option) + 1]).iterdir())


def parse_python(arguments: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a module or a file of ours until it has parsed its options."""
    parse = argparse.ArgumentParser.parse_args

    def parsed(parser: argparse.ArgumentParser, *given: Any) -> NoReturn:
        parse(parser, *given)
        raise ParsedError

    module = arguments[0] == "-m"
    path = arguments[1].replace(".", "/") + ".py" if module else arguments[0]
    with monkeypatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "parse_args", parsed)
        patch.setattr(sys, "argv", arguments[module:])
        with pytest.raises(ParsedError):
            runpy.run_path(str(ROOT / path), run_name="__main__")


def parse_hf(arguments: list[str]) -> None:
    """Give the options to the Hub's own command line, which refuses what it doesn't know."""
    hf.main([*arguments, "--help"], standalone_mode=False)


def check_docker(arguments: list[str]) -> None:
    """Without an engine: build arguments, ports and paths are those of the Dockerfile."""
    recipe = (ROOT / "Dockerfile").read_text()
    assert arguments[0] in ("build", "run", "compose")
    for option, value in pairwise(arguments):
        match option:
            case "--build-arg":
                assert f"ARG {value.split('=')[0]}=" in recipe
            case "--publish":
                assert f"EXPOSE {value.split(':')[-1]}\n" in recipe
            case "--volume" if value.startswith("hub:"):
                assert f"VOLUME {value.split(':')[-1]}\n" in recipe


def test_every_setting_is_documented() -> None:
    described = "\n".join(path.read_text("utf-8") for path in TEXTS)
    assert [name for name in settings() if f"`{name}`" not in described] == []


def test_every_public_name_is_documented() -> None:
    page = (ROOT / "docs" / "api.md").read_text("utf-8")
    assert sorted(re.findall(r"^::: colorizer\.(\w+)$", page, re.MULTILINE)) == sorted(
        colorizer.__all__
    )


@pytest.mark.slow
def test_the_wrong_is_found(workplace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SystemExit):
        parse_python(["-m", "train.fit", "--no-such-option"], monkeypatch)
    with pytest.raises(Exception, match="no-such-option"):
        parse_hf(["upload", "you/colorizer", "--no-such-option"])
    with pytest.raises(AssertionError, match="how is it tested"):
        language_of("perl", "", "here")
