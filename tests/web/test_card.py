"""Model cards: strangers write them, and the page must not do what they want."""

import re
import time

import pytest

from colorizer.checkpoints.checkpoint import bundled_checkpoint
from colorizer.web.actions.card import MAX_LENGTH, card_html

SAFE_TAG = re.compile(
    r"</?(h[1-6]|p|em|strong|code|pre|ul|ol|li|table|thead|tbody|tr|td|th|blockquote|hr|br|a)"
    r'( (class|style|start|href|target|rel|title)="[^"<>]*")*( /)?>'
)


def test_markdown_is_rendered() -> None:
    html = card_html("# Mine\n\nIt *paints* `well`.\n\n| a |\n|---|\n| 1 |\n\n    code < 1\n")
    assert "<h3>Mine</h3>" in html  # below the headings of the page
    assert "<p>It <em>paints</em> <code>well</code>.</p>" in html
    assert "<td>1</td>" in html
    assert "<code>code &lt; 1" in html


def test_the_bundled_card_is_shown() -> None:
    card = (bundled_checkpoint() / "README.md").read_text()
    html = card_html(card)
    assert "<table>" in html
    only_safe_tags(html)


@pytest.mark.parametrize(
    "markdown",
    [
        "![a](https://evil.example/a.png)",
        "!![a](https://evil.example/a.png)",
        "[![a](https://evil.example/a.png)](https://ok.example)",
        "![a][b]\n\n[b]: https://evil.example/a.png",
        "![a\n](https://evil.example/a.png 'title')",
        "![<img src=https://evil.example/a.png>](https://evil.example/a.png)",
        "<img src=https://evil.example/a.png>",
        "text <img src=https://evil.example/a.png> text",
        "<div\nstyle='background: url(https://evil.example/a.png)'>\n\nx\n\n</div>",
        "<script>fetch('https://evil.example')</script>",
        "<svg/onload=alert(1)>",
        "<style>@import url(https://evil.example/a.css)</style>",
        "<!-- <img src=https://evil.example/a.png> -->",
        "<p <img src=https://evil.example/a.png onerror=alert(1)>",
        "`<img src=https://evil.example/a.png>`",
        "```mermaid\nA@{ img: 'https://evil.example/a.png' }\n```",
        '```"><img src=https://evil.example/a.png>\ncode\n```',
        "$$\\includegraphics{https://evil.example/a.png}$$",
        "[a](javascript:alert(1)) [b](data:text/html,x) [c](&#106;avascript:alert(1))",
        '[a](https://ok.example/"onmouseover="alert(1))',
        "<javascript:alert(1)> <data:text/html,x>",
        "| <img src=https://evil.example/a.png> | ![x](https://evil.example/a.png) |\n|---|---|",
        ">" * 500 + "a",
        "[" * 5000,
    ],
)
def test_nothing_is_loaded_or_run(markdown: str) -> None:
    only_safe_tags(card_html(markdown))


def only_safe_tags(html: str) -> None:
    assert "<" not in SAFE_TAG.sub("", html)
    addresses = re.findall(r'href="([^"]*)"', html)
    assert all(address.startswith(("https://", "http://")) for address in addresses)


def test_text_around_tags_and_pictures_stays() -> None:
    assert card_html("a <b>bold</b> ![sky](x.png) end") == "<p>a bold <em>sky</em> end</p>\n"


def test_links_lead_out_of_the_page() -> None:
    html = card_html("[paper](https://arxiv.org/abs/1603.08511) and [file](config.json)")
    assert 'href="https://arxiv.org/abs/1603.08511" target="_blank" rel="noreferrer' in html
    assert "<a>file</a>" in html  # beside the card on the Hub, not here


@pytest.mark.parametrize(
    "markdown",
    [
        500_000 * "![",
        20_000 * "![a](",
        (18 * "![" + "x" + 18 * "](a)" + "\n\n") * 20_000,
        10_000 * "[" + 10_000 * "](a)",
        500_000 * "_a",
    ],
    ids=["open", "pictures", "nested", "links", "emphasis"],
)
def test_a_hostile_card_takes_little_time(markdown: str) -> None:
    start = time.process_time()
    html = card_html(markdown)
    assert time.process_time() - start < 2  # seconds; minutes before
    assert len(html) < 20 * MAX_LENGTH
    only_safe_tags(html)


def test_a_long_card_ends_at_a_line() -> None:
    html = card_html("some words\n\n" * MAX_LENGTH)
    assert html.endswith("<p>some words</p>\n<p>…</p>\n")
    assert len(html) < 3 * MAX_LENGTH


def test_pictures_that_are_links_are_rendered() -> None:
    badges = "[![license](https://a.example/b.svg)](https://a.example) " * 40
    assert card_html(badges).count("<em>license</em></a>") == 40
