"""What the environment says about how the page is served: every variable, in one place."""

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, Self

from colorizer.errors import ColorizerError
from colorizer.photo.formats import MAX_PIXELS

UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9}


class SettingsError(ColorizerError, ValueError):
    """An environment variable can't be used; the sentence names it and says what to do."""


def variable(name: str, default: Any, parse: Callable[[str], Any], repr: bool = True) -> Any:
    """A field that an environment variable sets; `parse` raises `ValueError` with what it takes."""
    return field(default=default, repr=repr, metadata={"variable": name, "parse": parse})


def at_least(least: int) -> Callable[[str], int]:
    """Parses whole numbers from `least`."""

    def parse(text: str) -> int:
        if not text.isdecimal() or int(text) < least:
            raise ValueError(f"give a whole number from {least}")
        return int(text)

    return parse


def parse_bytes(text: str) -> int:
    """Parse a number of bytes such as 100mb."""
    match = re.fullmatch(r"(\d+) ?(|kb|mb|gb)", text.lower())
    if match is None or int(match[1]) == 0:
        raise ValueError("give a size such as 500kb, 100mb or 1gb")
    return int(match[1]) * UNITS[match[2]]


def parse_switch(text: str) -> bool:
    """Parse whether something is on."""
    choices = {"1": True, "true": True, "0": False, "false": False}
    if text.lower() not in choices:
        raise ValueError("give 1 or 0")
    return choices[text.lower()]


def parse_log(text: str) -> str:
    """Parse the form of the log."""
    if text not in ("text", "json"):
        raise ValueError("give text or json")
    return text


def parse_users(text: str) -> tuple[tuple[str, str], ...]:
    """Parse name:password,name:password, or a file with one of them in each line.

    The sentences of its errors tell no password.
    """
    if (path := Path(text)).is_file():
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
        entries = [line for line in lines if line and not line.startswith("#")]
    else:
        entries = [entry.strip() for entry in text.split(",")]
    users: dict[str, str] = {}
    for number, entry in enumerate(entries, 1):
        name, _, password = entry.partition(":")
        if not name or not password or name != name.strip():
            raise ValueError(
                f"entry {number} is not name:password; give name:password,name:password, or a file "
                "that exists and has one name:password in each line"
            )
        if name in users:
            raise ValueError(f"entry {number} names {name} again; give each name once")
        users[name] = password
    if not users:
        raise ValueError("the file names nobody; write name:password into its lines")
    return tuple(users.items())


@dataclass(frozen=True)
class Settings:
    """How the page is served.

    Attributes:
        checkpoint: as for `Colorizer.load`; None takes the bundled one.
        kept_seconds: before uploads and results are deleted.
        max_pixels: of a photo; larger ones are refused.
        max_upload: bytes of an uploaded file.
        requests_per_minute: of one client, those that take work; 0 sets no limit.
        users: names and passwords of those who may come in; empty lets everybody in.
        log: whether each job and request is written down as a line of JSON.
        stop_seconds: that running jobs get to finish when the server is told to stop.
        mcp: whether the endpoints are offered as tools over MCP, too.
    """

    checkpoint: str | None = variable("COLORIZER_CHECKPOINT", None, str)
    kept_seconds: int = variable("COLORIZER_KEPT_SECONDS", 3600, at_least(1))
    max_pixels: int = variable("COLORIZER_MAX_PIXELS", MAX_PIXELS, at_least(1))
    max_upload: int = variable("COLORIZER_MAX_UPLOAD", 100_000_000, parse_bytes)
    requests_per_minute: int = variable("COLORIZER_REQUESTS_PER_MINUTE", 0, at_least(0))
    users: tuple[tuple[str, str], ...] = variable("COLORIZER_USERS", (), parse_users, repr=False)
    log: Literal["text", "json"] = variable("COLORIZER_LOG", "text", parse_log)
    stop_seconds: int = variable("COLORIZER_STOP_SECONDS", 30, at_least(0))
    mcp: bool = variable("GRADIO_MCP_SERVER", False, parse_switch)

    def __post_init__(self) -> None:
        if self.mcp and not find_spec("mcp"):
            raise SettingsError(
                "GRADIO_MCP_SERVER needs the extra mcp; start with uv run --extra mcp app.py."
            )
        if self.mcp and self.users:
            raise SettingsError(
                "COLORIZER_USERS and GRADIO_MCP_SERVER exclude each other, for the tools would be "
                "open to everybody; unset one of them."
            )

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> Self:
        """Read the variables; an empty one counts as unset.

        Raises:
            SettingsError: one can't be used.
        """
        values = {}
        for item in fields(cls):
            name, text = item.metadata["variable"], environment.get(item.metadata["variable"], "")
            try:
                if text:
                    values[item.name] = item.metadata["parse"](text)
            except (ValueError, OSError) as error:
                raise SettingsError(f"{name} can't be used: {error}.") from None
        return cls(**values)

    @property
    def sweep_seconds(self) -> int:
        """Between looks for old files."""
        return max(1, self.kept_seconds // 6)

    @property
    def max_megapixels(self) -> str:
        """For people."""
        return f"{self.max_pixels / 1e6:g}"


@cache
def settings() -> Settings:
    """This process's, read when first asked for.

    Raises:
        SettingsError: an environment variable can't be used.
    """
    return Settings.read(os.environ)
