"""The environment variables of the page: their meaning, and the errors for unusable values."""

import re
from pathlib import Path

import pytest

from colorizer.checkpoints.hub import HUB_VARIABLE
from colorizer.photo.formats import MAX_PIXELS
from colorizer.web.server.settings import Settings, SettingsError, read_settings, variable_of
from tests.helpers.paths import ROOT

DOCS = ROOT / "docs" / "http.md"


@pytest.fixture(autouse=True)
def unset(monkeypatch: pytest.MonkeyPatch) -> None:
    """No variable is set at first."""
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_of(name), raising=False)


def test_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = read_settings()
    assert (chosen.checkpoint, chosen.users, chosen.log, chosen.mcp) == (None, (), "text", False)
    assert (chosen.kept_seconds, chosen.sweep_seconds) == (3600, 600)
    assert (chosen.max_pixels, chosen.max_megapixels) == (MAX_PIXELS, "250")
    monkeypatch.setenv("COLORIZER_USERS", "")
    monkeypatch.setenv("COLORIZER_LOG", "")
    assert read_settings() == chosen


def test_every_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {
        "COLORIZER_CHECKPOINT": "user/repo",
        "COLORIZER_KEPT_SECONDS": "4",
        "COLORIZER_MAX_PIXELS": "12500000",
        "COLORIZER_MAX_UPLOAD": "20 MB",
        "COLORIZER_REQUESTS_PER_MINUTE": "30",
        "COLORIZER_USERS": "anna:open sesame, ben:b:2",
        "COLORIZER_LOG": "json",
        "COLORIZER_STOP_SECONDS": "0",
        "COLORIZER_WORK_MEMORY": "2gb",
        "COLORIZER_ORIGINS": "https://museum.example, https://Photos.example/",
        "COLORIZER_DECODE_PROCESS": "0",
        "COLORIZER_FETCH_URLS": "1",
        "COLORIZER_KIOSK": "1",
        "COLORIZER_KIOSK_SECONDS": "60",
        "GRADIO_MCP_SERVER": "False",
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    chosen = read_settings()
    assert chosen.model_dump() == {
        "checkpoint": "user/repo",
        "kept_seconds": 4,
        "max_pixels": 12_500_000,
        "max_upload": 20_000_000,
        "requests_per_minute": 30,
        "users": (("anna", "open sesame"), ("ben", "b:2")),
        "log": "json",
        "stop_seconds": 0,
        "work_memory": 2_000_000_000,
        "origins": ("https://museum.example", "https://photos.example"),
        "decode_process": False,
        "fetch_urls": True,
        "kiosk": True,
        "kiosk_seconds": 60,
        "mcp": False,
    }
    assert (chosen.sweep_seconds, chosen.max_megapixels) == (1, "12.5")
    assert "sesame" not in repr(chosen)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("COLORIZER_KEPT_SECONDS", "0", "give a whole number from 1."),
        ("COLORIZER_MAX_PIXELS", "many", "give a whole number from 1."),
        ("COLORIZER_REQUESTS_PER_MINUTE", "-1", "give a whole number from 0."),
        ("COLORIZER_STOP_SECONDS", "1.5", "give a whole number from 0."),
        ("COLORIZER_MAX_UPLOAD", "100 photos", "give a size such as 500kb, 100mb or 1gb."),
        ("COLORIZER_MAX_UPLOAD", "0", "give a size such as"),
        ("COLORIZER_LOG", "yaml", "give text or json."),
        ("COLORIZER_WORK_MEMORY", "0", "give a size such as"),
        ("COLORIZER_ORIGINS", "museum.example", "give origins such as https://example.org,"),
        ("COLORIZER_ORIGINS", "https://a.example; script-src *", "give origins such as"),
        ("COLORIZER_DECODE_PROCESS", "no way", "give 1 or 0."),
        ("COLORIZER_FETCH_URLS", "perhaps", "give 1 or 0."),
        ("GRADIO_MCP_SERVER", "perhaps", "give 1 or 0."),
        ("COLORIZER_USERS", "anna:a,secret", "entry 2 is not name:password;"),
        ("COLORIZER_USERS", ":secret", "entry 1 is not name:password;"),
        ("COLORIZER_USERS", "secret:", "entry 1 is not name:password;"),
        ("COLORIZER_USERS", "anna:secret,anna:secret", "entry 2 names anna again;"),
        ("COLORIZER_USERS", "/secret/users.txt", "or a file that exists"),
    ],
)
def test_an_unusable_value_gets_a_sentence(
    name: str, value: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    message = f"^{name} can't be used: .*{re.escape(sentence)}"
    with pytest.raises(SettingsError, match=message) as error:
        read_settings()
    assert "secret" not in str(error.value)


def test_users_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "users"
    path.write_text("# who may come in\nanna:a,1\n\n ben:b \n")
    monkeypatch.setenv("COLORIZER_USERS", str(path))
    assert read_settings().users == (("anna", "a,1"), ("ben", "b"))
    path.write_text("\n")
    with pytest.raises(SettingsError, match="the file has no users; write"):
        read_settings()


def test_mcp_needs_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("colorizer.web.server.settings.find_spec", lambda name: None)
    monkeypatch.setenv("GRADIO_MCP_SERVER", "1")
    with pytest.raises(SettingsError, match=r"^GRADIO_MCP_SERVER needs .* uv run --extra mcp app"):
        read_settings()


def test_mcp_excludes_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("colorizer.web.server.settings.find_spec", lambda name: name)
    monkeypatch.setenv("GRADIO_MCP_SERVER", "true")
    assert read_settings().mcp
    monkeypatch.setenv("COLORIZER_USERS", "anna:a")
    with pytest.raises(SettingsError, match="exclude each other"):
        read_settings()


def test_the_documentation_lists_every_variable_with_its_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*?) ?\|", DOCS.read_text(), re.M))
    assert rows.pop(HUB_VARIABLE) == ""  # the library reads it, not the page
    assert list(rows) == [variable_of(name) for name in Settings.model_fields]
    defaults = read_settings()
    for variable, value in rows.items():
        if variable not in ("COLORIZER_CHECKPOINT", "COLORIZER_USERS", "COLORIZER_ORIGINS"):
            monkeypatch.setenv(variable, value)
    assert read_settings() == defaults
