"""Checkpoints: what is saved is what is loaded, and everything else is refused with a sentence."""

import hashlib
import json
import pickle
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import load_file, save_file

from colorizer.checkpoints import (
    CONFIG_FILE,
    WEIGHTS_FILE,
    CheckpointError,
    bundled_folder,
    load_checkpoint,
    save_checkpoint,
)
from colorizer.generator import Generator
from tests.conftest import tiny_generator

URL_PATH = "/{repo_id}/resolve/{revision}/{filename}"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
Config = dict[str, object]


@pytest.fixture
def folder(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    """A copy of the tiny checkpoint that may be damaged."""
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "copy"))


def change_config(folder: Path, change: Callable[[Config], object]) -> None:
    config = json.loads((folder / CONFIG_FILE).read_text())
    change(config)
    (folder / CONFIG_FILE).write_text(json.dumps(config))


def change_weights(folder: Path, change: Callable[[dict[str, torch.Tensor]], object]) -> None:
    weights = load_file(folder / WEIGHTS_FILE)
    change(weights)
    save_file(weights, folder / WEIGHTS_FILE)


@pytest.mark.parametrize("head", ["bins", "tanh"])
def test_what_is_saved_is_what_is_loaded(head: str, tmp_path: Path) -> None:
    generator = tiny_generator(seed=3, head=head)
    torch.nn.init.normal_(generator.head.weight, std=0.1)  # not steeper than float16 can hold
    save_checkpoint(tmp_path / "new" / "folder", generator, 320)
    checkpoint = load_checkpoint(tmp_path / "new" / "folder")
    assert checkpoint.working_size == 320
    assert checkpoint.generator.config == generator.config
    assert not checkpoint.generator.training
    assert checkpoint.source == str(tmp_path / "new" / "folder")
    lightness, hints = 100 * torch.rand(1, 1, 64, 64), torch.rand(1, 3, 64, 64)
    with torch.inference_mode():
        expected, loaded = generator(lightness, hints), checkpoint.generator(lightness, hints)
    assert (loaded.ab - expected.ab).abs().max() < 0.5  # ab units; weights are kept in float16


def test_matrices_are_stored_in_half_precision(tiny_checkpoint: Path, generator: Generator) -> None:
    weights = load_file(tiny_checkpoint / WEIGHTS_FILE)
    for name, value in generator.state_dict().items():
        if value.dim() > 1:
            assert weights[name].dtype == torch.float16, name
        else:
            assert torch.equal(weights[name], value), name
    loaded = load_checkpoint(tiny_checkpoint).generator
    assert {value.dtype for value in loaded.parameters()} == {torch.float32}


def test_loading_and_saving_again_changes_nothing(tiny_checkpoint: Path, tmp_path: Path) -> None:
    save_checkpoint(tmp_path, load_checkpoint(tiny_checkpoint).generator, 192)
    for name in (CONFIG_FILE, WEIGHTS_FILE):
        assert (tmp_path / name).read_bytes() == (tiny_checkpoint / name).read_bytes()


def test_saving_leaves_two_files(tiny_checkpoint: Path) -> None:
    assert sorted(path.name for path in tiny_checkpoint.iterdir()) == [CONFIG_FILE, WEIGHTS_FILE]


def test_sha256_is_that_of_the_weights(tiny_checkpoint: Path) -> None:
    digest = hashlib.sha256((tiny_checkpoint / WEIGHTS_FILE).read_bytes()).hexdigest()
    assert load_checkpoint(tiny_checkpoint).sha256 == digest


@pytest.mark.parametrize("name", [CONFIG_FILE, WEIGHTS_FILE])
def test_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(CheckpointError, match=rf"holds no {name}; name a folder with"):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    "content", [b"{", b"", b"\xff\xfe\x00\x9f"], ids=["open", "empty", "bytes"]
)
def test_damaged_config(folder: Path, content: bytes) -> None:
    (folder / CONFIG_FILE).write_bytes(content)
    with pytest.raises(CheckpointError, match=r"is damaged \(.*\); get it again\."):
        load_checkpoint(folder)


@pytest.mark.parametrize("keep", [0, 7, 500, -10])
def test_damaged_weights(folder: Path, keep: int) -> None:
    path = folder / WEIGHTS_FILE
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(CheckpointError, match=r"is damaged \(.*\); get it again\."):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    ("version", "advice"),
    [
        (2, "update colorizer"),
        (0, "it is not a checkpoint of ours"),
        (None, "it is not a checkpoint of ours"),
        ("1", "it is not a checkpoint of ours"),
    ],
)
def test_other_schema_version(folder: Path, version: object, advice: str) -> None:
    change_config(folder, lambda config: config.update(schema_version=version))
    with pytest.raises(CheckpointError, match=rf"schema version {version}, not 1; {advice}"):
        load_checkpoint(folder)


