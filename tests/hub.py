"""The real Hub client, talking to a Hub on this machine that also lists a repository's files."""

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import huggingface_hub.constants
import pytest

from tests.test_checkpoints import COMMIT, Hub, point_client_at, use_cache

REVISIONS = ("main", "v1", COMMIT)


class ListingHub(Hub):
    """user/repo, with what `HfApi.model_info` asks for; `logins` are the tokens that came."""

    logins: list[str | None]

    def answer(self, body: bool) -> None:
        self.logins.append(self.headers.get("Authorization"))
        api, models, *name = unquote(urlsplit(self.path).path).strip("/").split("/")
        if (api, models) != ("api", "models"):
            super().answer(body)
            return
        self.requests.append(self.path)
        revision = "/".join(name[3:]) or "main"
        if name[:2] != ["user", "repo"]:
            self.refuse("RepoNotFound")
        elif revision not in REVISIONS:
            self.refuse("RevisionNotFound")
        else:
            self.tell({"id": "user/repo", "sha": COMMIT, "siblings": self.files()})

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

    def tell(self, answer: object) -> None:
        content = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@contextmanager
def serve(folder: Path) -> Iterator[tuple[str, type[ListingHub]]]:
    """Serve a folder as user/repo; yields the Hub's address and what it saw."""
    handler = type("OneHub", (ListingHub,), {"folder": folder, "requests": [], "logins": []})
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
def connected(
    folder: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[type[ListingHub]]:
    """The client of this process asks the Hub that serves the folder, with nothing in its cache."""
    use_cache(cache, monkeypatch)
    with serve(folder) as (address, handler):
        point_client_at(address, monkeypatch)
        yield handler
        huggingface_hub.close_session()
