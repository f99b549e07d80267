"""Decode uploads in processes of their own, with a limit of time and of memory.

Decoders are written in C, and a hostile file can make one run for minutes, take all memory or
crash. Then only its process ends, and another one replaces it.

The file goes to the process as a file descriptor, and the pixels come back in a file in memory.
Processes need Unix; the decoder itself runs as `python -m colorizer.web.server.decoding`.
"""

import io
import json
import math
import mmap
import os
import socket
import subprocess
import sys
import tempfile
import time
from base64 import b64decode, b64encode
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import LifoQueue
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from colorizer.errors import PhotoCostError, PhotoError
from colorizer.imaging.arrays import Pixels
from colorizer.photo.decode import Decoded, TimeLimit, decode
from colorizer.photo.formats import register_heif
from colorizer.photo.metadata import Metadata

PROCESSES = 2  # each takes 0.1 GB
BASE_SECONDS = 10  # of one processor, for any file
SECONDS_PER_MEGAPIXEL = 0.2  # of one processor; decoders take 0.01 to 0.1
TIME_LIMIT = TimeLimit(BASE_SECONDS, SECONDS_PER_MEGAPIXEL)  # of what is known beforehand
MAX_SLOWDOWN = 3  # times the limit: how long a busy machine may take to give a process its seconds
START_SECONDS = 60  # for the start of a process, which takes one second
BASE_BYTES = 1 << 30  # for libraries and a large file
BYTES_PER_PIXEL = 12  # the loader refuses what it expects to take more than 8
COMMAND = (sys.executable, "-m", "colorizer.web.server.decoding")
AVAILABLE = hasattr(socket, "send_fds")  # not on Windows
READY = b"r"
MAX_REQUEST = 1 << 16  # bytes
ALIGNMENT = 64  # bytes, of arrays in a file


class DecodeProcesses:
    """Processes that decode photos; threads may share them.

    Args:
        max_pixels: of a photo; the limits follow from it.
        command: what starts a process, without its arguments.
        seconds: of one processor, for a photo; None follows from `max_pixels`.
    """

    def __init__(
        self,
        max_pixels: int,
        command: tuple[str, ...] = COMMAND,
        seconds: float | None = None,
    ) -> None:
        self.seconds = seconds or BASE_SECONDS + SECONDS_PER_MEGAPIXEL * max_pixels / 1e6
        memory = BASE_BYTES + BYTES_PER_PIXEL * max_pixels
        self._command = (*command, str(math.ceil(self.seconds)), str(memory))
        self._idle: LifoQueue[_Process | None] = LifoQueue()
        for _ in range(PROCESSES - 1):
            self._idle.put(None)  # started when it is needed
        self._idle.put(_Process(self._command))

    def decode(self, source: BinaryIO | Image.Image, name: str, max_pixels: int) -> Decoded:
        """Read a photo; arguments and errors are those of `colorizer.photo.decode.decode`.

        Raises:
            PhotoCostError: it would take too long, or the process was ended or ended by itself.
        """
        if isinstance(source, Image.Image):
            return decode(source, name, max_pixels, TIME_LIMIT)
        process = self._idle.get()
        try:
            process = process or _Process(self._command)
            return process.decode(source, name, max_pixels, MAX_SLOWDOWN * self.seconds)
        except (OSError, EOFError):
            if process is not None:
                process.stop()
            process = _Process(self._command)  # starts while nobody waits for it
            raise PhotoCostError(
                f"{name} takes too much time or memory to open; save it as a JPEG in an editor."
            ) from None
        finally:
            self._idle.put(process)

    def stop(self) -> None:
        """End all processes."""
        for _ in range(PROCESSES):
            if process := self._idle.get():
                process.stop()


class _Process:
    """One process, for one photo at a time."""

    def __init__(self, command: tuple[str, ...]) -> None:
        self._socket, theirs = socket.socketpair()
        paths = os.pathsep.join(path or os.getcwd() for path in sys.path)
        with theirs:
            self._process = subprocess.Popen(
                command, stdin=theirs.fileno(), env=os.environ | {"PYTHONPATH": paths}
            )
        self._ready = False

    def decode(self, file: BinaryIO, name: str, max_pixels: int, seconds: float) -> Decoded:
        """Decode a file.

        Raises:
            PhotoError: the process can't read the photo.
            EOFError: the process has ended.
            TimeoutError: it takes longer.
        """
        if not self._ready:
            self._socket.settimeout(START_SECONDS)
            self._receive()
            self._ready = True
        self._socket.settimeout(seconds)
        request = json.dumps({"name": name, "max_pixels": max_pixels}).encode()
        socket.send_fds(self._socket, [request], [file.fileno()])
        [answer] = self._receive()
        with os.fdopen(answer, "rb") as found:
            return _unpacked(mmap.mmap(found.fileno(), 0, access=mmap.ACCESS_COPY))

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        self._socket.close()

    def _receive(self) -> list[int]:
        """The file descriptors of the next message."""
        data, files, _, _ = socket.recv_fds(self._socket, 1, 1)
        if not data:
            raise EOFError
        return files


