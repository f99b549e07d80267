"""Checkpoints on the Hub, through its real client: what goes wrong is said, each in a sentence."""

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub.constants
import pytest

from colorizer import Colorizer
from colorizer.checkpoints.checkpoint import (
    CONFIG_FILE,
    DISCRIMINATOR_FILES,
    WEIGHTS_FILE,
    CheckpointError,
    load_checkpoint,
    load_discriminator,
    save_checkpoint,
)
from colorizer.checkpoints.hub import find_snapshot
from colorizer.networks.generator import Generator
from tests.helpers.checkpoints import change_config, tiny_discriminator
from tests.helpers.hub import (
    COMMIT,
    INVALID_TOKEN,
    Fault,
    Hub,
    closed_address,
    connected,
    go_offline,
    hanging_up,
    point_client_at,
    refusing,
    stalling,
)
from tests.helpers.networks import tiny_generator

NEXT_COMMIT = 40 * "a"


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """What user/repo holds: a copy of the tiny checkpoint that may be damaged."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "remote"))


@pytest.fixture
def adversarial(folder: Path, generator: Generator) -> Path:
    """The same, with a discriminator."""
    save_checkpoint(folder, generator, 192, tiny_discriminator())
    return folder


@pytest.fixture
def hub(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # between the client's retries
    with connected(folder, tmp_path / "cache", monkeypatch) as handler:
        yield handler


def in_cache(tmp_path: Path, file: str = WEIGHTS_FILE) -> Path:
    return tmp_path / "cache" / "models--user--repo" / "snapshots" / COMMIT / file


def refused(name: str = "user/repo") -> tuple[str, str]:
    """The reason and the sentence, which is one line."""
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(name)
    assert "\n" not in str(caught.value)
    assert str(caught.value).endswith(".")
    return caught.value.reason, str(caught.value)


# A good repository


@pytest.mark.parametrize("name", ["user/repo", "user/repo@v1", f"user/repo@{COMMIT}"])
def test_a_good_repository(hub: type[Hub], name: str, tiny_checkpoint: Path) -> None:
    checkpoint = load_checkpoint(name)
    assert checkpoint.sha256 == load_checkpoint(tiny_checkpoint).sha256
    assert checkpoint.source == f"user/repo@{COMMIT}"  # a branch moves; the commit says which
    assert checkpoint.notice == ""
    asked = {path for path in hub.requests if "/resolve/" in path}
    assert {path.rsplit("/", 2)[1] for path in asked} == {COMMIT}  # all of one commit
    assert {path.rsplit("/", 1)[1] for path in asked} == {CONFIG_FILE, WEIGHTS_FILE}


def test_the_colorizer_says_which_commit(hub: type[Hub]) -> None:
    assert Colorizer.load("user/repo@v1", "cpu").checkpoint.source == f"user/repo@{COMMIT}"


def test_a_folder_wins_over_a_name(hub: type[Hub], tmp_path: Path, monkeypatch) -> None:
    save_checkpoint(tmp_path / "user" / "repo", tiny_generator(seed=1), 256)
    monkeypatch.chdir(tmp_path)
    assert load_checkpoint("user/repo").source == "user/repo"
    assert load_checkpoint("user/repo").working_size == 256
    assert not hub.requests


@pytest.mark.parametrize("name", ["user/none", "user/none@v1", "user/repo@v9", "./none"])
def test_a_name_is_never_the_bundled_checkpoint(hub: type[Hub], name: str, monkeypatch) -> None:
    refused(name)
    point_client_at(closed_address(), monkeypatch)
    refused(name)
    go_offline(monkeypatch)
    refused(name)


# The cache


def test_a_commit_in_the_cache_is_not_asked_for(hub: type[Hub]) -> None:
    load_checkpoint("user/repo@v1")
    hub.requests.clear()
    assert load_checkpoint(f"user/repo@{COMMIT}").notice == ""
    assert not hub.requests


def test_a_branch_is_asked_for_each_time(hub: type[Hub], folder: Path) -> None:
    first = load_checkpoint("user/repo")
    hub.requests.clear()
    load_checkpoint("user/repo")
    assert hub.requests == ["GET /api/models/user/repo"]  # and nothing is downloaded again
    save_checkpoint(folder, tiny_generator(seed=2), 256)
    hub.head = NEXT_COMMIT
    second = load_checkpoint("user/repo")
    assert second.source == f"user/repo@{NEXT_COMMIT}"
    assert second.sha256 != first.sha256
    assert load_checkpoint(f"user/repo@{COMMIT}").sha256 == first.sha256  # still in the cache


@pytest.mark.parametrize("name", ["user/repo", "user/repo@v1"])
@pytest.mark.parametrize(
    ("fault", "cause"),
    [
        (None, "HF_HUB_OFFLINE is set"),
        ("closed", r"the Hub can't be reached \(.*refused.*\)"),
        (stalling, r"the Hub can't be reached \(.*timed out.*\)"),
        (refusing(429), r"the Hub limits the rate of requests \(429\)"),
        (refusing(500), r"the Hub has a problem \(500\)"),
        (
            lambda hub: hub.send_json("log in"),
            r"the Hub can't be reached \(its answer can't be read.*\)",
        ),
    ],
    ids=["offline", "closed", "stall", "429", "500", "login"],
)
def test_without_the_hub_a_branch_is_taken_from_the_cache_and_said_so(
    hub: type[Hub], name: str, fault: object, cause: str, monkeypatch, caplog
) -> None:
    first = load_checkpoint(name)
    if fault is None:
        go_offline(monkeypatch)
    elif fault == "closed":
        point_client_at(closed_address(), monkeypatch)
    else:
        monkeypatch.setattr("colorizer.checkpoints.hub.HUB_SECONDS", 0.2)
        hub.faults["/api/"] = fault
    caplog.clear()
    found = load_checkpoint(name)
    assert (found.sha256, found.source) == (first.sha256, first.source)
    start = f"Using user/repo@{COMMIT} from the cache, which may be outdated: "
    assert re.fullmatch(rf"{start}{cause}\.", found.notice)
    assert found.notice in caplog.messages


@pytest.mark.parametrize(
    "fault", [refusing(401, "RepoNotFound"), refusing(403), refusing(404, "RevisionNotFound")]
)
def test_what_the_hub_refuses_is_not_taken_from_the_cache(hub: type[Hub], fault: Fault) -> None:
    load_checkpoint("user/repo")
    hub.faults["/api/"] = fault
    refused()


def test_the_cache_remembers_whole_checkpoints_only(hub: type[Hub], folder: Path) -> None:
    """Of a newer commit the download failed; without the Hub the older one still loads."""
    first = load_checkpoint("user/repo")
    save_checkpoint(folder, tiny_generator(seed=2), 256)
    hub.head = NEXT_COMMIT
    hub.faults["/cdn/"] = refusing(404)
    refused()
    hub.faults = {"/api/": refusing(500)}
    assert load_checkpoint("user/repo").sha256 == first.sha256


@pytest.mark.parametrize("revision", ["", "@v1", f"@{COMMIT}"])
def test_offline_with_nothing_in_the_cache(hub: type[Hub], revision: str, monkeypatch) -> None:
    go_offline(monkeypatch)
    reason, sentence = refused(f"user/repo{revision}")
    assert reason == "unreachable"
    assert f"HF_HUB_OFFLINE is set and user/repo{revision} is not complete in the cache" in sentence
    assert not hub.requests


def test_the_hub_may_be_turned_off(hub: type[Hub], monkeypatch) -> None:
    """For museums: nothing is asked, and only the cache is left."""
    first = load_checkpoint("user/repo")
    assert load_discriminator("user/repo") is None
    hub.requests.clear()
    monkeypatch.setenv("COLORIZER_HUB", "off")
    found = load_checkpoint("user/repo")
    assert found.sha256 == first.sha256
    assert found.notice.endswith("which may be outdated: COLORIZER_HUB is off.")
    assert load_checkpoint(f"user/repo@{COMMIT}").notice == ""
    assert load_discriminator(f"user/repo@{COMMIT}") is None
    reason, sentence = refused("user/other")
    assert reason == "unreachable"
    assert "COLORIZER_HUB is off and user/other is not complete in the cache" in sentence
    with pytest.raises(CheckpointError, match="COLORIZER_HUB is off"):
        load_checkpoint("user/repo", public=True)
    assert not hub.requests
    monkeypatch.setenv("COLORIZER_HUB", "no")
    assert "COLORIZER_HUB is 'no'; set it to on or off." in refused()[1]
    monkeypatch.setenv("COLORIZER_HUB", "on")
    assert load_checkpoint("user/repo").notice == ""


def test_no_network_and_nothing_cached(hub: type[Hub], monkeypatch) -> None:
    point_client_at(closed_address(), monkeypatch)
    reason, sentence = refused()
    assert reason == "unreachable"
    assert "There is no folder user/repo, the Hub can't be reached (" in sentence
    assert "check the spelling, or try again later." in sentence


def test_a_cache_that_only_may_be_read(hub: type[Hub], tmp_path: Path, monkeypatch) -> None:
    def full(path: object, *_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("huggingface_hub.file_download._check_disk_space", full)
    reason, sentence = refused()
    assert reason == "download"
    assert (
        f"can't be stored in the cache {tmp_path / 'cache'} (No space left on device)" in sentence
    )


@pytest.mark.parametrize("revision", ["../main", "a/../../b", "..", "a..b", "/etc", "v1/"])
def test_a_revision_is_no_path(hub: type[Hub], revision: str) -> None:
    assert refused(f"user/repo@{revision}")[0] == "name"
    assert not hub.requests


# Logins


def test_a_private_repository(hub: type[Hub], monkeypatch) -> None:
    hub.token = "hf_secret"
    assert refused()[0] == "absent"
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    hub.requests.clear()
    hub.logins.clear()
    assert load_checkpoint("user/repo").source == f"user/repo@{COMMIT}"
    for path, login in zip(hub.requests, hub.logins, strict=True):  # it is not told to others
        assert login == (None if "/cdn/" in path else "Bearer hf_secret")
    with pytest.raises(CheckpointError, match="not on the Hub or private"):
        load_checkpoint("user/repo", public=True)


def test_the_public_gets_nothing_private_from_the_cache(hub: type[Hub], monkeypatch) -> None:
    hub.token = "hf_secret"
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    load_checkpoint("user/repo")
    for name in ("user/repo", f"user/repo@{COMMIT}"):
        with pytest.raises(CheckpointError, match="not on the Hub or private"):
            load_checkpoint(name, public=True)
    point_client_at(closed_address(), monkeypatch)
    for name in ("user/repo", f"user/repo@{COMMIT}"):
        with pytest.raises(CheckpointError, match="can't be reached"):
            load_checkpoint(name, public=True)


@pytest.mark.parametrize(
    ("part", "fault", "reason", "sentence"),
    [
        ("/api/", refusing(404, "RepoNotFound"), "absent", "is not on the Hub or private; check"),
        ("/api/", refusing(401, "RepoNotFound"), "absent", "or log in with `hf auth login`."),
        ("/api/", refusing(404, "RevisionNotFound"), "revision", "has no revision v1 on the Hub"),
        ("/api/", refusing(401, "", INVALID_TOKEN), "denied", "doesn't know your token (401); log"),
        ("/api/", refusing(403), "denied", "doesn't let you read user/repo (403); log in again"),
        ("/resolve/", refusing(401, "GatedRepo"), "gated", "then log in with `hf auth login`."),
        ("/resolve/", refusing(403, "GatedRepo"), "gated", "then wait until it is granted."),
        (
            "/api/",
            refusing(403, "", "Access to this resource is disabled."),
            "denied",
            "The Hub has disabled user/repo; use another",
        ),
        ("/api/", refusing(404), "denied", "; check HF_ENDPOINT, or try again later."),
        ("/api/", refusing(418), "denied", "; check HF_ENDPOINT, or try again later."),
        ("/api/", refusing(429), "busy", "the rate of requests (429) and user/repo@v1 is not"),
        ("/resolve/", refusing(429), "busy", "wait a few minutes, or log in with `hf auth login`."),
        (
            "/api/",
            refusing(500),
            "unreachable",
            "has a problem (500) and user/repo@v1 is not complete",
        ),
        ("/resolve/", refusing(500), "unreachable", "the Hub has a problem (500)"),
        ("/cdn/", refusing(403), "denied", "doesn't let you read user/repo (403)"),
        ("/cdn/", refusing(500), "unreachable", "the Hub has a problem (500)"),
    ],
)
def test_what_the_hub_refuses(
    hub: type[Hub], part: str, fault: Fault, reason: str, sentence: str
) -> None:
    hub.faults[part] = fault
    found = refused("user/repo@v1")
    assert found[0] == reason
    assert sentence in found[1]


def test_a_gated_repository_names_its_page(hub: type[Hub]) -> None:
    hub.faults["/resolve/"] = refusing(403, "GatedRepo")
    page = f"{huggingface_hub.constants.ENDPOINT}/user/repo"
    assert f"user/repo is gated; ask for access on {page}, then" in refused()[1]


@pytest.mark.parametrize("name", ["-user/repo", "user/a--b", "user/..", "user/repo.git"])
def test_names_that_the_hub_does_not_allow(hub: type[Hub], name: str) -> None:
    reason, sentence = refused(name)
    assert reason == "name"
    assert "is not a valid Hub name" in sentence


# Broken connections


def test_a_hub_that_never_answers(hub: type[Hub], monkeypatch) -> None:
    monkeypatch.setattr("colorizer.checkpoints.hub.HUB_SECONDS", 0.3)
    hub.faults["/"] = stalling
    start = time.monotonic()
    reason, sentence = refused()
    assert time.monotonic() - start < 3  # seconds
    assert reason == "unreachable"
    assert "the Hub can't be reached (" in sentence
    assert "timed out" in sentence


def test_a_download_that_stalls(hub: type[Hub], monkeypatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.1)
    hub.faults["GET /cdn/"] = stalling
    reason, sentence = refused()
    assert reason == "unreachable"
    assert "timed out" in sentence
    assert sum("GET /cdn/" in path for path in hub.requests) < 10  # it gives up


def test_a_download_that_breaks_off_goes_on(hub: type[Hub], tiny_checkpoint: Path) -> None:
    hub.faults["GET /cdn/"] = hanging_up(times=2)
    assert load_checkpoint("user/repo").sha256 == load_checkpoint(tiny_checkpoint).sha256
    assert sum("GET /cdn/" in path for path in hub.requests) == 3


def test_a_download_that_always_breaks_off(hub: type[Hub], tmp_path: Path) -> None:
    hub.faults["GET /cdn/"] = hanging_up(times=10**6)
    assert refused()[0] in ("unreachable", "download")
    assert not in_cache(tmp_path).exists()
    hub.faults.clear()
    load_checkpoint("user/repo")


# What a repository holds


@pytest.mark.parametrize("file", [CONFIG_FILE, WEIGHTS_FILE])
def test_a_missing_file(hub: type[Hub], folder: Path, file: str) -> None:
    (folder / file).unlink()
    reason, sentence = refused()
    assert reason == "foreign"
    assert "user/repo has no config.json and model.safetensors; it is not a colorizer" in sentence
    assert not any("/resolve/" in path for path in hub.requests)


@pytest.mark.parametrize("file", ["pytorch_model.bin", "model.pt", "last.ckpt", "net.pth"])
def test_a_repository_of_pickles(hub: type[Hub], folder: Path, file: str) -> None:
    (folder / WEIGHTS_FILE).rename(folder / file)
    reason, sentence = refused()
    assert reason == "pickle"
    assert f"has its weights in a pickle ({file})" in sentence
    assert "ask its author for model.safetensors" in sentence
    assert not any("/resolve/" in path for path in hub.requests)


def test_pickles_beside_safetensors_are_left_alone(hub: type[Hub], folder: Path) -> None:
    (folder / "pytorch_model.bin").write_bytes(b"anything")
    load_checkpoint("user/repo")
    assert not any("pytorch_model" in path for path in hub.requests)


@pytest.mark.parametrize(("version", "reason"), [(2, "newer"), (0, "foreign"), (None, "foreign")])
def test_another_schema(hub: type[Hub], folder: Path, version: object, reason: str) -> None:
    change_config(folder, lambda config: config.update(schema_version=version))
    assert refused()[0] == reason
    assert not any(WEIGHTS_FILE in path for path in hub.requests)  # nothing large for nothing


def test_a_large_config(hub: type[Hub], folder: Path) -> None:
    change_config(folder, lambda config: config.update(more=1_000_000 * "a"))
    assert "config.json of user/repo is too large" in refused()[1]
    assert not any("/resolve/" in path for path in hub.requests)


@pytest.mark.parametrize("keep", [0, 7, 500, -10])
def test_truncated_weights(hub: type[Hub], folder: Path, keep: int) -> None:
    path = folder / WEIGHTS_FILE
    path.write_bytes(path.read_bytes()[:keep])
    reason, sentence = refused()
    assert reason == "broken"
    assert "is damaged (" in sentence


@pytest.mark.parametrize("damage", ["shorter", "other"])
@pytest.mark.parametrize("name", ["user/repo", f"user/repo@{COMMIT}"])
def test_a_damaged_cache(hub: type[Hub], tmp_path: Path, damage: str, name: str) -> None:
    """Neither is the copy used nor its commit's name believed."""
    load_checkpoint("user/repo")
    path = in_cache(tmp_path)
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.resolve().write_bytes(content[:-10] if damage == "shorter" else content)
    reason, sentence = refused(name)
    assert reason == "broken"
    repository = tmp_path / "cache" / "models--user--repo"
    if damage == "other" or name == "user/repo":
        assert "differs from the Hub's: it" in sentence
        assert f"; delete {repository} and try again." in sentence
    shutil.rmtree(repository)
    load_checkpoint(name)


