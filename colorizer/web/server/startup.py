"""Choose the model that the page starts with, without waiting long for the network.

If the Hub is slow, the download continues in the background. Meanwhile the page uses the cached
model, or else the bundled one, and shows a notice. When the download is done, the page uses it.
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

START_DELAY = 1.5  # seconds that the page waits for the Hub before it starts
TEMPORARY = ("unreachable", "busy", "download")  # reasons why a later download may succeed
THREAD_NAME = "startup"
LOG = logging.getLogger(__name__)


def start_models(name: str | None, device: str = "auto") -> Models:
    """Return models whose default is a checkpoint, at once or as soon as it is downloaded.

    Args:
        name: a folder or a name on the Hub, as for `Colorizer.load`; None takes the bundled one.
        device: as for `Colorizer.load`.

    Raises:
        CheckpointError: the checkpoint can't be used, and a later download would not help.
        ValueError: there is no such device.
    """
    if not name or local_folder(name) is not None:
        return Models(name or None, device)
    download = _Download(name)
    download.join(START_DELAY)
    if download.snapshot:
        return _models(download.snapshot, device)
    if download.error and download.error.reason not in TEMPORARY:
        raise download.error
    commit = cached_commit(name)
    source = f"{name.partition('@')[0]}@{commit}" if commit else None
    models = Models(source, device)
    models.notice = Notice("failed" if download.error else "coming", name, source)
    reason = download.error or f"{name} is still being downloaded"
    LOG.warning("The page starts with %s: %s", source or "the bundled model", reason)
    if not download.error:
        threading.Thread(None, _follow, THREAD_NAME, (download, models), daemon=True).start()
    return models


class _Download(threading.Thread):
    """Downloads a checkpoint; afterwards either `snapshot` or `error` is set."""

    def __init__(self, name: str) -> None:
        super().__init__(name=THREAD_NAME, daemon=True)
        self.checkpoint = name
        self.snapshot: Snapshot | None = None
        self.error: CheckpointError | None = None
        self.start()

    def run(self) -> None:
        try:
            snapshot = find_snapshot(self.checkpoint)
            download_checkpoint(snapshot)
            for file in (REPORT_FILE, CARD_FILE) if snapshot.files else ():
                with suppress(CheckpointError):  # both are optional
                    snapshot.get_optional(file)
            self.snapshot = snapshot
        except CheckpointError as error:
            self.error = error


def _models(snapshot: Snapshot, device: str) -> Models:
    models = Models(snapshot.source, device)
    models.notice = _notice(snapshot)
    return models


def _notice(snapshot: Snapshot) -> Notice | None:
    return Notice("failed", snapshot.repo, snapshot.source) if snapshot.notice else None


def _follow(download: _Download, models: Models) -> None:
    """Wait for the download; then use the checkpoint, or change the notice."""
    download.join()
    error, snapshot = download.error, download.snapshot
    if snapshot:
        try:
            models.replace_default(snapshot.source, _notice(snapshot))
        except CheckpointError as found:
            error = found
    if error and models.notice:
        LOG.error("%s", error)
        models.notice = Notice("failed", models.notice.name, models.notice.used)
