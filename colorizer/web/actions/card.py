"""Model cards as HTML that is safe to show: strangers write them."""

import re
from collections.abc import Sequence
from itertools import accumulate

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

HEADING_SHIFT = 2  # levels; the page has its own headings above
MAX_LENGTH = 50_000  # characters that are shown
# Of a block; the parser's time grows with the square of both
MAX_BRACKETS = 500
MAX_DEPTH = 8  # of brackets within brackets


class SafeRenderer(RendererHTML):
    """Renders Markdown without anything that could run a script or load a picture.

    HTML is dropped, pictures become their descriptions, and only links to the web stay links.
    """

    def html_block(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """HTML between paragraphs."""
        return ""

    def html_inline(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """A tag in a paragraph."""
        return ""

    def image(self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType) -> str:
        """A picture, whose text alternative the token holds as Markdown."""
        return f"<em>{escapeHtml(tokens[idx].content)}</em>"

    def link_open(
        self, tokens: Sequence[Token], idx: int, options: OptionsDict, env: EnvType
    ) -> str:
        """The start of a link."""
        address = str(tokens[idx].attrs["href"])
        if not address.startswith(("https://", "http://")):
            return "<a>"  # to a file beside the card, which isn't here
        return f'<a href="{escapeHtml(address)}" target="_blank" rel="noreferrer nofollow">'


MARKDOWN = MarkdownIt("commonmark", renderer_cls=SafeRenderer).enable("table")


def card_html(markdown: str) -> str:
    """Render a model card as HTML, its headings two levels down.

    Only the first `MAX_LENGTH` characters are shown, and a card that would take the parser long is
    shown as plain text.
    """
    if len(markdown) > MAX_LENGTH:
        markdown = markdown[:MAX_LENGTH].rpartition("\n")[0] + "\n\n…"
    if is_slow(markdown):
        return f"<pre>{escapeHtml(markdown)}</pre>"
    tokens = MARKDOWN.parse(markdown)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1:]) + HEADING_SHIFT)}"
    return str(MARKDOWN.renderer.render(tokens, MARKDOWN.options, {}))


def is_slow(markdown: str) -> bool:
    """Whether a block has so many or so deeply nested brackets that parsing it would take long."""
    for block in re.split(r"\n\s*\n", markdown):
        steps = [1 if bracket == "[" else -1 for bracket in re.findall(r"[\[\]]", block)]
        if steps.count(1) > MAX_BRACKETS or max(accumulate(steps), default=0) > MAX_DEPTH:
            return True
    return False
