"""The page starts at once whatever the network does, and says which model it uses."""

import shutil
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from playwright.sync_api import expect

from colorizer import CheckpointError
from colorizer.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from colorizer.web.server import startup
from colorizer.web.server.models import Models, Notice
from colorizer.web.server.startup import start_models
from colorizer.web.tabs.notice import notice_html
from colorizer.web.texts import LANGUAGES
from tests.helpers.browser import started, visit
from tests.helpers.hub import (
    COMMIT,
    Fault,
    Hub,
    closed_address,
    connected,
    go_offline,
    point_client_at,
    refusing,
    serve,
    stalling,
)
from tests.helpers.networks import tiny_generator

SOURCE = f"user/repo@{COMMIT}"
SLACK = 2.0  # seconds; the machine may be busy


@pytest.fixture
def hub(
    tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[type[Hub]]:
    """The tiny checkpoint as user/repo, and another as the bundled one."""
    save_checkpoint(tmp_path / "bundled", tiny_generator(seed=7), 256)
    monkeypatch.setattr(
        "colorizer.checkpoints.checkpoint.bundled_checkpoint", lambda: tmp_path / "bundled"
    )
    monkeypatch.setattr(startup, "START_DELAY", 1.0)
    shutil.copytree(tiny_checkpoint, tmp_path / "remote")
    (tmp_path / "remote" / "README.md").write_text("---\nlicense: mit\n---\n# From the Hub\n")
    monkeypatch.setattr("colorizer.checkpoints.hub.HUB_SECONDS", 1.5)
    with connected(tmp_path / "remote", tmp_path / "cache", monkeypatch) as handler:
        yield handler
        for thread in threading.enumerate():
            if thread.name == startup.THREAD_NAME:
                thread.join(30)  # else it would go on in the next test


def held(event: threading.Event) -> Fault:
    """Answer when it is time."""

    def fault(hub: Hub) -> None:
        event.wait(60)
        hub.send_file(hub.folder / hub.path.rsplit("/", 1)[1], hub.command == "GET")

    return fault


def wait_for(found: object) -> None:
    deadline = time.monotonic() + 30
    while not found():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def said(models: Models, language: str = "en") -> str:
    return notice_html(models, SimpleNamespace(headers={"accept-language": language}))


@pytest.mark.parametrize("name", [None, ""])
def test_the_bundled_one(hub: type[Hub], name: str | None) -> None:
    models = start_models(name, "cpu")
    assert models.describe("").source == "bundled"
    assert said(models) == ""
    assert not hub.requests


def test_a_folder(hub: type[Hub], tiny_checkpoint: Path) -> None:
    assert start_models(str(tiny_checkpoint), "cpu").get("").checkpoint.working_size == 192
    assert not hub.requests


def test_a_model_of_the_hub(hub: type[Hub]) -> None:
    models = start_models("user/repo", "cpu")
    info = models.describe("")
    assert (info.source, info.license, info.card) == (SOURCE, "mit", "# From the Hub")
    assert models.get("").checkpoint.source == SOURCE
    assert said(models) == ""


def test_a_commit_in_the_cache_needs_no_hub(hub: type[Hub]) -> None:
    load_checkpoint("user/repo")
    hub.requests.clear()
    models = start_models(SOURCE, "cpu")
    assert (models.describe("").source, said(models)) == (SOURCE, "")
    assert not hub.requests


@pytest.mark.parametrize("name", ["user/none", "user/repo@v9", "nowhere", "user/.."])
def test_a_model_that_is_not_there(hub: type[Hub], name: str) -> None:
    """Who asked for it should know at once."""
    with pytest.raises(CheckpointError):
        start_models(name, "cpu")


def test_a_model_that_can_not_be_used(hub: type[Hub]) -> None:
    (hub.folder / "config.json").write_text("{}")
    with pytest.raises(CheckpointError, match="not a colorizer checkpoint"):
        start_models("user/repo", "cpu")


@pytest.mark.parametrize("cached", [True, False])
@pytest.mark.parametrize("outage", ["stall", "closed", "500", "429", "offline"])
def test_without_the_hub(hub: type[Hub], outage: str, cached: bool, monkeypatch) -> None:
    if cached:
        load_checkpoint("user/repo")
    if outage == "offline":
        go_offline(monkeypatch)
    elif outage == "closed":
        point_client_at(closed_address(), monkeypatch)
    else:
        hub.faults["/"] = stalling if outage == "stall" else refusing(int(outage))
    start = time.monotonic()
    models = start_models("user/repo", "cpu")
    assert time.monotonic() - start < startup.START_DELAY + SLACK
    assert models.describe("").source == (SOURCE if cached else "bundled")
    assert models.get("").checkpoint.working_size == (192 if cached else 256)
    assert "user/repo" in said(models)
    assert (SOURCE if cached else "the model that comes with colorizer is used") in said(models)


def test_a_stall_ends_in_words(hub: type[Hub], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("colorizer.checkpoints.hub.HUB_SECONDS", 5.0)  # long after START_DELAY
    hub.faults["/"] = stalling
    models = start_models("user/repo", "cpu")
    assert "is still being downloaded" in said(models)
    wait_for(lambda: "could not be downloaded" in said(models))
    assert models.describe("").source == "bundled"


def test_what_comes_late_is_used_then(hub: type[Hub]) -> None:
    arrived = threading.Event()
    hub.faults["GET /cdn/"] = held(arrived)
    models = start_models("user/repo", "cpu")
    assert "user/repo is still being downloaded" in said(models)
    assert models.describe("").source == "bundled"
    arrived.set()
    wait_for(lambda: not models.notice)
    assert models.describe("").source == SOURCE
    assert models.get("").checkpoint.source == SOURCE
    assert said(models) == ""


def test_what_comes_late_and_is_broken(hub: type[Hub], caplog) -> None:
    arrived = threading.Event()
    path = hub.folder / "model.safetensors"
    path.write_bytes(path.read_bytes()[:500])
    hub.faults["GET /cdn/"] = held(arrived)
    models = start_models("user/repo", "cpu")
    arrived.set()
    wait_for(lambda: "could not be downloaded" in said(models))
    assert models.describe("").source == "bundled"
    assert "is damaged" in caplog.text


@pytest.mark.parametrize("language", LANGUAGES)
def test_notices_in_every_language(language: str, tiny_checkpoint: Path) -> None:
    models = Models(str(tiny_checkpoint), "cpu")
    lines = set()
    for state in ("coming", "failed"):
        for used in (None, SOURCE):
            models.notice = Notice(state, "user/<b>", used)
            lines.add(said(models, language))
            assert "user/&lt;b&gt;" in said(models, language)
            assert (used or "colorizer") in said(models, language)
    assert len(lines) == 4


@pytest.mark.browser
def test_a_page_without_the_hub(tmp_path: Path, tiny_checkpoint: Path) -> None:
    """The page as a person starts it: the Hub accepts the connection and says nothing."""
    with serve(tiny_checkpoint) as (address, hub):
        hub.faults["/"] = stalling
        settings = {
            "COLORIZER_CHECKPOINT": "user/repo",
            "HF_ENDPOINT": address,
            "HF_HOME": str(tmp_path / "home"),
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }
        with started(tmp_path, **settings) as page_address, visit(page_address) as page:
            expect(page.locator("#notice")).to_contain_text("user/repo")
            expect(page.locator("#notice")).to_contain_text("the model that comes with colorizer")