def test_a_config_can_not_make_timm_download(hub: type[Hub], folder: Path) -> None:
    """timm takes "hf-hub:user/repo" for an encoder's name and asks the Hub for it."""
    change_config(folder, lambda config: config["generator"].update(encoder="hf-hub:user/repo"))
    with pytest.raises(CheckpointError, match="get it again"):
        load_checkpoint(folder)
    assert not hub.requests


# The discriminator


def test_a_discriminator_from_the_hub(hub: type[Hub], adversarial: Path) -> None:
    load_checkpoint("user/repo@v1")
    assert not any("discriminator" in path for path in hub.requests)
    loaded = load_discriminator("user/repo@v1")
    assert loaded is not None
    assert loaded.config == tiny_discriminator().config
    asked = {path for path in hub.requests if "/resolve/" in path and "discriminator" in path}
    assert {path.split("/resolve/")[1] for path in asked} == {
        f"{COMMIT}/{name}" for name in DISCRIMINATOR_FILES
    }


@pytest.mark.parametrize("there", [True, False])
def test_a_cached_discriminator_needs_no_hub(
    hub: type[Hub], folder: Path, there: bool, generator: Generator, monkeypatch
) -> None:
    """What a commit doesn't hold is remembered, too."""
    if there:
        save_checkpoint(folder, generator, 192, tiny_discriminator())
    assert (load_discriminator("user/repo@v1") is not None) == there
    go_offline(monkeypatch)
    hub.requests.clear()
    assert (load_discriminator("user/repo@v1") is not None) == there
    assert not hub.requests


