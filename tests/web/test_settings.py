"""The variables of the environment: what they mean, and what is said of unusable ones."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from colorizer.photo.formats import MAX_PIXELS
from colorizer.web.server.settings import Settings, SettingsError
from tests.helpers.paths import ROOT

DOCS = ROOT / "docs" / "http.md"


def test_nothing_set_is_the_default() -> None:
    assert Settings.read({}) == Settings.read({"COLORIZER_USERS": "", "COLORIZER_LOG": ""})
    chosen = Settings.read({})
    assert (chosen.checkpoint, chosen.users, chosen.log, chosen.mcp) == (None, (), "text", False)
    assert (chosen.kept_seconds, chosen.sweep_seconds) == (3600, 600)
    assert (chosen.max_pixels, chosen.max_megapixels) == (MAX_PIXELS, "250")


def test_everything_set() -> None:
    chosen = Settings.read(
        {
            "COLORIZER_CHECKPOINT": "user/repo",
            "COLORIZER_KEPT_SECONDS": "4",
            "COLORIZER_MAX_PIXELS": "12500000",
            "COLORIZER_MAX_UPLOAD": "20 MB",
            "COLORIZER_REQUESTS_PER_MINUTE": "30",
            "COLORIZER_USERS": "anna:open sesame, ben:b:2",
            "COLORIZER_LOG": "json",
            "COLORIZER_STOP_SECONDS": "0",
            "GRADIO_MCP_SERVER": "False",
        }
    )
    users = (("anna", "open sesame"), ("ben", "b:2"))
    assert chosen == Settings("user/repo", 4, 12_500_000, 20_000_000, 30, users, "json", 0, False)
    assert (chosen.sweep_seconds, chosen.max_megapixels) == (1, "12.5")
    assert "sesame" not in repr(chosen)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("COLORIZER_KEPT_SECONDS", "0", "give a whole number from 1."),
        ("COLORIZER_MAX_PIXELS", "many", "give a whole number from 1."),
        ("COLORIZER_REQUESTS_PER_MINUTE", "-1", "give a whole number from 0."),
        ("COLORIZER_STOP_SECONDS", "1.5", "give a whole number from 0."),
        ("COLORIZER_MAX_UPLOAD", "100 mib", "give a size such as 500kb, 100mb or 1gb."),
        ("COLORIZER_MAX_UPLOAD", "0", "give a size such as"),
        ("COLORIZER_LOG", "yaml", "give text or json."),
        ("GRADIO_MCP_SERVER", "yes", "give 1 or 0."),
        ("COLORIZER_USERS", "anna:a,secret", "entry 2 is not name:password;"),
        ("COLORIZER_USERS", ":secret", "entry 1 is not name:password;"),
        ("COLORIZER_USERS", "secret:", "entry 1 is not name:password;"),
        ("COLORIZER_USERS", "anna:secret,anna:secret", "entry 2 names anna again;"),
        ("COLORIZER_USERS", "/secret/users.txt", "or a file that exists"),
    ],
)
def test_what_can_not_be_used_gets_a_sentence(name: str, value: str, sentence: str) -> None:
    told = f"^{name} can't be used: .*{re.escape(sentence)}"
    with pytest.raises(SettingsError, match=told) as error:
        Settings.read({name: value})
    assert "secret" not in str(error.value)


def test_users_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "users"
    path.write_text("# who may come in\nanna:a,1\n\n ben:b \n")
    users = Settings.read({"COLORIZER_USERS": str(path)}).users
    assert users == (("anna", "a,1"), ("ben", "b"))
    path.write_text("\n")
    with pytest.raises(SettingsError, match="the file names nobody; write"):
        Settings.read({"COLORIZER_USERS": str(path)})


def test_mcp_needs_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("colorizer.web.server.settings.find_spec", lambda name: None)
    with pytest.raises(SettingsError, match="start with uv run --extra mcp"):
        Settings.read({"GRADIO_MCP_SERVER": "1"})


def test_mcp_does_not_go_with_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("colorizer.web.server.settings.find_spec", lambda name: name)
    assert Settings.read({"GRADIO_MCP_SERVER": "true"}).mcp
    with pytest.raises(SettingsError, match="exclude each other"):
        Settings.read({"GRADIO_MCP_SERVER": "1", "COLORIZER_USERS": "anna:a"})


def test_the_documentation_lists_all_with_their_defaults() -> None:
    rows = dict(re.findall(r"^\| `([A-Z_]+)` \| (.*?) ?\|", DOCS.read_text(), re.M))
    assert list(rows) == [item.metadata["variable"] for item in fields(Settings)]
    for item in fields(Settings):
        if item.name not in ("checkpoint", "users"):
            read = item.metadata["parse"](rows[item.metadata["variable"]])
            assert read == item.default, item.name
