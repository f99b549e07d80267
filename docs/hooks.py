"""What MkDocs makes pages of: texts of the repository that live beside their code, and --help."""

import argparse
import posixpath
import re
from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

from colorizer.commands.parser import build_parser

ROOT = Path(__file__).parent.parent
PAGES = {  # name of the page, and the file that it shows
    "changelog.md": "CHANGELOG.md",
    "contributing.md": "CONTRIBUTING.md",
    "experiments.md": "train/EXPERIMENTS.md",
    "hosting.md": "deploy/README.md",
    "model.md": "weights/README.md",
    "photos.md": "examples/SOURCES.md",
    "security.md": "SECURITY.md",
    "training.md": "train/README.md",
}
SHOWN_AS = {file: page for page, file in PAGES.items()} | {"README.md": "index.md"}
LINK = re.compile(r"(?<!!)\[([^]]*)\]\(([^):#]+)(#[^)]*)?\)")
HELP = "{{ help of the commands }}"


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages."""
    for page, name in PAGES.items():
        text = linked((ROOT / name).read_text("utf-8"), posixpath.dirname(name))
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Put in what --help says, and link to pages instead of files of the repository."""

    def link(match: re.Match[str]) -> str:
        words, target, anchor = match[1], match[2], match[3] or ""
        page = SHOWN_AS.get(posixpath.normpath(posixpath.join("docs", target)))
        return f"[{words}]({page}{anchor})" if page else match[0]

    markdown = LINK.sub(link, markdown)
    return markdown.replace(HELP, command_help()) if HELP in markdown else markdown


def linked(text: str, folder: str) -> str:
    """Markdown of a file in a folder of the repository with links to pages instead of files; of
    links to what is no page, the words stay.
    """

    def link(match: re.Match[str]) -> str:
        words, target, anchor = match[1], match[2], match[3] or ""
        path = posixpath.normpath(posixpath.join(folder, target))
        page = SHOWN_AS.get(path)
        if path.startswith("docs/") and (ROOT / path).exists():
            page = path.removeprefix("docs/")
        return f"[{words}]({page}{anchor})" if page else words

    return LINK.sub(link, text)


def command_help() -> str:
    """Markdown with the help of each command, 100 characters wide."""
    commands = next(
        action
        for action in build_parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    ).choices
    parts = []
    for name, parser in commands.items():
        parser.formatter_class = lambda prog: argparse.HelpFormatter(prog, width=100)
        parts.append(f"### colorizer {name}\n\n```text\n{parser.format_help()}```")
    return "\n\n".join(parts)
