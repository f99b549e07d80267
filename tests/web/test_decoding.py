"""Uploads are decoded in processes that may hang, run out of memory or crash."""

import io
import json
import mmap
import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from colorizer import Photo, PhotoCostError, PhotoError
from colorizer.photo.decode import Decoded, TimeLimit
from colorizer.photo.formats import FORMAT_SUFFIXES
from colorizer.photo.metadata import Metadata
from colorizer.web.server import decoding, uploads
from colorizer.web.server.decoding import AVAILABLE, DecodeProcesses
from colorizer.web.server.uploads import reopen_upload, unreadable
from tests.helpers.browser import started
from tests.helpers.paths import ROOT
from tests.helpers.photo_files import sample_files
from tests.helpers.photos import color_pixels

HOSTILE = str(ROOT / "tests" / "helpers" / "hostile")
PhotoAt = Callable[[str], Path]

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="needs Unix")


@pytest.fixture
def processes(monkeypatch: pytest.MonkeyPatch) -> Iterator[DecodeProcesses]:
    """Processes with short limits, whose decoder misbehaves for some names."""
    monkeypatch.syspath_prepend(HOSTILE)
    monkeypatch.setattr(decoding, "BASE_BYTES", 1 << 29)
    processes = DecodeProcesses(10_000_000, seconds=2)
    yield processes
    processes.stop()


@pytest.fixture
def photo_at(tmp_path: Path) -> PhotoAt:
    def save(name: str) -> Path:
        Image.fromarray(color_pixels(20, 30, seed=len(name))).save(tmp_path / name)
        return tmp_path / name

    return save


@pytest.mark.parametrize("alpha", [False, True])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_photo_survives_the_way_between_processes(alpha: bool, dtype: type) -> None:
    pixels = np.arange(5 * 7 * 3, dtype=dtype).reshape(5, 7, 3)
    metadata = Metadata(b"exif\0\xff", b"xmp", b"", (("Title", "Großmutter\n"),), (72.5, 300.0))
    given = Decoded(
        pixels[:, ::-1], pixels[:, :, 0] if alpha else None, "PNG", metadata, ("cmyk", "profile")
    )
    file = decoding._file_in_memory()
    decoding._pack(file, given)
    found = decoding._unpacked(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY))
    assert (found.pixels == given.pixels).all()
    assert found.pixels.dtype == dtype
    assert found.pixels.flags.aligned
    assert found.pixels.flags.writeable
    assert (found.alpha is None) == (not alpha)
    assert found.alpha is None or (found.alpha == given.alpha).all()
    assert (found.format, found.notices, found.metadata) == ("PNG", ("cmyk", "profile"), metadata)


@pytest.mark.slow
def test_photos_are_those_of_this_process(processes: DecodeProcesses, tmp_path: Path) -> None:
    for kind, data in sample_files().items():
        path = tmp_path / kind
        path.write_bytes(data)
        here, there = Photo.open(path), Photo.open(path, decoder=processes.decode)
        assert (here.pixels == there.pixels).all()
        assert (here.alpha is None) == (there.alpha is None)
        assert here.alpha is None or (here.alpha == there.alpha).all()
        assert (here.format, here.metadata, here.notices) == (
            there.format,
            there.metadata,
            there.notices,
        )


@pytest.mark.slow
def test_errors_are_those_of_this_process(processes: DecodeProcesses, tmp_path: Path) -> None:
    path = tmp_path / "letter.jpg"
    path.write_text("Dear grandma")
    with pytest.raises(PhotoError) as here:
        Photo.open(path)
    with pytest.raises(PhotoError) as there:
        Photo.open(path, decoder=processes.decode)
    assert str(here.value) == str(there.value)
    with pytest.raises(PhotoError, match=r"none\.jpg does not exist"):
        Photo.open(tmp_path / "none.jpg", decoder=processes.decode)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sleeps", "spins", "crashes"])
def test_what_hangs_or_crashes_is_ended_and_the_next_photo_opens(
    name: str, processes: DecodeProcesses, photo_at: PhotoAt, monkeypatch: pytest.MonkeyPatch
) -> None:
    if name == "spins":  # ended by the limit of processor time, long before this one
        monkeypatch.setattr(decoding, "MAX_SLOWDOWN", 300)
    opened = partial(Photo.open, max_pixels=10_000_000, decoder=processes.decode)
    for _ in range(decoding.PROCESSES + 1 if name == "crashes" else 1):
        with pytest.raises(PhotoCostError, match=rf"{name}\.png takes too much time or memory to"):
            opened(photo_at(f"{name}.png"))
    assert opened(photo_at("honest.png")).size == (20, 30)


@pytest.mark.slow
def test_memory_is_limited(processes: DecodeProcesses, photo_at: PhotoAt) -> None:
    with pytest.raises(PhotoCostError, match=r"allocates\.png takes too much time or memory"):
        Photo.open(photo_at("allocates.png"), decoder=processes.decode)
    path = photo_at("honest.png")
    assert Photo.open(path, decoder=processes.decode).size == (20, 30)
    large = path.with_name("large.png")
    Image.new("RGB", (14_000, 14_000)).save(large)  # within the limit of pixels, not of memory
    with pytest.raises(PhotoError, match="memory"):
        Photo.open(large, decoder=processes.decode)
    assert Photo.open(path, decoder=processes.decode).size == (20, 30)


