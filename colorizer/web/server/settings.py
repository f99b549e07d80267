"""The settings of the page, read from environment variables."""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, ByteSize, Field, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from colorizer.errors import ColorizerError
from colorizer.photo.formats import MAX_PIXELS

PREFIX = "COLORIZER_"


class SettingsError(ColorizerError, ValueError):
    """An environment variable can't be used; the message names it and says what to do."""


def parse_users(value: Any) -> Any:
    """Parse "name:password,name:password", or a file with one name:password per line.

    Raises:
        ValueError: an entry is malformed or repeated. The message never contains a password.
    """
    if not isinstance(value, str):
        return value
    if (path := Path(value)).is_file():
        lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
        entries = [line for line in lines if line and not line.startswith("#")]
    else:
        entries = [entry.strip() for entry in value.split(",")]
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
        raise ValueError("the file has no users; write one name:password per line")
    return tuple(users.items())


FromZero = Annotated[int, Field(ge=0, description="a whole number from 0")]
FromOne = Annotated[int, Field(ge=1, description="a whole number from 1")]
Bytes = Annotated[ByteSize, Field(gt=0, description="a size such as 500kb, 100mb or 1gb")]
Users = Annotated[tuple[tuple[str, str], ...], NoDecode, BeforeValidator(parse_users)]


def parse_origins(value: Any) -> Any:
    """Parse "https://example.org,https://example.com".

    Raises:
        ValueError: an entry is not an origin.
    """
    if not isinstance(value, str):
        return value
    origins = tuple(entry.strip().rstrip("/").lower() for entry in value.split(","))
    for origin in origins:
        if not re.fullmatch(r"https?://[^/\s;\"']+", origin):
            raise ValueError("give origins such as https://example.org, separated by commas")
    return origins


Origins = Annotated[tuple[str, ...], NoDecode, BeforeValidator(parse_origins)]


class Settings(BaseSettings):
    """The settings of the page; each field is the environment variable COLORIZER_<FIELD>.

    The description of a field completes the sentence "give ..." of its error.

    Attributes:
        checkpoint: as for `Colorizer.load`; None is the bundled one.
        kept_seconds: how long uploads and results are kept.
        max_pixels: largest size of a photo, in pixels.
        max_upload: largest size of an uploaded file, in bytes.
        requests_per_minute: per client, of requests that start work; 0 is no limit.
        users: names and passwords of the users; empty is no login.
        log: "json" logs each job and each request as a line of JSON.
        stop_seconds: how long running jobs may take to finish when the server stops.
        work_memory: memory for the work of all visitors, in bytes.
        origins: other sites that may use and embed the page.
        decode_process: whether uploads are decoded in processes of their own.
        fetch_urls: whether a file may be given as a URL, which the server downloads.
        kiosk: whether the page is shown in a public place, for one visitor after the other.
        kiosk_seconds: without a touch, after which a kiosk starts over.
        mcp: whether the endpoints are also MCP tools; the variable is GRADIO_MCP_SERVER.
    """

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, frozen=True)

    checkpoint: str | None = None
    kept_seconds: FromOne = 3600
    max_pixels: FromOne = MAX_PIXELS
    max_upload: Bytes = ByteSize(100_000_000)
    requests_per_minute: FromZero = 0
    users: Users = Field(default=(), repr=False)
    log: Literal["text", "json"] = Field(default="text", description="text or json")
    stop_seconds: FromZero = 30
    work_memory: Bytes = ByteSize(1_000_000_000)
    origins: Origins = ()
    decode_process: Annotated[bool, Field(description="1 or 0")] = True
    fetch_urls: Annotated[bool, Field(description="1 or 0")] = False
    kiosk: Annotated[bool, Field(description="1 or 0")] = False
    kiosk_seconds: FromOne = 120
    mcp: bool = Field(default=False, validation_alias="GRADIO_MCP_SERVER", description="1 or 0")

    @model_validator(mode="after")
    def check_mcp(self) -> Self:
        """Check that MCP is installed and doesn't bypass the login."""
        if self.mcp and not find_spec("mcp"):
            raise ValueError(
                "GRADIO_MCP_SERVER needs the extra mcp; start with uv run --extra mcp app.py"
            )
        if self.mcp and self.users:
            raise ValueError(
                "COLORIZER_USERS and GRADIO_MCP_SERVER exclude each other, because anybody could "
                "use the tools without a login; unset one of them"
            )
        return self

    @property
    def sweep_seconds(self) -> int:
        """Seconds between searches for old files."""
        return max(1, self.kept_seconds // 6)

    @property
    def max_megapixels(self) -> str:
        """The largest size of a photo, for messages."""
        return f"{self.max_pixels / 1e6:g}"


def variable_of(field: str) -> str:
    """The environment variable that sets a field of `Settings`."""
    return str(Settings.model_fields[field].validation_alias or f"{PREFIX}{field.upper()}")


def read_settings() -> Settings:
    """Read the environment variables; an empty one counts as unset.

    Raises:
        SettingsError: a variable can't be used.
    """
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        names = {variable_of(name): name for name in Settings.model_fields}
        reason = first.get("ctx", {}).get("error")
        if not first["loc"]:
            raise SettingsError(f"{reason}.") from None
        place = str(first["loc"][0])
        field = names.get(place, place)
        advice = reason or f"give {Settings.model_fields[field].description}"
        raise SettingsError(f"{variable_of(field)} can't be used: {advice}.") from None
    except OSError as error:  # the file of users
        raise SettingsError(f"{variable_of('users')} can't be used: {error}.") from None


@cache
def settings() -> Settings:
    """The settings of this process, read at the first call.

    Raises:
        SettingsError: an environment variable can't be used.
    """
    return read_settings()
