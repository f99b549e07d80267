"""The models of the page: what visitors may use, what they are shown, and what they may not do."""

import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from colorizer import CheckpointError, Colorizer
from colorizer.checkpoints.cache import public_cache
from colorizer.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from colorizer.checkpoints.describe import CheckpointInfo
from colorizer.web.actions.model import ModelActions, card, facts, hub_name, refused
from colorizer.web.server import models
from colorizer.web.server.models import Models
from colorizer.web.server.settings import Settings
from colorizer.web.texts import LANGUAGES
from tests.helpers.hub import COMMIT, Hub, closed_address, connected, point_client_at
from tests.helpers.networks import tiny_generator

NAMES = ("user/repo", "user/repo@v1", f"user/repo@{COMMIT}")
GERMAN = SimpleNamespace(headers={"accept-language": "de-AT,de;q=0.9"})


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    """Another tiny network than the default, as user/repo."""
    folder = tmp_path / "hub"
    save_checkpoint(folder, tiny_generator(seed=5), 256)
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# From the Hub\n")
    with connected(folder, tmp_path / "cache", monkeypatch) as handler:
        yield handler


@pytest.fixture
def own(tiny_checkpoint: Path) -> Models:
    """Models whose default is the tiny network."""
    return Models(str(tiny_checkpoint), "cpu")


def test_the_default(own: Models, tiny_checkpoint: Path) -> None:
    assert own.get("") is own.get("")
    assert own.get("").checkpoint.sha256 == load_checkpoint(tiny_checkpoint).sha256
    info = own.describe("")
    assert info.source == tiny_checkpoint.name  # its folder is nobody's business
    assert info.sha256 == own.get("").checkpoint.sha256


@pytest.mark.slow
def test_without_a_name_the_bundled_one_is_the_default(
    tiny_checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "colorizer.checkpoints.checkpoint.bundled_checkpoint", lambda: tiny_checkpoint
    )
    assert Models(None, "cpu").describe("").source == "bundled"


def test_a_default_from_the_hub_starts_without_it(hub, monkeypatch) -> None:
    Models("user/repo", "cpu")
    point_client_at(closed_address(), monkeypatch)
    monkeypatch.setattr("time.sleep", lambda seconds: None)  # between the client's retries
    assert Models("user/repo", "cpu").describe("").source == f"user/repo@{COMMIT}"


def test_a_default_that_is_not_there() -> None:
    with pytest.raises(CheckpointError, match="neither a folder nor a Hub name"):
        Models("nowhere", "cpu")


def test_a_model_from_the_hub_is_loaded_once(own: Models, hub: type[Hub]) -> None:
    colorizer = own.get(f"user/repo@{COMMIT}")
    assert colorizer.checkpoint.sha256 != own.get("").checkpoint.sha256
    assert colorizer.checkpoint.source == f"user/repo@{COMMIT}"
    hub.requests.clear()
    assert own.get(f"user/repo@{COMMIT}") is colorizer
    assert not hub.requests


def test_the_least_recently_used_model_goes(own: Models, hub: type[Hub]) -> None:
    first, second, third = NAMES
    kept, gone = own.get(first), own.get(second)
    assert own.get(first) is kept
    own.get(third)
    assert own.get(first) is kept
    assert own.get(second) is not gone


