"""Model cards of strangers: the license is read, and hostile front matter costs nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

from colorizer.checkpoints.card import MAX_CARD_BYTES, MAX_FRONT_MATTER_BYTES, read_card

BOMB = (
    "a: &a ["
    + "x," * 9
    + "]\n"
    + "".join(
        f"{name}: &{name} [" + f"*{before}," * 9 + "]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
)


def card(tmp_path: Path, front_matter: str, text: str = "Text") -> Path:
    path = tmp_path / "README.md"
    path.write_text(f"---\n{front_matter}\n---\n{text}\n", "utf-8")
    return path


@pytest.mark.parametrize(
    ("front_matter", "license"),
    [
        ("license: mit", "mit"),
        ("license: other\nlicense_name: my-terms", "my-terms"),
        ("license: [mit, apache-2.0]", "mit, apache-2.0"),
        ("license: null", None),
        ("license: {a: b}", None),
        ("license: [[mit]]", None),
        ("license: [", None),
        ("? [a]\n: b", None),
        ("license: " + 101 * "a", None),
        ("license: [" + 11 * "mit, " + "]", None),
        ("license: " + 5000 * "[", None),
    ],
)
@pytest.mark.slow
def test_licenses(tmp_path: Path, front_matter: str, license: str | None) -> None:
    assert read_card(card(tmp_path, front_matter)) == (license, "Text")


def test_line_ends_of_windows(tmp_path: Path) -> None:
    path = tmp_path / "README.md"
    path.write_bytes(b"---\r\nlicense: mit\r\n---\r\n# Mine\r\n")
    assert read_card(path) == ("mit", "# Mine")


@pytest.mark.slow
def test_aliases_are_refused(tmp_path: Path) -> None:
    """They took gigabytes when the license was written as text."""
    path = card(tmp_path, BOMB + "license: *i")
    limit = "import resource as r; r.setrlimit(r.RLIMIT_AS, (2**32, 2**32)); "
    code = limit + "import sys, pathlib; from colorizer.checkpoints.card import read_card; "
    code += "print(read_card(pathlib.Path(sys.argv[1])))"
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.stdout == "(None, 'Text')\n", done.stderr


def test_a_long_front_matter_is_not_parsed(tmp_path: Path) -> None:
    long = "license: mit\ntags: " + MAX_FRONT_MATTER_BYTES * "a"
    assert read_card(card(tmp_path, long)) == (None, "Text")


def test_a_large_card_is_not_read(tmp_path: Path) -> None:
    assert read_card(card(tmp_path, "license: mit", MAX_CARD_BYTES * "a")) == (None, "")
