"""`colorizer checkpoints`: what it prints, and its exit codes."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import huggingface_hub.constants
import pytest
from PIL import Image

from colorizer.__main__ import main
from colorizer.checkpoints.checkpoint import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    load_checkpoint,
    save_checkpoint,
)
from colorizer.networks.generator import Generator
from tests.helpers.checkpoints import change_weights, tiny_discriminator
from tests.helpers.hub import (
    COMMIT,
    Hub,
    closed_address,
    connected,
    go_offline,
    point_client_at,
    refusing,
    serve,
)
from tests.helpers.networks import tiny_generator, tiny_pix2pix
from tests.helpers.photos import color_pixels

SOURCE = f"user/repo@{COMMIT}"


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """The tiny checkpoint with a card and a report; it may be damaged."""
    folder = Path(shutil.copytree(tiny_checkpoint, tmp_path / "remote"))
    (folder / "README.md").write_text("---\nlicense: mit\n---\n# Mine\n")
    write_report(folder, load_checkpoint(folder).sha256)
    return folder


def write_report(folder: Path, digest: str) -> None:
    report = {"sha256": digest, "n": 12, "output": {"lpips": 0.25}, "gray": {"lpips": 0.5}}
    (folder / "report.json").write_text(json.dumps(report))


@pytest.fixture
def hub(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    """The folder as user/repo; the bundled checkpoint is a tiny one."""
    save_checkpoint(tmp_path / "bundled", tiny_pix2pix(), 256)
    monkeypatch.setattr(
        "colorizer.checkpoints.checkpoint.bundled_checkpoint", lambda: tmp_path / "bundled"
    )
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # between the client's retries
    with connected(folder, tmp_path / "cache", monkeypatch) as handler:
        yield handler


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str, str]:
    """The exit code, what was printed, and what was said of errors."""
    try:
        code = main(["checkpoints", *map(str, arguments)])
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, *capsys.readouterr()


def test_list(hub: type[Hub], tmp_path: Path, capsys) -> None:
    code, out, _ = run(capsys, "list")
    assert code == 0
    assert re.fullmatch(r"bundled +\d\.\d MB  pix2pix\n", out)
    load_checkpoint("user/repo")
    other = tmp_path / "cache" / "models--other--model" / "snapshots" / COMMIT
    other.mkdir(parents=True)
    (other / CONFIG_FILE).write_text("{}")
    (other / WEIGHTS_FILE).write_bytes(b"somebody else's")
    hub.requests.clear()
    code, out, _ = run(capsys, "list")
    bundled, cached = out.splitlines()
    assert bundled.startswith("bundled ")
    assert cached.startswith(SOURCE)
    size = (hub.folder / WEIGHTS_FILE).stat().st_size
    assert f" {size / 1e6:.1f} MB  unet, test_resnet" in cached
    assert not hub.requests


def test_list_as_json(hub: type[Hub], capsys) -> None:
    digest = load_checkpoint("user/repo").sha256
    bundled, cached = json.loads(run(capsys, "list", "--json")[1])
    assert (bundled["source"], bundled["architecture"]) == ("bundled", "pix2pix")
    assert (cached["source"], cached["sha256"]) == (SOURCE, digest)


@pytest.mark.parametrize("what", ["folder", "user/repo"])
def test_show(hub: type[Hub], folder: Path, what: str, capsys) -> None:
    digest = load_checkpoint(folder).sha256
    code, out, _ = run(capsys, "show", folder if what == "folder" else what)
    assert code == 0
    for part in ("mit", "unet, test_resnet", "192 pixels", digest, "context_layers:", "0.250"):
        assert part in out
    assert (SOURCE in out) == (what == "user/repo")
    assert "Measured on 12 photos:" in out


def test_show_as_json(hub: type[Hub], capsys) -> None:
    info = json.loads(run(capsys, "show", "user/repo", "--json")[1])
    assert info["source"] == SOURCE
    assert info["settings"]["encoder"] == "test_resnet"
    assert info["metrics"]["output"] == {"lpips": 0.25}


def test_show_the_bundled_one(hub: type[Hub], capsys) -> None:
    code, out, _ = run(capsys, "show")
    assert code == 0
    assert "none stated; ask its author" in out
    assert "It comes without measurements." in out


def test_download(hub: type[Hub], tmp_path: Path, capsys) -> None:
    code, out, _ = run(capsys, "download", "user/repo@v1")
    snapshot = tmp_path / "cache" / "models--user--repo" / "snapshots" / COMMIT
    assert (code, out) == (0, f"{SOURCE} is in {snapshot}\n")
    assert {path.name for path in snapshot.iterdir()} == {
        CONFIG_FILE,
        WEIGHTS_FILE,
        "README.md",
        "report.json",
    }


def test_download_to_a_folder(
    hub: type[Hub], folder: Path, generator: Generator, tmp_path: Path, capsys
) -> None:
    save_checkpoint(folder, generator, 192, tiny_discriminator())
    to = tmp_path / "to" / "here"
    assert run(capsys, "download", "user/repo", "--to", to)[0] == 0
    assert {path.name: path.read_bytes() for path in to.iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }
    assert not any(path.is_symlink() for path in to.iterdir())
    code, _, err = run(capsys, "download", "user/repo", "--to", to)
    assert code == 1
    assert f"{to} can't be written: it holds a {WEIGHTS_FILE} already; --overwrite" in err
    save_checkpoint(folder, tiny_generator(seed=4), 256)
    (folder / "report.json").unlink()
    hub.head = 40 * "b"
    assert run(capsys, "download", "user/repo", "--to", to, "--overwrite")[0] == 0
    assert {path.name: path.read_bytes() for path in to.iterdir()} == {
        path.name: path.read_bytes() for path in folder.iterdir()
    }


@pytest.mark.parametrize("name", ["folder", "user/repo", None])
def test_verify_what_is_whole(hub: type[Hub], folder: Path, name: str | None, capsys) -> None:
    arguments = [] if name is None else [folder if name == "folder" else name]
    code, out, err = run(capsys, "verify", *arguments)
    assert (code, err) == (0, "")
    assert "all weights are finite." in out
    assert "The network colorizes." in out
    assert ("report.json is of these weights" in out) == (name is not None)
    assert ("Its files match the Hub." in out) == (name == "user/repo")


@pytest.mark.slow
def test_verify_with_a_discriminator(folder: Path, generator: Generator, capsys) -> None:
    save_checkpoint(folder, generator, 192, tiny_discriminator())
    assert "Its discriminator is valid, too." in run(capsys, "verify", folder)[1]
    (folder / "discriminator.json").write_text("{}")
    assert run(capsys, "verify", folder)[0] == 1


def test_verify_without_the_hub(hub: type[Hub], capsys, monkeypatch) -> None:
    load_checkpoint("user/repo")
    go_offline(monkeypatch)
    code, out, _ = run(capsys, "verify", SOURCE)
    assert code == 0
    assert "unchanged since the download" in out
    assert "HF_HUB_OFFLINE is set" in out


def nan(folder: Path) -> None:
    change_weights(folder, lambda weights: weights["head.bias"].fill_(float("nan")))


def truncate(folder: Path) -> None:
    path = folder / WEIGHTS_FILE
    path.write_bytes(path.read_bytes()[:-10])


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (nan, "holds infinite or undefined weights"),
        (truncate, "is damaged"),
        (lambda folder: write_report(folder, 64 * "0"), "is of other weights"),
        (lambda folder: (folder / "report.json").write_text("{"), "is damaged"),
        (lambda folder: (folder / CONFIG_FILE).write_text("{}"), "not a colorizer checkpoint"),
        (lambda folder: (folder / WEIGHTS_FILE).rename(folder / "model.pt"), "in a pickle"),
    ],
)
@pytest.mark.parametrize("where", ["folder", "user/repo"])
def test_verify_what_is_not_whole(
    hub: type[Hub], folder: Path, damage, sentence: str, where: str, capsys
) -> None:
    damage(folder)
    code, _, err = run(capsys, "verify", folder if where == "folder" else where)
    assert code == 1
    assert err.startswith("colorizer: ")
    assert sentence in err


def test_verify_a_cache_that_has_changed(hub: type[Hub], tmp_path: Path, capsys) -> None:
    load_checkpoint("user/repo")
    path = tmp_path / "cache" / "models--user--repo" / "snapshots" / COMMIT / WEIGHTS_FILE
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.resolve().write_bytes(content)
    for name in ("user/repo", SOURCE):
        code, _, err = run(capsys, "verify", name)
        assert code == 1
        assert "differs from the Hub's: its SHA-256 is" in err


@pytest.mark.parametrize("action", ["show", "download", "verify"])
def test_what_can_not_be_had(hub: type[Hub], action: str, capsys, monkeypatch) -> None:
    for name in ("user/none", "user/repo@v9", "a/b/c"):
        code, out, err = run(capsys, action, name)
        assert (code, out) == (2, "")
        assert err.startswith("colorizer: ")
    hub.faults["/resolve/"] = refusing(403, "GatedRepo")
    code, _, err = run(capsys, action, "user/repo")
    assert code == 2
    assert "ask for access on" in err
    point_client_at(closed_address(), monkeypatch)
    assert run(capsys, action, "user/repo")[0] == 2


@pytest.mark.parametrize("arguments", [[], ["burn"], ["download"], ["show", "a", "b"]])
def test_wrong_usage(arguments: list[str], capsys) -> None:
    assert run(capsys, *arguments)[0] == 2


@pytest.mark.slow
def test_the_environment_is_heeded(folder: Path, tmp_path: Path) -> None:
    """HF_ENDPOINT, HF_HOME, HF_TOKEN and HF_HUB_OFFLINE, as a person sets them."""
    Image.fromarray(color_pixels(48, 64)).save(tmp_path / "a.png")
    colorize = ["colorize", str(tmp_path / "a.png"), "-o", str(tmp_path / "out"), "--overwrite"]
    with serve(folder) as (address, hub):
        hub.token = "hf_secret"
        settings = {
            "HF_ENDPOINT": address,
            "HF_HOME": str(tmp_path / "home"),
            "HF_HUB_DISABLE_XET": "1",
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
        }

        def colorizer(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
            command = [sys.executable, "-m", "colorizer", *arguments]
            environment = os.environ | settings | more
            return subprocess.run(command, env=environment, capture_output=True, text=True)

        first = colorizer(*colorize, "--checkpoint", "user/repo", HF_TOKEN="hf_secret")
        assert first.returncode == 0
        assert f"colorizer: The checkpoint is {SOURCE}." in first.stderr
        hub.requests.clear()
        second = colorizer(*colorize, "--checkpoint", "user/repo", HF_HUB_OFFLINE="1")
        assert second.returncode == 0
        assert not hub.requests
        assert f"Using {SOURCE} from the cache, which may be outdated: HF_H" in second.stderr
    assert (tmp_path / "home" / "hub" / "models--user--repo").is_dir()
    assert not Path(huggingface_hub.constants.HF_HUB_CACHE, "models--user--repo").exists()
