"""The cache of models that strangers choose: apart from the owner's, and limited."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import scan_cache_dir

from colorizer.checkpoints.cache import mark_used, public_cache, trim_cache
from colorizer.checkpoints.checkpoint import load_checkpoint, save_checkpoint
from tests.helpers.hub import Hub, connected
from tests.helpers.networks import tiny_generator


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    save_checkpoint(tmp_path / "remote", tiny_generator(), 192)
    with connected(tmp_path / "remote", tmp_path / "cache" / "hub", monkeypatch) as handler:
        yield handler


def pull(hub: type[Hub], digit: str, public: bool = True) -> Path:
    """Load another commit of user/repo; returns its folder."""
    hub.head = 40 * digit
    save_checkpoint(hub.folder, tiny_generator(seed=int(digit)), 192)
    load_checkpoint("user/repo", public)
    folder = public_cache() if public else public_cache().with_name("hub")
    return folder / "models--user--repo" / "snapshots" / hub.head


def size_of(folder: Path) -> int:
    return scan_cache_dir(folder).size_on_disk


def test_the_least_recently_used_models_are_deleted(hub: type[Hub]) -> None:
    owned = pull(hub, "9", public=False)
    first, second, third = (pull(hub, digit) for digit in "123")
    for seconds, folder in enumerate((first, second, third), start=1000):
        os.utime(folder, (seconds, seconds))
    mark_used(first)
    total = size_of(public_cache())
    trim_cache(public_cache(), total)
    assert all(folder.is_dir() for folder in (first, second, third))
    trim_cache(public_cache(), total - 1)
    assert [folder.is_dir() for folder in (first, second, third)] == [True, False, True]
    assert size_of(public_cache()) < 0.7 * total
    trim_cache(public_cache(), 0)
    assert not first.exists()
    assert owned.is_dir()  # the owner's models stay


def test_a_model_that_is_loaded_again_counts_as_used(hub: type[Hub]) -> None:
    first, second = pull(hub, "1"), pull(hub, "2")
    os.utime(first, (1000, 1000))
    os.utime(second, (2000, 2000))
    load_checkpoint(f"user/repo@{40 * '2'}", public=True)
    assert second.stat().st_mtime > 2000
    assert first.stat().st_mtime == 1000


def test_there_may_be_no_cache(tmp_path: Path) -> None:
    trim_cache(tmp_path / "none", 0)
    (tmp_path / "file").touch()
    trim_cache(tmp_path / "file", 0)
    assert (tmp_path / "file").exists()
