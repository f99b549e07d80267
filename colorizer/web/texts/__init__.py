"""The page's texts: one JSON file per language in this folder, all with the same keys.

The browser translates the texts of the initial page. The server translates later messages into the
language of the request.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

FALLBACK = "en"


def _flat(tree: dict[str, object], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, str(value)


LANGUAGES = {  # language code -> key such as "photo.download" -> text
    path.stem: dict(_flat(json.loads(path.read_text("utf-8"))))
    for path in sorted(Path(__file__).parent.glob("*.json"))
}
I18N = gr.I18n(**LANGUAGES)
MARK = re.compile(
    r'__i18n__\{.*?\\"key\\": \\"(.*?)\\"\}'
)  # a mark of Gradio's I18n, escaped in JSON


def text(key: str) -> str:
    """Return a mark for labels, choices and Markdown, which the browser translates.

    Raises:
        KeyError: the key is unknown.
    """
    if key not in LANGUAGES[FALLBACK]:
        raise KeyError(key)
    return str(I18N(key))


def marks_to_english(value: Any) -> Any:
    """Replace the marks of `text` by English texts, anywhere in a JSON value."""

    def english(match: re.Match[str]) -> str:
        return json.dumps(LANGUAGES[FALLBACK][match[1]])[1:-1]

    return json.loads(MARK.sub(english, json.dumps(value)))


def say(key: str, request: gr.Request | None, **values: object) -> str:
    """Return a text in the language of the request.

    Args:
        key: the text's key, for example "photo.download".
        request: its Accept-Language header chooses the language; None is English.
        **values: the values of the text's {placeholders}.

    Raises:
        KeyError: the key is unknown, or a value is missing.
    """
    return LANGUAGES[language(request)][key].format(**values)


def language(request: gr.Request | None) -> str:
    """Return the language that the request prefers among ours, or English."""
    header = request.headers.get("accept-language", "") if request else ""
    wanted: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, quality = part.partition(";q=")
        try:
            wanted.append((-float(quality or 1), tag.strip().split("-")[0].lower()))
        except ValueError:
            continue
    codes = [code for _, code in sorted(wanted, key=lambda item: item[0])]
    return next((code for code in codes if code in LANGUAGES), FALLBACK)
