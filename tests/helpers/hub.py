"""A Hub on this machine, for the real client: user/repo with a branch, a tag and a commit."""

import hashlib
import json
import re
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import huggingface_hub.constants
import pytest

URL_PATH = "/{repo_id}/resolve/{revision}/{filename}"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
REQUEST_PATH = re.compile(
    r"/(?:api/models/)?([^/]+/[^/]+)(?:/(revision|resolve)/([^/]+)(?:/(.+))?)?"
)
INVALID_TOKEN = "Invalid credentials in Authorization header"


class Hub(BaseHTTPRequestHandler):
    """What the Hub answers to a download: what a repository holds, where a file lies, the file.

    Attributes:
        folder: what user/repo holds.
        head: the commit of all of these.
        requests: the paths that were asked for; `logins` are the tokens that came along.
        faults: by a part of the path, what is done instead of the answer.
        token: without which the repository is private; empty for a public one.
    """

    folder: Path
    head: str
    requests: list[str]
    logins: list[str | None]
    faults: "dict[str, Fault]"
    token: str
    protocol_version = "HTTP/1.1"

    def do_HEAD(self) -> None:
        self.answer(False)

    def do_GET(self) -> None:
        self.answer(True)

    def answer(self, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.requests.append(f"{self.command} {path}")
        self.logins.append(self.headers.get("Authorization"))
        for part, fault in self.faults.items():
            if part in f"{self.command} {path}":
                fault(self)
                return
        if path.startswith("/cdn/"):
            self.send_file(self.folder / path.removeprefix("/cdn/"), body)
            return
        asked = REQUEST_PATH.fullmatch(path)
        repo, kind, revision, file = asked.groups() if asked else ("", "", "", "")
        if repo != "user/repo":
            self.refuse(404, "RepoNotFound")
        elif self.token and self.headers.get("Authorization") != f"Bearer {self.token}":
            self.refuse(401, "RepoNotFound")
        elif revision not in (None, "main", "v1", self.head):
            self.refuse(404, "RevisionNotFound")
        elif path.startswith("/api/models/"):
            self.send_json({"id": "user/repo", "sha": self.head, "siblings": self.files()})
        elif kind == "resolve" and (self.folder / file).is_file():
            self.resolve(self.folder / file, body)
        else:
            self.refuse(404, "EntryNotFound")

    def files(self) -> list[dict[str, object]]:
        """What the Hub knows of the files."""
        listed: list[dict[str, object]] = []
        for path in sorted(self.folder.iterdir()):
            content = path.read_bytes()
            file: dict[str, object] = {"rfilename": path.name, "size": len(content)}
            if path.suffix == ".safetensors":
                digest = hashlib.sha256(content).hexdigest()
                file["lfs"] = {"size": len(content), "sha256": digest, "pointerSize": 130}
            listed.append(file)
        return listed

    def resolve(self, path: Path, body: bool) -> None:
        """Small files are sent, large ones lie on another host."""
        if path.suffix != ".safetensors":
            self.send_file(path, body)
            return
        self.send_response(302)
        port = self.connection.getsockname()[1]
        self.send_header("Location", f"http://localhost:{port}/cdn/{path.name}")
        self.send_header("X-Linked-Size", str(path.stat().st_size))
        self.send_header("X-Linked-ETag", f'"{hashlib.sha256(path.read_bytes()).hexdigest()}"')
        self.send_header("X-Repo-Commit", self.head)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def send_file(self, path: Path, body: bool, sent: int | None = None) -> None:
        """Send a file, from the byte that is asked for; only `sent` bytes of what is announced."""
        content = path.read_bytes()
        first = int(self.headers.get("Range", "bytes=0-")[len("bytes=") :].split("-")[0])
        self.send_response(206 if first else 200)
        if first:
            end = len(content)
            self.send_header("Content-Range", f"bytes {first}-{end - 1}/{end}")
        self.send_header("ETag", f'"{hashlib.sha1(content).hexdigest()}"')
        self.send_header("X-Repo-Commit", self.head)
        self.send_header("Content-Length", str(len(content) - first))
        self.end_headers()
        if body:
            self.wfile.write(content[first:][:sent])

    def send_json(self, answer: object) -> None:
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def refuse(self, status: int, code: str = "", message: str = "") -> None:
        self.send_response(status)
        for header, value in (("X-Error-Code", code), ("X-Error-Message", message)):
            if value:
                self.send_header(header, value)
        if code == "EntryNotFound":
            self.send_header("X-Repo-Commit", self.head)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


Fault = Callable[[Hub], None]


def refusing(status: int, code: str = "", message: str = "") -> Fault:
    return lambda hub: hub.refuse(status, code, message)


def stalling(hub: Hub) -> None:
    """Say nothing, until the client hangs up."""
    hub.close_connection = True
    hub.connection.settimeout(60)
    try:
        hub.connection.recv(1)
    except OSError:
        return


def hanging_up(times: int) -> Fault:
    """Break the connection after half of what is left of the file, so many times."""
    broken = []

    def fault(hub: Hub) -> None:
        path = hub.folder / hub.path.rsplit("/", 1)[1]
        first = int(hub.headers.get("Range", "bytes=0-")[len("bytes=") :].split("-")[0])
        if hub.command == "HEAD" or len(broken) == times:
            hub.send_file(path, hub.command == "GET")
            return
        broken.append(first)
        hub.send_file(path, True, (path.stat().st_size - first) // 2)
        hub.wfile.flush()
        hub.close_connection = True
        hub.connection.shutdown(socket.SHUT_RDWR)

    return fault


@contextmanager
def serve(folder: Path) -> Iterator[tuple[str, type[Hub]]]:
    """Serve a folder as user/repo; yields the Hub's address and what it saw."""
    state = {"folder": folder, "head": COMMIT, "requests": [], "logins": [], "faults": {}}
    handler = type("OneHub", (Hub,), {**state, "token": ""})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", handler
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def connected(folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    """The client of this process asks the Hub that serves the folder, with nothing in its cache."""
    use_cache(cache, monkeypatch)
    with serve(folder) as (address, handler):
        point_client_at(address, monkeypatch)
        yield handler
        huggingface_hub.close_session()


def use_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the environment would have set up the client at its import, for a Hub on this machine."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(cache))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    monkeypatch.setenv("no_proxy", "127.0.0.1,localhost")
    huggingface_hub.close_session()


def point_client_at(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the environment's HF_ENDPOINT would have done at the client's import."""
    constants = huggingface_hub.constants
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)
    monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", endpoint + URL_PATH)


def go_offline(monkeypatch: pytest.MonkeyPatch) -> None:
    """As the environment's HF_HUB_OFFLINE would have done at the client's import."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    huggingface_hub.close_session()


def closed_address() -> str:
    """Where nobody answers."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{closed.getsockname()[1]}"