@pytest.mark.parametrize("content", ["[]", "1", "null", '{"model_type": "bert"}'])
def test_a_config_of_something_else(folder: Path, content: str) -> None:
    (folder / CONFIG_FILE).write_text(content)
    with pytest.raises(CheckpointError, match="it is not a checkpoint of ours"):
        load_checkpoint(folder)


@pytest.mark.parametrize("key", ["generator", "working_size"])
def test_missing_key(folder: Path, key: str) -> None:
    change_config(folder, lambda config: config.pop(key))
    with pytest.raises(CheckpointError, match=rf"is not valid \(.*{key}.*\); get it again\."):
        load_checkpoint(folder)


def test_every_setting_of_the_generator_must_be_there(folder: Path) -> None:
    change_config(folder, lambda config: config["generator"].pop("temperature"))
    with pytest.raises(CheckpointError, match=r"is not valid \(.*missing temperature"):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    "change",
    [
        {"head": "softmax"},
        {"unknown": 1},
        {"bins": 5},
        {"bins": [[1, 2], [3]]},
        {"temperature": "hot"},
        {"input_mean": None},
        {"encoder": 5},
        {"encoder": "none_such"},
        {"encoder": "vit_tiny_patch16_224"},
        {"decoder": [6, 6, 6, 6]},
        {"decoder": ["a", "b", "c", "d"]},
        {"context_layers": -1},
    ],
    ids=str,
)
def test_settings_that_build_nothing(folder: Path, change: Config) -> None:
    change_config(folder, lambda config: config["generator"].update(change))
    with pytest.raises(CheckpointError, match=r"get (it|both files) again"):
        load_checkpoint(folder)


@pytest.mark.parametrize("size", ["large", None, 0, -5, 100_000])
def test_impossible_working_size(folder: Path, size: object) -> None:
    change_config(folder, lambda config: config.update(working_size=size))
    with pytest.raises(CheckpointError, match="is not valid"):
        load_checkpoint(folder)


@pytest.mark.parametrize(
    "change",
    [
        lambda weights: weights.pop("head.bias"),
        lambda weights: weights.update(extra=torch.zeros(1)),
        lambda weights: weights.update({"head.bias": torch.zeros(3)}),
    ],
    ids=["missing", "extra", "shape"],
)
def test_weights_that_do_not_fit(folder: Path, change: Callable[..., object]) -> None:
    change_weights(folder, change)
    with pytest.raises(CheckpointError, match=r"do not fit its config\.json; get both files again"):
        load_checkpoint(folder)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_undefined_weights(folder: Path, value: float) -> None:
    change_weights(folder, lambda weights: weights["head.bias"].fill_(value))
    with pytest.raises(CheckpointError, match="holds infinite or undefined weights; get it again"):
        load_checkpoint(folder)


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, ...]:
        return Path.touch, (self.path,)


def test_a_pickle_is_never_read(folder: Path, tmp_path: Path) -> None:
    sprung = tmp_path / "sprung"
    pickle.loads(pickle.dumps(Trap(sprung)))
    assert sprung.exists()  # the trap works
    sprung.unlink()
    for name in ("pytorch_model.bin", "model.pt", "model.pth", "last.pt", "model.ckpt"):
        (folder / name).write_bytes(pickle.dumps(Trap(sprung)))
    load_checkpoint(folder)
    (folder / WEIGHTS_FILE).write_bytes(pickle.dumps(Trap(sprung)))
    with pytest.raises(CheckpointError, match="is damaged"):
        load_checkpoint(folder)
    (folder / WEIGHTS_FILE).unlink()
    with pytest.raises(CheckpointError, match="holds no"):
        load_checkpoint(folder)
    assert not sprung.exists()


@pytest.mark.parametrize("source", ["nowhere", "a/b/c", "user/repo@", "/no/folder", "a b/c", "~"])
def test_neither_folder_nor_name(source: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CheckpointError, match=r"is neither a folder nor a Hub name like user/repo"):
        load_checkpoint(source)


def test_a_folder_wins_over_a_name(tiny_checkpoint: Path, tmp_path: Path, monkeypatch) -> None:
    shutil.copytree(tiny_checkpoint, tmp_path / "user" / "repo")
    monkeypatch.chdir(tmp_path)
    point_client_at("http://127.0.0.1:9", monkeypatch)
    assert load_checkpoint("user/repo").source == "user/repo"


def test_the_bundled_checkpoint_lies_beside_the_package(folder: Path, monkeypatch) -> None:
    """Inside it in a wheel, beside it in a clone."""
    package = folder.parent / "colorizer"
    package.mkdir()
    monkeypatch.setattr("colorizer.checkpoints.__file__", str(package / "checkpoints.py"))
    folder.rename(folder.parent / "weights")
    assert bundled_folder() == folder.parent / "weights"
    load_checkpoint()
    (folder.parent / "weights").rename(package / "weights")
    assert bundled_folder() == package / "weights"
    load_checkpoint(None)


