"""The server around the page: health, users, limits, log, and how it stops."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from colorizer import Colorizer
from colorizer.version import __version__
from tests.helpers.browser import started
from tests.helpers.documentation import examples, run
from tests.helpers.paths import ROOT

PER_MINUTE = 12


def get(url: str) -> tuple[int, Any]:
    """The status and the JSON of an answer."""
    try:
        with urllib.request.urlopen(url) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def log_in(address: str, password: str) -> tuple[int, Any]:
    data = f"username=anna&password={password}".encode()
    try:
        with urllib.request.urlopen(f"{address}login", data) as response:
            return response.status, dict(response.headers)
    except urllib.error.HTTPError as error:
        return error.code, {**error.headers, **json.load(error)}


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory, tiny_checkpoint: Path) -> Iterator[str]:
    """A server that only anna may use, and not often."""
    folder = tmp_path_factory.mktemp("closed")
    settings = {
        "COLORIZER_CHECKPOINT": str(tiny_checkpoint),
        "COLORIZER_USERS": "ben:b,anna:open sesame",
        "COLORIZER_REQUESTS_PER_MINUTE": str(PER_MINUTE),
    }
    with started(folder, **settings) as address:
        yield address


def test_health_needs_no_login(closed: str, tiny_colorizer: Colorizer) -> None:
    facts = {
        "status": "ok",
        "version": __version__,
        "checkpoint": tiny_colorizer.checkpoint.sha256,
        "engine": "torch",
        "precision": "fp32",
    }
    assert get(f"{closed}healthz") == (200, facts)


def test_nothing_else_is_open(closed: str) -> None:
    for path in ("config", "gradio_api/info", "gradio_api/openapi.json", "gradio_api/file=app.py"):
        assert get(f"{closed}{path}")[0] == 401, path
    request = urllib.request.Request(
        f"{closed}gradio_api/call/model_info",
        b'{"data": [""]}',
        {"Content-Type": "application/json"},
    )
    with pytest.raises(urllib.error.HTTPError, match="401"):
        urllib.request.urlopen(request)


@pytest.mark.parametrize("path", ["", "?view=api", "?lang=de"])
def test_the_login_page_does_not_describe_the_endpoints(closed: str, path: str) -> None:
    with urllib.request.urlopen(f"{closed}{path}") as response:
        page = response.read().decode()
    assert '"auth_required":true' in page
    assert "colorize" not in page.replace("colorizer", "")


def test_who_logs_in_may_come_in_until_it_is_too_often(closed: str, tmp_path: Path) -> None:
    """With the documented examples."""
    assert log_in(closed, "sesame")[0] == 400
    [block] = examples("python", login=True)
    assert run(block, "python", closed, tmp_path).splitlines()[-1].startswith("tiny")
    if shutil.which("curl"):
        [block] = examples("sh", login=True)
        assert "portrait.jpg" in run(block, "sh", closed, tmp_path)
    answers = [log_in(closed, "guess") for _ in range(PER_MINUTE)]
    assert answers[0][0] == 400
    status, told = answers[-1]
    assert status == 429
    assert 0 < int(told["retry-after"]) <= 60
    assert f"{PER_MINUTE} requests a minute from each client. Try again in" in told["detail"]
    assert get(f"{closed}healthz")[0] == 200


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to catch")
def test_a_server_that_is_told_to_stop_finishes_its_job(
    tmp_path: Path, tiny_checkpoint: Path
) -> None:
    path = tmp_path / "grandma.png"
    ramp = np.linspace(0, 255, 4000 * 5000).reshape(4000, 5000).astype(np.uint8)
    Image.fromarray(ramp).save(path)
    settings = {"COLORIZER_CHECKPOINT": str(tiny_checkpoint), "COLORIZER_LOG": "json"}
    with started(tmp_path, **settings) as address:
        pid = int((tmp_path / "pid").read_text())
        client = Client(address, verbose=False)
        job = client.submit(handle_file(path), api_name="/colorize")
        while job.status().code.value != "PROCESSING":
            assert not job.done()
            time.sleep(0.01)
        os.kill(pid, signal.SIGTERM)
        while get(f"{address}healthz")[1]["status"] != "stopping":
            time.sleep(0.01)
        assert not job.done()
        assert get(f"{address}healthz")[0] == 503
        with pytest.raises(Exception, match="503"):
            client.predict(handle_file(path), api_name="/colorize")
        with Image.open(job.result()) as image:
            assert (image.size, image.mode) == ((5000, 4000), "RGB")
        _, status = os.waitpid(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0
    check_log((tmp_path / "log").read_text(), path.stat().st_size)


def check_log(text: str, size: int) -> None:
    """One job, and what was sent; nothing tells whose photo it was."""
    lines = [json.loads(line) for line in text.splitlines()]
    assert lines[0]["event"] == "start"
    [job] = [line for line in lines if "Endpoints.colorize" in line.get("endpoint", "")]
    assert (job["status"], job["size"]) == ("done", [4000, 5000])
    assert job["seconds"] > 0
    uploads = [line for line in lines if line.get("endpoint") == "/gradio_api/upload"]
    assert [line["status"] for line in uploads] == [200, 503]
    assert size < uploads[0]["bytes"] < size + 1000
    assert "grandma" not in text
    assert "127.0.0.1" not in text


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("COLORIZER_USERS", "anna", "colorizer: COLORIZER_USERS can't be used: entry 1 is not"),
        ("COLORIZER_CHECKPOINT", "nowhere", "colorizer: nowhere is neither a folder nor"),
    ],
)
def test_an_unusable_setting_ends_the_start(name: str, value: str, sentence: str) -> None:
    done = subprocess.run(
        [sys.executable, "app.py"],
        cwd=ROOT,
        env={**os.environ, name: value},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
