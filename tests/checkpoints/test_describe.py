"""What a checkpoint says about itself, before it is loaded."""

import json
import shutil
import socket
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from colorizer.checkpoints.checkpoint import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    CheckpointError,
    bundled_checkpoint,
    load_checkpoint,
    save_checkpoint,
)
from colorizer.checkpoints.describe import CARD_FILE, REPORT_FILE, describe_checkpoint
from tests.helpers.checkpoints import change_config
from tests.helpers.hub import COMMIT, Hub, closed_address, connected, point_client_at
from tests.helpers.networks import tiny_pix2pix

REPORT = {"n": 12, "output": {"lpips": 0.2}, "gray": {"lpips": 0.3}, "truth": {"cf": 40}}


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint with a card and a report."""
    folder = Path(shutil.copytree(tiny_checkpoint, tmp_path / "mine"))
    (folder / CARD_FILE).write_text("---\nlicense: mit\ntags: [a]\n---\n# Mine\n\nIt *paints*.\n")
    write_report(folder, {**REPORT, "sha256": load_checkpoint(tiny_checkpoint).sha256})
    return folder


@pytest.fixture
def hub(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    """The folder as user/repo."""
    with connected(folder, tmp_path / "cache", monkeypatch) as handler:
        yield handler


def write_report(folder: Path, report: object) -> None:
    (folder / REPORT_FILE).write_text(json.dumps(report))


def test_the_bundled_checkpoint() -> None:
    info = describe_checkpoint()
    report = json.loads((bundled_checkpoint() / REPORT_FILE).read_text())
    assert (info.name, info.source, info.architecture) == ("bundled", "bundled", "unet")
    assert info.size == (bundled_checkpoint() / WEIGHTS_FILE).stat().st_size
    assert (info.sha256, info.working_size) == (report["sha256"], report["working_size"])
    assert info.photos == report["n"]
    assert info.metrics["output"]["lpips"] == report["output"]["lpips"]
    assert info.license
    assert info.card.startswith("# ")


def test_a_folder(folder: Path) -> None:
    info = describe_checkpoint(folder)
    checkpoint = load_checkpoint(folder)
    assert (info.name, info.source) == ("mine", "mine")  # not where it lies
    assert (info.architecture, info.encoder) == ("unet", "test_resnet")
    assert (info.sha256, info.working_size) == (checkpoint.sha256, checkpoint.working_size)
    assert (info.license, info.card) == ("mit", "# Mine\n\nIt *paints*.")
    assert info.photos == 12
    assert info.metrics == {part: REPORT[part] for part in ("output", "gray", "truth")}


def test_a_folder_with_nothing_but_the_checkpoint(tmp_path: Path) -> None:
    save_checkpoint(tmp_path, tiny_pix2pix(), 256)
    info = describe_checkpoint(tmp_path)
    assert (info.architecture, info.encoder, info.working_size) == ("pix2pix", None, 256)
    assert (info.license, info.card, info.photos, info.metrics) == (None, "", 0, {})


@pytest.mark.parametrize(
    ("front", "license"),
    [
        ("license: other\nlicense_name: my-terms", "my-terms"),
        ("license: other", "other"),
        ("license: [mit, apache-2.0]", "mit, apache-2.0"),
        ("tags: [a]", None),
        ("license: [", None),
        ("- license", None),
        ("1: 2", None),
        ("model-index: 5", None),
    ],
)
@pytest.mark.slow
def test_licenses(folder: Path, front: str, license: str | None) -> None:
    (folder / CARD_FILE).write_text(f"---\n{front}\n---\nText")
    info = describe_checkpoint(folder)
    assert info.license == license
    assert info.card.endswith("Text")


@pytest.mark.parametrize(
    "content", ["", "no front matter", "---\n", "\ufeff---\nlicense: mit\n---"]
)
@pytest.mark.slow
def test_cards_without_front_matter(folder: Path, content: str) -> None:
    (folder / CARD_FILE).write_text(content, "utf-8")
    assert describe_checkpoint(folder).license is None


def test_a_card_that_is_no_text(folder: Path) -> None:
    (folder / CARD_FILE).write_bytes(b"\xff\xfe\x00")
    assert describe_checkpoint(folder).card == ""


@pytest.mark.parametrize(
    "content", ["[]", "{", "null", "[" * 100_000, '{"sha256": "of other weights", "n": 3}']
)
@pytest.mark.slow
def test_reports_that_say_nothing(folder: Path, content: str) -> None:
    (folder / REPORT_FILE).write_text(content)
    info = describe_checkpoint(folder)
    assert (info.photos, info.metrics) == (0, {})


def test_only_figures_of_a_report_are_taken(folder: Path) -> None:
    output = {"lpips": 0.5, "cf": "<b>", "psnr": float("nan"), "ssim": [1], "fid": 10**400}
    digest = load_checkpoint(folder).sha256
    write_report(folder, {"sha256": digest, "n": "many", "output": output, "gray": 3})
    info = describe_checkpoint(folder)
    assert (info.photos, info.metrics) == (0, {"output": {"lpips": 0.5}})


@pytest.mark.parametrize("content", ["{", "[" * 100_000])
def test_a_damaged_config(folder: Path, content: str) -> None:
    (folder / CONFIG_FILE).write_text(content)
    with pytest.raises(CheckpointError, match="is damaged"):
        describe_checkpoint(folder)


def test_what_the_hub_tells(hub: type[Hub], folder: Path) -> None:
    """The same as of the folder, without its weights, at the commit."""
    info = describe_checkpoint("user/repo@v1")
    expected = describe_checkpoint(folder)
    assert info == replace(expected, name="user/repo", source=f"user/repo@{COMMIT}")
    assert not any(WEIGHTS_FILE in path for path in hub.requests)
    files = [path for path in hub.requests if "/resolve/" in path]
    assert files
    assert all(f"/resolve/{COMMIT}/" in path for path in files)


def test_a_large_card_is_not_downloaded(hub: type[Hub], folder: Path) -> None:
    (folder / CARD_FILE).write_text("---\nlicense: mit\n---\n" + 1_000_000 * "a")
    info = describe_checkpoint("user/repo")
    assert (info.license, info.card) == (None, "")
    assert not any(CARD_FILE in path for path in hub.requests)


def test_a_large_config_is_not_downloaded(hub: type[Hub], folder: Path) -> None:
    change_config(folder, lambda config: config.update(more=1_000_000 * "a"))
    with pytest.raises(CheckpointError, match="too large"):
        describe_checkpoint("user/repo")
    assert not any("/resolve/" in path for path in hub.requests)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("user/none", "absent"),
        ("user/repo@v9", "revision"),
        ("nowhere", "name"),
        ("a/b/c", "name"),
        ("user/..", "name"),
        ("../../etc", "name"),
        ("/etc", "name"),
        ("~/x", "name"),
        ("C:/models", "name"),
        ("user/rep\u00f6", "name"),
    ],
)
def test_names_that_lead_nowhere(hub: type[Hub], name: str, reason: str) -> None:
    with pytest.raises(CheckpointError) as caught:
        describe_checkpoint(name, public=True)
    assert caught.value.reason == reason


@pytest.mark.parametrize("file", [CONFIG_FILE, WEIGHTS_FILE])
def test_a_repository_of_something_else(hub: type[Hub], folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(CheckpointError, match="not a colorizer checkpoint") as caught:
        describe_checkpoint("user/repo")
    assert caught.value.reason == "foreign"


@pytest.mark.parametrize(
    ("version", "reason"), [(2, "newer"), (0, "foreign"), (None, "foreign"), ("1", "foreign")]
)
def test_other_schema_versions(hub: type[Hub], folder: Path, version: object, reason: str) -> None:
    change_config(folder, lambda config: config.update(schema_version=version))
    with pytest.raises(CheckpointError) as caught:
        describe_checkpoint("user/repo")
    assert caught.value.reason == reason


def test_settings_that_build_nothing(hub: type[Hub], folder: Path) -> None:
    change_config(folder, lambda config: config["generator"].update(encoder="hf-hub:user/repo"))
    with pytest.raises(CheckpointError, match=r"config\.json is not valid") as caught:
        describe_checkpoint("user/repo")
    assert caught.value.reason == "broken"


@pytest.mark.parametrize("load", [describe_checkpoint, load_checkpoint])
def test_what_is_public_is_no_folder(hub, load, tmp_path, monkeypatch) -> None:
    """A stranger's name must not open what lies on this machine."""
    (tmp_path / "user").mkdir()
    save_checkpoint(tmp_path / "user" / "repo", tiny_pix2pix(), 256)
    monkeypatch.chdir(tmp_path)
    assert load("user/repo").working_size == 256
    assert load("user/repo", public=True).working_size == 192
    with pytest.raises(CheckpointError):
        load(str(tmp_path / "user" / "repo"), public=True)


