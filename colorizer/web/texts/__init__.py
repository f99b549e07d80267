"""The page's texts: one JSON file per language in this folder, the same keys in each.

The browser translates what is on the page from the start; what the server says later it says in the
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


LANGUAGES = {  # code: key ("photo.download"): text
    path.stem: dict(_flat(json.loads(path.read_text("utf-8"))))
    for path in sorted(Path(__file__).parent.glob("*.json"))
}
I18N = gr.I18n(**LANGUAGES)
MARK = re.compile(r'__i18n__\{.*?\\"key\\": \\"(.*?)\\"\}')  # of a text, within JSON


def text(key: str) -> str:
    """What stands for a text in labels, choices and Markdown until the browser translates it.

    Raises:
        KeyError: there is no such text.
    """
    if key not in LANGUAGES[FALLBACK]:
        raise KeyError(key)
    return str(I18N(key))


def in_english(value: Any) -> Any:
    """Anything that JSON holds, with English where `text` left its marks."""

    def english(match: re.Match[str]) -> str:
        return json.dumps(LANGUAGES[FALLBACK][match[1]])[1:-1]

    return json.loads(MARK.sub(english, json.dumps(value)))


def say(key: str, request: gr.Request | None, **values: object) -> str:
    """A text in the language of the request, English where it asks for none of ours.

    Args:
        key: of the text, for example "photo.download".
        request: its header Accept-Language decides; None means English.
        **values: for the text's {placeholders}.

    Raises:
        KeyError: there is no such text, or a value is missing.
    """
    return LANGUAGES[language(request)][key].format(**values)


def language(request: gr.Request | None) -> str:
    """The first of the request's languages, in its order of preference, that we have."""
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