def test_visitors_who_come_together_load_once(own: Models, hub, monkeypatch) -> None:
    loads: list[str] = []

    def load(name: str, public: bool) -> object:
        loads.append(name)
        return load_checkpoint(name, public)

    monkeypatch.setattr(models, "load_checkpoint", load)
    found: list[Colorizer] = []
    threads = [
        threading.Thread(target=lambda: found.append(own.get("user/repo"))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    assert len(set(map(id, found))) == 1
    assert len(loads) == 1


def test_a_commit_is_asked_for_once_and_a_branch_each_time(own: Models, hub) -> None:
    assert own.describe("user/repo") == own.describe(f"user/repo@{COMMIT}")
    hub.requests.clear()
    own.describe(f"user/repo@{COMMIT}")
    assert not hub.requests
    own.describe("user/repo")
    assert hub.requests


def test_folders_of_the_server_are_not_opened(own: Models, hub, tmp_path, monkeypatch) -> None:
    folder = Path(shutil.copytree(tmp_path / "hub", tmp_path / "user" / "secret"))
    monkeypatch.chdir(tmp_path)
    for name in ("user/secret", str(folder), "./user/secret", "user/../user/secret"):
        for ask in (own.describe, own.get):
            with pytest.raises(CheckpointError) as caught:
                ask(name)
            assert caught.value.reason in ("absent", "name")


def test_large_weights_are_refused_before_they_are_downloaded(
    own: Models, hub: type[Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(models, "MAX_WEIGHTS", 1000)
    for ask in (own.describe, own.get):
        with pytest.raises(CheckpointError, match="use a model of at most") as caught:
            ask("user/repo")
        assert caught.value.reason == "large"
    assert not any("safetensors" in path for path in hub.requests)


def test_what_visitors_pull_takes_bounded_space(
    own: Models, hub: type[Hub], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = own.get(f"user/repo@{COMMIT}").checkpoint.source
    stored = public_cache() / "models--user--repo" / "snapshots"
    assert [path.name for path in stored.iterdir()] == [COMMIT]
    monkeypatch.setattr(models, "MAX_CACHE", 2 * own.describe(first).size - 1)
    save_checkpoint(hub.folder, tiny_generator(seed=6), 256)
    hub.head = 40 * "a"
    own.get("user/repo")
    assert [path.name for path in stored.iterdir()] == [40 * "a"]


def test_weights_that_are_not_what_was_shown(own: Models, hub, monkeypatch) -> None:
    def lie(self: Hub) -> list[dict[str, object]]:
        files = Hub.files(self)
        for file in files:
            if "lfs" in file:
                file["lfs"] = {"size": 1, "sha256": 64 * "0", "pointerSize": 130}
        return files

    monkeypatch.setattr(hub, "files", lie)
    with pytest.raises(CheckpointError, match="differs from the Hub's"):
        own.get("user/repo")


# What the tab shows


def test_a_model_is_shown_before_it_is_used(own: Models, hub: type[Hub]) -> None:
    found, shown, card, box, button = ModelActions(own).look_up(" user/repo@v1 ", None)
    assert found == f"user/repo@{COMMIT}"  # what is used is what was shown
    assert found in shown
    assert ">mit<" in shown
    assert ">256 pixels, short side<" in shown
    assert "<h3>From the Hub</h3>" in card
    assert box["visible"]
    assert button["visible"]
    assert not any("safetensors" in path for path in hub.requests)


def test_using_a_model(own: Models, hub: type[Hub]) -> None:
    actions = ModelActions(own)
    model, said, box, button = actions.use(f"user/repo@{COMMIT}", None)
    assert model == f"user/repo@{COMMIT}"
    assert "colorizes your photos" in said
    assert not box["visible"]
    assert not button["visible"]
    shown, card, back = actions.show(model, None)
    assert model in shown
    assert "From the Hub" in card
    assert back["visible"]
    assert not actions.show("", None)[2]["visible"]


def test_a_model_that_can_not_be_loaded_changes_nothing(own: Models, hub) -> None:
    (hub.folder / "model.safetensors").write_bytes(b"damaged")
    actions = ModelActions(own)
    found, *_ = actions.look_up("user/repo", None)
    model, said, *_ = actions.use(found, None)
    assert model["__type__"] == "update"
    assert "value" not in model
    assert "is damaged or incomplete" in said


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("user/none", "user/none is not on the Hugging Face Hub, or it is not public."),
        ("user/repo@v9", "no such revision"),
        ("", "A name looks like user/repo"),
        ("/etc/passwd", "A name looks like user/repo"),
        ("<img src=x>", "A name looks like user/repo"),
    ],
)
def test_names_that_lead_nowhere(own: Models, hub, name: str, sentence: str) -> None:
    found, said, card, box, button = ModelActions(own).look_up(name, None)
    assert (found, card, box["visible"], button["visible"]) == ("", "", False, False)
    assert 'role="alert"' in said
    assert sentence in said
    assert "<img" not in said


def test_sentences_come_in_the_visitors_language(own: Models, hub) -> None:
    said = ModelActions(own).look_up("user/none", GERMAN)[1]
    assert "gibt es auf dem Hugging Face Hub nicht" in said


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_reason_has_a_sentence(language: str) -> None:
    request = SimpleNamespace(headers={"accept-language": language})
    reasons = (
        "name",
        "absent",
        "revision",
        "unreachable",
        "foreign",
        "newer",
        "broken",
        "large",
        "gated",
        "denied",
        "busy",
        "download",
        "pickle",
    )
    said = {refused(CheckpointError("x", reason), "user/repo", request) for reason in reasons}
    assert len(said) == len(reasons)
    assert f"{models.MAX_WEIGHTS // 10**6} MB" in LANGUAGES[language]["model.refused_large"]


def test_what_strangers_write_is_escaped() -> None:
    evil = "<img src=x onerror=alert(1)>"
    info = CheckpointInfo(
        name="user/repo",
        source="user/repo@1",
        architecture="unet",
        encoder=evil,
        working_size=288,
        size=54_600_000,
        sha256=evil,
        license=evil,
        card=evil,
        photos=500,
        metrics={"output": {"lpips": 0.1734, evil: 1.0}, "gray": {"lpips": 22.04}, "truth": {}},
    )
    shown = facts(info, None)
    assert "<img" not in shown
    assert "<td>0.173</td><td>22.0</td><td></td>" in shown
    assert "54.6 MB" in shown
    assert "onerror" not in card(info, None)
    assert "has no measurements" in facts(replace(info, metrics={}), None)


@pytest.mark.parametrize(
    "typed", ["user/repo", " user/repo\n", "https://huggingface.co/user/repo", "user/repo/"]
)
def test_a_pasted_address_is_as_good_as_a_name(typed: str) -> None:
    assert hub_name(typed) == "user/repo"


def test_a_kiosk_offers_only_the_default(own: Models, hub, monkeypatch) -> None:
    monkeypatch.setattr(models, "settings", lambda: Settings(kiosk=True))
    assert own.get("") is not None
    for use in (own.get, own.describe):
        with pytest.raises(CheckpointError, match="A kiosk offers only its own model"):
            use("you/colors")
