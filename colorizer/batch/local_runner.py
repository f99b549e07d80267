"""Run tasks in threads of this process."""

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from colorizer.batch.job import Outcome, Task, Work

TASKS_PER_THREAD = 2  # running or queued, so that no thread is idle


def run_threads(work: Work, tasks: Iterable[Task], threads: int) -> Iterator[Outcome]:
    """Run tasks in threads, so that one decodes or encodes while another runs the network.

    Args:
        work: runs a task.
        tasks: consumed lazily, when a thread is nearly free.
        threads: number of tasks to run at once.

    Yields:
        The outcomes in the order of completion.
    """
    with ThreadPoolExecutor(threads) as pool:
        running = set[Future[Outcome]]()
        for task in tasks:
            running.add(pool.submit(work, task))
            if len(running) >= TASKS_PER_THREAD * threads:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (job.result() for job in done)
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (job.result() for job in done)