@pytest.mark.slow
def test_hostile_photos_do_not_disturb_others(
    processes: DecodeProcesses, photo_at: PhotoAt
) -> None:
    names = [
        f"{kind}{number}.png" for number in range(4) for kind in ("sleeps", "honest", "crashes")
    ]
    paths = [photo_at(name) for name in names]

    def is_whole(path: Path) -> bool:
        try:
            photo = Photo.open(path, decoder=processes.decode)
        except PhotoCostError:
            return False
        return bool((photo.pixels == Photo.open(path).pixels).all())

    with ThreadPoolExecutor(len(paths)) as pool:
        assert list(pool.map(is_whole, paths)) == ["honest" in name for name in names]


@pytest.mark.slow
def test_processes_end_with_the_server_even_if_it_is_killed() -> None:
    code = (
        "import os; from colorizer.web.server.decoding import DecodeProcesses; "
        "processes = DecodeProcesses(1000); first = processes._idle.get(); "
        "print(first._process.pid, flush=True); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 60
    while alive(int(done.stdout)):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def test_the_page_says_what_happened(photo_at: PhotoAt, monkeypatch: pytest.MonkeyPatch) -> None:
    path = photo_at("grandma.png")
    key, values = unreadable(path, PhotoCostError("..."))
    assert (key, values["name"]) == ("photo.too_costly", "grandma.png")
    assert unreadable(path, PhotoError("..."))[0] == "photo.unreadable"
    path.write_bytes(b"\0\0\0\x18ftypheic")
    with monkeypatch.context() as patch:
        patch.setitem(FORMAT_SUFFIXES, "HEIF", ".heic")
        assert unreadable(path, PhotoError("..."))[0] == "photo.unreadable"
        patch.delitem(FORMAT_SUFFIXES, "HEIF")
        assert unreadable(path, PhotoError("..."))[0] == "photo.no_heic"
    path.write_bytes(b"")
    with pytest.raises(Exception, match=r"grandma\.png can't be opened as a photo"):
        reopen_upload(path, None)
    path.unlink()
    with pytest.raises(Exception, match="The server no longer has the photo"):
        reopen_upload(path, None)


@pytest.mark.slow
def test_a_server_survives_its_decoders(
    tmp_path: Path, tiny_checkpoint: Path, photo_at: PhotoAt
) -> None:
    """It answers while one works, and the next photo opens after one crashed."""
    settings = {"COLORIZER_CHECKPOINT": str(tiny_checkpoint), "PYTHONPATH": HOSTILE}
    with started(tmp_path, **settings) as address:
        client = Client(address, verbose=False, download_files=tmp_path / "downloads")
        ask = partial(client.predict, api_name="/colorize")
        with pytest.raises(AppError, match=r"crashes\.png takes too much time or memory to open"):
            ask(handle_file(photo_at("crashes.png")))
        assert Photo.open(ask(handle_file(photo_at("honest.png")))).size == (20, 30)
        job = client.submit(handle_file(photo_at("slow.png")), api_name="/colorize")
        while job.status().code.value != "PROCESSING":
            time.sleep(0.01)
        with urllib.request.urlopen(f"{address}healthz", timeout=2) as response:
            assert json.load(response)["status"] == "ok"
        assert not job.done()
        assert Photo.open(job.result()).size == (20, 30)


@pytest.mark.slow
def test_a_server_without_processes(
    tmp_path: Path, tiny_checkpoint: Path, photo_at: PhotoAt
) -> None:
    settings = {
        "COLORIZER_CHECKPOINT": str(tiny_checkpoint),
        "COLORIZER_DECODE_PROCESS": "0",
        "PYTHONPATH": HOSTILE,
    }
    with started(tmp_path, **settings) as address:
        client = Client(address, verbose=False, download_files=tmp_path / "downloads")
        path = photo_at("crashes.png")  # would crash a decoding process
        assert Photo.open(client.predict(handle_file(path), api_name="/colorize")).size == (20, 30)


def test_an_image_of_pillow_is_read_here() -> None:
    class Unused(DecodeProcesses):
        def __init__(self) -> None: ...

    file = io.BytesIO()
    Image.fromarray(color_pixels(20, 30)).save(file, "PNG")
    with Image.open(file) as image:
        assert Photo.open(image, decoder=Unused().decode).size == (20, 30)


def test_a_photo_that_is_expected_to_take_too_long(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "a.jp2"
    Image.fromarray(color_pixels(200, 300)).save(path, "JPEG2000")
    found, costly = io.BytesIO(), PhotoCostError("a.jp2 takes about 18 seconds to decode.")
    decoding._pack(found, costly)
    with mmap.mmap(-1, len(found.getvalue())) as packed:
        packed.write(found.getvalue())
        with pytest.raises(PhotoCostError, match="about 18 seconds"):
            decoding._unpacked(packed)
    monkeypatch.setattr(uploads, "TIME_LIMIT", TimeLimit(1e-6, 0))
    with pytest.raises(PhotoCostError) as refused:
        uploads.open_upload(path)
    assert unreadable(path, refused.value)[0] == "photo.too_costly"
