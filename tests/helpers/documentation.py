"""What is run of the documentation."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

from colorizer.web.server.settings import Settings, variable_of
from tests.helpers.paths import ROOT

TEXT = (ROOT / "docs" / "http.md").read_text()
SERVER = "http://127.0.0.1:7860"
LOGIN = "open sesame"


def examples(language: str, login: bool = False) -> list[str]:
    """The blocks of code in a language, those that log in or the others."""
    blocks: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.M | re.S)
    return [block for block in blocks if (LOGIN in block) == login]


def run(block: str, language: str, address: str, folder: Path) -> str:
    """Run a block in a folder that has the photo, at a server; returns what it prints."""
    shutil.copy(ROOT / "examples" / "portrait.jpg", folder)
    program = {"sh": ["bash", "-euo", "pipefail", "-c"], "python": [sys.executable, "-c"]}[language]
    assert SERVER in block
    block = block.replace(SERVER, address.rstrip("/"))
    done = subprocess.run([*program, block], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def settings() -> list[str]:
    """The variables of the environment that the code reads."""
    code = [ROOT / "app.py", *(ROOT / "colorizer").rglob("*.py")]
    text = "\n".join(path.read_text("utf-8") for path in code)
    named = set(re.findall(r"\bCOLORIZER_[A-Z_]+", text))
    fields = {variable_of(name) for name in Settings.model_fields}
    return sorted(name for name in named | fields if name.startswith("COLORIZER_"))
