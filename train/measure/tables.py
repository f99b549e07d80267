"""Tables in Markdown."""

from collections.abc import Sequence

Table = Sequence[Sequence[str]]  # the first row holds the titles


def markdown_table(table: Table, numbers: bool = True) -> str:
    """A table in Markdown.

    Args:
        table: rows of cells, titles first.
        numbers: whether to align all columns but the first to the right.
    """
    lines = ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table]
    lines.insert(1, "|---" + ("|---:" if numbers else "|---") * (len(table[0]) - 1) + "|")
    return "\n".join(lines)
