"""Read model cards, which strangers write: the license and the text."""

import re
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

MAX_CARD_BYTES = 1_000_000
MAX_FRONT_MATTER_BYTES = 65_536
MAX_LICENSES = 10
MAX_LICENSE_LENGTH = 100  # characters of each
FRONT_MATTER = re.compile(r"\s*---\r?\n(.*?)\r?\n---[ \t]*(?:\r?\n|\Z)", re.DOTALL)


class PlainLoader(yaml.BaseLoader):  # type: ignore[misc]
    """Loads YAML as strings, lists and dictionaries.

    It refuses aliases, with which a few lines can stand for gigabytes.
    """

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a node unless it is an alias."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not allowed")
        return super().compose_node(parent, index)


def read_card(path: Path) -> tuple[str | None, str]:
    """Read a model card.

    Args:
        path: of the card; a missing, unreadable or too large file is an empty card.

    Returns:
        The license, None if the card names none or its front matter can't be read; and the text
        below the front matter.
    """
    try:
        if path.stat().st_size > MAX_CARD_BYTES:
            return None, ""
        content = path.read_text("utf-8")
    except (OSError, ValueError):
        return None, ""
    found = FRONT_MATTER.match(content)
    if found is None:
        return None, content.strip()
    return read_license(found[1]), content[found.end() :].strip()


def read_license(front_matter: str) -> str | None:
    """The license, or licenses, that a card's front matter names."""
    if len(front_matter.encode()) > MAX_FRONT_MATTER_BYTES:
        return None
    try:
        values = yaml.load(front_matter, PlainLoader)
    except (yaml.YAMLError, RecursionError, TypeError, ValueError):
        return None
    if not isinstance(values, dict):
        return None
    license = values.get("license")
    if license == "other":
        license = values.get("license_name") or license
    names = [
        name
        for name in (license if isinstance(license, list) else [license])
        if isinstance(name, str) and name not in ("", "null", "~")
    ]
    if len(names) > MAX_LICENSES or any(len(name) > MAX_LICENSE_LENGTH for name in names):
        return None
    return ", ".join(names) or None