@pytest.mark.parametrize("load", [describe_checkpoint, load_checkpoint])
def test_what_is_public_needs_no_login(hub, load, monkeypatch) -> None:
    """The login of this machine could open repositories that only its owner may see."""
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    load("user/repo", public=True)
    assert set(hub.logins) == {None}
    load("user/repo@v1")
    assert "Bearer hf_secret" in hub.logins


def test_without_the_hub_the_cache_tells(hub: type[Hub], monkeypatch) -> None:
    """But not what a stranger asks for, who may not be allowed to see it."""
    digest = load_checkpoint("user/repo@v1").sha256
    point_client_at(closed_address(), monkeypatch)
    info = describe_checkpoint("user/repo@v1")
    assert (info.source, info.sha256) == (f"user/repo@{COMMIT}", digest)
    for name, public in (("user/repo@v1", True), ("user/other", False)):
        with pytest.raises(CheckpointError) as caught:
            describe_checkpoint(name, public)
        assert caught.value.reason == "unreachable"


def test_a_hub_that_does_not_answer(hub: type[Hub], monkeypatch) -> None:
    monkeypatch.setattr("colorizer.checkpoints.hub.HUB_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        point_client_at(f"http://127.0.0.1:{silent.getsockname()[1]}", monkeypatch)
        with pytest.raises(CheckpointError) as caught:
            describe_checkpoint("user/repo")
    assert caught.value.reason == "unreachable"


def test_an_answer_that_is_not_the_hubs(hub: type[Hub], monkeypatch) -> None:
    """A login page of the network, for example."""
    monkeypatch.setattr(hub, "send_json", lambda self, answer: Hub.send_json(self, "Please log in"))
    with pytest.raises(CheckpointError, match="its answer can't be read") as caught:
        describe_checkpoint("user/repo")
    assert caught.value.reason == "unreachable"
