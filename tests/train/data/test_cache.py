"""The cache: photos come out as their source decodes them, once, and anew when a file changes."""

import os
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tests.helpers.training import settings
from train.data import cache
from train.data.cache import CacheError, cached, digest
from train.data.crops import CropStream
from train.data.samples import Source
from train.data.sources import find_sources


def same_photos(ours: Sequence[Source], theirs: Sequence[Source]) -> bool:
    pairs = [
        (one.read(), other.read())
        for first, second in zip(ours, theirs, strict=True)
        for one, other in zip(first.samples, second.samples, strict=True)
    ]
    assert pairs
    return all(
        np.array_equal(np.array(one.color), np.array(other.color))
        and (one.gray is None) == (other.gray is None)
        and (one.gray is None or np.array_equal(np.array(one.gray), np.array(other.gray)))
        for one, other in pairs
    )


@pytest.mark.parametrize("kind", ["photo_folder", "pairs", "arrays"])
def test_photos_come_out_as_their_source_decodes_them(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    sources = find_sources([str(request.getfixturevalue(kind))])
    found = cached(sources, tmp_path / "cache", workers=0)
    assert [sample.name for sample in found[0].samples] == [
        sample.name for sample in sources[0].samples
    ]
    assert same_photos(found, sources)


def test_crops_are_those_without_a_cache(photo_folder: Path, tmp_path: Path) -> None:
    config = settings(photo_folder, tmp_path)
    sources = find_sources(config.data)
    plain = CropStream(sources, config)
    fast = CropStream(cached(sources, tmp_path / "cache", workers=0), config)
    for number in range(len(plain)):
        assert (plain[number][0] == fast[number][0]).all()


def test_it_is_filled_once(
    photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = find_sources([str(photo_folder)])
    cached(sources, tmp_path, workers=0)
    monkeypatch.setattr(cache, "_decode", lambda sample: pytest.fail("decoded again"))
    assert same_photos(cached(sources, tmp_path, workers=0), sources)


@pytest.mark.slow
def test_several_processes_decode_in_order(photo_folder: Path, tmp_path: Path) -> None:
    sources = find_sources([str(photo_folder)])
    assert same_photos(cached(sources, tmp_path, workers=2), sources)


def test_a_changed_photo_is_decoded_again(photo_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    shutil.copytree(photo_folder, folder)
    before = cached(find_sources([str(folder)]), tmp_path / "cache", workers=0)
    path = sorted(folder.rglob("*.png"))[0]
    Image.new("RGB", (50, 40), "red").save(path)
    sources = find_sources([str(folder)])
    after = cached(sources, tmp_path / "cache", workers=0)
    assert same_photos(after, sources)
    assert not same_photos(after, before)


def test_a_new_time_of_modification_counts_as_a_change(photo_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    shutil.copytree(photo_folder, folder)
    (source,) = find_sources([str(folder)])
    before = digest(source)
    assert digest(find_sources([str(folder)])[0]) == before
    os.utime(sorted(folder.rglob("*.png"))[0], (1, 1))
    assert digest(source) != before


def test_unreadable_photos_stay_unreadable(photo_folder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    shutil.copytree(photo_folder, folder)
    (folder / "broken.png").write_bytes(b"no photo")
    sources = find_sources([str(folder)])
    (found,) = cached(sources, tmp_path / "cache", workers=0)
    names = [sample.name for sample in found.samples]
    index = names.index("broken.png")
    messages = []
    for sample in (sources[0].samples[index], found.samples[index]):
        with pytest.raises(OSError, match="broken") as raised:
            sample.read()
        messages.append(str(raised.value))
    assert messages[0] == messages[1]
    assert found.samples[index - 1].read().color.size


def test_two_runs_fill_it_once(
    photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sources = find_sources([str(photo_folder)])
    decode, decoded = cache._decode, []
    started = threading.Barrier(2, timeout=30)

    def counted(sample: object) -> object:
        decoded.append(sample)
        return decode(sample)  # type: ignore[arg-type]

    monkeypatch.setattr(cache, "_decode", counted)
    results: list[list[Source]] = []

    def run() -> None:
        started.wait()
        results.append(cached(sources, tmp_path, workers=0))

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(decoded) == len(sources[0])
    assert all(same_photos(found, sources) for found in results)


def test_a_small_disk_is_refused_before_it_is_full(
    photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "ESTIMATE_AFTER", 1)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: SimpleNamespace(free=10))
    with pytest.raises(CacheError, match=r"needs about .* GB more, but 0\.0 GB are free; make"):
        cached(find_sources([str(photo_folder)]), tmp_path, workers=0)
    assert not list(tmp_path.glob("*.u8*"))


def test_a_full_disk_leaves_nothing_half_written(
    photo_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(file: object, planes: object) -> list[object]:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache, "_write", full)
    with pytest.raises(CacheError, match=r"can't be written \(No space left on device\); make"):
        cached(find_sources([str(photo_folder)]), tmp_path, workers=0)
    assert not list(tmp_path.glob("*.u8*")) + list(tmp_path.glob("*.json"))
