"""The page's texts: complete in every language, and the right one for a request."""

import string
from types import SimpleNamespace

import gradio as gr
import pytest

from colorizer.web.actions.overlays import drawable
from colorizer.web.texts import FALLBACK, LANGUAGES, language, marks_to_english, say, text
from tests.helpers.paths import EXAMPLES


def asking(header: str | None) -> gr.Request:
    """A request with that Accept-Language."""
    headers = {} if header is None else {"accept-language": header}
    return SimpleNamespace(headers=headers)  # type: ignore[return-value]


def placeholders(message: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(message) if name}


def test_three_languages() -> None:
    assert set(LANGUAGES) >= {"en", "de", "es"}


@pytest.mark.parametrize("code", sorted(LANGUAGES))
def test_every_language_says_everything(code: str) -> None:
    english, other = LANGUAGES[FALLBACK], LANGUAGES[code]
    assert other.keys() == english.keys()
    for key, message in other.items():
        assert message.strip(), key
        assert placeholders(message) == placeholders(english[key]), key


@pytest.mark.parametrize("code", sorted(LANGUAGES))
def test_labels_in_pictures_can_be_drawn(code: str) -> None:
    assert drawable(LANGUAGES[code]["photo.shared_gray"])
    assert drawable(LANGUAGES[code]["photo.shared_color"])


def test_every_example_has_a_name() -> None:
    for path in EXAMPLES.glob("*.jpg"):
        assert f"photo.example.{path.stem}" in LANGUAGES[FALLBACK]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, "en"),
        ("", "en"),
        ("de", "de"),
        ("de-AT,de;q=0.9,en;q=0.8", "de"),
        ("fr-CH, fr;q=0.9, es;q=0.8, de;q=0.7", "es"),
        ("de;q=0.3, es;q=0.5", "es"),
        ("pl", "en"),
        ("DE", "de"),
        ("*", "en"),
        ("de;q=much, es;q=0.1", "es"),
    ],
)
def test_language_of_a_request(header: str | None, expected: str) -> None:
    assert language(asking(header)) == expected


def test_no_request_means_english() -> None:
    assert say("photo.gray", None) == LANGUAGES["en"]["photo.gray"]


def test_say_fills_in() -> None:
    assert say("photo.alternative", asking("de"), number=3) == "Variante 3"
    with pytest.raises(KeyError):
        say("photo.alternative", None)


def test_unknown_texts_are_noticed_while_the_page_is_built() -> None:
    assert "photo.gray" in text("photo.gray")
    with pytest.raises(KeyError):
        text("photo.grey")


def test_documentation_is_marks_to_english() -> None:
    info = {"label": text("photo.gray"), "types": [f"a {text('photo.fix_info')}", 3, None]}
    english = LANGUAGES[FALLBACK]
    assert marks_to_english(info) == {
        "label": "Grayscale",
        "types": [f"a {english['photo.fix_info']}", 3, None],
    }