def _pack(file: BinaryIO, decoded: Decoded | PhotoError) -> None:
    """Write a photo: the length of the description, the description, the pixels, the alpha."""
    arrays: list[Pixels] = []
    costly = isinstance(decoded, PhotoCostError)
    facts: dict[str, Any] = {"error": str(decoded), "costly": costly}
    if isinstance(decoded, Decoded):
        arrays = [decoded.pixels] if decoded.alpha is None else [decoded.pixels, decoded.alpha]
        facts = {
            "arrays": [(array.dtype.str, array.shape) for array in arrays],
            "format": decoded.format,
            "notices": decoded.notices,
            "metadata": asdict(decoded.metadata),
        }
    description = json.dumps(facts, default=lambda data: b64encode(data).decode()).encode()
    description += b" " * (-(8 + len(description)) % ALIGNMENT)
    file.write(len(description).to_bytes(8) + description)
    for array in arrays:
        file.write(np.ascontiguousarray(array).data.cast("B"))
    file.flush()


def _unpacked(packed: mmap.mmap) -> Decoded:
    """The photo that `_pack` wrote; the arrays stay where they are.

    Raises:
        PhotoError: it is an error.
    """
    at = 8 + int.from_bytes(packed[:8])
    facts = json.loads(packed[8:at])
    if "error" in facts:
        raise (PhotoCostError if facts["costly"] else PhotoError)(facts["error"])
    arrays: list[Pixels] = []
    for dtype, shape in facts["arrays"]:
        array = np.frombuffer(packed, dtype, math.prod(shape), at)
        arrays.append(array.reshape(shape))
        at += array.nbytes
    known = facts["metadata"]
    metadata = Metadata(
        exif=b64decode(known["exif"]),
        xmp=b64decode(known["xmp"]),
        iptc=b64decode(known["iptc"]),
        texts=tuple((keyword, text) for keyword, text in known["texts"]),
        dpi=known["dpi"] and tuple(known["dpi"]),
    )
    alpha = arrays[1] if len(arrays) > 1 else None
    return Decoded(arrays[0], alpha, facts["format"], metadata, tuple(facts["notices"]))


def _file_in_memory() -> BinaryIO:
    """An empty file that no other process can open; on Linux it takes no disk."""
    if hasattr(os, "memfd_create"):
        return os.fdopen(os.memfd_create("photo"), "w+b")
    return tempfile.TemporaryFile()


def serve(seconds: int, memory: int) -> None:
    """Decode what comes through the socket at standard input, until it is closed.

    Args:
        seconds: of one processor, for each photo.
        memory: bytes of the process.
    """
    import resource
    import signal

    import tifffile  # noqa: F401  # the loader imports it when it is needed

    register_heif()
    Image.init()
    for number in (signal.SIGINT, signal.SIGTERM):  # the server finishes its jobs first
        signal.signal(number, signal.SIG_IGN)
    with suppress(OSError):  # when memory is short, the system ends this process, not the server
        Path("/proc/self/oom_score_adj").write_text("500")
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    connection = socket.socket(fileno=0)
    connection.send(READY)
    while True:
        try:
            request, files, _, _ = socket.recv_fds(connection, MAX_REQUEST, 1)
        except ConnectionError:  # the server was killed
            return
        if not request:
            return
        end = math.ceil(time.process_time()) + seconds
        resource.setrlimit(resource.RLIMIT_CPU, (end, resource.RLIM_INFINITY))
        photo = json.loads(request)
        raw = io.FileIO(files[0])
        raw.name = photo["name"]  # tifffile expects a text
        with io.BufferedReader(raw) as file, _file_in_memory() as answer:
            try:
                _pack(answer, decode(file, **photo, time_limit=TIME_LIMIT))
            except PhotoError as error:
                _pack(answer, error)
            socket.send_fds(connection, [READY], [answer.fileno()])


if __name__ == "__main__":
    serve(int(sys.argv[1]), int(sys.argv[2]))
