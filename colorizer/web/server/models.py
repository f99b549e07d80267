"""The checkpoints that visitors may use: the server's own, and public ones from the Hub."""

import re
from collections import OrderedDict
from dataclasses import dataclass
from functools import lru_cache
from threading import Lock

from colorizer import CheckpointError, Colorizer
from colorizer.checkpoints.checkpoint import Checkpoint, load_checkpoint
from colorizer.checkpoints.describe import CheckpointInfo, describe_checkpoint
from colorizer.web.server.zerogpu import lend_gpu

KEPT = 2  # models in memory besides the default
DESCRIBED = 32  # commits whose description is remembered
LARGEST = 1_000_000_000  # bytes of weights: what a visitor may cost the server in disk and memory


@dataclass(frozen=True)
class Notice:
    """Why the default isn't the model that was asked for, or perhaps not its newest version.

    Attributes:
        state: "coming" from the Hub, or "failed".
        name: what was asked for.
        used: "user/repo@commit" from the cache; None is the bundled model.
    """

    state: str
    name: str
    used: str | None


class Models:
    """Checkpoints by name; "" is the default. One object serves all visitors.

    Args:
        default: a folder or a name on the Hub, as for `Colorizer.load`; None takes the bundled one.
        device: as for `Colorizer.load`.

    Attributes:
        notice: what visitors should know about the default.

    Raises:
        CheckpointError: the default can't be used.
        ValueError: there is no such device.
    """

    def __init__(self, default: str | None = None, device: str = "auto") -> None:
        self.notice: Notice | None = None
        self._default = Colorizer.load(default, device)
        source = default and self._default.checkpoint.source
        self._default_info = describe_checkpoint(source, fresh=False)
        self._others: OrderedDict[str, Colorizer] = OrderedDict()
        self._lock = Lock()  # of the dictionary
        self._loading = Lock()  # one at a time, for the memory it takes
        self._describe_commit = lru_cache(DESCRIBED)(describe_checkpoint)
        self._device = lend_gpu(self._default)  # of the others

    def get(self, name: str) -> Colorizer:
        """The model of that name, downloaded and loaded if need be.

        Args:
            name: "" for the default, else the `source` of a description.

        Raises:
            CheckpointError: it can't be used.
        """
        if not name:
            return self._default
        if found := self._loaded(name):
            return found
        with self._loading:
            if found := self._loaded(name):  # by another visitor, while this one waited
                return found
            colorizer = Colorizer(self._load(name), self._device)
            with self._lock:
                self._others[name] = colorizer
                while len(self._others) > KEPT:
                    self._others.popitem(last=False)
            return colorizer

    def describe(self, name: str) -> CheckpointInfo:
        """What is known of a model before it is loaded; takes a few seconds at most.

        Args:
            name: "" for the default, "user/repo" or "user/repo@revision" on the Hub.

        Raises:
            CheckpointError: there is no such public repository, or it can't be used; `reason` is
                "large" if its weights are too large.
        """
        if not name:
            return self._default_info
        pinned = re.search("@[0-9a-f]{40}$", name)
        info = (self._describe_commit if pinned else describe_checkpoint)(name, public=True)
        if info.size > LARGEST:
            raise CheckpointError(
                f"The weights of {name} have {info.size / 1e6:,.0f} MB; "
                f"use a model of at most {LARGEST / 1e6:,.0f} MB.",
                "large",
            )
        return info

    def replace_default(self, source: str, notice: Notice | None) -> None:
        """Use another default from now on.

        Args:
            source: as for `Colorizer.load`.
            notice: what visitors should know about it.

        Raises:
            CheckpointError: it can't be used; the default stays.
        """
        checkpoint = load_checkpoint(source)
        info = describe_checkpoint(source, fresh=False)
        self._default = Colorizer(checkpoint, self._device)
        self._default_info, self.notice = info, notice

    def _loaded(self, name: str) -> Colorizer | None:
        with self._lock:
            if name in self._others:
                self._others.move_to_end(name)
            return self._others.get(name)

    def _load(self, name: str) -> Checkpoint:
        return load_checkpoint(self.describe(name).source, public=True)
