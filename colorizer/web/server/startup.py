"""Which model the page starts on: the one that is asked for, but the page waits for no network.

What the Hub hasn't given after a moment goes on coming in the background. Until then the page uses
the copy in the cache, else the bundled model, and says so; afterwards it uses what has come.
"""

import logging
import threading
from contextlib import suppress

from colorizer.checkpoints.checkpoint import (
    CheckpointError,
    download_checkpoint,
    local_folder,
)
from colorizer.checkpoints.describe import CARD_FILE, REPORT_FILE
from colorizer.checkpoints.hub import Snapshot, cached_commit, find_snapshot
from colorizer.web.server.models import Models, Notice

PATIENCE = 1.5  # seconds that the Hub may delay the start
MAY_PASS = ("unreachable", "busy", "download")  # reasons that say nothing against the model
THREADS = "startup"  # their name
LOG = logging.getLogger(__name__)


def start_models(name: str | None, device: str = "auto") -> Models:
    """Models whose default is the checkpoint of that name, as soon as it can be had.

    Args:
        name: a folder or a name on the Hub, as for `Colorizer.load`; None takes the bundled one.
        device: as for `Colorizer.load`.

    Raises:
        CheckpointError: the checkpoint can't be used, and waiting would not help.
        ValueError: there is no such device.
    """
    if not name or local_folder(name) is not None:
        return Models(name or None, device)
    fetch = _Fetch(name)
    fetch.join(PATIENCE)
    if fetch.snapshot:
        return _models(fetch.snapshot, device)
    if fetch.error and fetch.error.reason not in MAY_PASS:
        raise fetch.error
    commit = cached_commit(name)
    source = f"{name.partition('@')[0]}@{commit}" if commit else None
    models = Models(source, device)
    models.notice = Notice("failed" if fetch.error else "coming", name, source)
    LOG.warning("The page starts on %s: %s", source or "the bundled model", fetch.error or name)
    if not fetch.error:
        threading.Thread(None, _follow, THREADS, (fetch, models), daemon=True).start()
    return models


class _Fetch(threading.Thread):
    """Download a checkpoint; afterwards either `snapshot` or `error` is there."""

    def __init__(self, name: str) -> None:
        super().__init__(name=THREADS, daemon=True)
        self.wanted = name
        self.snapshot: Snapshot | None = None
        self.error: CheckpointError | None = None
        self.start()

    def run(self) -> None:
        try:
            snapshot = find_snapshot(self.wanted)
            download_checkpoint(snapshot)
            for file in (REPORT_FILE, CARD_FILE) if snapshot.files else ():
                with suppress(CheckpointError):  # it does without
                    snapshot.get_if_there(file)
            self.snapshot = snapshot
        except CheckpointError as error:
            self.error = error


def _models(snapshot: Snapshot, device: str) -> Models:
    models = Models(snapshot.source, device)
    models.notice = _notice(snapshot)
    return models


def _notice(snapshot: Snapshot) -> Notice | None:
    return Notice("failed", snapshot.repo, snapshot.source) if snapshot.notice else None


def _follow(fetch: _Fetch, models: Models) -> None:
    """When the download is done, use what has come, or say why it hasn't."""
    fetch.join()
    error, snapshot = fetch.error, fetch.snapshot
    if snapshot:
        try:
            models.replace_default(snapshot.source, _notice(snapshot))
        except CheckpointError as found:
            error = found
    if error and models.notice:
        LOG.error("%s", error)
        models.notice = Notice("failed", models.notice.name, models.notice.used)
