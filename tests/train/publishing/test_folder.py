"""Publishing: the folder is complete and tells no path, and the Hub's real client uploads it to a
Hub on this machine.
"""

import base64
import hashlib
import json
import shutil
import socket
import threading
from collections.abc import Iterator
from dataclasses import asdict
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import huggingface_hub.constants
import pytest
import torch
from huggingface_hub import ModelCard

import train.evaluate
from colorizer import Colorizer, Photo
from colorizer.checkpoints.checkpoint import (
    load_checkpoint,
    load_discriminator,
    save_checkpoint,
)
from colorizer.commands.parser import build_parser
from colorizer.networks.discriminator import Discriminator, DiscriminatorConfig
from colorizer.networks.pix2pix import Pix2Pix, Pix2PixConfig
from tests.helpers.hub import COMMIT, Hub, point_client_at, use_cache
from tests.helpers.networks import tiny_generator
from tests.helpers.photos import color_pixels
from train.publish import main
from train.publishing.folder import FILES, make_folder
from train.publishing.upload import publish
from train.run.plots import draw_curves, draw_grid
from train.settings.config import TrainConfig

pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=")  # the Hub's client of itself

TOKEN = "hf_a_token_for_tests"
REPORT = {
    "command": "python -m train.evaluate --checkpoint '/home/ann/my runs/best' "
    "--data /home/ann/val.tar flowers102:/srv/flowers --inception=/opt/inception.pt",
    "checkpoint": "/home/ann/my runs/best",
    "n": 500,
    "working_size": 192,
    "output": {"psnr": 23.18, "ssim": 0.934, "delta_e00": 10.37, "cf": 22.16, "fid": 12.5},
    "gray": {"psnr": 22.04, "ssim": 0.93, "delta_e00": 11.35, "cf": 0.0, "fid": 30.0},
    "truth": {"cf": 42.98},
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a run with an adversarial phase leaves; tests must not change it."""
    run = tmp_path_factory.mktemp("home") / "run"
    torch.manual_seed(0)
    critic = Discriminator(DiscriminatorConfig(width=8))
    save_checkpoint(run / "checkpoint", tiny_generator(seed=1), 192, critic)
    save_checkpoint(run / "best", tiny_generator(seed=2), 192, critic)
    config = TrainConfig(
        data=("/home/ann/photos/flickr8k/", "flowers102:/srv/flowers", r"C:\Users\Ann\dogs"),
        val_data=("../ann/val.tar",),
        output=str(run),
        encoder_weights="/home/ann/resnet.safetensors",
        photos=320,
        adversarial_share=0.25,
        discriminator_photos=64,
    )
    (run / "train_config.json").write_text(json.dumps(asdict(config)))
    steps: list[dict[str, Any]] = [
        {"step": step, "phase": "reconstruction", "generator": 3.0, "bins": 2.5, "ab": 0.5}
        for step in range(1, 12)
    ]
    steps.append({"step": 12, "phase": "adversarial", "generator": 3.0, "discriminator": 0.7})
    for step, best in ((5, True), (11, True), (12, False)):
        steps.append({"step": step, "val_delta_e00": 10.0, "best": best})
    (run / "metrics.jsonl").write_text("".join(json.dumps(step) + "\n" for step in steps))
    draw_curves(run / "metrics.jsonl", run)
    for step in (5, 11, 12):
        draw_grid([[color_pixels(8, 8, step)] * 3], run / "samples" / f"{step:07d}.png")
    write_report(run / "report", run / "best")
    (run / "last.pt").write_bytes(b"state")
    (run / "skipped.csv").write_text("name,reason\n/home/ann/broken.jpg,broken\n")
    return run


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy of it that may be changed."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def write_report(folder: Path, checkpoint: Path) -> None:
    folder.mkdir(exist_ok=True)
    sha256 = hashlib.sha256((checkpoint / "model.safetensors").read_bytes()).hexdigest()
    (folder / "report.json").write_text(json.dumps(REPORT | {"sha256": sha256}))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def read_card(folder: Path) -> Any:
    return ModelCard.load(folder / "README.md")


def error_of(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """What the command line says when it fails."""
    assert main([str(argument) for argument in arguments]) == 1
    output, error = capsys.readouterr()
    assert output == ""
    assert error.startswith("train.publish: ")
    assert error.count("\n") == 1
    return error


def test_the_folder_is_complete_and_loads(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(run), "--repo", "ann/flickr", "--dry-run"]) == 0
    folder = run / "hub"
    printed, errors = capsys.readouterr()
    assert printed.startswith(
        f"{folder} holds what would be uploaded to ann/flickr: model.safetensors, "
    )
    assert printed.endswith(", samples.png, README.md. Nothing was uploaded.\n")
    assert not errors
    assert names(folder) == sorted(FILES)
    assert load_checkpoint(folder).sha256 == load_checkpoint(run / "best").sha256
    assert load_discriminator(folder) is not None
    result = Colorizer.load(folder, "cpu").colorize(Photo(color_pixels(40, 50)))
    assert result.colorized.size == (40, 50)
    best = (run / "samples" / "0000011.png").read_bytes()
    assert (folder / "samples.png").read_bytes() == best
    assert (folder / "curves.png").read_bytes() == (run / "curves.png").read_bytes()


def test_the_last_checkpoint_in_another_folder(run: Path, tmp_path: Path) -> None:
    write_report(tmp_path / "figures", run / "checkpoint")
    where = tmp_path / "out"
    for report in (tmp_path / "figures", tmp_path / "figures" / "report.json"):
        folder = make_folder(run, "ann/flickr", "last", report=report, output=where)
        assert folder == where
        assert load_checkpoint(where).sha256 == load_checkpoint(run / "checkpoint").sha256
        assert (where / "report.json").exists()
    assert not (run / "hub").exists()


def test_no_path_is_told(run: Path, finished: Path) -> None:
    """Neither those in the settings and the report nor those of the run."""
    folder = make_folder(run, "ann/flickr", license="mit")
    texts = [path for path in folder.iterdir() if path.suffix in (".json", ".md")]
    assert len(texts) == 5
    secrets = ["/home", "/srv", "/opt", "Users", "my runs", "../", str(run), str(finished.parent)]
    for path in texts:
        text = path.read_text()
        assert [secret for secret in secrets if secret in text] == [], path.name
    settings = json.loads((folder / "train_config.json").read_text())
    assert settings["data"] == ["flickr8k", "flowers102:flowers", "dogs"]
    assert settings["val_data"] == ["val.tar"]
    assert settings["output"] == "run"
    assert settings["encoder_weights"] == "resnet.safetensors"
    assert settings["photos"] == 320
    report = json.loads((folder / "report.json").read_text())
    assert report["command"] == (
        "python -m train.evaluate --checkpoint best --data val.tar flowers102:flowers "
        "--inception=inception.pt"
    )


@pytest.mark.parametrize(
    ("init", "shown"),
    [("ann/base@v1", "ann/base@v1"), ("/home/ann/base", "base"), ("bundled", "bundled")],
)
def test_a_checkpoint_on_the_hub_is_no_path(run: Path, init: str, shown: str) -> None:
    settings = json.loads((run / "train_config.json").read_text())
    (run / "train_config.json").write_text(json.dumps(settings | {"init": init}))
    folder = make_folder(run, "ann/flickr")
    assert json.loads((folder / "train_config.json").read_text())["init"] == shown
    assert f"| Started from | {shown} |" in read_card(folder).text


def test_the_card_carries_the_figures(run: Path) -> None:
    card = read_card(make_folder(run, "ann/flickr", license="cc-by-nc-4.0"))
    assert card.data.library_name == "colorizer"
    assert card.data.pipeline_tag == "image-to-image"
    assert card.data.license == "cc-by-nc-4.0"
    assert "u-net" in card.data.tags
    assert card.data.model_name == "flickr"
    assert "datasets" not in card.data.to_dict()
    results = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert results == {
        "psnr": 23.18, "ssim": 0.934, "ciede2000": 10.37, "colorfulness": 22.16, "fid": 12.5,
    }  # fmt: skip
    names = {result.dataset_name for result in card.data.eval_results}
    assert names == {"val.tar, flowers102:flowers"}
    assert "| CIEDE2000, lower is better | 10.37 | 11.35 |" in card.text
    assert "whose own CF is 42.98" in card.text


def test_the_card_tells_how_it_was_trained_and_how_to_use_it(run: Path) -> None:
    text = read_card(make_folder(run, "ann/flickr", license="mit")).text
    assert "| Data | `flickr8k`, `flowers102:flowers`, `dogs` |" in text
    assert "| Steps | 11 of 12, each on 32 photos |" in text
    assert "| Losses and their weights | bins 1, ab 0.05 |" in text
    assert "| Adversarial training | the last 1 steps (bce), after 2 of the discriminator" in text
    assert "| Started from | pretrained encoder (resnet.safetensors) |" in text
    assert "The weights are under `mit`." in text
    assert "--init ann/flickr --data" in text
    command = next(line for line in text.splitlines() if "colorizer colorize" in line)
    options = build_parser().parse_args(command.split()[1:])
    assert (options.checkpoint, options.output) == ("ann/flickr", Path("colored"))
    python = text.partition("```python\n")[2].partition("```")[0]
    assert 'Colorizer.load("ann/flickr")' in python
    compile(python, "card", "exec")


def test_a_run_without_report_pictures_and_discriminator(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And what an earlier, richer folder held is gone."""
    make_folder(run, "ann/flickr")
    for path in (run / "report", run / "samples"):
        shutil.rmtree(path)
    (run / "curves.png").unlink()
    for path in (run / "best").glob("discriminator*"):
        path.unlink()
    folder = make_folder(run, "ann/flickr")
    output, error = capsys.readouterr()
    assert output == ""
    assert error == (
        "The card has no results; measure the checkpoint first: python -m train.evaluate "
        f"--checkpoint {run}/best --data FOLDER --output {run}/report\n"
    )
    assert names(folder) == ["README.md", "config.json", "model.safetensors", "train_config.json"]
    card = read_card(folder)
    assert set(card.data.to_dict()) == {"library_name", "pipeline_tag", "tags"}
    assert "Not measured yet." in card.text
    assert "No license is stated" in card.text
    assert "![" not in card.text
    assert "--preset finetune" not in card.text


def test_the_command_that_is_named_makes_the_report(
    run: Path,
    photo_folder: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shutil.rmtree(run / "report")
    make_folder(run, "ann/flickr")
    command = capsys.readouterr().err.strip().partition("train.evaluate ")[2].split()
    command[command.index("FOLDER")] = str(photo_folder)
    monkeypatch.setattr("sys.argv", ["evaluate", *command, "--limit", "2"])
    assert train.evaluate.main() == 0
    card = read_card(make_folder(run, "ann/flickr"))
    measured = json.loads((run / "report" / "report.json").read_text())["output"]
    results = {result.metric_type: result.metric_value for result in card.data.eval_results}
    added = {"ms-ssim-ab", "edge-ab-error", "edge-spill"}
    assert set(results) == {"psnr", "ssim", "ciede2000", "colorfulness", *added}
    assert results["psnr"] == pytest.approx(measured["psnr"], abs=1e-4)
    assert card.data.eval_results[0].dataset_name == photo_folder.name
    assert str(photo_folder) not in (run / "hub" / "report.json").read_text()


def test_a_report_on_several_checkpoints(run: Path) -> None:
    path = run / "report" / "report.json"
    of_best = json.loads(path.read_text())
    of_other = of_best | {"sha256": "0" * 64, "n": 7}
    path.write_text(json.dumps([of_other, of_best]))
    make_folder(run, "ann/flickr")
    assert json.loads((run / "hub" / "report.json").read_text())["n"] == 500


def test_a_report_on_another_checkpoint(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = error_of(capsys, run, "--repo", "ann/flickr", "--which", "last", "--dry-run")
    assert "report.json is the report of another checkpoint than" in error
    assert f"measure again: python -m train.evaluate --checkpoint {run}/checkpoint --data" in error
    assert not (run / "hub").exists()


@pytest.mark.parametrize("content", ["{", "[]x", "{}", "3", '"text"'])
def test_a_file_that_is_no_report(run: Path, content: str, capsys: Any) -> None:
    (run / "other.json").write_text(content)
    error = error_of(capsys, run, "--repo", "ann/flickr", "--report", run / "other.json")
    assert "other.json is no report of train.evaluate; make one: python -m train.eval" in error


def test_a_report_that_is_not_there(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = error_of(capsys, run, "--repo", "ann/flickr", "--report", run / "nowhere")
    assert "report.json can't be read (No such file or directory); make it: python" in error


def test_a_pix2pix_checkpoint(run: Path) -> None:
    for path in (run / "best").iterdir():
        path.unlink()
    save_checkpoint(run / "best", Pix2Pix(Pix2PixConfig(width=4)), 256)
    shutil.rmtree(run / "report")
    settings = json.loads((run / "train_config.json").read_text())
    (run / "train_config.json").write_text(json.dumps(settings | {"architecture": "pix2pix"}))
    card = read_card(make_folder(run, "ann/flickr"))
    assert "pix2pix" in card.data.tags
    assert "the U-Net of pix2pix (Isola et al. 2017), 0.2 million parameters" in card.text
    assert "| Started from | random weights |" in card.text


@pytest.mark.parametrize("name", ["flickr", "a/b/c", "ann/", "/flickr", "ann/fli--ckr", "ann/a b"])
def test_names_that_the_hub_does_not_allow(run: Path, name: str, capsys: Any) -> None:
    error = error_of(capsys, run, "--repo", name, "--dry-run")
    assert f"{name} is not a" in error
    assert "Hub name" in error
    assert not (run / "hub").exists()


@pytest.mark.parametrize("folder", [".", "best", "checkpoint", "report"])
def test_nothing_of_the_run_is_overwritten(run: Path, folder: str, capsys: Any) -> None:
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    error = error_of(capsys, run, "--repo", "ann/flickr", "--output", run / folder)
    assert "holds the originals; name another folder with --output." in error
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_a_run_without_that_checkpoint(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.rmtree(run / "best")
    error = error_of(capsys, run, "--repo", "ann/flickr")
    assert f"{run} holds no best/; train first" in error
    assert "or try --which last." in error


def test_a_damaged_checkpoint(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    weights = run / "best" / "discriminator.safetensors"
    weights.write_bytes(weights.read_bytes()[:100])
    assert "is damaged" in error_of(capsys, run, "--repo", "ann/flickr")


@pytest.mark.parametrize("name", ["train_config.json", "metrics.jsonl"])
def test_a_folder_that_is_no_run(run: Path, name: str, capsys: Any) -> None:
    (run / name).unlink()
    assert f"holds no {name}; name the folder of a run" in error_of(capsys, run, "--repo", "a/b")


@pytest.mark.parametrize("content", ["{", "[]", '{"wings": 2}', '{"batch": 0}'])
def test_settings_of_another_version(run: Path, content: str, capsys: Any) -> None:
    (run / "train_config.json").write_text(content)
    error = error_of(capsys, run, "--repo", "ann/flickr")
    assert "train_config.json doesn't hold the settings of a run of this version" in error


class UploadHub(Hub):
    """As much of the Hub as an upload needs, too: its files lie in `folder`, large ones in `large`
    by SHA-256 until they are committed.
    """

    large: dict[str, bytes]
    repos: dict[str, dict[str, Any]]
    refuses: dict[str, int]  # the status of paths

    def do_GET(self) -> None:
        if self.path.startswith("/api/") and self.let_in():
            path = urlsplit(self.path).path.removeprefix("/api/models/")
            repo = "/".join(path.split("/")[:2])
            if repo not in self.repos:
                self.refuse(404, "RepoNotFound")
            elif "/tree/" in self.path:
                paths = [path for path in self.folder.iterdir() if path.is_file()]
                self.reply(
                    [
                        {"type": "file", "path": path.name, "size": 1, "oid": "0" * 40}
                        for path in paths
                    ]
                )
            else:
                about = {"id": repo, "sha": COMMIT, "siblings": self.files()}
                self.reply(about | self.repos[repo])
        elif not self.path.startswith("/api/"):
            super().do_GET()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if not self.let_in():
            return
        self.requests.append(self.path)
        if self.path == "/api/repos/create":
            self.create(json.loads(body))
        elif self.path == "/api/validate-yaml":
            self.reply({"errors": [], "warnings": []})
        elif self.path.startswith("/api/models/user/repo/preupload/"):
            files = [
                {
                    "path": file["path"],
                    "uploadMode": "lfs" if file["path"].endswith("safetensors") else "regular",
                    "shouldIgnore": False,
                }
                for file in json.loads(body)["files"]
            ]
            self.reply({"files": files})
        elif self.path == "/user/repo.git/info/lfs/objects/batch":
            url = huggingface_hub.constants.ENDPOINT + "/large/"
            objects = [
                {**item, "actions": {"upload": {"href": url + item["oid"]}}}
                for item in json.loads(body)["objects"]
            ]
            self.reply({"transfer": "basic", "objects": objects})
        elif self.path.startswith("/api/models/user/repo/commit/"):
            for line in body.splitlines():
                self.commit(**json.loads(line))
            url = huggingface_hub.constants.ENDPOINT + "/user/repo/commit/" + "0" * 40
            self.reply({"commitUrl": url, "commitOid": "0" * 40})

    def do_PUT(self) -> None:
        content = self.read_chunks()
        name = self.path.rsplit("/", 1)[1]
        assert hashlib.sha256(content).hexdigest() == name
        self.large[name] = content
        self.reply({})

    def read_chunks(self) -> bytes:
        if "Content-Length" in self.headers:
            return self.rfile.read(int(self.headers["Content-Length"]))
        content = b""
        while size := int(self.rfile.readline(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def let_in(self) -> bool:
        status = next(
            (status for path, status in self.refuses.items() if self.path.startswith(path)), 200
        )
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            status = 401
        if status != 200:
            self.reply({"error": f"Refused with {status}"}, status)
        return status == 200

    def create(self, settings: dict[str, Any]) -> None:
        repo = f"{settings['organization']}/{settings['name']}"
        private = settings.get("visibility") == "private" or bool(settings.get("private"))
        url = f"{huggingface_hub.constants.ENDPOINT}/{repo}"
        self.reply({"url": url}, 409 if repo in self.repos else 200)
        self.repos.setdefault(repo, {"private": private})

    def commit(self, key: str, value: dict[str, Any]) -> None:
        path = self.folder / value.get("path", "")
        if key == "file":
            path.write_bytes(base64.b64decode(value["content"]))
        elif key == "lfsFile":
            path.write_bytes(self.large.pop(value["oid"]))
        elif key == "deletedFile":
            path.unlink()

    def reply(self, values: object, status: int = 200) -> None:
        content = json.dumps(values).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[UploadHub]]:
    """The real client with a token, talking to a Hub on this machine that holds nothing yet."""
    use_cache(tmp_path / "hub", monkeypatch)
    folder = tmp_path / "remote"
    folder.mkdir()
    state = {"folder": folder, "head": COMMIT, "requests": [], "logins": [], "faults": {}}
    state |= {"token": "", "large": {}, "repos": {}, "refuses": {}}
    handler = type("OneUploadHub", (UploadHub,), state)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    point_client_at(f"http://127.0.0.1:{server.server_port}", monkeypatch)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    yield handler
    huggingface_hub.close_session()
    server.shutdown()
    server.server_close()
    thread.join()


def test_upload_and_load_by_name(
    hub: type[UploadHub], run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (run / "hub").mkdir()
    (run / "hub" / "diary.txt").write_text("not for the Hub")
    assert main([str(run), "--repo", "user/repo"]) == 0
    url = f"{huggingface_hub.constants.ENDPOINT}/user/repo"
    assert capsys.readouterr().out == url + "\n"
    assert hub.repos == {"user/repo": {"private": False}}
    assert names(hub.folder) == sorted(FILES)
    for name in FILES:
        assert (hub.folder / name).read_bytes() == (run / "hub" / name).read_bytes(), name
    loaded = Colorizer.load("user/repo", "cpu").checkpoint
    assert loaded.sha256 == load_checkpoint(run / "best").sha256


def test_a_second_upload_replaces_the_first(hub: type[UploadHub], run: Path) -> None:
    publish(make_folder(run, "user/repo"), "user/repo", FILES)
    (hub.folder / "examples.md").write_text("somebody added this on the Hub")
    shutil.rmtree(run / "samples")
    (run / "report" / "report.json").unlink()
    publish(make_folder(run, "user/repo", "last"), "user/repo", FILES)
    gone = {"samples.png", "report.json"}
    assert set(names(hub.folder)) == set(FILES) - gone | {"examples.md"}
    assert load_checkpoint(hub.folder).sha256 == load_checkpoint(run / "checkpoint").sha256


def test_a_private_repository(hub: type[UploadHub], run: Path, capsys: Any) -> None:
    assert main([str(run), "--repo", "user/repo", "--private"]) == 0
    assert hub.repos == {"user/repo": {"private": True}}


def test_a_public_repository_that_should_be_private(
    hub: type[UploadHub], run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.repos["user/repo"] = {"private": False}
    error = error_of(capsys, run, "--repo", "user/repo", "--private")
    assert "user/repo is public already; make it private on the Hub first." in error
    assert not list(hub.folder.iterdir())


def test_a_dry_run_asks_the_hub_nothing(hub: type[UploadHub], run: Path, capsys: Any) -> None:
    assert main([str(run), "--repo", "user/repo", "--dry-run"]) == 0
    assert not hub.requests


@pytest.mark.parametrize("token", [None, "hf_wrong"])
@pytest.mark.parametrize("exists", [False, True])
def test_no_valid_token(
    hub: type[UploadHub],
    run: Path,
    token: str | None,
    exists: bool,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if exists:
        hub.repos["user/repo"] = {"private": False}
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(huggingface_hub.constants, "HF_TOKEN_PATH", str(run / "no-token"))
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    error = error_of(capsys, run, "--repo", "user/repo")
    assert error.endswith(
        "The Hub doesn't know you (401); log in with `hf auth login`, or set HF_TOKEN to a token "
        "that may write.\n"
    )


@pytest.mark.parametrize(
    ("path", "status", "sentence"),
    [
        ("/api/repos/create", 403, r"may not write to user/repo on the Hub \(403\); use a token"),
        ("/api/models/user/repo/preupload", 403, r"may not write to user/repo on the Hub \(403\)"),
        ("/api/models/user/repo/preupload", 401, r"doesn't know you \(401\); log in"),
        ("/api/models/user/repo/commit", 404, r"The Hub refused user/repo \(.*404.*\); try again"),
        ("/api/models/user/repo/commit", 500, r"The Hub refused user/repo \(.*500.*\); try again"),
        ("/api/validate-yaml", 400, r"The Hub doesn't accept user/repo: Invalid metadata in READ"),
    ],
)
def test_refusals(hub: type[UploadHub], run: Path, path: str, status: int, sentence: str) -> None:
    folder = make_folder(run, "user/repo")
    hub.refuses[path] = status
    with pytest.raises((ConnectionError, ValueError), match=sentence):
        publish(folder, "user/repo", FILES)


def test_no_network(
    tmp_path: Path, run: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_cache(tmp_path / "hub", monkeypatch)
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    point_client_at(f"http://127.0.0.1:{port}", monkeypatch)
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    error = error_of(capsys, run, "--repo", "user/repo")
    assert "The Hub can't be reached (" in error
    assert "check the network, then try again." in error
    assert (run / "hub" / "README.md").exists()  # to be uploaded another way
