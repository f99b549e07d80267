"""The same jobs over a Ray cluster: Ray Data hands photos to actors that hold the network each.

All machines must see the photos and the folder of results under the same paths, and have colorizer
installed.
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

from colorizer.batch.job import Load, Outcome, Settings, Task, Worker
from colorizer.errors import ClusterError

LOCAL = "local"  # address of a Ray that is started here, for this run alone
TRIES = 3  # of a photo whose worker died; then it is taken to be what kills them


@dataclass(frozen=True)
class Cluster:
    """How photos are colorized over Ray.

    Attributes:
        load: as of `Worker`; is sent to the workers.
        settings: for all photos.
        address: of the cluster, as Ray writes it; `LOCAL` starts one on this machine.
        workers: at once; None takes as many as the cluster has processors, or GPUs.
        gpus: whether each worker takes a GPU.
        stopped: says whether to begin nothing more.
    """

    load: Load
    settings: Settings
    address: str = LOCAL
    workers: int | None = None
    gpus: bool = False
    stopped: Callable[[], bool] = lambda: False

    def __call__(self, tasks: Iterable[Task]) -> Iterator[Outcome]:
        """Do tasks; what a worker had in hand when it died is done by another.

        Yields:
            The outcomes, as they come.

        Raises:
            ClusterError: Ray can't be reached, or no worker can be started.
        """
        todo = list(tasks)
        if not todo:
            return
        ray = import_ray()
        try:
            if not ray.is_initialized():
                ray.init(self.address, logging_level=logging.ERROR, log_to_driver=False)
            for row in self._dataset(ray, todo).iter_rows():
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
        context.enable_progress_bars = False  # there is one already
        context.print_on_execution_start = False
        tries = ray.remote(num_cpus=0)(Tries).remote()
        units = int(ray.cluster_resources().get("GPU" if self.gpus else "CPU", 1))
        workers = min(self.workers or units, len(tasks))
        return ray.data.from_items(
            [{"task": pickle.dumps(task)} for task in tasks], override_num_blocks=len(tasks)
        ).map_batches(
            RemoteWorker,
            fn_constructor_args=(tries, os.getcwd(), self.load, self.settings),
            batch_size=1,
            compute=ray.data.ActorPoolStrategy(size=workers),
            num_cpus=1,
            num_gpus=1 if self.gpus else None,
        )


class Tries:
    """Counts how often work on each photo was begun; an actor of its own, for workers may die."""

    def __init__(self) -> None:
        self.counts = Counter[Path]()

    def begin(self, source: Path) -> int:
        """Count another time, and return how often it was begun before."""
        self.counts[source] += 1
        return self.counts[source] - 1


class RemoteWorker:
    """A `Worker` on one of the cluster's machines.

    Args:
        tries: a handle of the actor that counts.
        folder: from which relative paths go.
        load: as of `Worker`.
        settings: as of `Worker`.
    """

    def __init__(self, tries: Any, folder: str, load: Load, settings: Settings) -> None:
        with suppress(OSError):  # of a machine that knows it not: paths may be absolute
            os.chdir(folder)
        self.tries = tries
        self.work = Worker(load, settings)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        """Colorize the photos of a batch."""
        return {"outcome": [pickle.dumps(self._make(pickle.loads(task))) for task in batch["task"]]}

    def _make(self, task: Task) -> Outcome:
        import ray

        if ray.get(self.tries.begin.remote(task.source)) < TRIES:
            return self.work(task)
        problem = f"{task.source} has killed {TRIES} workers; they may have too little memory."
        return Outcome(task, 0.0, problem=problem)


def import_ray() -> Any:
    """Ray, which is slow to import, and optional.

    Raises:
        ClusterError: it isn't installed.
    """
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # it would print what it recovers from
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is sent anywhere
    os.environ.setdefault("RAY_ENABLE_UV_RUN_RUNTIME_ENV", "0")  # else `uv run` uploads the folder
    try:
        import ray
        import ray.data
    except ImportError:
        raise ClusterError('Ray is not installed; pip install "ray[data]".') from None
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.ERROR)  # they tell of all that they do
    return ray
