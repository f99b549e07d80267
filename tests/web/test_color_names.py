"""Colors in words."""

from types import SimpleNamespace
from typing import Any

import pytest

from colorizer.web.actions.color_names import NAMED, color_key, swatches
from colorizer.web.texts import LANGUAGES

GERMAN: Any = SimpleNamespace(headers={"accept-language": "de"})


@pytest.mark.parametrize(
    ("color", "key"),
    [
        ("#576e8d", "steel_blue"),
        ("#ff0000", "red"),
        ("#0c0c0d", "black"),
        ("#fafafa", "white"),
        ("#2f7d32", "green"),
        ("#8d8d8a", "gray"),
        ("#bbe2ee", "pale_blue"),
    ],
)
def test_the_nearest_name(color: str, key: str) -> None:
    assert color_key(color) == key


def test_every_name_has_its_own_text() -> None:
    for code, texts in LANGUAGES.items():
        names = [texts[f"color.{key}"] for key in NAMED]
        assert len(set(names)) == len(names), code


def test_swatches_have_different_names_and_one_is_current() -> None:
    colors = ["#576e8d", "#5b7290", "#b83030"]
    made = swatches(colors, GERMAN, current="#702020")
    assert made == [
        ("#576e8d", "Stahlblau 1", False),
        ("#5b7290", "Stahlblau 2", False),
        ("#b83030", "Rot", True),
    ]
    assert [current for *_, current in swatches(colors, GERMAN)] == [False] * 3
    assert swatches([], GERMAN, "#702020") == []
