"""The cache of models that strangers choose: a folder of its own, with a limit in bytes."""

import os
from contextlib import suppress
from pathlib import Path

from huggingface_hub import constants, scan_cache_dir
from huggingface_hub.errors import CacheNotFound


def public_cache() -> Path:
    """The folder of public models, beside the Hub's cache, which holds the owner's models."""
    return Path(constants.HF_HUB_CACHE).with_name("colorizer-public")


def mark_used(snapshot: Path) -> None:
    """Record that the model in a snapshot's folder is used now."""
    with suppress(OSError):  # the cache may be read-only
        os.utime(snapshot)


def trim_cache(folder: Path, max_bytes: int) -> None:
    """Delete the least recently used models until a cache takes at most `max_bytes`.

    Args:
        folder: of the cache; a missing or unreadable one is left as it is.
        max_bytes: for all files.
    """
    try:
        found = scan_cache_dir(folder)
    except (CacheNotFound, OSError, ValueError):
        return
    revisions = [revision for repo in found.repos for revision in repo.revisions]
    for revision in sorted(revisions, key=lambda revision: _last_used(revision.snapshot_path)):
        if found.size_on_disk <= max_bytes:
            return
        found.delete_revisions(revision.commit_hash).execute()
        found = scan_cache_dir(folder)


def _last_used(snapshot: Path) -> float:
    try:
        return snapshot.stat().st_mtime
    except OSError:
        return 0.0
