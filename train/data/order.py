"""The repeatable order of training photos: which one each crop shows."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from train.data.samples import Source
from train.settings.config import TrainConfig

NEARLY_GRAY = "nearly gray"  # why a photo was skipped
CYCLE, ORDER, CROP = range(3)  # what a random generator is for, so that no two draw the same

Found = TypeVar("Found")


class Skip(NamedTuple):
    """A photo that another one had to replace."""

    name: str  # source/photo
    reason: str  # NEARLY_GRAY, or "unreadable: ..."


class PhotoOrder:
    """The photo of crop number n, for n from 0 on: a pure function of n and the seed.

    Sources are drawn from in a fixed cycle as long as all their photos together, each as often as
    `draw_counts` says; within a source photos come in a new order each epoch. A photo that can't
    be used is replaced by the next in its source's order.
    """

    def __init__(self, sources: Sequence[Source], config: TrainConfig) -> None:
        self.sources = sources
        self.seed = config.seed
        self._counts = draw_counts([len(source) for source in sources], config.balance)
        random = np.random.default_rng((config.seed, CYCLE))
        self._cycle = random.permutation(np.repeat(np.arange(len(sources)), self._counts))
        self._rank = np.empty_like(self._cycle)  # of a position among those of its source
        for source, count in enumerate(self._counts):
            self._rank[self._cycle == source] = np.arange(count)
        # of each source, an epoch and its permutation
        self._orders = [(-1, np.empty(0, np.int64))] * len(sources)

    def find(
        self, number: int, look: Callable[[int, int], Found | str]
    ) -> tuple[Found, list[Skip]]:
        """Look for the photo of crop `number`.

        Args:
            number: of the crop.
            look: gets the index of a source and of one of its photos; returns the photo, in
                whatever form, or the reason why it can't be used.

        Returns:
            The photo, and those that it replaces.

        Raises:
            ValueError: the source has no usable photo.
        """
        cycle, position = divmod(number, len(self._cycle))
        index = int(self._cycle[position])
        source = self.sources[index]
        drawn = cycle * int(self._counts[index]) + int(self._rank[position])
        skips: list[Skip] = []
        for attempt in range(2 * len(source)):  # spans a whole epoch, wherever it starts
            place = self._shuffled(index, drawn + attempt)
            found = look(index, place)
            if not isinstance(found, str):
                return found, skips
            skips.append(Skip(f"{source.name}/{source.samples[place].name}", found))
        raise ValueError(
            f"None of the photos of {source.name} is a readable color photo; check --data."
        )

    def check(self, look: Callable[[int, int], Found | str]) -> None:
        """Look for one photo of each source. Raises ValueError if a source has none."""
        for number in np.unique(self._cycle, return_index=True)[1]:
            self.find(int(number), look)

    def _shuffled(self, source: int, drawn: int) -> int:
        """Index of the photo that comes as number `drawn` of its source."""
        size = len(self.sources[source])
        epoch, position = divmod(drawn, size)
        if self._orders[source][0] != epoch:
            random = np.random.default_rng((self.seed, ORDER, source, epoch))
            self._orders[source] = epoch, random.permutation(size)
        return int(self._orders[source][1][position])


def draw_counts(sizes: Sequence[int], balance: float) -> NDArray[np.int64]:
    """How often each source is drawn from in a cycle of sum(sizes) draws.

    Args:
        sizes: photos of each source, at least 1.
        balance: draws are proportional to size ** (1 - balance): 0 draws every photo equally
            often, 1 every source.

    Returns:
        int64 (sources,), each at least 1, rounded by the largest remainder.
    """
    total = sum(sizes)
    weights = np.array(sizes, np.float64) ** (1 - balance)
    quotas = total * weights / weights.sum()  # at least 1, as weights are from 1 to the sizes
    counts: NDArray[np.int64] = np.floor(quotas).astype(np.int64)
    largest = np.argsort(counts - quotas, kind="stable")[: total - counts.sum()]
    counts[largest] += 1
    return counts
