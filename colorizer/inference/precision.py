"""Choose the precision in which a CPU runs a network fastest, by measuring it.

CPUs with bfloat16 instructions are not all faster with them: a Xeon with AVX-512 BF16 and without
AMX takes longer than in float32. So the network itself is timed, which takes about 0.1 s, and the
choice is kept in the user's cache folder, for each computer and network.
"""

import hashlib
import json
import os
import platform
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from time import perf_counter

import torch

from colorizer.files import atomic_write

PRECISIONS = ("auto", "fp32", "bf16")
PRECISION_VARIABLE = "COLORIZER_PRECISION"  # what "auto" means, without measuring
ROUNDS = 3  # after one to warm up
MAX_BFLOAT16_TIME = 0.9  # of the time in float32, which is more exact
MAX_CACHED = 100  # choices

Run = Callable[[], object]


def choose_precision(network: str, fp32: Run, bf16: Run) -> str:
    """Choose between float32 and bfloat16.

    The variable COLORIZER_PRECISION decides if it is set, then an earlier choice in the cache, then
    a measurement.

    Args:
        network: identifies the network and what runs it, for the cache.
        fp32: runs the network in float32.
        bf16: runs the network in bfloat16.

    Returns:
        "fp32" or "bf16".
    """
    forced = os.environ.get(PRECISION_VARIABLE)
    if forced in PRECISIONS[1:]:
        return forced
    key = cache_key(network)
    cached = read_cache().get(key)
    if cached in PRECISIONS[1:]:
        return cached
    chosen = measure_precision(fp32, bf16)
    write_cache(key, chosen)
    return chosen


def measure_precision(fp32: Run, bf16: Run) -> str:
    """Run both in turns; bfloat16 must be clearly faster."""
    seconds: dict[Run, list[float]] = {fp32: [], bf16: []}
    for _ in range(1 + ROUNDS):
        for run, times in seconds.items():
            start = perf_counter()
            run()
            times.append(perf_counter() - start)
    faster = min(seconds[bf16][1:]) <= MAX_BFLOAT16_TIME * min(seconds[fp32][1:])
    return "bf16" if faster else "fp32"


def cache_key(network: str) -> str:
    """Identifies the computer, PyTorch, the number of threads and the network."""
    parts = (platform.node(), processor(), torch.__version__, torch.get_num_threads(), network)
    return hashlib.sha256("\n".join(map(str, parts)).encode()).hexdigest()[:32]


def processor() -> str:
    """The name of the processor, as well as the system tells it."""
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text("utf-8", "replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def cache_path() -> Path:
    """The file in the user's cache folder that keeps the choices."""
    folder = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(folder) if folder else Path("~/.cache").expanduser()) / "colorizer/precision.json"


def read_cache() -> dict[str, str]:
    """The choices by key; empty if the file is missing, unreadable or damaged."""
    try:
        choices = json.loads(cache_path().read_text("utf-8"))
    except (OSError, ValueError, RuntimeError):  # the last: no home folder
        return {}
    return choices if isinstance(choices, dict) else {}


def write_cache(key: str, choice: str) -> None:
    """Keep a choice; without a writable cache folder the next start measures again."""
    choices = {**read_cache(), key: choice}
    kept = dict(list(choices.items())[-MAX_CACHED:])
    with suppress(OSError, RuntimeError):
        path = cache_path()
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(path) as part:
            part.write_text(json.dumps(kept, indent=1), "utf-8")
