"""Model cards as HTML that is safe to show: strangers write them."""

from collections.abc import Sequence

from markdown_it import MarkdownIt
from markdown_it.common.utils import escapeHtml
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict

HEADINGS_DOWN = 2  # levels: the page has headings of its own


class SafeRenderer(RendererHTML):
    """Writes nothing that could run a script or load a picture from elsewhere: HTML is left out,
    pictures become their descriptions, and only links to the web stay links.
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
    """Render a model card as HTML, its headings two levels down."""
    tokens = MARKDOWN.parse(markdown)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, int(token.tag[1:]) + HEADINGS_DOWN)}"
    return str(MARKDOWN.renderer.render(tokens, MARKDOWN.options, {}))
