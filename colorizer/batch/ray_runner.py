"""Run tasks on a Ray cluster: Ray Data distributes photos to actors that each hold the network.

All machines need colorizer, and must see the photos and the output folder under the same paths.
"""

import logging
import os
import pickle
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from colorizer.batch.job import JobSettings, Load, Outcome, Task, Worker
from colorizer.errors import ClusterError

LOCAL = "local"  # address that starts Ray on this machine, for this run only
MAX_ATTEMPTS = 3  # at a photo whose workers die; after them the photo fails


@dataclass(frozen=True)
class Cluster:
    """How to run tasks on Ray.

    Attributes:
        load: see `Worker`; it is sent to the workers.
        settings: settings for all photos.
        address: address of the cluster, as Ray writes it; `LOCAL` starts one on this machine.
        workers: number of workers; None uses one per processor or GPU of the cluster.
        gpus: whether each worker gets a GPU.
        stopped: tells whether to start no more photos.
    """

    load: Load
    settings: JobSettings
    address: str = LOCAL
    workers: int | None = None
    gpus: bool = False
    stopped: Callable[[], bool] = lambda: False

    def __call__(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """Run tasks; those of a worker that dies go to another worker.

        Yields:
            The outcomes, in the order of completion.

        Raises:
            ClusterError: Ray can't be reached, or no worker can be started.
        """
        tasks = list(tasks)
        if not tasks:
            return
        ray = import_ray()
        try:
            if not ray.is_initialized():
                ray.init(self.address, logging_level=logging.ERROR, log_to_driver=False)
            for row in self._dataset(ray, tasks).iter_rows():
                yield pickle.loads(row["outcome"])
                if self.stopped():
                    return
        except (ConnectionError, ValueError, ray.exceptions.RayError) as error:
            reason = str(error).strip().splitlines()[-1]
            raise ClusterError(
                f"The Ray cluster {self.address} failed ({reason}); check that it runs, and that "
                "its machines have colorizer and the checkpoint."
            ) from error
        finally:
            ray.shutdown()

    def _dataset(self, ray: Any, tasks: list[Task]) -> Any:
        context = ray.data.DataContext.get_current()
        context.enable_progress_bars = False  # the album has its own
        context.print_on_execution_start = False
        attempts = ray.remote(num_cpus=0)(AttemptCounter).remote()
        units = int(ray.cluster_resources().get("GPU" if self.gpus else "CPU", 1))
        workers = min(self.workers or units, len(tasks))
        return ray.data.from_items(
            [{"task": pickle.dumps(task)} for task in tasks], override_num_blocks=len(tasks)
        ).map_batches(
            RemoteWorker,
            fn_constructor_args=(attempts, os.getcwd(), self.load, self.settings),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_cpus=1,
            num_gpus=1 if self.gpus else None,
        )


class AttemptCounter:
    """Counts the attempts at each photo, in an actor that outlives the workers."""

    def __init__(self) -> None:
        self.counts = Counter[Path]()

    def begin(self, source: Path) -> int:
        """Count one more attempt; returns the number of earlier ones."""
        self.counts[source] += 1
        return self.counts[source] - 1


class RemoteWorker:
    """A `Worker` on a machine of the cluster.

    Args:
        attempts: handle of the `AttemptCounter` actor.
        folder: the folder to which relative paths refer.
        load: see `Worker`.
        settings: see `Worker`.
    """

    def __init__(self, attempts: Any, folder: str, load: Load, settings: JobSettings) -> None:
        with suppress(OSError):  # a machine without that folder can still use absolute paths
            os.chdir(folder)
        self.attempts = attempts
        self.work = Worker(load, settings)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Colorize the photos of a batch."""
        return {"outcome": [pickle.dumps(self._run(pickle.loads(task))) for task in batch["task"]]}

    def _run(self, task: Task) -> Outcome:
        import ray

        if ray.get(self.attempts.begin.remote(task.source)) < MAX_ATTEMPTS:
            return self.work(task)
        problem = f"{task.source} killed {MAX_ATTEMPTS} workers; they may have too little memory."
        return Outcome(task, 0.0, problem=problem)


def import_ray() -> Any:
    """Import Ray, which is optional and slow to import.

    Raises:
        ClusterError: Ray isn't installed.
    """
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # hides recovered failures
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # sends no statistics
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")  # else `uv run` uploads the folder
    try:
        import ray
        import ray.data
    except ImportError:
        raise ClusterError('Ray is not installed; pip install "ray[data]".') from None
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)
    return ray