class Hub(BaseHTTPRequestHandler):
    """As much of the Hub as a download needs: user/repo with a branch, a tag and a commit."""

    folder: Path
    requests: list[str]
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.answer(False)

    def do_GET(self) -> None:
        self.answer(True)

    def answer(self, body: bool) -> None:
        owner, name, *rest = self.path.strip("/").split("/")
        if rest[:1] != ["resolve"]:  # the client asks for other things, too
            self.refuse("EntryNotFound")
            return
        self.requests.append(self.path)
        _, revision, *file = rest
        path = self.folder / "/".join(file)
        if (owner, name) != ("user", "repo"):
            self.refuse("RepoNotFound")
        elif revision not in ("main", "v1", COMMIT):
            self.refuse("RevisionNotFound")
        elif not path.is_file():
            self.refuse("EntryNotFound")
        else:
            content = path.read_bytes()
            self.send_response(200)
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body:
                self.wfile.write(content)

    def refuse(self, code: str) -> None:
        self.send_response(404)
        self.send_header("X-Error-Code", code)
        if code == "EntryNotFound":
            self.send_header("X-Repo-Commit", COMMIT)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Hub cache without anything in it, and no token."""
    cache = tmp_path / "hub"
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    huggingface_hub.close_session()
    return cache


def point_client_at(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the environment's HF_ENDPOINT would have done at the client's import."""
    constants = huggingface_hub.constants
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", endpoint + URL_PATH)


@pytest.fixture
def hub(folder: Path, empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    """The real client, talking to a Hub on this machine that serves `folder` as user/repo."""
    handler = type("OneHub", (Hub,), {"folder": folder, "requests": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    point_client_at(f"http://127.0.0.1:{server.server_port}", monkeypatch)
    yield handler
    huggingface_hub.close_session()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize("name", ["user/repo", "user/repo@v1", f"user/repo@{COMMIT}"])
def test_a_checkpoint_from_the_hub(hub: type[Hub], name: str, tiny_checkpoint: Path) -> None:
    checkpoint = load_checkpoint(name)
    assert checkpoint.sha256 == load_checkpoint(tiny_checkpoint).sha256
    revision = name.partition("@")[2] or "main"
    assert f"/user/repo/resolve/{revision}/{CONFIG_FILE}" in hub.requests
    assert {path.rsplit("/", 1)[1] for path in hub.requests} == {CONFIG_FILE, WEIGHTS_FILE}


def test_source_names_the_commit(hub: type[Hub]) -> None:
    """A branch moves; the commit says which weights these were."""
    assert load_checkpoint("user/repo@v1").source == f"user/repo@{COMMIT}"


def test_a_cached_checkpoint_needs_no_hub(hub: type[Hub], monkeypatch) -> None:
    load_checkpoint("user/repo@v1")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    huggingface_hub.close_session()
    hub.requests.clear()
    load_checkpoint("user/repo@v1")
    assert not hub.requests


@pytest.mark.parametrize("name", ["user/none", "user/none@v1"])
def test_a_repository_that_is_not_there(hub: type[Hub], name: str) -> None:
    with pytest.raises(CheckpointError, match=r"user/none is not on the Hub or private; check"):
        load_checkpoint(name)


def test_a_revision_that_is_not_there(hub: type[Hub]) -> None:
    with pytest.raises(CheckpointError, match="user/repo has no revision v9 on the Hub; check the"):
        load_checkpoint("user/repo@v9")


@pytest.mark.parametrize("file", [CONFIG_FILE, WEIGHTS_FILE])
def test_a_repository_of_something_else(hub: type[Hub], folder: Path, file: str) -> None:
    (folder / file).unlink()
    with pytest.raises(CheckpointError, match=r"user/repo holds no .*; it is not"):
        load_checkpoint("user/repo")


def test_a_config_cannot_make_timm_download(hub: type[Hub], folder: Path, monkeypatch) -> None:
    """timm takes "hf-hub:user/repo" for an encoder's name and asks the Hub for it."""
    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    change_config(folder, lambda config: config["generator"].update(encoder="hf-hub:user/repo"))
    with pytest.raises(CheckpointError, match="get it again"):
        load_checkpoint(folder)
    assert not hub.requests


def test_a_damaged_download(hub: type[Hub], folder: Path) -> None:
    (folder / WEIGHTS_FILE).write_bytes(b"damaged")
    with pytest.raises(CheckpointError, match="is damaged"):
        load_checkpoint("user/repo")


@pytest.mark.parametrize("name", ["-user/repo", "user/a--b", "user/..", "user/repo.git"])
def test_names_that_the_hub_does_not_allow(hub: type[Hub], name: str) -> None:
    with pytest.raises(CheckpointError, match="is not a valid Hub name"):
        load_checkpoint(name)


def test_no_network_and_nothing_cached(empty_cache: Path, monkeypatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    point_client_at(f"http://127.0.0.1:{port}", monkeypatch)
    monkeypatch.setattr(time, "sleep", lambda seconds: None)  # between the client's retries
    with pytest.raises(CheckpointError, match="the Hub can't be reached and user/repo is not in"):
        load_checkpoint("user/repo")
