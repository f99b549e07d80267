"""File names: safe to print, short enough to write, and no photos of the system's."""

import os

import pytest

from colorizer.errors import PhotoError
from colorizer.file_names import fitted_name, is_system_name, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("new\nline.jpg", r"new\nline.jpg"),
        ("\x1b[2J.jpg", r"\x1b[2J.jpg"),
        ("\x9b2J", r"\x9b2J"),
        ("gpj.\u202etxt", r"gpj.\u202etxt"),
        ("Köln 👩‍👧 写.jpg", "Köln 👩‍👧 写.jpg"),
        ("caf\udce9", "caf\udce9"),  # bytes that are not Unicode stay
    ],
)
def test_control_characters_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert str(PhotoError(f"{text} is damaged.")) == f"{shown} is damaged."


@pytest.mark.parametrize(
    ("stem", "kept"),
    [
        ("short", "short"),
        ("a" * 255, "a" * 240),
        ("写" * 83, "写" * 80),
        ("a" * 239 + "é", "a" * 239),  # two bytes, one too many
        ("a" * 239 + "e\u0301", "a" * 239),  # an accent of its own character
        ("a" * 236 + "👩\u200d👧", "a" * 236),
        ("new\nline", "new_line"),
    ],
)
def test_names_fit_by_whole_characters(stem: str, kept: str) -> None:
    name = fitted_name(stem, "_color.jpg", reserved=5)
    assert name == f"{kept}_color.jpg"
    assert len(os.fsencode(name)) + 5 <= 255


def test_names_of_systems_and_trash() -> None:
    for name in (".hidden", "@eaDir", "#recycle", "$RECYCLE.BIN", ".Trash-1000", "__MACOSX"):
        assert is_system_name(name)
    for name in ("lost+found", "$Recycle.Bin", "System Volume Information", "@Recycle"):
        assert is_system_name(name)
    for name in ("album", "recycle", "eaDir", "#1", "a.jpg"):
        assert not is_system_name(name)
