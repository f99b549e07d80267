"""Run tasks in threads of this process."""

from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait

from colorizer.batch.job import Outcome, Task, Work

WAITING = 2  # photos per worker that have their turn next, so that none is ever idle


def run_threads(work: Work, tasks: Iterable[Task], threads: int) -> Iterator[Outcome]:
    """Do tasks in threads: one decodes or encodes while another's network computes.

    Args:
        work: what to do with each.
        tasks: are asked for as their turns come; when they end, what was begun is done.
        threads: photos at once.

    Yields:
        The outcomes, as they come.
    """
    with ThreadPoolExecutor(threads) as pool:
        running = set[Future[Outcome]]()
        for task in tasks:
            running.add(pool.submit(work, task))
            if len(running) >= WAITING * threads:
                done, running = wait(running, return_when=FIRST_COMPLETED)
                yield from (job.result() for job in done)
        while running:
            done, running = wait(running, return_when=FIRST_COMPLETED)
            yield from (job.result() for job in done)