def test_an_unreachable_discriminator_is_not_a_missing_one(
    hub: type[Hub], adversarial: Path, monkeypatch
) -> None:
    """Else training would go on with a fresh one."""
    load_checkpoint("user/repo")
    go_offline(monkeypatch)
    with pytest.raises(CheckpointError, match="HF_HUB_OFFLINE is set and user/repo@0"):
        load_discriminator("user/repo")


@pytest.mark.parametrize("name", DISCRIMINATOR_FILES)
def test_half_a_discriminator(hub: type[Hub], adversarial: Path, name: str) -> None:
    (adversarial / name).unlink()
    with pytest.raises(CheckpointError, match=f"has no {name}; name a folder with"):
        load_discriminator("user/repo")


def test_a_discriminator_of_a_repository_that_is_not_there(hub: type[Hub]) -> None:
    with pytest.raises(CheckpointError, match=r"user/none is not on the Hub or private; check"):
        load_discriminator("user/none")


def test_a_snapshot_knows_its_files(hub: type[Hub], tiny_checkpoint: Path) -> None:
    snapshot = find_snapshot("user/repo")
    assert snapshot.files[WEIGHTS_FILE].size == (tiny_checkpoint / WEIGHTS_FILE).stat().st_size
    assert snapshot.sha256(WEIGHTS_FILE) == load_checkpoint(tiny_checkpoint).sha256
    assert json.loads(snapshot.get(CONFIG_FILE).read_text())["schema_version"] == 1
