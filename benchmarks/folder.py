"""Time a folder of photos: `python -m benchmarks.folder PHOTO...`."""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

from benchmarks.photo import make_photo, peak_memory
from colorizer.batch.find import find_photos
from colorizer.batch.job import JobSettings, Outcome, Task, Worker, load_colorizer
from colorizer.batch.local_runner import run_threads
from colorizer.batch.ray_runner import LOCAL, Cluster


def make_album(sources: Sequence[Path], count: int, megapixels: float, folder: Path) -> list[Task]:
    """Make JPEG photos with grain, by enlarging other photos in turn."""
    tasks = []
    with ProcessPoolExecutor() as pool:
        jobs = []
        for number in range(count):
            path = folder / f"{number:04}.jpg"
            tasks.append(Task(path, folder / f"{number:04}_color.jpg"))
            source = sources[number % len(sources)]
            jobs.append(pool.submit(make_photo, source, megapixels, path))
        for job in jobs:
            job.result()
    return tasks


def measure(
    run: Callable[[Iterable[Task]], Iterator[Outcome]], tasks: Sequence[Task]
) -> tuple[float, float]:
    """Measure a run over many photos.

    Returns:
        Photos per second from the first result to the last, and this process's share of the time
        of all processors.
    """
    outcomes = run(tasks)
    first = next(outcomes)
    start, busy = time.perf_counter(), time.process_time()
    problems = [outcome.problem for outcome in (first, *outcomes) if outcome.problem]
    if problems:
        raise RuntimeError(problems[0])
    seconds, busy = time.perf_counter() - start, time.process_time() - busy
    return (len(tasks) - 1) / seconds, busy / seconds / (os.cpu_count() or 1)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.folder", description=__doc__)
    parser.add_argument("photos", nargs="+", help="files and folders, enlarged in turn")
    parser.add_argument("--count", type=int, default=200, help="number of photos (default: 200)")
    parser.add_argument(
        "--megapixels", type=float, default=2, help="size of each photo (default: 2)"
    )
    parser.add_argument(
        "--jobs", type=int, nargs="+", default=[1, 2], help="photos at once (default: 1 and 2)"
    )
    parser.add_argument("--ray", action="store_true", help="use a local Ray with as many workers")
    parser.add_argument("--checkpoint", help="folder, user/repo or user/repo@revision")
    options = parser.parse_args(arguments)
    sources = [item.source for item in find_photos(options.photos) if not item.problem]
    given = partial(load_colorizer, options.checkpoint, "auto"), JobSettings()
    with tempfile.TemporaryDirectory() as folder:
        tasks = make_album(sources, options.count, options.megapixels, Path(folder))
        for jobs in options.jobs:
            if options.ray:
                rate, _ = measure(Cluster(*given, LOCAL, jobs), tasks)
                print(f"{jobs} workers of Ray: {rate:.2f} photos per second", flush=True)
                continue
            rate, share = measure(partial(run_threads, Worker(*given), threads=jobs), tasks)
            print(f"{jobs} at once: {rate:.2f} photos per second, processors {share:.0%} busy")
            print(f"peak memory {peak_memory()}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
